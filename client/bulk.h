/*
 * bulk.h - the answers to votes in bulk, a line of NDJSON each.
 */
#ifndef TALLY_BULK_H
#define TALLY_BULK_H

#include <stdint.h>

#include "base/str.h"

enum bulk_result {
    BULK_COUNTED,
    BULK_CHANGED,
    BULK_ALREADY,
    BULK_REFUSED,
    BULK_AGAIN,    /* the daemon cannot say, or not now: the same line may be sent again */
    BULK_NONSENSE, /* no answer of a tallyd */
};
#define BULK_RESULTS 3 /* those that say that the vote stands come first */

struct bulk_answer {
    enum bulk_result result;
    uint64_t line;   /* of the request's body, from 1 */
    struct str why;  /* REFUSED, AGAIN: a JSON string, perhaps empty; inside the line */
    unsigned status; /* REFUSED, AGAIN */
};

/* Reads one line, without its end. The usual ones are compared and not parsed: millions of them
 * come at once. */
struct bulk_answer bulk_answer_read(struct str line);

#endif
