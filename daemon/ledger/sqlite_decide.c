/*
 * ledger/sqlite_decide.c - one job of a batch: decide by the rules of core/, write what follows.
 *
 * What is changed in memory here is noted, so that it can be taken back with the batch.
 *
 * Threads: the writer.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/sqlite.h"

void note_undo(struct sqlite_store *store, enum undo_kind kind, struct book *book,
               const struct ballot *ballot, uint32_t old_seq, uint32_t new_seq)
{
    assert(store->n_undo < 2 * (size_t)BATCH_JOBS_MAX);
    store->undo[store->n_undo++] = (struct undo){ .kind = kind,
                                                  .book = book,
                                                  .voter = ballot->voter,
                                                  .old_seq = old_seq,
                                                  .new_seq = new_seq,
                                                  .group = ballot->address_group };
}

static void refused(struct job *job, enum problem problem, const char *detail)
{
    refuse(job->refusal, problem, "%s", detail);
    job->result = JOB_REFUSED;
}

/* A new vote: a voter more, an address's vote more. */
static enum fault enter(struct sqlite_store *store, struct book *book, const struct ballot *ballot,
                        const struct standing *older, uint32_t seq)
{
    if (older) {
        voters_move(book->voters, &ballot->voter, older->seq, seq);
        note_undo(store, UNDO_MOVED, book, ballot, older->seq, seq);
    } else {
        if (voters_add(book->voters, &ballot->voter, seq) != VOTERS_ADDED)
            return FAULT_NO_MEMORY;
        note_undo(store, UNDO_ADDED, book, ballot, 0, seq);
    }
    if (!book->addresses || !ballot->has_address)
        return FAULT_NONE;
    if (!addresses_add(book->addresses, ballot->address_group))
        return FAULT_NO_MEMORY;
    note_undo(store, UNDO_ADDRESS_ADDED, book, ballot, 0, 0);
    return FAULT_NONE;
}

static void leave(struct sqlite_store *store, struct book *book, const struct ballot *ballot,
                  const struct standing *standing)
{
    voters_remove(book->voters, &ballot->voter, standing->seq);
    note_undo(store, UNDO_REMOVED, book, ballot, standing->seq, 0);
    if (!book->addresses || !standing->has_address)
        return;
    addresses_remove(book->addresses, standing->address_group);
    note_undo(store, UNDO_ADDRESS_REMOVED, book, ballot, 0, 0);
}

/* A row that replaces another keeps the address that the first one came from, so that counting
 * addresses needs only the row itself. */
static struct ballot replacing(const struct ballot *ballot, const struct standing *standing)
{
    struct ballot row = *ballot;

    row.has_address = standing->has_address;
    row.address_group = standing->address_group;
    return row;
}

static enum fault record(struct sqlite_store *store, struct book *book, struct job *job,
                         enum decision decision, const struct standing *standing)
{
    bool fresh = decision == DECIDED_COUNTED;
    struct ballot row = fresh || !standing ? job->ballot : replacing(&job->ballot, standing);
    struct touched *touched = batch_touch(store, book);
    uint32_t seq = book->seq + 1;
    enum fault fault;

    assert(fresh || standing); /* only a standing vote is changed or taken back */
    if (!touched)
        return FAULT_NO_MEMORY;
    fault = write_begin(store);
    if (fault == FAULT_NONE && fresh)
        fault = enter(store, book, &row, standing, seq);
    if (fault == FAULT_NONE)
        fault = write_vote(store, book, &row, seq, fresh ? 0 : standing->seq, ROW_VOTE);
    if (fault != FAULT_NONE)
        return fault;
    if (decision == DECIDED_CHANGED) {
        voters_move(book->voters, &row.voter, standing->seq, seq);
        note_undo(store, UNDO_MOVED, book, &row, standing->seq, seq);
    } else if (decision == DECIDED_RETRACTED) {
        leave(store, book, &row, standing);
    }
    counts_apply(&book->counts, fresh ? 0 : standing->marks, row.marks);
    book->seq = seq;
    touched->seen = true;
    job->seq = seq;
    return FAULT_NONE;
}

static enum decision decide(const struct sqlite_store *store, const struct book *book,
                            const struct job *job, const struct standing *standing)
{
    const struct ballot *ballot = &job->ballot;
    uint64_t of_address = book->addresses && ballot->has_address
                              ? addresses_count(book->addresses, ballot->address_group)
                              : 0;

    if (job->kind == JOB_RETRACT)
        return ballot_decide_retraction(book->poll, ballot, standing, store->now_ms, job->refusal);
    return ballot_decide(book->poll, &book->counts, ballot, standing, of_address, store->now_ms,
                         job->refusal);
}

