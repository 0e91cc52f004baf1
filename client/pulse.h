/*
 * pulse.h - how fast votes come, from one status of the daemon to the next.
 */
#ifndef TALLY_PULSE_H
#define TALLY_PULSE_H

#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/str.h"
#include "screen.h"

#define PULSE_SAMPLES 60 /* between statuses, a second apart: a minute */
#define PULSE_POLLS_MAX 64
#define PULSE_SHOWN_MAX 10 /* polls, of those that votes came for */

struct pulse; /* opaque: pulse.c */

/* NULL: no memory. */
MUST_USE struct pulse *pulse_new(void);
void pulse_free(struct pulse *pulse);
AUTO_FREE(pulse);

/*
 * Takes what a status says of all votes and of the busiest polls.
 *
 *   status  a JSON object; an older daemon may say nothing of the polls
 *   now_ms  monotonic, when it came; greater than the last time
 */
void pulse_note(struct pulse *pulse, struct str status, int64_t now_ms);

/*
 * Adds a line for all votes and one for each of the busiest polls, those first that got the most
 * votes meanwhile: name, little bars, votes a second. Nothing before the second status; no bars
 * where the screen cannot draw them.
 */
void pulse_add(struct buf *out, const struct screen *screen, const struct pulse *pulse);

#endif
