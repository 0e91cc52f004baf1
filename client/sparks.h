/*
 * sparks.h - how votes grew, as a line of little bars for each option.
 */
#ifndef TALLY_SPARKS_H
#define TALLY_SPARKS_H

#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

#define SPARKS_OPTIONS_MAX 64

/* Adds a bar for each value, the highest for `most`; all are low where that is 0. */
void sparks_bars(struct buf *out, const double *values, size_t n, double most);

/*
 * Adds a line for each option: its label, and bars over the time from the first point to the last,
 * as high as its votes were by then. All share one scale, from 0 to the most votes of any.
 *
 *   history  a JSON object, as the daemon tells it
 *   labels   of its options, clean; `n` of them, at most SPARKS_OPTIONS_MAX
 *   cells    of a line, at least 2
 */
void sparks_add(struct buf *out, struct str history, const struct buf *labels, size_t n,
                size_t cells);

#endif
