/*
 * ledger/statistics.h - what the writer counts, for everybody to read.
 *
 * Each number is true by itself; together they are of about the same moment. Any thread reads; who
 * writes stands beside each.
 */
#ifndef TALLYD_LEDGER_STATISTICS_H
#define TALLYD_LEDGER_STATISTICS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/job.h"
#include "ledger/writer.h"

struct statistics {        /* zeroed is none */
    atomic_size_t waiting; /* ballots that were handed over and have no answer; any thread */
    atomic_size_t waiting_in_bulk; /* the same, of bulks */
    atomic_uint_least64_t commits; /* the writer's thread, like all that follows */
    atomic_uint_least64_t votes;
    atomic_uint_least32_t took_us[WRITER_LATENCIES_MAX]; /* of the last commits, in a ring */
};

/* A commit is over. Writer. */
void statistics_commit(struct statistics *statistics, int64_t took_us);
/* A job has its answer. Writer. */
void statistics_job(struct statistics *statistics, const struct job *job);

struct writer_counts statistics_counts(const struct statistics *statistics);
size_t statistics_latencies(const struct statistics *statistics,
                            uint32_t ret_us[WRITER_LATENCIES_MAX]);

#endif
