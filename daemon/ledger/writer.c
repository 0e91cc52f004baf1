/*
 * ledger/writer.c - the one thread that writes the ledger.
 *
 * Takes all jobs that have queued up, lets the store decide and commit them as one batch, and hands
 * each answer back to the loop that asked for it. No answer leaves before its commit is durable.
 * What reads the ledger, slice by slice, has its turn between batches.
 *
 * Threads: writer_new(), writer_start() and writer_free() main; writer_submit() any loop; the rest
 * is its own.
 */
#include "ledger/writer.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ledger/lanes.h"
#include "ledger/post.h"
#include "ledger/statistics.h"
#include "ledger/writer_log.h"

#define READS_US_MAX 1000 /* and the slice that goes over it */

struct writer {
    struct store *store;       /* writer */
    const struct clock *clock; /* any */
    void (*broken_call)(void *context);
    void *broken_context;
    struct queue inbox; /* any: it locks itself */
    struct lanes lanes; /* writer: taken, not yet decided */
    struct job **batch; /* writer: room for BATCH_JOBS_MAX */
    size_t n_kept;      /* writer: the store holds them */
    bool gave_up;       /* writer */

    pthread_t thread; /* main */
    bool started;     /* main */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool woken;    /* lock */
    bool stopping; /* lock */

    atomic_uint_least64_t turns; /* writer writes, any reads: that it is not stuck */
    _Atomic(int64_t) fresh_ms;   /* writer writes, any reads: store_fresh_ms() */
    atomic_bool ending;          /* main writes, writer reads */
    atomic_bool broken;          /* writer writes, any reads */
    struct statistics statistics;
    struct writer_log log; /* any: it locks itself */
};

static void count_turn(void *context)
{
    struct writer *writer = context;

    atomic_fetch_add_explicit(&writer->turns, 1, memory_order_relaxed);
}

static void wake_writer(void *context)
{
    struct writer *writer = context;

    (void)pthread_mutex_lock(&writer->lock);
    writer->woken = true;
    (void)pthread_cond_signal(&writer->wake);
    (void)pthread_mutex_unlock(&writer->lock);
}

struct writer *writer_new(const struct writer_settings *settings, struct why *reterr_why)
{
    struct writer *writer = calloc(1, sizeof *writer);
    struct job **batch = malloc(BATCH_JOBS_MAX * sizeof(struct job *));
    AUTO(busiest) busiest = busiest_new();
    pthread_condattr_t monotonic;

