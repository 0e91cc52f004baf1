/*
 * ledger/statistics.c - what the writer counts, for everybody to read.
 *
 * Threads: the writer counts, any reads.
 */
#include "ledger/statistics.h"

#include <time.h>

#define LOOK_MS 250

const struct histogram_scale writer_took_us = { 15,
                                                { 100, 250, 500, 1000, 2500, 5000, 10000, 25000,
                                                  50000, 100000, 250000, 500000, 1000000, 2500000,
                                                  10000000 } };
const struct histogram_scale writer_batches = {
    13, { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096 }
};

int64_t statistics_now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void statistics_commit(struct statistics *statistics, int64_t took_us, size_t ballots)
{
    uint64_t n = atomic_fetch_add_explicit(&statistics->commits, 1, memory_order_relaxed);
    uint32_t us = took_us < UINT32_MAX ? (uint32_t)took_us : UINT32_MAX;

    atomic_store_explicit(&statistics->took_us[n % WRITER_LATENCIES_MAX], us, memory_order_relaxed);
    histogram_note(&statistics->took, &writer_took_us, us);
    histogram_note(&statistics->batches, &writer_batches, ballots);
}

static bool vote_result_of(enum job_result result, enum vote_result *ret_result)
{
    if (result == JOB_COUNTED)
        *ret_result = VOTE_COUNTED;
    else if (result == JOB_CHANGED)
        *ret_result = VOTE_CHANGED;
    else if (result == JOB_ALREADY)
        *ret_result = VOTE_ALREADY;
    else if (result == JOB_RETRACTED)
        *ret_result = VOTE_RETRACTED;
    else
        return false;
    return true;
}

/* A poll whose results are hidden is counted nowhere, not even among the rest: where it is the only
 * one, that would be its count. Returns how many votes it was: 1 or 0. */
static size_t count_vote(struct statistics *statistics, struct store *store, uint64_t number,
                         enum job_result result, int64_t mono_ms)
{
    const struct published *shown;
    enum vote_result vote;

    if (!vote_result_of(result, &vote))
        return 0;
    shown = store_shown(store, number);
    if (shown && !poll_hides_results(shown->poll, shown->phase, VIEWER_STRANGER))
        busiest_add(statistics->busiest, number, shown->poll->id, vote, mono_ms);
    return vote != VOTE_ALREADY;
}

void statistics_job(struct statistics *statistics, struct store *store, const struct job *job,
                    int64_t mono_ms)
{
    size_t votes = 0;

    if (job->kind == JOB_VOTE || job->kind == JOB_RETRACT)
        votes = count_vote(statistics, store, job->ballot.poll, job->result, mono_ms);
    if (job->kind == JOB_BULK && job->result == JOB_READ) {
        for (size_t i = 0; i < job->bulk->n; i++) {
            const struct bulk_line *line = &job->bulk->lines[i];

            if (line->problem == PROBLEM_NONE)
                votes += count_vote(statistics, store, line->ballot.poll, line->result, mono_ms);
        }
    }
    if (votes == 0)
        return;
    atomic_fetch_add_explicit(&statistics->votes, votes, memory_order_relaxed);
    pace_note(&statistics->pace, mono_ms, (uint32_t)votes); /* of one job: BULK_LINES_MAX */
}

static void keep(struct statistics_store *to, const struct store *store)
{
    struct store_figures figures;

    store_figures(store, &figures);
    atomic_store_explicit(&to->polls, figures.polls, memory_order_relaxed);
    atomic_store_explicit(&to->bytes, figures.bytes, memory_order_relaxed);
    atomic_store_explicit(&to->wal_bytes, figures.wal_bytes, memory_order_relaxed);
    atomic_store_explicit(&to->wal_waiting_bytes, figures.wal_waiting_bytes, memory_order_relaxed);
    atomic_store_explicit(&to->ballast, figures.ballast, memory_order_relaxed);
    atomic_store_explicit(&to->last_checkpoint_ms, figures.last_checkpoint_ms,
                          memory_order_relaxed);
    atomic_store_explicit(&to->last_backup_ms, figures.last_backup_ms, memory_order_relaxed);
    atomic_store_explicit(&to->last_backup_bytes, figures.last_backup_bytes, memory_order_relaxed);
}

int64_t statistics_look(struct statistics *statistics, const struct store *store, int64_t mono_ms,
                        bool now)
{
    if (!now && mono_ms - statistics->looked_ms < LOOK_MS)
        return LOOK_MS;
    keep(&statistics->store, store);
    statistics->looked_ms = mono_ms;
    return INT64_MAX;
}

static struct writer_counts counts_of(const struct statistics *statistics)
{
    return (struct writer_counts){ .commits = atomic_load(&statistics->commits),
                                   .votes = atomic_load(&statistics->votes),
                                   .waiting = atomic_load(&statistics->waiting) +
                                              atomic_load(&statistics->waiting_in_bulk) };
}

size_t statistics_latencies(const struct statistics *statistics,
                            uint32_t ret_us[WRITER_LATENCIES_MAX])
{
    uint64_t commits = atomic_load(&statistics->commits);
    size_t n = commits < WRITER_LATENCIES_MAX ? (size_t)commits : WRITER_LATENCIES_MAX;

    for (size_t i = 0; i < n; i++)
        ret_us[i] = atomic_load_explicit(&statistics->took_us[i], memory_order_relaxed);
    return n;
}

void statistics_figures(const struct statistics *statistics, int64_t mono_ms,
                        struct writer_figures *ret_figures)
{
    const struct statistics_store *store = &statistics->store;

    ret_figures->counts = counts_of(statistics);
    ret_figures->votes_last_minute = pace_read(&statistics->pace, mono_ms);
    histogram_read(&statistics->took, &ret_figures->took_us);
    histogram_read(&statistics->batches, &ret_figures->batches);
    busiest_read(statistics->busiest, &ret_figures->votes);
    ret_figures->store = (struct store_figures){
        .polls = atomic_load(&store->polls),
        .bytes = atomic_load(&store->bytes),
        .wal_bytes = atomic_load(&store->wal_bytes),
        .wal_waiting_bytes = atomic_load(&store->wal_waiting_bytes),
        .ballast = atomic_load(&store->ballast),
        .last_checkpoint_ms = atomic_load(&store->last_checkpoint_ms),
        .last_backup_ms = atomic_load(&store->last_backup_ms),
        .last_backup_bytes = atomic_load(&store->last_backup_bytes),
    };
}
