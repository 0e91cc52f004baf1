/*
 * ledger/postgres/open.c - opening and closing the PostgreSQL store.
 *
 * Threads: main opens; the writer's thread, or main after it, closes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ledger/postgres/migrate.h"
#include "ledger/postgres/postgres.h"

#define SCHEME "postgresql://"
#define START_MS 10000 /* how long a start waits for its engine */

static bool url_ok(const char *url, struct why *reterr_why)
{
    AUTO(link) link = link_new(url, reterr_why);

    return link != NULL;
}

static enum store_found unknown(const struct link *link, struct why *reterr_why)
{
    why_set(reterr_why, "cannot read the store: %s", link_why(link));
    return STORE_UNKNOWN;
}

/* Whether there is a ledger in it. One that cannot be asked may have one: no new key is made. */
static enum store_found find(const char *url, bool (*ended)(void), struct why *reterr_why)
{
    AUTO(link) link = link_new(url, reterr_why);
    int64_t deadline_ms = link_now_ms() + START_MS;

    if (!link)
        return STORE_UNKNOWN;
    link_set_ended(link, ended);
    if (!link_up(link, deadline_ms))
        return unknown(link, reterr_why);
    link_queue(link, "SELECT 1::bigint WHERE to_regclass('meta') IS NOT NULL", NULL);
    if (link_flush(link, deadline_ms) != LINK_DONE)
        return unknown(link, reterr_why);
    if (pq.PQntuples(link_get(link, 0)) == 0)
        return STORE_NONE;
    link_queue(link, "SELECT 1::bigint FROM meta WHERE name = 'key_fingerprint'", NULL);
    if (link_flush(link, deadline_ms) != LINK_DONE)
        return unknown(link, reterr_why);
    return pq.PQntuples(link_get(link, 0)) > 0 ? STORE_FOUND : STORE_NONE;
}

/* The first node to come leaves epoch and fingerprint; all others find them. */
static void queue_meta(struct postgres *store, const unsigned char *fingerprint)
{
    struct values values = { .n = 0 };

    store->random(&store->epoch, sizeof store->epoch);
    values_bytes(&values, (struct str){ (const char *)&store->epoch, sizeof store->epoch });
    values_bytes(&values, (struct str){ (const char *)fingerprint, KEY_FINGERPRINT_BYTES });
    link_queue(store->link,
               "INSERT INTO meta (name, value) VALUES ('epoch', $1), ('key_fingerprint', $2) "
               "ON CONFLICT (name) DO NOTHING",
               &values);
    link_queue(store->link,
               "SELECT (SELECT value FROM meta WHERE name = 'epoch'), "
               "(SELECT value FROM meta WHERE name = 'key_fingerprint'), "
               "(SELECT count(*) FROM meta WHERE name = 'copying')",
               NULL);
}

static bool read_meta(struct postgres *store, struct why *why)
{
    unsigned char fingerprint[KEY_FINGERPRINT_BYTES];
    const PGresult *meta;
    struct str epoch;

    keys_fingerprint(store->keys, fingerprint);
    queue_meta(store, fingerprint);
    if (link_flush(store->link, link_now_ms() + START_MS) != LINK_DONE)
        return why_set(why, "cannot read the store: %s", link_why(store->link)) != NULL;
    meta = link_get(store->link, 1);
    epoch = value_bytes(meta, 0, 0);
    if (epoch.len != sizeof store->epoch || value_bytes(meta, 0, 1).len != sizeof fingerprint)
        return why_set(why, "the store is damaged: its meta table cannot be read") != NULL;
    memcpy(&store->epoch, epoch.at, sizeof store->epoch);
    if (memcmp(value_bytes(meta, 0, 1).at, fingerprint, sizeof fingerprint) != 0)
        return why_set(why, "the keys are not those of the store; all nodes have the keys file of "
                            "the first: with another key everybody could vote twice") != NULL;
    if (value_int(meta, 0, 2) != 0)
        return why_set(why, "a copy into this store has not ended; run tallyd --copy-store "
                            "again") != NULL;
    return true;
}

