/*
 * ledger/postgres/copy.c - moves a site over from an SQLite store.
 *
 * The source is opened as a start opens it: locked, recovered, its keys checked.
 *
 * Threads: main.
 */
#include "ledger/copy.h"

#include <string.h>

#include "ledger/postgres/copy_poll.h"
#include "ledger/postgres/migrate.h"

#define CONNECT_MS 10000

/* The target is empty, or a copy of this very source that has not ended; from now on it is one. */
static bool claim(struct copy *copy, const struct sqlite_store *from, struct link *to,
                  struct why *why)
{
    unsigned char fingerprint[KEY_FINGERPRINT_BYTES];
    struct values values = { .n = 0 };
    const PGresult *meta;
    struct str source = { (const char *)&from->epoch, sizeof from->epoch };
    uint64_t epoch;

    keys_fingerprint(copy->keys, fingerprint);
    copy->random(&epoch, sizeof epoch);
    values_bytes(&values, (struct str){ (const char *)&epoch, sizeof epoch });
    values_bytes(&values, (struct str){ (const char *)fingerprint, sizeof fingerprint });
    values_bytes(&values, source);
    link_queue(to,
               "INSERT INTO meta (name, value) SELECT * FROM (VALUES ('epoch', $1::bytea), "
               "('key_fingerprint', $2::bytea), ('copying', $3::bytea)) AS new (name, value) "
               "WHERE NOT EXISTS (SELECT FROM meta)",
               &values);
    link_queue(to,
               "SELECT (SELECT value FROM meta WHERE name = 'copying'), "
               "(SELECT value FROM meta WHERE name = 'key_fingerprint')",
               NULL);
    if (!copy_flush(to, why))
        return false;
    meta = link_get(to, 1);
    if (!str_eq(value_bytes(meta, 0, 0), source))
        return why_set(why, "the target holds another ledger; give it an empty database") != NULL;
    if (!str_eq(value_bytes(meta, 0, 1),
                (struct str){ (const char *)fingerprint, sizeof fingerprint }))
        return why_set(why, "the target was begun with other keys") != NULL;
    return true;
}

/* Its nodes may start. */
static bool release(const struct sqlite_store *from, struct link *to, struct why *why)
{
    struct values values = { .n = 0 };

    values_int(&values, (int64_t)from->last_number);
    link_queue(to, "BEGIN", NULL);
    link_queue(to, "SELECT setval('poll_number', $1, true) WHERE $1 > 0", &values);
    link_queue(to, "DELETE FROM meta WHERE name = 'copying'", NULL);
    link_queue(to, "COMMIT", NULL);
    if (!copy_flush(to, why))
        return false;
    link_queue(to, "ANALYZE vote, voter, tally", NULL);
    return copy_flush(to, why);
}

static bool copy_all(struct copy *copy, struct sqlite_store *from, struct link *to, struct why *why)
{
    if (!link_up(to, link_now_ms() + CONNECT_MS)) {
        why_set(why,
                "cannot reach the target's engine: %s; nothing was copied into it: start it, and "
                "run this again",
                link_why(to));
        return false;
    }
    if (!postgres_migrate(to, why) || !claim(copy, from, to, why))
        return false;
    for (size_t i = 0; i < from->n_books; i++) {
        if (!copy_poll(copy, from, from->books[i], to, why))
            return false;
    }
    return release(from, to, why);
}

bool store_copy(struct copy *copy, struct why *reterr_why)
{
    AUTO(board) board = board_new();
    AUTO(link) to = NULL;
    AUTO(store) from = NULL;

    copy->polls = 0;
    copy->votes = 0;
    copy->rows = 0;
    if (!board)
        return why_set(reterr_why, "no memory") != NULL;
    to = link_new(copy->to, reterr_why);
    if (!to)
        return false;
    link_say_nothing(to);
    from = store_open(&(struct store_settings){ .url = copy->from,
                                                .clock = copy->clock,
                                                .keys = copy->keys,
                                                .random = copy->random,
                                                .prefix_v4 = 32,
                                                .prefix_v6 = 64,
                                                .forget_after_ms = INT64_MAX },
                      board, reterr_why);
    return from && copy_all(copy, sqlite_of(from), to, reterr_why);
}
