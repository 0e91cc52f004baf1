/*
 * ledger/sqlite_open.c - opening and closing the SQLite store, in the order that keeps promises.
 *
 * Lock, a new file, header, log written again, and only then SQLite: one connection, exclusive, for
 * life.
 * Debian 12's SQLite 3.40.1 can lose commits when two connections write or checkpoint at once.
 *
 * Threads: main opens; the writer's thread, or main after it, closes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "ledger/files.h"
#include "ledger/sqlite.h"
#include "ledger/sqlite_phases.h"

#define SCHEME "sqlite:"

#define SAYS_MAX 160

/* Of EIO and its like SQLite makes SQLITE_CORRUPT (by way of SQLITE_IOERR_CORRUPTFS), and
 * sqlite3_system_errno() knows nothing of it; the file remembers. */
int sqlite_read_errno(sqlite3 *db)
{
    static const int files[] = { SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER };

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        sqlite3_file *file = NULL;
        int number = 0;

        (void)sqlite3_file_control(db, "main", files[i], (void *)&file);
        if (file && file->pMethods)
            (void)file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &number);
        if (number == EIO || number == ENXIO || number == ERANGE)
            return number;
    }
    return 0;
}

struct why sqlite_says(sqlite3 *db)
{
    static const char remedy[] = "; it is damaged: see what tallyd --check-store says, and restore "
                                 "a backup (tallyd --restore)";
    struct why says;
    const char *text = db ? sqlite3_errmsg(db) : "no memory";
    int system = db ? sqlite3_system_errno(db) : 0;
    int unread = db ? sqlite_read_errno(db) : 0;
    int len = (int)strcspn(text, "\n"); /* it may quote a table's definition to its end */

    if (len > SAYS_MAX)
        len = SAYS_MAX;
    switch (db ? sqlite3_errcode(db) & 0xFF : SQLITE_NOMEM) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CONSTRAINT: /* what there is one of is there twice */
    case SQLITE_ERROR:      /* a table is not what it was */
        if (unread != 0)
            why_set(&says, "its disk cannot be read: %s", strerror(unread));
        else
            why_set(&says, "%.*s%s", len, text, remedy);
        break;
    case SQLITE_READONLY: /* what could not be opened it opens once more, to read alone … */
        why_set(&says, "it can be opened to be read alone; see whose file it is and whether the "
                       "disk is failing, or restore a backup (tallyd --restore)");
        break;
    case SQLITE_CANTOPEN: /* … and tells of that: not why none could be made */
    case SQLITE_IOERR:
        if (system == ENOENT)
            why_set(&says, "a file beside it cannot be made; the disk may be failing");
        else
            why_set(&says, "%.*s%s%s", len, text, system ? ": " : "",
                    system ? strerror(system) : "");
        break;
    default:
        why_set(&says, "%.*s", len, text);
    }
    return says;
}

static void refused(sqlite3 *db, const char *sql, struct why *why)
{
    why_set(why, "the store %s refuses '%.60s': %s", sqlite3_db_filename(db, "main"), sql,
            sqlite_says(db).text);
}

bool sqlite_exec(sqlite3 *db, const char *sql, struct why *reterr_why)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    refused(db, sql, reterr_why);
    return false;
}

bool sqlite_begin(struct sqlite_store *store, struct why *reterr_why)
{
    if (log_of_crash_goes(store) == FAULT_NONE)
        return sqlite_exec(store->db, "BEGIN IMMEDIATE", reterr_why);
    why_set(reterr_why, "cannot write to the store %s: %s", store->path,
            sqlite_says(store->db).text);
    return false;
}

/* A pragma that answers with what now holds. Where it has to write, as journal_mode does, it
 * answers before it commits: only the end of the statement tells whether it does hold. */
static bool set_checked(sqlite3 *db, const char *sql, const char *expected, struct why *why)
{
    sqlite3_stmt *statement = NULL;
    const unsigned char *value = NULL;
    bool ok = sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
              sqlite3_step(statement) == SQLITE_ROW;

    if (ok)
        value = sqlite3_column_text(statement, 0);
    ok = ok && value && strcmp((const char *)value, expected) == 0;
    if (!ok && !value)
        refused(db, sql, why);
    else if (!ok)
        why_set(why, "the store %s: '%s' gives %s instead of %s", sqlite3_db_filename(db, "main"),
                sql, (const char *)value, expected);
    else if (sqlite3_step(statement) != SQLITE_DONE) {
        refused(db, sql, why);
        ok = false;
    }
    (void)sqlite3_finalize(statement);
    return ok;
}

