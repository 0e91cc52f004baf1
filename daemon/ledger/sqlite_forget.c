/*
 * ledger/sqlite_forget.c - who voted in a closed poll is forgotten; what was counted stands.
 *
 * A whole poll is forgotten by destroying its salt: no hash in its rows can be tied to anybody ever
 * after. A single voter's rows get a random hash, and no address. Either way the old bytes are gone
 * from the log too before it is answered (store->forgets).
 *
 * Threads: the writer.
 */
#include <assert.h>

#include "ledger/sqlite.h"

enum fault forget_poll(struct sqlite_store *store, struct book *book)
{
    struct touched *touched = batch_touch(store, book);
    struct poll *poll = touched ? poll_copy(book->poll) : NULL;

    if (!poll)
        return FAULT_NO_MEMORY;
    poll->forgotten = true;
    for (size_t i = 0; i < SALT_BYTES; i++)
        poll->salt[i] = 0;
    poll_free(book->poll); /* the batch keeps one for itself */
    book->poll = poll;
    touched->forgotten = true;
    touched->drops_sets = true;
    store->forgets = true;
    return FAULT_NONE;
}

/* The row as it was, and as it will be, in the sum of the poll's rows. */
static enum fault exchange_sum(struct sqlite_store *store, struct book *book, uint32_t seq,
                               const struct voter_hash *random)
{
    sqlite3_stmt *select = store->sql[SQL_VOTE_SELECT];
    struct vote_row row;
    int code = sqlite3_bind_int64(select, 1, (sqlite3_int64)book->poll->number);

    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(select, 2, seq);
    if (code == SQLITE_OK)
        code = sqlite3_step(select);
    if (code == SQLITE_ROW && vote_row_selected(select, seq, &row)) {
        book->rows_sum -= sums_row(&row);
        row.voter = *random;
        row.has_address = false;
        book->rows_sum += sums_row(&row);
    }
    (void)sqlite3_reset(select);
    return sql_fault(store, code);
}

static enum fault forget_row(struct sqlite_store *store, struct book *book, uint32_t seq,
                             const struct voter_hash *random)
{
    sqlite3_stmt *row = store->sql[SQL_VOTE_FORGET];
    enum fault fault;
    int code = sqlite3_bind_int64(row, 1, (sqlite3_int64)book->poll->number);

    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(row, 2, seq);
    if (code == SQLITE_OK)
        code = sqlite3_bind_blob(row, 3, random->bytes, sizeof random->bytes, SQLITE_STATIC);
    if (code != SQLITE_OK)
        return sql_fault(store, code);
    fault = exchange_sum(store, book, seq, random);
    return fault == FAULT_NONE ? sql_run(store, SQL_VOTE_FORGET) : fault;
}

static enum fault forget_rows(struct sqlite_store *store, struct book *book,
                              struct forgetting *forgetting)
{
    struct touched *touched = batch_touch(store, book);
    enum fault fault = touched ? write_begin(store) : FAULT_NO_MEMORY;

    for (size_t i = 0; fault == FAULT_NONE && i < forgetting->n; i++)
        fault = forget_row(store, book, forgetting->seqs[i], &forgetting->random);
    if (fault != FAULT_NONE)
        return fault;
    store->rewrites++;
    touched->drops_sets = true; /* they hold the old hash */
    store->forgets = true;
    return FAULT_NONE;
}

static bool may_forget(const struct sqlite_store *store, const struct book *book, struct job *job)
{
    if (!book)
        return refuse(job->refusal, PROBLEM_NO_SUCH_POLL, "there is no poll of this id");
    if (poll_phase(book->poll, store->now_ms) != PHASE_CLOSED)
        return refuse(job->refusal, PROBLEM_POLL_OPEN, "close the poll first");
    if (!job->forgetting->all && book->seq != job->forgetting->end)
        return refuse(job->refusal, PROBLEM_BUSY, "rows were added meanwhile; send it again");
    return true;
}

enum fault decide_forget(struct sqlite_store *store, struct job *job)
{
    struct forgetting *forgetting = job->forgetting;
    struct book *book = book_find(store, forgetting->poll);

    job->result = JOB_REFUSED;
    if (!may_forget(store, book, job))
        return FAULT_NONE;
    job->result = JOB_READ;
    job->ballot.poll = book->poll->number; /* whose tally goes with the answer */
    if (book->poll->forgotten)
        return FAULT_NONE; /* once is enough */
    return forgetting->all ? forget_poll(store, book) : forget_rows(store, book, forgetting);
}
