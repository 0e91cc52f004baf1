/*
 * live.h - a picture on the terminal that is drawn again and again, until Ctrl-C.
 */
#ifndef TALLY_LIVE_H
#define TALLY_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "screen.h"

/* From here on SIGINT, SIGTERM and SIGHUP only set what live_interrupted() tells. */
void live_catch(void);
bool live_interrupted(void);

/* Waits, at most until one of them comes. */
void live_pause(int64_t ms);

/* Draws over what was drawn before, cut to the height of the terminal; a terminal of another width
 * is seen in *screen. */
void live_draw(struct screen *screen, const struct buf *picture);

/* Leaves the last picture, and the cursor below it. */
void live_end(void);

#endif
