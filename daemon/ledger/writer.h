/*
 * ledger/writer.h - the one thread that writes the ledger.
 *
 * It takes all jobs that have queued up (group commit: the batch grows with the load, there is no
 * timer), lets the store decide and commit them as one batch, and hands the answers back to the
 * loops. What only reads is answered between batches. No answer leaves before its commit is
 * durable. When the outcome of a commit cannot be known it answers outcome-unknown, takes no more
 * votes, and calls `broken`.
 */
#ifndef TALLYD_LEDGER_WRITER_H
#define TALLYD_LEDGER_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/why.h"
#include "core/busiest.h"
#include "core/queue.h"
#include "ledger/histogram.h"
#include "ledger/store.h"

struct writer; /* opaque */

#define WRITER_LATENCIES_MAX 1024
/* Ballots that may wait, without those in bulk; one more is answered 503 busy. */
#define WRITER_WAITING_MAX 65536
/* Where this many wait in bulk, who has some among them sends no more. */
#define WRITER_BULK_MUCH 16384

struct writer_settings {
    struct store *store;           /* the writer's from now on: it frees it at the end */
    const struct clock *clock;     /* outlives the writer */
    void (*broken)(void *context); /* writer's thread, at most once: main ends the process */
    void *broken_context;
};

MUST_USE struct writer *writer_new(const struct writer_settings *settings, struct why *reterr_why);

/* Starts the thread. Main. */
MUST_USE bool writer_start(struct writer *writer, struct why *reterr_why);

/* Hands jobs over, in order, none of them a bulk; `list` is empty then. Never blocks, never fails:
 * what is too much comes straight back as busy. Any thread. */
void writer_submit(struct writer *writer, struct queue_list *list);

/* Hands a bulk over. Its lines are decided behind what came one by one, also later, but a bulk is
 * in every batch. It is never too much: whoever has one here already asks before it hands over
 * another, and waits for an answer where there is much. So nobody is refused, every request gets
 * on, and what waits is bounded by the number of requests. Any thread. */
void writer_submit_bulk(struct writer *writer, struct job *job);
MUST_USE bool writer_has_much_bulk(const struct writer *writer);

/* The process is going to end: what takes long, a backup, is given up and answered
 * store-unavailable, so that nobody has to wait for it. Votes go on until writer_free(). Main. */
void writer_end_soon(struct writer *writer);

/* Finishes what was submitted, stops and joins the thread, closes the store. Nobody submits any
 * more. Main. */
void writer_free(struct writer *writer);
AUTO_FREE(writer);

/* Whether votes are taken: not after the store was found broken. Any thread. */
bool writer_takes_votes(const struct writer *writer);

/* How long ago the board was known to show all that is committed: 0 where nobody else writes to the
 * store. Any thread. */
int64_t writer_age_ms(const struct writer *writer);

/* How many turns it has made: a stuck writer makes no more, an idle one only when poked. Any
 * thread. */
uint64_t writer_turns(const struct writer *writer);
void writer_poke(struct writer *writer);

/* Lines of the log that were counted, when they are a minute old: to be called now and then. Any
 * thread. */
void writer_tell(struct writer *writer, int64_t mono_ms);

struct writer_counts { /* statistics; any thread */
    uint64_t commits;
    uint64_t votes;   /* counted, changed, retracted */
    uint64_t waiting; /* ballots, those in bulk too */
};

extern const struct histogram_scale writer_took_us; /* how long a commit took */
extern const struct histogram_scale writer_batches; /* how many ballots it was of */

struct writer_figures {
    struct writer_counts counts;
    uint64_t votes_last_minute;
    struct histogram_figures took_us;
    struct histogram_figures batches;
    struct busiest_figures votes; /* in polls whose results are not hidden */
    struct store_figures store;   /* a quarter of a second old at most, while it turns */
};
/* All that is counted, without asking the writer. Any thread. */
void writer_figures(const struct writer *writer, struct writer_figures *ret_figures);

/* How long the last commits took, in microseconds, in no order; returns how many. Any thread. */
size_t writer_latencies(const struct writer *writer, uint32_t ret_us[WRITER_LATENCIES_MAX]);

#endif
