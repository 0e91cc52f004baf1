/*
 * ledger/histogram.h - how often values fell below each of a few bounds.
 *
 * One thread notes, any reads; the bounds stand in a scale, which never changes.
 */
#ifndef TALLYD_LEDGER_HISTOGRAM_H
#define TALLYD_LEDGER_HISTOGRAM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BOUNDS_MAX 15

struct histogram_scale {
    size_t n;
    uint64_t bounds[HISTOGRAM_BOUNDS_MAX]; /* growing; a value that equals one is below it */
};

struct histogram {                                          /* zeroed is empty */
    atomic_uint_least64_t counts[HISTOGRAM_BOUNDS_MAX + 1]; /* the last: above all bounds */
    atomic_uint_least64_t sum;
};

struct histogram_figures {
    uint64_t counts[HISTOGRAM_BOUNDS_MAX + 1]; /* of each bucket by itself; those in use: n + 1 */
    uint64_t sum;
};

void histogram_note(struct histogram *histogram, const struct histogram_scale *scale,
                    uint64_t value);
void histogram_read(const struct histogram *histogram, struct histogram_figures *ret_figures);

#endif
