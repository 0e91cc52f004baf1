/*
 * ledger/postgres/greet.c - each engine is looked at before it is used.
 *
 * Another engine may answer than before: one that was promoted, or set up anew. It has to hold this
 * ledger, by the epoch and the fingerprint of the key. A new connection may lead to it, and behind
 * a pooler so may an old one: therefore each transaction that matters asks when its engine started.
 *
 * Threads: the writer; main while the store opens.
 */
#include <string.h>

#include "base/log.h"
#include "ledger/postgres/postgres.h"

static bool is_setting(const PGresult *result, int column, const char *value)
{
    return str_eq(value_bytes(result, 0, column), str_of(value));
}

/* What a COMMIT does not wait for, by the engine's settings. */
static void look_at_durability(struct postgres *store, const PGresult *settings)
{
    char before[sizeof store->durability];
    struct str commit = value_bytes(settings, 0, 1);

    memcpy(before, store->durability, sizeof before);
    store->durability[0] = '\0';
    if (!is_setting(settings, 2, "on"))
        (void)snprintf(store->durability, sizeof store->durability, "fsync is off");
    else if (!is_setting(settings, 1, "on") && !is_setting(settings, 1, "remote_apply"))
        (void)snprintf(store->durability, sizeof store->durability, "synchronous_commit is %.*s",
                       (int)commit.len, commit.at);
    if (store->durability[0] && strcmp(store->durability, before) != 0)
        log_line(LOG_WARNING,
                 "the store's engine acknowledges votes that a crash may lose: %s there, ignoring",
                 store->durability);
}

/* Polls open and close by each node's own. */
static void look_at_clock(const struct postgres *store, const PGresult *settings)
{
    int64_t ahead_ms = clock_wall_ms(store->clock) - value_int(settings, 0, 3);

    if (ahead_ms > CLOCKS_APART_MS || ahead_ms < -CLOCKS_APART_MS)
        log_line(
            LOG_WARNING,
            "this node's clock is %lld s %s the engine's: polls open and close by it, ignoring",
            (long long)(ahead_ms < 0 ? -ahead_ms : ahead_ms) / 1000,
            ahead_ms < 0 ? "behind" : "ahead of");
}

static bool is_ours(struct postgres *store, const PGresult *meta)
{
    struct str epoch = pq.PQntuples(meta) == 1 ? value_bytes(meta, 0, 0) : STR("");

    return epoch.len == sizeof store->epoch &&
           memcmp(epoch.at, &store->epoch, sizeof store->epoch) == 0;
}

static bool greet(struct postgres *store, int64_t deadline_ms)
{
    link_queue(store->link,
               "SELECT " ENGINE_START ", current_setting('synchronous_commit'), "
               "current_setting('fsync'), (extract(epoch FROM clock_timestamp()) * 1000)::bigint",
               NULL);
    link_queue(store->link, "SELECT value FROM meta WHERE name = 'epoch'", NULL);
    if (link_flush(store->link, deadline_ms) != LINK_DONE)
        return false;
    look_at_durability(store, link_get(store->link, 0));
    if (!is_ours(store, link_get(store->link, 1))) {
        if (store->down_since_ms == 0) /* said once */
            log_line(LOG_ERROR, "the store's engine holds another ledger than before; votes wait");
        return false;
    }
    look_at_clock(store, link_get(store->link, 0));
    store->generation = link_generation(store->link);
    store->engine_start = value_int(link_get(store->link, 0), 0, 0);
    (void)snprintf(store->horizon, sizeof store->horizon, "0"); /* its transactions are its own */
    return true;
}

bool postgres_is_greeted(struct postgres *store, size_t statement, int column)
{
    if (value_int(link_get(store->link, statement), 0, column) == store->engine_start)
        return true;
    store->generation = 0; /* no connection's: the next postgres_up() greets it */
    return false;
}

bool postgres_up(struct postgres *store, int64_t deadline_ms)
{
    int64_t now_ms = link_now_ms();
    bool up;

    /* Nobody waits for what has not been there for longer than anybody would. */
    if (store->down_since_ms > 0 && now_ms - store->down_since_ms > VOTES_WAIT_MS)
        deadline_ms = now_ms;
    up = link_up(store->link, deadline_ms);
    if (up && store->generation != link_generation(store->link)) {
        now_ms = link_now_ms();
        up = greet(store, deadline_ms > now_ms + 1000 ? deadline_ms : now_ms + 1000);
    }
    if (up)
        store->down_since_ms = 0;
    else if (store->down_since_ms == 0)
        store->down_since_ms = now_ms;
    return up;
}
