/*
 * api/metrics.h - what a monitoring system is told, as a page of text.
 *
 * Everything is read from counters: neither the writer nor the disk is asked. docs/metrics.md lists
 * the same metrics, and a test compares.
 */
#ifndef TALLYD_API_METRICS_H
#define TALLYD_API_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/board.h"
#include "core/busiest.h"
#include "core/poll.h"
#include "core/problem.h"
#include "ledger/writer.h"
#include "net/loop.h"

struct api;

struct scrape { /* all figures of one moment, nearly */
    struct writer_figures writer;
    struct net_now net;
    uint64_t takes_votes; /* 1 or 0 */
    uint64_t ballast;     /* the same */
    uint64_t polls;
    uint64_t streams;
    uint64_t long_polls;
    uint64_t crowded;
    uint64_t refused[PROBLEM_KINDS];
    uint64_t refused_lines[PROBLEM_KINDS];
    uint64_t started_ms;
    uint64_t cpu_ms;
    uint64_t resident_bytes;
};

/* Takes out the polls that are gone, and those whose results are hidden from this viewer: the
 * counts by name outlive both. Any thread. */
void metrics_leave_out(struct board *board, enum viewer viewer, struct busiest_figures *votes);

/* The Prometheus text format, version 0.0.4. */
void metrics_write(const struct scrape *scrape, struct buf *out);

#endif
