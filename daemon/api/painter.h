/*
 * api/painter.h - a thread of its own for pictures that take longer than a loop may.
 *
 * It begins with the first picture. Who asks for one that somebody waits for already, waits for the
 * same; so many different ones may wait at once, then callers hear that it is too much.
 *
 * Threads: painter_submit() any loop; painter_new() and painter_free() main's.
 */
#ifndef TALLYD_API_PAINTER_H
#define TALLYD_API_PAINTER_H

#include <stdbool.h>

#include "api/pictures.h"
#include "base/auto.h"
#include "base/why.h"
#include "ledger/job.h"

struct painter; /* opaque: api/painter.c */

/* What somebody waits for. Its owner's until submitted, the painter's until the job is back. */
struct painting {
    struct job *job; /* comes back in its home, then the painting is its owner's again */
    char name[PICTURE_NAME_BYTES_MAX];
    /* Renders it; NULL: no memory, or *reterr_why says why this tallyd cannot. Called on the
     * painter's thread, of equal names for one alone. */
    struct picture *(*render)(void *context, struct why *reterr_why);
    void *context;
    struct picture *picture; /* the answer: one reference, the owner's; NULL: no memory, or the
                                painter ends, or else … */
    struct why why;          /* … why it cannot be drawn here at all; "": it can */
    struct painting *next;   /* painter's */
    struct painting *same;   /* painter's: others of this name */
};

/* Pictures go into `pictures`, which outlives it. NULL: no memory. */
MUST_USE struct painter *painter_new(struct pictures *pictures);
/* Every job has come back by then. */
void painter_free(struct painter *painter);
AUTO_FREE(painter);

/* false: too many wait, or there is no thread for it; the painting stays its owner's. */
MUST_USE bool painter_submit(struct painter *painter, struct painting *painting);

/* What has not begun is given back without a picture from now on. Any thread. */
void painter_end_soon(struct painter *painter);

#endif
