/*
 * ledger/sqlite_work.c - the store's two entrances for the writer: a batch, and what there is to do
 * between batches.
 *
 * Threads: the writer.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/log.h"
#include "ledger/sqlite.h"
#include "ledger/sqlite_phases.h"

#define BALLAST_RETRY_MS (60 * 1000)

enum fault checkpoint(struct sqlite_store *store, int mode)
{
    int in_log = 0;
    int done = 0;
    int code = sqlite3_wal_checkpoint_v2(store->db, NULL, mode, &in_log, &done);
    enum fault fault = sql_checkpoint_fault(store, code);

    if (fault != FAULT_NONE)
        return fault; /* a full disk or no memory loses nothing: the log still has it */
    /* SQLITE_OK with fewer frames than there are is not done, whatever it is. */
    if (in_log == done) {
        store->wal_frames = 0;
        store->last_checkpoint_ms = clock_wall_ms(store->clock);
    }
    if (mode == SQLITE_CHECKPOINT_TRUNCATE)
        store->recovered = false;
    return FAULT_NONE;
}

enum fault log_of_crash_goes(struct sqlite_store *store)
{
    return store->recovered ? checkpoint(store, SQLITE_CHECKPOINT_TRUNCATE) : FAULT_NONE;
}

static bool checkpoint_due(const struct sqlite_store *store, int64_t bytes)
{
    return (int64_t)store->wal_frames * PAGE_BYTES >= bytes;
}

static void answer_refused(struct job *job, enum problem problem, const char *detail)
{
    refuse(job->refusal, problem, "%s", detail);
    job->result = JOB_REFUSED;
    job->has_standing = false;
    /* Else a line would be refused for a vote of the line before it, which was taken back. */
    if (job->kind == JOB_BULK)
        bulk_undecide(job->bulk);
}

void answer_fault(struct job *job, enum fault fault)
{
    switch (fault) {
    case FAULT_NONE:
        break;
    case FAULT_NO_MEMORY:
        answer_refused(job, PROBLEM_BUSY, "no memory for this; send it again");
        break;
    case FAULT_FULL:
        answer_refused(job, PROBLEM_STORE_UNAVAILABLE, "the disk is full; send it again later");
        break;
    case FAULT_LOG_REMEMBERS:
        answer_refused(
            job, PROBLEM_OUTCOME_UNKNOWN,
            "this is done, but on a full disk what was forgotten stays in the log for now");
        break;
    case FAULT_NO_MEMORY_TO_SCRUB:
        answer_refused(
            job, PROBLEM_OUTCOME_UNKNOWN,
            "this is done, but for want of memory what was forgotten stays in the log for now");
        break;
    case FAULT_DAMAGED:
        answer_refused(job, PROBLEM_STORE_UNAVAILABLE,
                       "this poll's rows are damaged on the disk, so it takes no votes; its "
                       "operator is told in the log");
        break;
    case FAULT_BROKEN:
        answer_refused(
            job, PROBLEM_OUTCOME_UNKNOWN,
            "the disk failed; whether this counted is found out at the next start: send it "
            "again, it is safe");
        break;
    }
}

static void answer_faults(struct batch *batch, enum fault fault)
{
    for (size_t i = 0; i < batch->n; i++)
        answer_fault(batch->jobs[i], fault);
}

/* A full disk: the ballast makes room for what must be written even so, and the log gives back
 * what it holds. */
static enum store_result make_room(struct sqlite_store *store)
{
    if (store->ballast_there) {
        ballast_free(store->path);
        store->ballast_there = false;
        log_line(LOG_WARNING, "the disk of %s is full: its ballast was freed", store->path);
    }
    store->ballast_retry_ms = clock_mono_ms(store->clock) + BALLAST_RETRY_MS;
    return checkpoint(store, SQLITE_CHECKPOINT_PASSIVE) == FAULT_BROKEN ? STORE_BROKEN
                                                                        : STORE_REFUSED;
}

enum store_result store_failed(struct sqlite_store *store, enum fault fault)
{
    if (fault == FAULT_NONE)
        return STORE_DONE;
    if (batch_roll_back(store) == FAULT_BROKEN || fault == FAULT_BROKEN)
        return STORE_BROKEN;
    if (fault == FAULT_NO_MEMORY || fault == FAULT_NO_MEMORY_TO_SCRUB)
        return STORE_REFUSED;
    return make_room(store);
}

static bool answers_with_tally(const struct job *job)
{
    return (job->kind == JOB_VOTE || job->kind == JOB_RETRACT || job->kind == JOB_ASK ||
            job->kind == JOB_EDIT) &&
           job->result != JOB_REFUSED;
}

/* Each answer takes along what the board shows now. Where the poll was deleted behind it in the
 * same batch that is nothing, and it is answered as if it had come behind. */
