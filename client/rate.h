/*
 * rate.h - how fast votes come.
 */
#ifndef TALLY_RATE_H
#define TALLY_RATE_H

#include <stdint.h>

#include "base/buf.h"

/*
 * Adds `12 votes/min (36 in 3 min 0 s)`.
 *
 *   votes    that came; negative where more were taken back
 *   took_ms  in this time; less than a second counts as one
 */
void rate_add(struct buf *out, int64_t votes, int64_t took_ms);

#endif
