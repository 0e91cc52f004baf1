/*
 * show.h - a tally as a picture for people.
 */
#ifndef TALLY_SHOW_H
#define TALLY_SHOW_H

#include "base/buf.h"
#include "base/str.h"
#include "screen.h"

/*
 * Adds title, bars or stars, and the sum.
 *
 *   definition  of the poll: it knows whether several answers are possible; may be empty
 *   tally       a JSON object
 */
void show_add(struct buf *out, const struct screen *screen, struct str definition,
              struct str tally);

#endif
