/*
 * ledger/postgres/migrate.c - brings the engine's tables to the newest version: numbered files.
 *
 * All in one transaction under an advisory lock that ends with it, so that any number of nodes may
 * start at once: the first one makes the tables, the others find them.
 *
 * Threads: main, while the store opens.
 */
#include "ledger/postgres/migrate.h"

#include <stdio.h>

#include "sql_postgres.h"

#define ANSWER_MS 10000
#define TABLES_MS 30000                     /* another node may be making them */
#define ADVISORY_LOCK "8386093303946407033" /* "tallyd" and a half, as a number */

/* A node that is cut off in the midst of it keeps the others from starting for so long. */
static const char begin[] = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '10s'; "
                            "SELECT pg_advisory_xact_lock(" ADVISORY_LOCK "); "
                            "CREATE TABLE IF NOT EXISTS migration (number bigint PRIMARY KEY, at "
                            "timestamptz DEFAULT now())";

static bool read_version(struct link *link, size_t *ret_version, struct why *why)
{
    link_queue(link, "SELECT coalesce(max(number), 0) FROM migration", NULL);
    if (link_flush(link, link_now_ms() + ANSWER_MS) != LINK_DONE) {
        why_set(why, "cannot read the version of the store: %s", link_why(link));
        return false;
    }
    *ret_version = (size_t)value_int(link_get(link, 0), 0, 0);
    return true;
}

static bool script(struct link *link, const char *sql, int64_t wait_ms, struct why *why)
{
    if (link_script(link, sql, link_now_ms() + wait_ms))
        return true;
    return why_set(why, "cannot make the store's tables: %s", link_why(link)) != NULL;
}

static bool run(struct link *link, size_t number, struct why *why)
{
    const char *sql = (const char *)embedded_sql_postgres[number - 1].bytes;
    char done[96];

    (void)snprintf(done, sizeof done, "INSERT INTO migration (number) VALUES (%zu)", number);
    return script(link, sql, TABLES_MS, why) && script(link, done, ANSWER_MS, why);
}

static bool run_all(struct link *link, struct why *why)
{
    size_t version;

    if (!script(link, begin, TABLES_MS, why) || !read_version(link, &version, why))
        return false;
    if (version > embedded_sql_postgres_count) {
        why_set(why, "the store was written by a newer tallyd; start that one");
        return false;
    }
    while (version < embedded_sql_postgres_count) {
        if (!run(link, ++version, why))
            return false;
    }
    return script(link, "COMMIT", ANSWER_MS, why);
}

bool postgres_migrate(struct link *link, struct why *reterr_why)
{
    if (run_all(link, reterr_why))
        return true;
    link_roll_back(link);
    return false;
}
