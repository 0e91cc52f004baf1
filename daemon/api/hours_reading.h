/*
 * api/hours_reading.h - how a tally became what it is, read slice by slice from the ledger.
 *
 * The ledger keeps what each option stood at after its last change in an hour. Hours before the
 * step at hand no longer change, so slices of them are one moment's, and the last point is the
 * tally itself.
 *
 * Threads: the loop of the call.
 */
#ifndef TALLYD_API_HOURS_READING_H
#define TALLYD_API_HOURS_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/board.h"
#include "ledger/job.h"

#define HOUR_S 3600

struct hours_reading { /* its owner's, until the last job is back */
    struct hours hours;
    int64_t step_hours;
    int64_t step;                /* number of the step that `votes` belongs to; -1: none yet */
    uint64_t votes[OPTIONS_MAX]; /* as the rows have brought them so far */
    uint64_t shown[OPTIONS_MAX]; /* of the last point */
    bool any;                    /* there is a last point */
    /* Takes a point: what each option stood at at the end of a step. */
    void (*point)(void *context, int64_t at_ms, const uint64_t *votes);
    void *context;
};

/* Begins with everything before the step of `now_ms`; `point` and `context` are filled in before.
 */
void hours_reading_begin(struct hours_reading *reading, uint64_t poll, int64_t step_hours,
                         int64_t now_ms);

/* Makes `job` the question for the next slice. */
void hours_reading_ask(struct hours_reading *reading, struct job *job);

/* Takes the slice that came back. Returns whether the job must be asked once more. */
bool hours_reading_take(struct hours_reading *reading, const struct job *job);

/* Behind the last slice: the point of its step, and the tally as it is published, as the last. */
void hours_reading_end(struct hours_reading *reading, const struct published *published,
                       int64_t now_ms);

#endif