/* The exclusive lock comes before the first access, so that no -shm file is ever made. */
static bool apply_settings(sqlite3 *db, struct why *why)
{
    static const char *const plain[] = {
        "PRAGMA trusted_schema = OFF",   "PRAGMA cell_size_check = ON", "PRAGMA secure_delete = ON",
        "PRAGMA wal_autocheckpoint = 0", "PRAGMA temp_store = MEMORY",  "PRAGMA cache_size = -8192",
        "PRAGMA synchronous = FULL",     "PRAGMA foreign_keys = OFF",
    };

    if (!set_checked(db, "PRAGMA locking_mode = EXCLUSIVE", "exclusive", why) ||
        !sqlite_exec(db, "PRAGMA mmap_size = 0", why) ||
        !sqlite_exec(db, "PRAGMA synchronous = FULL", why))
        return false;
    if (!set_checked(db, "PRAGMA journal_mode = WAL", "wal", why) ||
        !set_checked(db, "PRAGMA journal_size_limit = 33554432", "33554432", why))
        return false;
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (!sqlite_exec(db, plain[i], why))
            return false;
    }
    return sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) == SQLITE_OK;
}

static bool prepare_statements(struct sqlite_store *store, struct why *why)
{
    static const char *const sql[SQL_COUNT] = {
        [SQL_BEGIN] = "BEGIN IMMEDIATE",
        [SQL_COMMIT] = "COMMIT",
        [SQL_ROLLBACK] = "ROLLBACK",
        [SQL_VOTE_INSERT] = "INSERT INTO vote (row, at, voter, options, replaces, address) "
                            "VALUES ((?1 << 32) + ?2, ?3, ?4, ?5, ?6, ?7)",
        [SQL_VOTE_SELECT] = "SELECT voter, at, options, address, replaces FROM vote "
                            "WHERE row = (?1 << 32) + ?2",
        [SQL_VOTE_SCAN] = "SELECT row & 4294967295, voter, options, replaces, address, at "
                          "FROM vote WHERE row > (?1 << 32) + ?2 AND row <= (?1 << 32) + ?3 "
                          "ORDER BY row LIMIT ?4",
        [SQL_TALLY_SELECT] = "SELECT option, votes FROM tally WHERE poll = ?1",
        [SQL_POLL_SELECT] = "SELECT voters, version, updated_at FROM poll WHERE poll = ?1",
        [SQL_HOUR_SCAN] = "SELECT hour, option, votes FROM hour WHERE poll = ?1 "
                          "AND (hour, option) >= (?2, ?3) AND hour < ?4 "
                          "ORDER BY hour, option LIMIT ?5",
        [SQL_POLL_INSERT] = "INSERT INTO poll (poll, id, definition, salt, prefix_v4, prefix_v6, "
                            "seq, voters, version, updated_at, phase, rows_sum, sum) "
                            "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        [SQL_POLL_UPDATE] = "UPDATE poll SET definition = coalesce(?2, definition), seq = ?3, "
                            "voters = ?4, version = ?5, updated_at = ?6, phase = ?7, "
                            "rows_sum = ?8, sum = ?9 "
                            "WHERE poll = ?1",
        [SQL_POLL_DELETE] = "UPDATE poll SET deleted_at = ?2, salt = NULL WHERE poll = ?1",
        [SQL_VOTE_REPLACING] = "SELECT 1 FROM vote WHERE row > (?1 << 32) + ?2 "
                               "AND row <= (?1 << 32) + 4294967295 AND replaces = ?2 LIMIT 1",
        [SQL_VOTE_FORGET] = "UPDATE vote SET voter = ?3, address = NULL "
                            "WHERE row = (?1 << 32) + ?2",
        [SQL_POLL_FORGET] = "UPDATE poll SET salt = NULL WHERE poll = ?1",
        [SQL_FORGET_BEGUN] = "INSERT OR REPLACE INTO meta (name, value) VALUES ('forgets', x'01')",
        [SQL_FORGET_DONE] = "DELETE FROM meta WHERE name = 'forgets'",
        [SQL_SUMS_PUT] = "UPDATE poll SET rows_sum = ?2, sum = ?3 WHERE poll = ?1",
        [SQL_LIVE_PUT] = "INSERT OR REPLACE INTO meta (name, value) VALUES ('live', ?1)",
        [SQL_TALLY_PUT] = "INSERT INTO tally (poll, option, votes) VALUES (?1, ?2, ?3) "
                          "ON CONFLICT DO UPDATE SET votes = excluded.votes",
        [SQL_HOUR_PUT] = "INSERT INTO hour (poll, hour, option, votes) VALUES (?1, ?2, ?3, ?4) "
                         "ON CONFLICT DO UPDATE SET votes = excluded.votes",
    };

    for (size_t i = 0; i < SQL_COUNT; i++) {
        if (sqlite3_prepare_v3(store->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &store->sql[i],
                               NULL) != SQLITE_OK) {
            if (!sqlite_lacks_memory(store, why))
                why_set(why, "the store %s cannot be used: %s", store->path,
                        sqlite_says(store->db).text);
            return false;
        }
    }
    return true;
}