static void attach_tallies(struct sqlite_store *store, struct batch *batch)
{
    for (size_t i = 0; i < batch->n; i++) {
        struct job *job = batch->jobs[i];
        struct book *book = job->kind == JOB_DELETE ? NULL : book_find(store, job->ballot.poll);

        if (book) {
            job->published = published_ref(book->published);
        } else if (answers_with_tally(job)) {
            refuse(job->refusal, PROBLEM_NO_SUCH_POLL, "there is no poll of this id any more");
            job->result = JOB_REFUSED;
        }
    }
}

/* Decides every job; those that must wait leave the batch. */
static enum fault decide_all(struct sqlite_store *store, struct batch *batch, size_t *ret_kept)
{
    size_t n = batch->n;
    size_t left = 0;

    *ret_kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct job *job = batch->jobs[i];
        enum decided decided;
        enum fault fault = decide_job(store, job, &decided);

        if (fault != FAULT_NONE) {
            /* What is not decided yet fails with the rest. */
            for (; i < n; i++)
                batch->jobs[left++] = batch->jobs[i];
            batch->n = left;
            return fault;
        }
        if (decided == KEPT)
            (*ret_kept)++;
        else
            batch->jobs[left++] = job;
    }
    batch->n = left;
    return FAULT_NONE;
}

/* A batch was refused, and nothing of it stands: who only asks how things stand does not suffer by
 * that, and hears how they stand without it. */
static enum store_result ask_again(struct sqlite_store *store, struct batch *batch,
                                   size_t *ret_kept)
{
    enum store_result result = STORE_REFUSED;
    size_t n = batch->n;

    batch->n = 0;
    for (size_t i = 0; i < n; i++) {
        struct batch one = { .jobs = &batch->jobs[i], .n = 1 };
        enum decided decided = DECIDED;

        if (batch->jobs[i]->kind == JOB_ASK && result == STORE_REFUSED) {
            enum fault fault = decide_job(store, batch->jobs[i], &decided);

            if (fault == FAULT_NONE && decided == DECIDED)
                attach_tallies(store, &one);
            answer_faults(&one, fault);
            if (fault == FAULT_BROKEN)
                result = STORE_BROKEN;
        }
        if (decided == KEPT)
            (*ret_kept)++;
        else
            batch->jobs[batch->n++] = batch->jobs[i];
    }
    return result;
}

static bool is_to_forget(const struct batch *batch)
{
    for (size_t i = 0; i < batch->n; i++) {
        if (batch->jobs[i]->kind == JOB_DELETE || batch->jobs[i]->kind == JOB_FORGET)
            return true;
    }
    return false;
}

/* What is forgotten has to leave the log, which a full disk forbids: that is found out before
 * anything is done, so that hardly ever it is done and cannot be answered so. */
static enum fault make_way_to_forget(struct sqlite_store *store)
{
    enum fault fault =
        store->log_remembers ? batch_forget(store) : checkpoint(store, SQLITE_CHECKPOINT_TRUNCATE);

    if (fault == FAULT_NO_MEMORY_TO_SCRUB)
        return FAULT_NO_MEMORY; /* nothing is done yet */
    return fault == FAULT_LOG_REMEMBERS ? FAULT_FULL : fault;
}

enum store_result sqlite_commit(struct store *base, struct batch *batch, size_t *ret_kept)
{
    struct sqlite_store *store = sqlite_of(base);
    enum fault fault = FAULT_NONE;
    enum store_result result;

    assert(batch->n <= BATCH_JOBS_MAX);
    *ret_kept = 0;
    store->now_ms = batch->now_ms;
    if (checkpoint_due(store, WAL_BYTES_DUE))
        fault = checkpoint(store, SQLITE_CHECKPOINT_PASSIVE);
    if (fault == FAULT_NONE && is_to_forget(batch))
        fault = make_way_to_forget(store);
    if (fault == FAULT_NONE)
        fault = decide_all(store, batch, ret_kept);
    if (fault == FAULT_NONE)
        fault = batch_finish(store);
    result = store_failed(store, fault);
    if (result == STORE_DONE)
        attach_tallies(store, batch);
    else
        answer_faults(batch, result == STORE_BROKEN ? FAULT_BROKEN : fault);
    return result == STORE_REFUSED ? ask_again(store, batch, ret_kept) : result;
}

static void hand_back(struct queue_list *from, struct queue_list *to)
{
    struct queue_node *node;

    while ((node = queue_list_take(from)) != NULL)
        queue_list_add(to, node);
}

static void refuse_waiting(struct queue_list *waiting, enum fault fault,
                           struct queue_list *answered)
{
    struct queue_node *node;

    while ((node = queue_list_take(waiting)) != NULL) {
        answer_fault((struct job *)node, fault);
        queue_list_add(answered, node);
    }
}

/* Decides jobs that have waited, in the order they came. A bulk may begin to wait for another
 * poll's voters, and then waits there; if something broke, those that are left go with the store.
 */