/* The newest row of each poll is the one that its tally names: a look at one key each. */
static bool rows_agree(struct postgres *store, struct why *why)
{
    link_queue(store->link,
               "SELECT t.poll FROM tally t WHERE NOT t.deleted AND t.seq <> coalesce((SELECT v.seq "
               "FROM vote v WHERE v.poll = t.poll ORDER BY v.seq DESC LIMIT 1), 0) LIMIT 1",
               NULL);
    if (link_flush(store->link, link_now_ms() + START_MS) != LINK_DONE)
        return why_set(why, "cannot read the store: %s", link_why(store->link)) != NULL;
    if (pq.PQntuples(link_get(store->link, 0)) == 0)
        return true;
    why_set(why,
            "the store is damaged: the tally of poll %lld is not that of its votes; restore a "
            "backup",
            (long long)value_int(link_get(store->link, 0), 0, 0));
    return false;
}

static bool load(struct postgres *store, struct why *why)
{
    if (!link_up(store->link, link_now_ms() + START_MS)) {
        why_set(why, "the store's engine is not there: %s", link_why(store->link));
        return false;
    }
    if (!postgres_migrate(store->link, why) || !read_meta(store, why) || !rows_agree(store, why))
        return false;
    if (!postgres_up(store, link_now_ms() + START_MS) ||
        news_read(store, link_now_ms() + START_MS) != LINK_DONE) {
        why_set(why, "cannot read the store: %s", link_why(store->link));
        return false;
    }
    if (store->damaged)
        *why = store->damage;
    return !store->damaged;
}

static void postgres_free(struct postgres *store)
{
    link_free(store->link);
    books_free(store);
    free(store);
}
AUTO_FREE(postgres);

static void free_base(struct store *base)
{
    postgres_free(postgres_of(base));
}

static struct store *open_store(const struct store_settings *settings, struct board *board,
                                struct why *reterr_why)
{
    AUTO(postgres) store = calloc(1, sizeof *store);

    if (!store)
        return why_set(reterr_why, "no memory for the store");
    *store = (struct postgres){ .base = { &store_postgres },
                                .clock = settings->clock,
                                .keys = settings->keys,
                                .random = settings->random,
                                .prefix_v4 = settings->prefix_v4,
                                .prefix_v6 = settings->prefix_v6,
                                .forget_after_ms = settings->forget_after_ms,
                                .board = board,
                                .look_again_ms = INT64_MIN,
                                .sweep_again_ms = INT64_MIN,
                                .tidy_again_ms = INT64_MIN,
                                .sweep_rest_ms = INT64_MIN };
    settings->random(&store->node, sizeof store->node);
    (void)snprintf(store->horizon, sizeof store->horizon, "0");
    store->link = link_new(settings->url, reterr_why);
    if (!store->link)
        return NULL;
    link_set_ended(store->link, settings->ended);
    if (!load(store, reterr_why))
        return NULL;
    link_set_ended(store->link, NULL);
    return &TAKE(store)->base;
}

static void set_wake(struct store *base, void (*wake)(void *context), void (*turned)(void *context),
                     void *context)
{
    (void)wake; /* no thread works for it */
    link_set_turned(postgres_of(base)->link, turned, context);
}

static int64_t fresh_ms(const struct store *base)
{
    return ((const struct postgres *)base)->fresh_ms;
}

/* Every commit is the engine's: nothing is left to be done. */
static enum store_result finish(struct store *base)
{
    (void)base;
    return STORE_DONE;
}

static void end_soon(struct store *base, struct queue_list *answered)
{
    (void)base;
    (void)answered; /* nothing takes long, and no job is kept */
}

const struct store_kind store_postgres = { .scheme = SCHEME,
                                           .url_ok = url_ok,
                                           .find = find,
                                           .open = open_store,
                                           .finish = finish,
                                           .free = free_base,
                                           .commit = postgres_commit,
                                           .read = postgres_read,
                                           .work = postgres_work,
                                           .set_wake = set_wake,
                                           .fresh_ms = fresh_ms,
                                           .figures = postgres_figures,
                                           .shown = postgres_shown,
                                           .end_soon = end_soon,
                                           .abandon = end_soon };