static enum fault decide_ballot(struct sqlite_store *store, struct book *book, struct job *job,
                                const struct standing *standing)
{
    enum decision decision = decide(store, book, job, standing);

    job->result = job_result_of(decision);
    if (standing) {
        job->has_standing = true;
        job->standing = *standing;
        job->seq = standing->seq;
    }
    if (decision == DECIDED_REFUSED || decision == DECIDED_ALREADY)
        return FAULT_NONE;
    if (book->seq == UINT32_MAX) {
        refused(job, PROBLEM_STORE_UNAVAILABLE, "this poll's ledger is full: 2^32 rows");
        return FAULT_NONE;
    }
    return record(store, book, job, decision, standing);
}

static void answer_ask(struct job *job, const struct standing *standing)
{
    job->result = standing ? JOB_FOUND : JOB_NOT_FOUND;
    job->has_standing = standing != NULL;
    if (standing) {
        job->standing = *standing;
        job->seq = standing->seq;
    }
}

/* Whether the sets are there; if not, whether they are needed at all to answer. */
static bool needs_sets(const struct sqlite_store *store, const struct book *book,
                       const struct job *job)
{
    int64_t closed_ms = poll_closed_since_ms(book->poll, store->now_ms);
    bool long_closed =
        closed_ms != WHEN_NEVER && store->now_ms - closed_ms > ALREADY_AFTER_CLOSE_MS;
    bool has_addresses = book->addresses || book->poll->per_address == 0;

    if (book->poll->forgotten || (long_closed && job->kind != JOB_ASK && job->kind != JOB_VOID))
        return false;
    return book->loading || !book->voters || !has_addresses;
}

/* The sets of a poll without rows are there at once; else they are loaded between batches, since
 * this one may have to take back what it did to the old ones. */
static enum fault begin_loading(struct sqlite_store *store, struct book *book)
{
    if (book->loading)
        return FAULT_NONE;
    if (book->seq == 0)
        return voters_begin(book);
    book->loading = true;
    book->loaded_seq = 0;
    store->n_loading++;
    return FAULT_NONE;
}

static enum fault decide_with_sets(struct sqlite_store *store, struct book *book, struct job *job)
{
    struct standing standing;
    bool found = false;
    enum fault fault = FAULT_NONE;

    if (book->voters && !book->poll->forgotten && !book->loading)
        fault = voters_standing(store, book, &job->ballot.voter, &found, &standing);
    if (fault != FAULT_NONE)
        return fault;
    if (job->kind == JOB_ASK) {
        answer_ask(job, found ? &standing : NULL);
        return FAULT_NONE;
    }
    return decide_ballot(store, book, job, found ? &standing : NULL);
}

bool decide_damaged(const struct sqlite_store *store, const struct book *book, struct job *job)
{
    if (!book->damaged || !needs_sets(store, book, job))
        return false;
    refused(job, PROBLEM_STORE_UNAVAILABLE,
            "this poll's rows are damaged on the disk, so it takes no votes; its operator is told "
            "in the log");
    return true;
}

enum fault decide_wait(struct sqlite_store *store, struct book *book, struct job *waiting,
                       enum decided *ret_decided)
{
    enum fault fault;

    *ret_decided = DECIDED;
    if (book->damaged || !needs_sets(store, book, waiting))
        return FAULT_NONE;
    fault = begin_loading(store, book);
    if (fault != FAULT_NONE || !book->loading)
        return fault;
    queue_list_add(&book->waiting, &waiting->node);
    *ret_decided = KEPT;
    return FAULT_NONE;
}

enum fault decide_about_vote(struct sqlite_store *store, struct job *job, enum decided *ret_decided)
{
    struct book *book = book_find(store, job->ballot.poll);
    enum fault fault;

    *ret_decided = DECIDED;
    if (!book) {
        refused(job, PROBLEM_NO_SUCH_POLL, "there is no poll of this id");
        return FAULT_NONE;
    }
    if (!ballot_voter_ok(book->poll, job->ballot.kind, job->refusal)) {
        job->result = JOB_REFUSED;
        return FAULT_NONE;
    }
    if (decide_damaged(store, book, job))
        return FAULT_NONE;
    fault = decide_wait(store, book, job, ret_decided);
    if (fault != FAULT_NONE || *ret_decided == KEPT)
        return fault;
    return decide_with_sets(store, book, job);
}

