/*
 * ledger/sqlite_migrate.c - brings a store to the newest version: numbered files, one transaction
 * each.
 *
 * Threads: main, while the store opens.
 */
#include <stdio.h>
#include <stdlib.h>

#include "ledger/sqlite.h"
#include "sql_sqlite.h"

/* The files are sorted by name, and named by number from 001 without a gap. */
int sqlite_newest_migration(void)
{
    return (int)embedded_sql_sqlite_count;
}

static bool read_version(sqlite3 *db, int *ret_version, struct why *why)
{
    sqlite3_stmt *statement = NULL;
    bool ok = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK &&
              sqlite3_step(statement) == SQLITE_ROW;

    if (ok)
        *ret_version = sqlite3_column_int(statement, 0);
    else
        why_set(why, "cannot read the version of the store %s: %s", sqlite3_db_filename(db, "main"),
                sqlite_says(db).text);
    (void)sqlite3_finalize(statement);
    return ok;
}

static bool run(struct sqlite_store *store, int number, struct why *why)
{
    sqlite3 *db = store->db;
    const struct embedded *file = &embedded_sql_sqlite[number - 1];
    char done[128];

    (void)snprintf(done, sizeof done,
                   "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
                   SQLITE_APPLICATION_ID, number);
    if (sqlite_begin(store, why) && sqlite_exec(db, (const char *)file->bytes, why) &&
        sqlite_exec(db, done, why))
        return true;
    (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL); /* closing does the same */
    return false;
}

bool sqlite_migrate(struct sqlite_store *store, bool *ret_upgraded, struct why *reterr_why)
{
    int version;

    if (!read_version(store->db, &version, reterr_why))
        return false;
    *ret_upgraded = version > 0 && version < sqlite_newest_migration();
    if (version > sqlite_newest_migration()) {
        why_set(reterr_why, "the store was written by a newer tallyd; start that one");
        return false;
    }
    while (version < sqlite_newest_migration()) {
        if (!run(store, ++version, reterr_why))
            return false;
    }
    return true;
}