static enum store_result answer_waiting(struct sqlite_store *store, struct queue_list *waiting,
                                        struct queue_list *answered)
{
    enum store_result result = STORE_DONE;
    struct queue_list ready = { NULL, NULL, 0 };
    AUTO_BYTES struct job **jobs = malloc(BATCH_JOBS_MAX * sizeof(struct job *));

    if (!jobs) {
        refuse_waiting(waiting, FAULT_NO_MEMORY, answered);
        return STORE_REFUSED;
    }
    hand_back(waiting, &ready);
    while (result != STORE_BROKEN && ready.n > 0) {
        struct batch batch = { .jobs = jobs, .now_ms = clock_wall_ms(store->clock) };
        size_t kept;

        batch_fill(&batch, &ready, BATCH_JOBS_MAX);
        result = sqlite_commit(&store->base, &batch, &kept);
        for (size_t i = 0; i < batch.n; i++)
            queue_list_add(answered, &batch.jobs[i]->node);
    }
    hand_back(&ready, waiting);
    return result;
}

static struct book *next_loading(struct sqlite_store *store)
{
    for (size_t i = 0; i < store->n_books; i++) {
        if (store->books[i]->loading)
            return store->books[i];
    }
    return NULL;
}

/* The other polls go on: their rows are as they were written, or they are found out by themselves.
 */
static void set_apart(const struct sqlite_store *store, struct book *book)
{
    book->damaged = true;
    log_line(LOG_ERROR,
             "poll %s takes no votes: its rows in the store %s are not as they were written; stop "
             "tallyd, see what tallyd --check-store says, and restore a backup (tallyd --restore)",
             book->poll->id, store->path);
}

static enum store_result load_some(struct sqlite_store *store, struct queue_list *answered)
{
    struct book *book = next_loading(store);
    enum fault fault = book ? voters_load_slice(store, book) : FAULT_NONE;

    if (fault != FAULT_NONE) {
        store->n_loading--;
        book->loading = false;
        book_drop_sets(book);
        if (fault == FAULT_DAMAGED)
            set_apart(store, book);
        refuse_waiting(&book->waiting, fault, answered);
        return fault == FAULT_BROKEN ? STORE_BROKEN : STORE_REFUSED;
    }
    if (!book || book->loading)
        return STORE_DONE;
    return answer_waiting(store, &book->waiting, answered);
}

/* Only into room that is there to spare; the log of a busy store is left alone. */
static void keep_ballast(struct sqlite_store *store)
{
    int64_t now_ms = clock_mono_ms(store->clock);

    if (store->ballast_there || store->ballast_bytes == 0 || now_ms < store->ballast_retry_ms)
        return;
    store->ballast_there = ballast_make(store->path, store->ballast_bytes);
    store->ballast_retry_ms = now_ms + BALLAST_RETRY_MS;
}

static enum store_result tidy(struct sqlite_store *store)
{
    enum fault fault = FAULT_NONE;

    if (store->log_remembers)
        fault = batch_forget(store);
    else if (checkpoint_due(store, WAL_BYTES_IDLE))
        fault = checkpoint(store, SQLITE_CHECKPOINT_PASSIVE);
    keep_ballast(store);
    return fault == FAULT_BROKEN ? STORE_BROKEN : STORE_DONE;
}

enum store_result sqlite_work(struct store *base, bool idle, struct queue_list *answered,
                              int64_t *ret_next_ms)
{
    struct sqlite_store *store = sqlite_of(base);
    int64_t next_ms = INT64_MAX;
    enum store_result result = phases_sweep(store, &next_ms);

    if (result != STORE_BROKEN && store->n_loading > 0)
        result = load_some(store, answered);
    if (result != STORE_BROKEN && store->orphans.n > 0)
        result = answer_waiting(store, &store->orphans, answered);
    if (result != STORE_BROKEN)
        next_ms = clock_sooner(next_ms, backup_work(store, idle, answered));
    if (result != STORE_BROKEN && idle)
        result = tidy(store);
    if (!store->ballast_there && store->ballast_bytes > 0)
        next_ms = clock_sooner(next_ms, BALLAST_RETRY_MS);
    *ret_next_ms = store->n_loading > 0 ? 0 : next_ms;
    return result;
}

enum store_result sqlite_finish(struct store *base)
{
    struct sqlite_store *store = sqlite_of(base);
    enum fault fault;

    store->say_full_ms = INT64_MAX; /* no vote is refused any more */
    fault = mark_clear(store);
    /* The file has room for what it has, and a log that is all in the file is written from its
     * beginning. Where even that is too much the mark and the log stay, and nothing is missing. */
    if (fault == FAULT_FULL)
        fault = make_room(store) == STORE_BROKEN ? FAULT_BROKEN : mark_clear(store);
    return fault == FAULT_BROKEN ? STORE_BROKEN : STORE_DONE;
}