static enum fault create(struct sqlite_store *store, struct poll *poll, struct book **ret_book)
{
    AUTO(book) book = calloc(1, sizeof *book);
    struct touched *touched;

    if (!book) {
        poll_free(poll);
        return FAULT_NO_MEMORY;
    }
    book->poll = poll;
    poll->number = ++store->last_number;
    poll->prefix_v4 = store->prefix_v4;
    poll->prefix_v6 = store->prefix_v6;
    store->random(poll->salt, sizeof poll->salt);
    touched = batch_touch(store, book);
    if (!touched)
        return FAULT_NO_MEMORY;
    touched->created = true;
    touched->seen = true;
    if (!book_add(store, book)) {
        store->n_touched--;
        poll_free(touched->poll);
        free(touched);
        book->touched = NULL;
        return FAULT_NO_MEMORY;
    }
    *ret_book = TAKE(book);
    return FAULT_NONE;
}

static enum fault replace(struct sqlite_store *store, struct book *book, struct poll *poll,
                          bool seen)
{
    struct touched *touched;

    assert(book); /* what is not there is created, never changed */
    touched = batch_touch(store, book);
    if (!touched) {
        poll_free(poll);
        return FAULT_NO_MEMORY;
    }
    touched->defined = true;
    touched->seen |= seen;
    poll_free(book->poll); /* the batch keeps one for itself */
    book->poll = poll;
    return FAULT_NONE;
}

static enum fault decide_edit(struct sqlite_store *store, struct job *job)
{
    struct book *book = book_find_id(store, job->edit->id);
    struct poll *poll = NULL;
    bool seen = false;
    enum fault fault = FAULT_NONE;
    enum edit_result result =
        edit_apply(job->edit, book ? book->poll : NULL, book ? &book->counts : NULL, store->now_ms,
                   &poll, &seen, job->refusal);

    switch (result) {
    case EDIT_CREATED:
        if (store->last_number == POLL_NUMBER_MAX) {
            poll_free(poll);
            refused(job, PROBLEM_STORE_UNAVAILABLE, "this ledger has had as many polls as it can");
            return FAULT_NONE;
        }
        job->result = JOB_CREATED;
        fault = create(store, poll, &book);
        break;
    case EDIT_CHANGED:
        job->result = JOB_REPLACED;
        fault = replace(store, book, poll, seen);
        break;
    case EDIT_UNCHANGED:
        job->result = JOB_REPLACED;
        break;
    case EDIT_REFUSED:
        job->result = JOB_REFUSED;
        return FAULT_NONE;
    case EDIT_NO_MEMORY:
        return FAULT_NO_MEMORY;
    }
    if (fault == FAULT_NONE && book)
        job->ballot.poll = book->poll->number; /* whose tally goes with the answer */
    return fault;
}

static enum fault decide_delete(struct sqlite_store *store, struct job *job)
{
    struct book *book = book_find_id(store, job->id);
    struct touched *touched;

    if (!book) {
        refused(job, PROBLEM_NO_SUCH_POLL, "there is no poll of this id");
        return FAULT_NONE;
    }
    touched = batch_touch(store, book);
    if (!touched)
        return FAULT_NO_MEMORY;
    touched->deleted = true;
    store->forgets = true;
    job->result = JOB_DELETED;
    return FAULT_NONE;
}

enum fault decide_job(struct sqlite_store *store, struct job *job, enum decided *ret_decided)
{
    *ret_decided = DECIDED;
    switch (job->kind) {
    case JOB_VOTE:
    case JOB_RETRACT:
    case JOB_ASK:
        return decide_about_vote(store, job, ret_decided);
    case JOB_EDIT:
        return decide_edit(store, job);
    case JOB_DELETE:
        return decide_delete(store, job);
    case JOB_BULK:
        return decide_bulk(store, job, ret_decided);
    case JOB_BACKUP:
        *ret_decided = backup_begin(store, job);
        return FAULT_NONE;
    case JOB_VOID:
        return decide_void(store, job, ret_decided);
    case JOB_RUN:
        job->run(job->context);
        job->result = JOB_READ;
        return FAULT_NONE;
    case JOB_FORGET:
        return decide_forget(store, job);
    case JOB_SCAN:
    case JOB_HOURS:
    case JOB_STATUS:
        break;
    }
    assert(!job_reads(job)); /* store_read() is for these */
    return FAULT_NONE;
}