static void close_without_checkpoint(struct sqlite_store *store, bool without)
{
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, without ? 1 : 0, NULL);
}

static int remember_frames(void *context, sqlite3 *db, const char *name, int frames)
{
    struct sqlite_store *store = context;

    (void)db;
    (void)name;
    store->wal_frames = frames;
    return SQLITE_OK;
}

/* A migration that writes a table anew leaves a log as large as the table, which would be there for
 * good, and be written again at each start. Where the disk is full it stays for now. */
static bool migrate(struct sqlite_store *store, struct why *why)
{
    bool upgraded;

    if (!sqlite_migrate(store, &upgraded, why))
        return false;
    if (upgraded && checkpoint(store, SQLITE_CHECKPOINT_TRUNCATE) == FAULT_BROKEN) {
        why_set(why, "cannot write to the store %s: %s", store->path, sqlite_says(store->db).text);
        return false;
    }
    return true;
}

static bool open_database(struct sqlite_store *store, struct why *why)
{
    int code = sqlite3_open_v2(store->path, &store->db,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                                   SQLITE_OPEN_EXRESCODE,
                               NULL);

    if (code != SQLITE_OK) {
        why_set(why, "cannot open the store %s: %s", store->path, sqlite_says(store->db).text);
        return false;
    }
    close_without_checkpoint(store, true); /* until it is known to be whole */
    return apply_settings(store->db, why) && migrate(store, why) &&
           prepare_statements(store, why) && sqlite_load(store, why) &&
           /* SQLite reads a file that it cannot open for writing, and tells at the first vote. */
           sqlite_exec(store->db, "BEGIN IMMEDIATE; ROLLBACK", why);
}

static bool open_files(struct sqlite_store *store, struct why *why)
{
    store->lock_fd = sqlite_lock(store->path, why);
    return store->lock_fd >= 0 && sqlite_create(store->path, why) &&
           sqlite_file_ok(store->path, sqlite_newest_migration(), why) &&
           sqlite_log_not_lost(store->path, why) && sqlite_log_ok(store->path, why) &&
           sqlite_rewrite_wal(store->path, why) && open_database(store, why) &&
           sqlite_sync_folder(store->path, why);
}

static enum store_found find(const char *url, bool (*ended)(void), struct why *reterr_why)
{
    struct stat file;

    (void)ended;
    (void)reterr_why; /* what cannot be looked at cannot be opened either, which says why */
    return stat(url + strlen(SCHEME), &file) == 0 && file.st_size > 0 ? STORE_FOUND : STORE_NONE;
}

static void first_ballast(struct sqlite_store *store, uint64_t bytes)
{
    store->ballast_bytes = bytes;
    store->ballast_there = bytes > 0 && ballast_make(store->path, bytes);
    if (bytes > 0 && !store->ballast_there)
        log_line(LOG_WARNING, "no room for a ballast beside %s: the disk is nearly full, ignoring",
                 store->path);
}

