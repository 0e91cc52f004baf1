/*
 * ledger/postgres/read.c - slices of long reads, and the state of the store.
 *
 * A poll's rows are numbered in the order of their commits, under its lock: once its row in tally
 * names one as the newest, everything up to it is there for good.
 *
 * Threads: the writer.
 */
#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "ledger/postgres/head.h"
#include "ledger/postgres/postgres.h"

#define READ_WAIT_MS 5000

static_assert(sizeof((struct store_status *)0)->weakness ==
                  sizeof((struct postgres *)0)->durability,
              "one is copied to the other");

enum outcome { READ_DONE, READ_FAILED };

static const struct book *find(const struct postgres *store, struct job *job, uint64_t number)
{
    const struct book *book = book_at(store, number);

    if (book)
        return book;
    refuse(job->refusal, PROBLEM_NO_SUCH_POLL, "there is no poll of this id (any more)");
    job->result = JOB_REFUSED;
    return NULL;
}

static bool flush(struct postgres *store)
{
    return link_flush(store->link, link_now_ms() + READ_WAIT_MS) == LINK_DONE;
}

static enum outcome begin_scan(struct postgres *store, const struct book *book, struct scan *scan)
{
    struct values values = { .n = 0 };
    struct head head;

    values_int(&values, (int64_t)scan->poll);
    link_queue(store->link, "SELECT " HEAD_COLUMNS " FROM tally t WHERE t.poll = $1", &values);
    if (!flush(store))
        return READ_FAILED;
    if (pq.PQntuples(link_get(store->link, 0)) != 1 ||
        !head_read(link_get(store->link, 0), 0, &head))
        return READ_FAILED;
    scan->end = head.seq;
    /* What is shown, where it is of the same version; another node may just have voted. */
    scan->counts = head.counts.version == book->counts.version ? book->counts : head.counts;
    scan->stored = head.counts;
    /* Each row that replaces another makes one row more than there are voters. */
    scan->all_replace_none = head.counts.voters == head.seq;
    return READ_DONE;
}

static void queue_rows(struct postgres *store, const struct scan *scan)
{
    static const char plain[] =
        "SELECT v.seq, v.replaces, v.at, v.options, v.voter, v.address FROM vote v "
        "WHERE v.poll = $1 AND v.seq > $2 AND v.seq <= $3 ORDER BY v.seq LIMIT $4";
    static const char with_replaced[] =
        "SELECT v.seq, v.replaces, v.at, v.options, v.voter, v.address, r.options, "
        "coalesce(r.seq < v.seq AND r.voter = v.voter, false)::int::bigint "
        "FROM vote v LEFT JOIN vote r ON r.poll = v.poll AND r.seq = v.replaces "
        "WHERE v.poll = $1 AND v.seq > $2 AND v.seq <= $3 ORDER BY v.seq LIMIT $4";
    struct values values = { .n = 0 };

    values_int(&values, (int64_t)scan->poll);
    values_int(&values, scan->after);
    values_int(&values, scan->end);
    values_int(&values, SCAN_ROWS_MAX);
    link_queue(store->link, scan->with_replaced ? with_replaced : plain, &values);
}

static void take_row(const PGresult *rows, int i, bool with_replaced, struct scanned *ret)
{
    *ret = (struct scanned){ .seq = (uint32_t)value_int(rows, i, 0),
                             .replaces = (uint32_t)value_int(rows, i, 1),
                             .at_ms = value_int(rows, i, 2),
                             .marks = (uint64_t)value_int(rows, i, 3),
                             .retracted = value_is_null(rows, i, 3),
                             .has_address = !value_is_null(rows, i, 5),
                             .address_group = (uint64_t)value_int(rows, i, 5) };
    value_hash(rows, i, 4, &ret->voter);
    if (!with_replaced)
        return;
    ret->replaced_marks = (uint64_t)value_int(rows, i, 6);
    ret->same_voter = value_int(rows, i, 7) != 0;
}