    if (!writer || !batch || !busiest) {
        free(writer);
        free(batch);
        return why_set(reterr_why, "no memory for the writer");
    }
    writer_log_init(&writer->log);
    writer->batch = batch;
    writer->store = settings->store;
    writer->statistics.busiest = TAKE(busiest);
    writer->clock = settings->clock;
    (void)statistics_look(&writer->statistics, writer->store, clock_mono_ms(writer->clock), true);
    writer->broken_call = settings->broken;
    writer->broken_context = settings->broken_context;
    queue_init(&writer->inbox, wake_writer, writer);
    (void)pthread_mutex_init(&writer->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&writer->wake, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    atomic_init(&writer->fresh_ms, store_fresh_ms(writer->store));
    store_set_wake(writer->store, wake_writer, count_turn, writer);
    return writer;
}

static struct post post_of(struct writer *writer)
{
    return (struct post){ .statistics = &writer->statistics,
                          .store = writer->store,
                          .mono_ms = clock_mono_ms(writer->clock) };
}

static void deliver_list(struct writer *writer, struct queue_list *list)
{
    struct post post = post_of(writer);
    struct queue_node *node;

    while ((node = queue_list_take(list)) != NULL)
        post_add(&post, (struct job *)node);
    post_send(&post);
}

static void deliver_batch(struct writer *writer, const struct batch *batch)
{
    struct post post = post_of(writer);

    for (size_t i = 0; i < batch->n; i++)
        post_add(&post, batch->jobs[i]);
    post_send(&post);
}

/* Nobody knows what is on disk: no more votes, and the process must end. */
static void give_up(struct writer *writer)
{
    struct queue_list answered = { NULL, NULL, 0 };

    if (writer->gave_up)
        return;
    writer->gave_up = true;
    atomic_store(&writer->broken, true);
    store_abandon(writer->store, &answered);
    writer->n_kept = 0;
    deliver_list(writer, &answered);
    writer->broken_call(writer->broken_context);
}

/* Returns how long it took. */
static int64_t commit_some(struct writer *writer)
{
    struct batch batch = { .jobs = writer->batch, .now_ms = clock_wall_ms(writer->clock) };
    int64_t began_ms = clock_mono_ms(writer->clock);
    int64_t began_us = statistics_now_us();
    enum store_result result;
    int64_t took_us;
    int64_t now_ms;
    size_t weight, kept;

    lanes_fill(&writer->lanes, &batch);
    weight = batch.weight;
    result = store_commit(writer->store, &batch, &kept);
    writer->n_kept += kept;
    took_us = statistics_now_us() - began_us;
    statistics_commit(&writer->statistics, took_us, weight);
    now_ms = clock_mono_ms(writer->clock);
    writer_log_commit(&writer->log, writer->store, &batch, weight, now_ms - began_ms, now_ms);
    deliver_batch(writer, &batch);
    if (result == STORE_BROKEN)
        give_up(writer);
    return took_us;
}

/* Reads get as long as the batch before them has taken, at least a slice and at most READS_US_MAX:
 * so votes wait for a slice or a few, and an export goes on under any load. */
static void read_some(struct writer *writer, int64_t batch_us)
{
    int64_t until_us = statistics_now_us() + (batch_us < READS_US_MAX ? batch_us : READS_US_MAX);
    struct post post = post_of(writer);
    enum store_result result = STORE_DONE;

    while (result != STORE_BROKEN && writer->lanes.reads.n > 0) {
        struct job *job = (struct job *)queue_list_take(&writer->lanes.reads);

        result = store_read(writer->store, job);
        post_add(&post, job);
        if (statistics_now_us() >= until_us)
            break;
    }
    post_send(&post);
    if (result == STORE_BROKEN)
        give_up(writer);
}

static void refuse_jobs(struct writer *writer, struct queue_list *jobs)
{
    for (struct queue_node *node = jobs->first; node; node = node->next) {
        struct job *job = (struct job *)node;

        refuse(job->refusal, PROBLEM_STORE_UNAVAILABLE, "the store failed; send it again later");
        job->result = JOB_REFUSED;
    }
    deliver_list(writer, jobs);
}

static int64_t work(struct writer *writer)
{
    struct queue_list answered = { NULL, NULL, 0 };
    int64_t next_ms = INT64_MAX;
    enum store_result result;
    int64_t look_ms;

    if (atomic_load(&writer->ending))
        store_end_soon(writer->store, &answered);
    result = store_work(writer->store, !lanes_have_any(&writer->lanes), &answered, &next_ms);
    assert(answered.n <= writer->n_kept);
    writer->n_kept -= answered.n;
    look_ms = statistics_look(&writer->statistics, writer->store, clock_mono_ms(writer->clock),
                              answered.n > 0);
    deliver_list(writer, &answered);
    atomic_store(&writer->fresh_ms, store_fresh_ms(writer->store));
    if (result == STORE_BROKEN)
        give_up(writer);
    return next_ms < look_ms ? next_ms : look_ms;
}

/* Sleeps until there are jobs, at most next_ms. Returns whether it is to stop. */
static bool rest(struct writer *writer, int64_t next_ms)
{
    struct timespec until;
    bool stopping;
    int error = 0;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    if (next_ms < INT64_MAX) {
        until.tv_sec += (time_t)(next_ms / 1000);
        until.tv_nsec += (long)(next_ms % 1000) * 1000000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000;
        }
    }
    (void)pthread_mutex_lock(&writer->lock);
    while (!writer->woken && !writer->stopping && error == 0 && next_ms > 0)
        error = next_ms == INT64_MAX ? pthread_cond_wait(&writer->wake, &writer->lock)
                                     : pthread_cond_timedwait(&writer->wake, &writer->lock, &until);
    writer->woken = false;
    stopping = writer->stopping;
    (void)pthread_mutex_unlock(&writer->lock);
    return stopping;
}

/* A batch, what is to be read, and the store's own work. Returns how long the next may wait. */
static int64_t turn(struct writer *writer)
{
    int64_t batch_us = 0;

    if (lanes_have_ballots(&writer->lanes))
        batch_us = commit_some(writer);
    if (!writer->gave_up && writer->lanes.reads.n > 0)
        read_some(writer, batch_us);
    return writer->gave_up ? INT64_MAX : work(writer);
}

