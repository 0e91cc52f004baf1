/*
 * ledger/postgres/news.c - what other nodes have done: counts and definitions that are newer there.
 *
 * Every row of tally names the transaction that wrote it. What was committed since the last look is
 * among those from the oldest one on that was still under way at the time of that look; those which
 * are known already are passed over. So nothing is missed, whatever the order of the commits, and
 * no clock and no message is trusted.
 *
 * Threads: the writer; main while the store opens.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/definition.h"
#include "ledger/postgres/head.h"
#include "ledger/postgres/postgres.h"

static void damaged(struct postgres *store, uint64_t number, const char *what)
{
    why_set(&store->damage, "poll %llu of the store is damaged: %s; restore a backup",
            (unsigned long long)number, what);
    log_line(LOG_ERROR, "%s", store->damage.text);
    store->damaged = true;
}

static bool is_known(const struct book *book, const struct head *head)
{
    return book && book->poll->revision == head->revision &&
           book->poll->forgotten == head->forgotten;
}

static bool show(struct postgres *store, struct poll *poll, const struct head *head)
{
    struct published *published;

    if (!head_fits(head, poll)) {
        damaged(store, head->number, "its tally is not that of its votes");
        return true;
    }
    if (!books_reserve(store, 1))
        return false;
    published = published_new(poll, &head->counts, head->phase, store->epoch);
    if (!published)
        return false;
    book_show(store, published, head->seq);
    return true;
}

/* Columns behind the head's: definition, salt, prefix_v4, prefix_v6. */
static struct poll *read_poll(const PGresult *result, int row, const struct head *head,
                              struct why *why)
{
    AUTO(poll) poll = definition_load(value_bytes(result, row, HEAD_COLUMNS_N), why);
    struct str salt = value_bytes(result, row, HEAD_COLUMNS_N + 1);

    if (!poll)
        return NULL;
    poll->number = head->number;
    poll->forgotten = salt.len != SALT_BYTES;
    if (!poll->forgotten)
        memcpy(poll->salt, salt.at, SALT_BYTES);
    poll->prefix_v4 = (unsigned)value_int(result, row, HEAD_COLUMNS_N + 2);
    poll->prefix_v6 = (unsigned)value_int(result, row, HEAD_COLUMNS_N + 3);
    return TAKE(poll);
}

static bool take_poll(struct postgres *store, const PGresult *result, int row)
{
    AUTO(poll) poll = NULL;
    struct head head;
    struct why why;

    if (!head_read(result, row, &head)) {
        damaged(store, (uint64_t)value_int(result, row, 0), "its tally cannot be read");
        return true;
    }
    poll = read_poll(result, row, &head, &why);
    if (poll)
        return show(store, poll, &head);
    damaged(store, head.number, why.text);
    return true;
}

/* Polls whose definition is not known: read with their counts, as of one moment. */
static enum link_result read_polls(struct postgres *store, struct column *numbers,
                                   int64_t deadline_ms)
{
    struct values values = { .n = 0 };
    enum link_result result;

    values_ints(&values, numbers);
    link_queue(store->link,
               "SELECT " HEAD_COLUMNS ", p.definition, p.salt, p.prefix_v4, p.prefix_v6 "
               "FROM tally t JOIN poll p ON p.poll = t.poll "
               "WHERE t.poll = ANY($1) AND NOT t.deleted",
               &values);
    result = link_flush(store->link, deadline_ms);
    if (result == LINK_DONE) {
        const PGresult *polls = link_get(store->link, 0);

        for (int i = 0; i < pq.PQntuples(polls); i++) {
            if (!take_poll(store, polls, i))
                return LINK_NO_MEMORY;
        }
    }
    return result;
}

/* What was deleted goes first: another poll may bear its id. */
static void drop_deleted(struct postgres *store, const PGresult *heads)
{
    for (int i = 0; i < pq.PQntuples(heads); i++) {
        struct head head;

        if (head_read(heads, i, &head) && head.deleted)
            book_drop(store, head.number);
    }
}

static bool take_head(struct postgres *store, const PGresult *heads, int row,
                      struct column *unknown)
{
    const struct book *book;
    struct head head;

    if (!head_read(heads, row, &head)) {
        damaged(store, (uint64_t)value_int(heads, row, 0), "its tally cannot be read");
        return true;
    }
    book = book_at(store, head.number);
    if (head.deleted)
        return true;
    if (!is_known(book, &head)) {
        column_int(unknown, (int64_t)head.number);
        return buf_ok(&unknown->buf);
    }
    if (book->counts.version == head.counts.version && book->seq == head.seq)
        return true;
    if (book->counts.version > head.counts.version)
        log_line(LOG_ERROR,
                 "poll %s: the engine has lost votes that it had; was a standby "
                 "promoted that was not a synchronous one?",
                 book->poll->id);
    return show(store, book->poll, &head);
}

enum link_result news_read(struct postgres *store, int64_t deadline_ms)
{
    int64_t began_ms = clock_mono_ms(store->clock);
    struct values values = { .n = 0 };
    struct column unknown = { .n = 0 };
    char horizon[sizeof store->horizon];
    enum link_result result;
    const PGresult *heads;

    memcpy(horizon, store->horizon, sizeof horizon);
    values_text(&values, str_of(store->horizon));
    link_queue(store->link,
               "SELECT " HEAD_COLUMNS ", pg_snapshot_xmin(pg_current_snapshot())::text "
               "FROM tally t WHERE t.touched >= $1::text::xid8",
               &values);
    link_queue(store->link, "SELECT " ENGINE_START, NULL); /* one transaction: of the same engine */
    result = link_flush(store->link, deadline_ms);
    if (result != LINK_DONE)
        return result;
    if (!postgres_is_greeted(store, 1, 0))
        return LINK_AGAIN;
    heads = link_get(store->link, 0);
    drop_deleted(store, heads);
    for (int i = 0; result == LINK_DONE && i < pq.PQntuples(heads); i++) {
        struct str text = value_bytes(heads, i, HEAD_COLUMNS_N);

        if (!take_head(store, heads, i, &unknown))
            result = LINK_NO_MEMORY;
        if (text.len < sizeof horizon) {
            memcpy(horizon, text.at, text.len);
            horizon[text.len] = '\0';
        }
    }
    if (result == LINK_DONE && unknown.n > 0)
        result = read_polls(store, &unknown, deadline_ms);
    column_free(&unknown);
    if (result != LINK_DONE)
        return result;
    memcpy(store->horizon, horizon, sizeof horizon);
    store->fresh_ms = began_ms;
    return LINK_DONE;
}
