/*
 * bench/latency.c - how long replies took, as counts in buckets of growing width.
 *
 * Threads: one.
 */
#include "bench/latency.h"

#include <assert.h>

/* The first 64 nanoseconds have a bucket each; from there on every doubling has 64. */
static unsigned bucket_of(uint64_t ns)
{
    unsigned doublings;

    if (ns < LATENCY_STEPS)
        return (unsigned)ns;
    doublings = 63U - (unsigned)__builtin_clzll(ns) - 6U;
    return doublings * LATENCY_STEPS + (unsigned)(ns >> doublings);
}

static uint64_t bucket_end(unsigned bucket)
{
    unsigned doublings;

    if (bucket < LATENCY_STEPS)
        return bucket;
    doublings = bucket / LATENCY_STEPS - 1;
    return ((uint64_t)(bucket % LATENCY_STEPS + LATENCY_STEPS + 1) << doublings) - 1;
}

void latency_note(struct latency *latency, int64_t took_ns)
{
    latency->bucket[bucket_of(took_ns < 0 ? 0 : (uint64_t)took_ns)]++;
    latency->replies++;
}

uint64_t latency_within(const struct latency *latency, unsigned per_mille)
{
    uint64_t seen = 0;

    assert(per_mille >= 1 && per_mille <= 1000);
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        seen += latency->bucket[i];
        if (seen > 0 && seen * 1000 >= latency->replies * per_mille)
            return bucket_end(i);
    }
    return 0;
}
