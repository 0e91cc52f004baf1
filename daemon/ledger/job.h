/*
 * ledger/job.h - one thing that a loop asks of the writer, and the answer.
 *
 * The loop makes it and puts it into the writer's inbox; from then on it is the writer's, until it
 * comes back in `home`. The loop then reads the answer and frees it.
 */
#ifndef TALLYD_LEDGER_JOB_H
#define TALLYD_LEDGER_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ballot.h"
#include "core/board.h"
#include "core/definition.h"
#include "core/queue.h"
#include "core/refusal.h"

enum job_kind {
    JOB_VOTE,    /* ballot */
    JOB_RETRACT, /* ballot, marks 0 */
    JOB_ASK,     /* ballot without marks: what stands of this voter */
    JOB_EDIT,    /* edit */
    JOB_DELETE   /* id */
};

enum job_result {
    JOB_COUNTED,
    JOB_CHANGED,
    JOB_ALREADY,
    JOB_RETRACTED,
    JOB_FOUND,     /* ASK: `standing` holds */
    JOB_NOT_FOUND, /* ASK: this voter has no vote in the poll */
    JOB_CREATED,   /* EDIT */
    JOB_REPLACED,  /* EDIT: changed, or nothing differed */
    JOB_DELETED,
    JOB_REFUSED /* `refusal` says why (also busy, store-unavailable, outcome-unknown) */
};

struct job {
    struct queue_node node; /* first: a node is its job */
    struct queue *home;     /* where the answer goes; outlives the job */
    enum job_kind kind;
    struct ballot ballot;           /* VOTE, RETRACT, ASK */
    struct edit *edit;              /* EDIT: owned by the loop's side */
    char id[POLL_ID_BYTES_MAX + 1]; /* DELETE */

    /* The answer: written by the writer, all of it durable before it comes back. */
    enum job_result result;
    uint32_t seq;      /* COUNTED, CHANGED, RETRACTED: its row; ALREADY: the one that stands */
    bool has_standing; /* FOUND; also REFUSED as already-voted */
    struct standing standing;
    struct published *published; /* what the board shows with this commit or a later one; one
                                    reference, the loop's. NULL: refused before a poll was found,
                                    or deleted */
    struct refusal *refusal;     /* REFUSED: room given by the loop, never NULL */
};

#endif
