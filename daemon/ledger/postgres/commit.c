/*
 * ledger/postgres/commit.c - a batch: votes that stand side by side in one turn, what an
 * administrator asks for in turns of its own, all in the order they came.
 *
 * Threads: the writer.
 */
#include <assert.h>

#include "ledger/postgres/admin.h"
#include "ledger/postgres/votes.h"

#define ADMIN_WAIT_MS 60000 /* to count the votes of each address in a large poll */

static void answer(struct job *job, enum problem problem, const char *detail)
{
    refuse(job->refusal, problem, "%s", detail);
    job->result = JOB_REFUSED;
    job->has_standing = false;
    if (job->kind == JOB_BULK)
        bulk_undecide(job->bulk);
}

static void answer_all(struct job **jobs, size_t n, enum turn_end end)
{
    for (size_t i = 0; i < n; i++) {
        switch (end) {
        case TURN_DONE:
            break;
        case TURN_NO_MEMORY:
            answer(jobs[i], PROBLEM_BUSY, "no memory for this; send it again");
            break;
        case TURN_UNAVAILABLE:
            answer(jobs[i], PROBLEM_STORE_UNAVAILABLE,
                   "the store's engine is not to be had now; send it again");
            break;
        case TURN_UNKNOWN:
            answer(jobs[i], PROBLEM_OUTCOME_UNKNOWN,
                   "the store's engine was lost in the midst of this; send it again, it is safe");
            break;
        }
    }
}

static enum turn_end no_backup(struct job *job)
{
    answer(
        job, PROBLEM_NOT_IMPLEMENTED,
        "this store is backed up by its engine's own tools, such as pg_basebackup; the keys file "
        "belongs to it");
    return TURN_DONE;
}

static enum turn_end run_admin(struct postgres *store, struct job *job, int64_t now_ms)
{
    int64_t deadline_ms = link_now_ms() + ADMIN_WAIT_MS;

    switch (job->kind) {
    case JOB_EDIT:
        return edit_run(store, job, now_ms, deadline_ms);
    case JOB_DELETE:
        return delete_run(store, job, now_ms, link_now_ms() + VOTES_WAIT_MS);
    case JOB_VOID:
        return void_run(store, job, now_ms, link_now_ms() + VOTES_WAIT_MS);
    case JOB_FORGET:
        return forget_run(store, job, now_ms, deadline_ms);
    case JOB_BACKUP:
        return no_backup(job);
    case JOB_RUN:
        job->run(job->context);
        job->result = JOB_READ;
        return TURN_DONE;
    case JOB_VOTE:
    case JOB_RETRACT:
    case JOB_ASK:
    case JOB_BULK:
    case JOB_SCAN:
    case JOB_HOURS:
    case JOB_STATUS:
        break;
    }
    assert(false); /* votes_run() and store_read() are for these */
    return TURN_UNAVAILABLE;
}

/* How many jobs from here on are votes. */
static size_t votes_in_a_row(struct job **jobs, size_t n)
{
    size_t i = 0;

    while (i < n && votes_are(jobs[i]))
        i++;
    return i;
}

static bool answers_with_tally(const struct job *job)
{
    return (job->kind == JOB_VOTE || job->kind == JOB_RETRACT || job->kind == JOB_ASK ||
            job->kind == JOB_EDIT) &&
           job->result != JOB_REFUSED;
}

/* Each answer takes along what the board shows now. Where the poll was deleted behind it in the
 * same batch that is nothing, and it is answered as if it had come behind. */
static void attach_tallies(const struct postgres *store, struct batch *batch)
{
    for (size_t i = 0; i < batch->n; i++) {
        struct job *job = batch->jobs[i];
        const struct book *book = job->kind == JOB_DELETE ? NULL : book_at(store, job->ballot.poll);

        if (book) {
            job->published = published_ref(book->published);
        } else if (answers_with_tally(job)) {
            refuse(job->refusal, PROBLEM_NO_SUCH_POLL, "there is no poll of this id any more");
            job->result = JOB_REFUSED;
        }
    }
}

enum store_result postgres_commit(struct store *base, struct batch *batch, size_t *ret_kept)
{
    struct postgres *store = postgres_of(base);
    int64_t votes_until_ms = link_now_ms() + VOTES_WAIT_MS;
    enum store_result result = STORE_DONE;

    assert(batch->n <= BATCH_JOBS_MAX);
    *ret_kept = 0; /* no voters are loaded: nobody waits for them */
    for (size_t i = 0; i < batch->n;) {
        struct job **jobs = batch->jobs + i;
        size_t n = votes_in_a_row(jobs, batch->n - i);
        enum turn_end end = n > 0 ? votes_run(store, jobs, n, batch->now_ms, votes_until_ms)
                                  : run_admin(store, jobs[0], batch->now_ms);

        if (n == 0)
            n = 1;
        answer_all(jobs, n, end);
        if (end != TURN_DONE)
            result = STORE_REFUSED;
        i += n;
    }
    attach_tallies(store, batch);
    return result;
}