static void sqlite_store_free(struct sqlite_store *store)
{
    backup_free(store->backup); /* before its source is closed */
    if (store->ends_well && store->marked &&
        (sqlite_finish(&store->base) != STORE_DONE || store->marked))
        close_without_checkpoint(store, true); /* which would remove the log */
    for (size_t i = 0; i < SQL_COUNT; i++)
        (void)sqlite3_finalize(store->sql[i]);
    if (store->db && sqlite3_close(store->db) != SQLITE_OK)
        log_line(LOG_ERROR, "the store %s does not close: %s", store->path,
                 sqlite3_errmsg(store->db));
    for (size_t i = 0; i < store->n_books; i++)
        book_free(store->books[i]);
    free(store->books);
    free(store->touched);
    free(store->undo);
    if (store->lock_fd >= 0)
        (void)close(store->lock_fd);
    free(store->path);
    free(store->keys_path);
    free(store);
}

const char *store_sqlite_version(void)
{
    return sqlite3_libversion();
}
AUTO_FREE(sqlite_store);

static void free_base(struct store *base)
{
    sqlite_store_free(sqlite_of(base));
}

static struct store *open_store(const struct store_settings *settings, struct board *board,
                                struct why *reterr_why)
{
    AUTO(sqlite_store) store = calloc(1, sizeof *store);
    int64_t log_bytes;
    int64_t next_ms;

    if (!store)
        return why_set(reterr_why, "no memory for the store");
    store->lock_fd = -1;
    store->base.kind = &store_sqlite;
    store->path = str_copy(str_of(settings->url + strlen(SCHEME)));
    store->undo = malloc(2 * (size_t)BATCH_JOBS_MAX * sizeof *store->undo);
    if (!store->path || !store->undo)
        return why_set(reterr_why, "no memory for the store");
    store->clock = settings->clock;
    store->keys = settings->keys;
    if (settings->keys_path && !(store->keys_path = str_copy(str_of(settings->keys_path))))
        return why_set(reterr_why, "no memory for the store");
    store->random = settings->random;
    store->prefix_v4 = settings->prefix_v4;
    store->prefix_v6 = settings->prefix_v6;
    store->forget_after_ms = settings->forget_after_ms;
    store->board = board;
    store->look_again_ms = INT64_MIN;
    if (!sqlite_look_beside(store->path, "-wal", &log_bytes, reterr_why))
        return NULL;
    store->recovered = log_bytes > 0;
    if (!open_files(store, reterr_why))
        return NULL;
    (void)sqlite3_wal_hook(store->db, remember_frames, store);
    first_ballast(store, settings->ballast_bytes);
    /* A full disk is no reason not to start: reads stay up, and phases are tried again. */
    if ((store->log_remembers && batch_forget(store) == FAULT_BROKEN) ||
        phases_sweep(store, &next_ms) == STORE_BROKEN)
        return why_set(reterr_why, "cannot write to the store %s: %s", store->path,
                       sqlite_says(store->db).text);
    if (mark_set(store, reterr_why) == FAULT_BROKEN)
        return NULL;
    close_without_checkpoint(store, false);
    store->ends_well = true;
    return &TAKE(store)->base;
}

static void set_wake(struct store *base, void (*wake)(void *context), void (*turned)(void *context),
                     void *context)
{
    struct sqlite_store *store = sqlite_of(base);

    store->wake = wake;
    store->turned = turned;
    store->wake_context = context;
}

/* Nobody else writes to it. */
static int64_t fresh_ms(const struct store *base)
{
    (void)base;
    return INT64_MAX;
}

const struct store_kind store_sqlite = { .scheme = SCHEME,
                                         .find = find,
                                         .open = open_store,
                                         .finish = sqlite_finish,
                                         .free = free_base,
                                         .commit = sqlite_commit,
                                         .read = sqlite_read,
                                         .work = sqlite_work,
                                         .set_wake = set_wake,
                                         .figures = sqlite_figures,
                                         .shown = sqlite_shown,
                                         .fresh_ms = fresh_ms,
                                         .end_soon = sqlite_end_soon,
                                         .abandon = sqlite_abandon };
