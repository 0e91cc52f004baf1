/*
 * ledger/sqlite_void.c - an operator takes votes back: new rows, nothing erased.
 *
 * A voided voter stays one who has voted: the void is the voter's newest row, with no marks.
 *
 * Threads: the writer.
 */
#include <assert.h>
#include <string.h>

#include "ledger/sqlite.h"

/* The row as it is. *ret_vote false: it is a retraction or a void itself. */
static enum fault read_vote(struct sqlite_store *store, const struct book *book, uint32_t seq,
                            struct ballot *ret_ballot, bool *ret_vote)
{
    sqlite3_stmt *row = store->sql[SQL_VOTE_SELECT];
    int code = sqlite3_bind_int64(row, 1, (sqlite3_int64)book->poll->number);

    *ret_vote = false;
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(row, 2, seq);
    if (code == SQLITE_OK)
        code = sqlite3_step(row);
    if (code == SQLITE_ROW && sqlite3_column_bytes(row, 0) == sizeof ret_ballot->voter.bytes) {
        const void *group = sqlite3_column_blob(row, 3);

        *ret_ballot = (struct ballot){ .poll = book->poll->number,
                                       .has_address = group && sqlite3_column_bytes(row, 3) == 8,
                                       .marks = (uint64_t)sqlite3_column_int64(row, 2) };
        memcpy(ret_ballot->voter.bytes, sqlite3_column_blob(row, 0),
               sizeof ret_ballot->voter.bytes);
        if (ret_ballot->has_address)
            memcpy(&ret_ballot->address_group, group, 8);
        *ret_vote = ret_ballot->marks != 0;
    }
    (void)sqlite3_reset(row);
    return sql_fault(store, code);
}

/* A look at the rows behind it: only where an older vote may stand beside a newer one, and votes
 * may be changed. */
static enum fault find_replacing(struct sqlite_store *store, const struct book *book, uint32_t seq,
                                 bool *ret_found)
{
    sqlite3_stmt *row = store->sql[SQL_VOTE_REPLACING];
    int code = sqlite3_bind_int64(row, 1, (sqlite3_int64)book->poll->number);

    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(row, 2, seq);
    if (code == SQLITE_OK)
        code = sqlite3_step(row);
    *ret_found = code == SQLITE_ROW;
    (void)sqlite3_reset(row);
    return sql_fault(store, code);
}

/* Whether a row that stood when it was looked for still stands.
 *   ret_newest  it is its voter's newest row */
static enum fault still_stands(struct sqlite_store *store, struct book *book, uint32_t seq,
                               const struct voter_hash *voter, bool *ret_stands, bool *ret_newest)
{
    bool replaced = false;
    enum fault fault = FAULT_NONE;

    *ret_newest = book_holds(book, voter, seq);
    if (!*ret_newest && book->poll->again_after_s == 0)
        replaced = true; /* changed or taken back meanwhile */
    else if (!*ret_newest)
        fault = find_replacing(store, book, seq, &replaced);
    *ret_stands = !replaced;
    return fault;
}

static enum fault void_one(struct sqlite_store *store, struct book *book, uint32_t seq,
                           size_t *voided)
{
    struct ballot row;
    uint64_t marks;
    bool newest = false;
    bool stands;
    enum fault fault = read_vote(store, book, seq, &row, &stands);

    if (fault == FAULT_NONE && stands)
        fault = still_stands(store, book, seq, &row.voter, &stands, &newest);
    if (fault != FAULT_NONE || !stands)
        return fault;
    marks = row.marks;
    row.marks = 0;
    fault = write_vote(store, book, &row, book->seq + 1, seq, ROW_VOID);
    if (fault != FAULT_NONE)
        return fault;
    book->seq++;
    if (newest) {
        voters_move(book->voters, &row.voter, seq, book->seq);
        note_undo(store, UNDO_MOVED, book, &row, seq, book->seq);
    }
    if (book->addresses && row.has_address) {
        addresses_remove(book->addresses, row.address_group);
        note_undo(store, UNDO_ADDRESS_REMOVED, book, &row, 0, 0);
    }
    counts_apply(&book->counts, marks, 0);
    (*voided)++;
    return FAULT_NONE;
}

static enum fault void_all(struct sqlite_store *store, struct book *book, struct job *job)
{
    struct voiding *voiding = job->voiding;
    struct touched *touched = batch_touch(store, book);
    enum fault fault = touched ? write_begin(store) : FAULT_NO_MEMORY;

    for (size_t i = 0; fault == FAULT_NONE && i < voiding->n; i++)
        fault = void_one(store, book, voiding->seqs[i], &voiding->voided);
    if (fault == FAULT_NONE)
        touched->seen |= voiding->voided > 0;
    return fault;
}

enum fault decide_void(struct sqlite_store *store, struct job *job, enum decided *ret_decided)
{
    struct book *book = book_find(store, job->voiding->poll);
    enum fault fault;

    *ret_decided = DECIDED;
    job->result = JOB_REFUSED;
    job->voiding->voided = 0;
    if (!book) {
        refuse(job->refusal, PROBLEM_NO_SUCH_POLL, "there is no poll of this id");
        return FAULT_NONE;
    }
    if (book->poll->forgotten) {
        refuse(job->refusal, PROBLEM_POLL_FORGOTTEN, "who voted here was forgotten for good");
        return FAULT_NONE;
    }
    if (UINT32_MAX - book->seq < job->voiding->n) {
        refuse(job->refusal, PROBLEM_STORE_UNAVAILABLE, "this poll's ledger is full: 2^32 rows");
        return FAULT_NONE;
    }
    if (decide_damaged(store, book, job))
        return FAULT_NONE;
    fault = decide_wait(store, book, job, ret_decided);
    if (fault != FAULT_NONE || *ret_decided == KEPT)
        return fault;
    job->result = JOB_READ;
    job->ballot.poll = book->poll->number; /* whose tally goes with the answer */
    return void_all(store, book, job);
}
