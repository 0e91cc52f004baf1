/*
 * ledger/sqlite_bulk.c - many ballots that came as one job.
 *
 * Each is decided by itself; together they wait, and together they are committed or not.
 *
 * Threads: the writer.
 */
#include "ledger/sqlite.h"

/* All wait before the first is decided: a job that is kept comes back whole. */
static enum fault wait_for_sets(struct sqlite_store *store, struct job *job,
                                enum decided *ret_decided)
{
    uint64_t ready = 0; /* a poll whose sets are there: mostly all lines are of one */

    *ret_decided = DECIDED;
    for (size_t i = 0; i < job->bulk->n; i++) {
        const struct bulk_line *line = &job->bulk->lines[i];
        struct book *book;
        enum fault fault;

        if (line->problem != PROBLEM_NONE || line->ballot.poll == ready)
            continue;
        book = book_find(store, line->ballot.poll);
        if (!book)
            continue; /* refused when its turn comes */
        fault = decide_wait(store, book, job, ret_decided);
        if (fault != FAULT_NONE || *ret_decided == KEPT)
            return fault;
        ready = line->ballot.poll;
    }
    return FAULT_NONE;
}

static enum fault decide_line(struct sqlite_store *store, struct bulk *bulk, struct bulk_line *line)
{
    struct refusal refusal;
    struct job one = { .kind = JOB_VOTE, .ballot = line->ballot, .refusal = &refusal };
    enum decided decided;
    enum fault fault;

    refusal.problem = PROBLEM_NONE;
    refusal.n_errors = 0;
    fault = decide_about_vote(store, &one, &decided);
    if (fault != FAULT_NONE)
        return fault;
    line->decided = true;
    line->result = one.result;
    line->seq = one.seq;
    if (one.result == JOB_REFUSED)
        bulk_refuse(bulk, line, &refusal);
    return FAULT_NONE;
}

enum fault decide_bulk(struct sqlite_store *store, struct job *job, enum decided *ret_decided)
{
    struct bulk *bulk = job->bulk;
    enum fault fault = wait_for_sets(store, job, ret_decided);

    if (fault != FAULT_NONE || *ret_decided == KEPT)
        return fault;
    for (size_t i = 0; fault == FAULT_NONE && i < bulk->n; i++) {
        if (bulk->lines[i].problem == PROBLEM_NONE)
            fault = decide_line(store, bulk, &bulk->lines[i]);
    }
    job->result = JOB_READ;
    return fault;
}
