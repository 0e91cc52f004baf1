/*
 * bars.h - bars and stars.
 */
#ifndef TALLY_BARS_H
#define TALLY_BARS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/*
 * Adds a bar and the spaces up to `cells`.
 *
 *   share  0..1 of the cells, in eighths of one with blocks; what is not zero shows at all
 *   utf8   blocks, else #
 */
void bar_add(struct buf *out, double share, size_t cells, bool utf8);

/* Adds `scale` stars, as many of them full as `rating` says, rounded. */
void stars_add(struct buf *out, double rating, size_t scale, bool utf8);

#endif
