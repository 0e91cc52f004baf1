/*
 * ledger/statistics.c - what the writer counts, for everybody to read.
 *
 * Threads: the writer counts, any reads.
 */
#include "ledger/statistics.h"

void statistics_commit(struct statistics *statistics, int64_t took_us)
{
    uint64_t n = atomic_fetch_add_explicit(&statistics->commits, 1, memory_order_relaxed);
    uint32_t us = took_us < UINT32_MAX ? (uint32_t)took_us : UINT32_MAX;

    atomic_store_explicit(&statistics->took_us[n % WRITER_LATENCIES_MAX], us, memory_order_relaxed);
}

static bool is_vote(enum job_result result)
{
    return result == JOB_COUNTED || result == JOB_CHANGED || result == JOB_RETRACTED;
}

void statistics_job(struct statistics *statistics, const struct job *job)
{
    size_t votes = is_vote(job->result);

    if (job->kind == JOB_BULK && job->result == JOB_READ) {
        for (size_t i = 0; i < job->bulk->n; i++)
            votes +=
                job->bulk->lines[i].problem == PROBLEM_NONE && is_vote(job->bulk->lines[i].result);
    }
    if (votes > 0)
        atomic_fetch_add_explicit(&statistics->votes, votes, memory_order_relaxed);
}

struct writer_counts statistics_counts(const struct statistics *statistics)
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
