/*
 * bench/latency.h - how long replies took, as counts in buckets of growing width.
 *
 * A bucket is at most 1/64 of its value wide, so a percentile is exact to 1.6 %. One thread.
 */
#ifndef TALLYD_BENCH_LATENCY_H
#define TALLYD_BENCH_LATENCY_H

#include <stdint.h>

#define LATENCY_STEPS 64U /* buckets for each doubling */
#define LATENCY_BUCKETS (59U * LATENCY_STEPS)

struct latency {
    uint64_t replies;
    uint64_t bucket[LATENCY_BUCKETS];
};

/* Notes one reply that took `took_ns` (a negative time counts as 0). */
void latency_note(struct latency *latency, int64_t took_ns);

/*
 * The time within which `per_mille` of 1000 replies came.
 *
 *   per_mille  1..1000
 *   returns    nanoseconds, the upper end of the bucket; 0 when nothing was noted
 */
uint64_t latency_within(const struct latency *latency, unsigned per_mille);

#endif
