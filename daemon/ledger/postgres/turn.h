/*
 * ledger/postgres/turn.h - one transaction about some polls: lock, read, decide, write, commit.
 *
 * Two round trips: the first locks the polls' rows in the order of their numbers, so that no two
 * nodes ever wait for each other, and reads what the rules need; the second writes and commits.
 * Between the two core/ decides. What was decided lives in drafts, which are shown once the commit
 * is certain, and are dropped otherwise.
 *
 * What it says to the engine is said by functions (sql/postgres/002-turns.sql), whose plans stay in
 * the engine's sessions. They hold no rules.
 *
 * A turn that finds its view of a definition old, loses its connection or meets another node's
 * writes is begun again. A connection lost in COMMIT is resolved by the id that each turn writes:
 * nothing is answered, and nothing done again, before it is known whether it is there.
 */
#ifndef TALLYD_LEDGER_POSTGRES_TURN_H
#define TALLYD_LEDGER_POSTGRES_TURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/postgres/postgres.h"

/* One poll as this turn will leave it. */
struct draft {
    uint64_t number;
    struct poll *poll; /* a reference; NULL: there is no such poll (any more) */
    struct counts counts;
    struct counts before;
    enum poll_phase phase; /* as it was last shown */
    uint32_t seq;
    int64_t now_ms; /* the time for this poll: see CLOCKS_APART_MS */
    bool created;
    bool deleted;
    bool defined;   /* the definition is another */
    bool forgotten; /* its salt goes */
    bool seen;      /* a reader sees a difference */
    struct published *published;
};

enum turn_end {
    TURN_DONE,        /* committed and shown, or there was nothing to write */
    TURN_NO_MEMORY,   /* nothing was written */
    TURN_UNAVAILABLE, /* nothing was written: the engine is not there, or not now */
    TURN_UNKNOWN      /* it may have been written: nobody could be asked */
};

struct turn {
    struct postgres *store;
    int64_t now_ms; /* wall */
    int64_t deadline_ms;
    size_t n_asked;       /* statements before those of turn_task.ask */
    bool writes;          /* something is to be committed; else it only looked */
    bool shared;          /* other nodes have counted in them since this one did */
    bool locks;           /* the polls' rows are locked, … */
    bool lasts;           /* … and what is read counts only once it is sure to last */
    struct draft *drafts; /* by number */
    size_t n;
    size_t room;
    enum link_result link_result; /* behind STEP_LINK: what happened */
};

enum turn_step {
    STEP_DONE,
    STEP_NO_MEMORY,
    STEP_AGAIN, /* what is in memory is old: read the news, begin anew */
    STEP_LINK   /* the link failed; link_result says how */
};

struct turn_task {
    /* Names the polls by turn_about() and may queue statements behind them. Called again when the
     * turn is begun anew, as all of these are. */
    enum turn_step (*ask)(struct turn *turn, void *context);
    /* Decides by drafts and results, and queues what is to be written. */
    enum turn_step (*decide)(struct turn *turn, void *context);
    void *context;
    bool locks;
};

/* Runs a task to its end, at most until the deadline. */
enum turn_end turn_run(struct postgres *store, const struct turn_task *task, int64_t now_ms,
                       int64_t deadline_ms);

/* For ask: these are the polls. Queues the reading of their rows.   numbers  sorted, no doubles */
enum turn_step turn_about(struct turn *turn, const uint64_t *numbers, size_t n);

/* For decide: the draft of a poll, or NULL where there is none. */
struct draft *turn_draft(struct turn *turn, uint64_t number);
/* A draft for a new poll, whose number is greater than all others'. Takes over `poll`. NULL: no
 * memory. */
struct draft *turn_create(struct turn *turn, struct poll *poll);
/* The result of the statement that ask queued as its number `i`, from 0. */
const PGresult *turn_result(const struct turn *turn, size_t i);

/* For decide: sends what is queued, if another look is needed before it can decide. The results are
 * link_get()'s. */
enum turn_step turn_look(struct turn *turn);

#endif
