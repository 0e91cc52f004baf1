/*
 * api/rows.h - the rows of a poll's ledger, slice by slice, as of one moment.
 *
 * The moment is the newest row when the first slice is read. Whether a row stands at that moment is
 * told by the rows behind it, so a poll in which votes were changed is read twice: first for which
 * rows were replaced (a bit each), then for the rows themselves.
 *
 * Threads: the loop; while a slice is asked for, the job and the scan are the writer's.
 */
#ifndef TALLYD_API_ROWS_H
#define TALLYD_API_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "api/call.h"
#include "core/refusal.h"
#include "ledger/job.h"

struct rows {
    struct job job; /* first: a job is its rows */
    struct api_loop *loop;
    bool needs_standing; /* rows_stands() will be asked */
    bool finds_replaced; /* the first of two passes */
    bool asked;          /* the job is the writer's: nothing here may be freed */
    uint64_t *replaced;  /* bit (seq - 1), or NULL: none was */
    /* A slice is there: `scan`, of which `scan.done` says that it is the last. */
    void (*slice)(struct rows *rows);
    /* There is no more: `refusal` says why (no-such-poll, busy, store-unavailable). */
    void (*failed)(struct rows *rows);
    struct refusal refusal;
    struct scan scan;
};

/* Makes `rows` ready to read a poll from its first row. Zeroed before, but for slice, failed and
 * needs_standing. */
void rows_begin(struct rows *rows, struct api_loop *loop, uint64_t poll);
/* Asks for the first slice, or the next one. Not while one is asked for, nor behind the last. */
void rows_ask(struct rows *rows);
/* From the first row again, up to the same moment: behind the last slice. */
void rows_again(struct rows *rows);
/* Gives back what it holds, but not the struct. Not while a slice is asked for. */
void rows_clear(struct rows *rows);

/* A vote that no other row has replaced; a retraction and a void are rows, but no votes. */
bool rows_stands(const struct rows *rows, const struct scanned *row);

#endif
