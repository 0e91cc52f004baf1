/*
 * settle.h - what is to be carried of a poll, once all of its tables were read.
 */
#ifndef TALLY_TAKEOVER_SETTLE_H
#define TALLY_TAKEOVER_SETTLE_H

#include "takeover.h"

/*
 * Compares totals and log, decides which are carried, and looks whether tallyd can hold the poll;
 * tells what disagrees and what is a problem, and counts both. A poll that is a problem is dropped.
 *
 *   returns  false, with the fault: nothing can be taken over
 */
MUST_USE bool poll_settle(struct takeover *takeover, struct old_poll *poll,
                          struct fault *reterr_fault);

#endif
