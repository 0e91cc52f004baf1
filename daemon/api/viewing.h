/*
 * api/viewing.h - who may see the figures of a poll whose results are hidden.
 *
 * Most reads are answered from the board alone. Only where results are shown after the vote, and
 * the caller is somebody who could have voted there, the writer is asked.
 */
#ifndef TALLYD_API_VIEWING_H
#define TALLYD_API_VIEWING_H

#include <stdbool.h>

#include "api/call.h"
#include "api/pending.h"

enum viewing {
    VIEW_PUBLIC,  /* everybody sees them: caches may keep the answer */
    VIEW_PRIVATE, /* this caller sees them */
    VIEW_HIDDEN,  /* this caller does not */
    VIEW_ASK      /* the writer knows: *ret_ballot is what to ask */
};

/* ret_ballot  VIEW_ASK only; goes into a JOB_ASK */
enum viewing viewing_of(const struct call *call, const struct published *published,
                        struct ballot *ret_ballot);

/* What the answer to the ask says: the caller's vote stands. */
bool viewing_allowed(const struct job *asked);

/* Makes `job` the ask. */
void viewing_ask(struct job *job, const struct ballot *ballot);

/*
 * The same for one poll alone: a request whose only job is the ask, to be submitted.
 *
 *   published  in its language the caller will be answered
 *   asked      answers; whether the results may be seen is viewing_allowed() of that job
 *   returns    NULL: *reterr, there is no memory
 */
MUST_USE struct pending *viewing_pending(const struct call *call, const struct published *published,
                                         const struct ballot *ballot,
                                         void (*asked)(struct pending *pending),
                                         struct refusal *reterr);

/* Refuses with results-hidden. Returns false. */
bool viewing_refuse(struct refusal *reterr);

#endif
