/*
 * ledger/histogram.c - how often values fell below each of a few bounds.
 *
 * Threads: one notes, any reads.
 */
#include "ledger/histogram.h"

static void add(atomic_uint_least64_t *to, uint64_t n)
{
    atomic_store_explicit(to, atomic_load_explicit(to, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

void histogram_note(struct histogram *histogram, const struct histogram_scale *scale,
                    uint64_t value)
{
    size_t i = 0;

    while (i < scale->n && value > scale->bounds[i])
        i++;
    add(&histogram->counts[i], 1);
    add(&histogram->sum, value);
}

void histogram_read(const struct histogram *histogram, struct histogram_figures *ret_figures)
{
    for (size_t i = 0; i <= HISTOGRAM_BOUNDS_MAX; i++)
        ret_figures->counts[i] = atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
    ret_figures->sum = atomic_load_explicit(&histogram->sum, memory_order_relaxed);
}