static void *run(void *context)
{
    struct writer *writer = context;
    bool stopping = false;

    for (;;) {
        struct queue_list taken = queue_take(&writer->inbox);
        int64_t next_ms = INT64_MAX;

        count_turn(writer);
        lanes_sort(&writer->lanes, &taken);
        if (stopping && !lanes_have_any(&writer->lanes) && writer->n_kept == 0) {
            if (!writer->gave_up && store_finish(writer->store) == STORE_BROKEN)
                give_up(writer);
            return NULL;
        }
        if (writer->gave_up) {
            refuse_jobs(writer, &writer->lanes.singles);
            refuse_jobs(writer, &writer->lanes.bulks);
            refuse_jobs(writer, &writer->lanes.reads);
        } else {
            next_ms = turn(writer);
        }
        if (!lanes_have_any(&writer->lanes))
            stopping = rest(writer, next_ms);
    }
}

void writer_end_soon(struct writer *writer)
{
    atomic_store(&writer->ending, true);
    wake_writer(writer);
}

bool writer_start(struct writer *writer, struct why *reterr_why)
{
    int error = pthread_create(&writer->thread, NULL, run, writer);

    if (error != 0) {
        why_set(reterr_why, "cannot start the writer's thread: %s", strerror(error));
        return false;
    }
    (void)pthread_setname_np(writer->thread, "writer"); /* as top -H shows it */
    writer->started = true;
    return true;
}

void writer_submit(struct writer *writer, struct queue_list *list)
{
    atomic_size_t *waiting = &writer->statistics.waiting;
    size_t n = 0;

    for (const struct queue_node *node = list->first; node; node = node->next)
        n += job_weight((const struct job *)node);
    if (atomic_fetch_add_explicit(waiting, n, memory_order_relaxed) + n > WRITER_WAITING_MAX) {
        atomic_fetch_sub_explicit(waiting, n, memory_order_relaxed);
        writer_log_busy(&writer->log, clock_mono_ms(writer->clock));
        post_busy(list);
        return;
    }
    queue_put(&writer->inbox, list);
}

void writer_submit_bulk(struct writer *writer, struct job *job)
{
    struct queue_list one = { NULL, NULL, 0 };

    assert(job->kind == JOB_BULK);
    atomic_fetch_add_explicit(&writer->statistics.waiting_in_bulk, job_weight(job),
                              memory_order_relaxed);
    queue_list_add(&one, &job->node);
    queue_put(&writer->inbox, &one);
}

bool writer_has_much_bulk(const struct writer *writer)
{
    return atomic_load_explicit(&writer->statistics.waiting_in_bulk, memory_order_relaxed) >=
           WRITER_BULK_MUCH;
}

void writer_free(struct writer *writer)
{
    if (!writer)
        return;
    if (writer->started) {
        (void)pthread_mutex_lock(&writer->lock);
        writer->stopping = true;
        (void)pthread_cond_signal(&writer->wake);
        (void)pthread_mutex_unlock(&writer->lock);
        (void)pthread_join(writer->thread, NULL);
    }
    store_free(writer->store);
    queue_destroy(&writer->inbox);
    (void)pthread_mutex_destroy(&writer->lock);
    (void)pthread_cond_destroy(&writer->wake);
    busiest_free(writer->statistics.busiest);
    writer_log_end(&writer->log);
    free(writer->batch);
    free(writer);
}

bool writer_takes_votes(const struct writer *writer)
{
    return !atomic_load(&writer->broken);
}

int64_t writer_age_ms(const struct writer *writer)
{
    int64_t fresh_ms = atomic_load(&writer->fresh_ms);
    int64_t now_ms = clock_mono_ms(writer->clock);

    return fresh_ms < now_ms ? now_ms - fresh_ms : 0;
}

size_t writer_latencies(const struct writer *writer, uint32_t ret_us[WRITER_LATENCIES_MAX])
{
    return statistics_latencies(&writer->statistics, ret_us);
}

uint64_t writer_turns(const struct writer *writer)
{
    return atomic_load(&writer->turns);
}

void writer_poke(struct writer *writer)
{
    wake_writer(writer);
}

void writer_figures(const struct writer *writer, struct writer_figures *ret_figures)
{
    statistics_figures(&writer->statistics, clock_mono_ms(writer->clock), ret_figures);
}

void writer_tell(struct writer *writer, int64_t mono_ms)
{
    writer_log_tell(&writer->log, mono_ms);
}
