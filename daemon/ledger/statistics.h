/*
 * ledger/statistics.h - what the writer counts, for everybody to read.
 *
 * Each number is true by itself; together they are of about the same moment. Any thread reads; who
 * writes stands beside each. Nothing here waits for anybody.
 */
#ifndef TALLYD_LEDGER_STATISTICS_H
#define TALLYD_LEDGER_STATISTICS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "core/busiest.h"
#include "ledger/histogram.h"
#include "ledger/job.h"
#include "ledger/pace.h"
#include "ledger/store.h"
#include "ledger/writer.h"

struct statistics_store { /* struct store_figures, as the writer last saw them */
    atomic_uint_least64_t polls;
    atomic_uint_least64_t bytes;
    atomic_uint_least64_t wal_bytes;
    atomic_uint_least64_t wal_waiting_bytes;
    atomic_bool ballast;
    atomic_int_least64_t last_checkpoint_ms;
    atomic_int_least64_t last_backup_ms;
    atomic_uint_least64_t last_backup_bytes;
};

struct statistics {        /* zeroed, and with `busiest`, is none */
    atomic_size_t waiting; /* ballots that were handed over and have no answer; any thread */
    atomic_size_t waiting_in_bulk; /* the same, of bulks */
    atomic_uint_least64_t commits; /* the writer's thread, like all that follows */
    atomic_uint_least64_t votes;
    atomic_uint_least32_t took_us[WRITER_LATENCIES_MAX]; /* of the last commits, in a ring */
    struct pace pace;
    struct histogram took;
    struct histogram batches;
    struct busiest *busiest; /* owned */
    struct statistics_store store;
    int64_t looked_ms; /* mono: when `store` was filled in */
};

/* What commits are measured by, in microseconds: it runs on while they wait for the disk. */
int64_t statistics_now_us(void);

/* A commit of this many ballots is over. Writer. */
void statistics_commit(struct statistics *statistics, int64_t took_us, size_t ballots);
/* A job has its answer. Of votes in polls whose results are hidden nothing is counted by poll.
 * Writer. */
void statistics_job(struct statistics *statistics, struct store *store, const struct job *job,
                    int64_t mono_ms);
/*
 * How the store is. The file system is asked four times a second at most: at each small batch that
 * was 0.5 of 13 us a vote.
 *
 *   now      whatever it costs: what somebody is told of next should be in it
 *   returns  after how many milliseconds it should be called again; INT64_MAX: it has just looked
 *   thread   writer
 */
int64_t statistics_look(struct statistics *statistics, const struct store *store, int64_t mono_ms,
                        bool now);

size_t statistics_latencies(const struct statistics *statistics,
                            uint32_t ret_us[WRITER_LATENCIES_MAX]);
void statistics_figures(const struct statistics *statistics, int64_t mono_ms,
                        struct writer_figures *ret_figures);

#endif