static enum outcome read_scan(struct postgres *store, struct job *job)
{
    struct scan *scan = job->scan;
    const struct book *book = find(store, job, scan->poll);
    const PGresult *rows;

    if (!book)
        return READ_DONE;
    if (scan->end == 0 && begin_scan(store, book, scan) == READ_FAILED)
        return READ_FAILED;
    queue_rows(store, scan);
    if (!flush(store))
        return READ_FAILED;
    rows = link_get(store->link, 0);
    assert(pq.PQntuples(rows) <= SCAN_ROWS_MAX);
    scan->n = (size_t)pq.PQntuples(rows);
    for (size_t i = 0; i < scan->n; i++)
        take_row(rows, (int)i, scan->with_replaced, &scan->rows[i]);
    scan->done = scan->n < SCAN_ROWS_MAX || scan->rows[scan->n - 1].seq == scan->end;
    job->result = JOB_READ;
    return READ_DONE;
}

static enum outcome read_hours(struct postgres *store, struct job *job)
{
    struct hours *hours = job->hours;
    struct values values = { .n = 0 };
    const PGresult *rows;

    if (!find(store, job, hours->poll))
        return READ_DONE;
    values_int(&values, (int64_t)hours->poll);
    values_int(&values, hours->from);
    values_int(&values, hours->from_option);
    values_int(&values, hours->until);
    values_int(&values, HOURS_ROWS_MAX);
    link_queue(
        store->link,
        "SELECT hour, option, votes FROM hour WHERE poll = $1 AND (hour, option) >= ($2, $3) "
        "AND hour < $4 ORDER BY hour, option LIMIT $5",
        &values);
    if (!flush(store))
        return READ_FAILED;
    rows = link_get(store->link, 0);
    hours->n = (size_t)pq.PQntuples(rows);
    for (size_t i = 0; i < hours->n; i++)
        hours->rows[i] = (struct hour_row){ .hour = value_int(rows, (int)i, 0),
                                            .option = (unsigned)value_int(rows, (int)i, 1),
                                            .votes = (uint64_t)value_int(rows, (int)i, 2) };
    hours->done = hours->n < HOURS_ROWS_MAX;
    job->result = JOB_READ;
    return READ_DONE;
}

void postgres_figures(const struct store *base, struct store_figures *ret_figures)
{
    const struct postgres *store = (const struct postgres *)base;

    *ret_figures = (struct store_figures){ .polls = store->n_books, .bytes = store->bytes };
}

/* Answered also while the engine is away: then it tells just that. */
static void read_status(struct postgres *store, struct job *job)
{
    struct store_status *status = job->status;

    *status = (struct store_status){ .votes = 0 };
    for (size_t i = 0; i < store->n_books; i++)
        status->votes += store->books[i]->counts.voters;
    memcpy(status->weakness, store->durability, sizeof store->durability);
    if (postgres_up(store, link_now_ms())) {
        link_queue(store->link, "SELECT pg_database_size(current_database())", NULL);
        if (flush(store))
            store->bytes = (uint64_t)value_int(link_get(store->link, 0), 0, 0);
    }
    postgres_figures(&store->base, &status->figures);
    job->result = JOB_READ;
}

enum store_result postgres_read(struct store *base, struct job *job)
{
    struct postgres *store = postgres_of(base);
    enum outcome outcome = READ_FAILED;

    assert(job_reads(job));
    if (job->kind == JOB_STATUS) {
        read_status(store, job);
        return STORE_DONE;
    }
    if (postgres_up(store, link_now_ms() + READ_WAIT_MS))
        outcome = job->kind == JOB_SCAN ? read_scan(store, job) : read_hours(store, job);
    if (outcome == READ_DONE)
        return STORE_DONE;
    refuse(job->refusal, PROBLEM_STORE_UNAVAILABLE,
           "the store's engine is not to be had now; ask again");
    job->result = JOB_REFUSED;
    return STORE_REFUSED;
}
