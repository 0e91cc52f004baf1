/*
 * ledger/pace.h - how many votes came in the last minute.
 *
 * One thread notes, any reads. Zeroed is none.
 */
#ifndef TALLYD_LEDGER_PACE_H
#define TALLYD_LEDGER_PACE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define PACE_SECONDS 60
#define PACE_SLOTS 64 /* the seconds of a minute, the one that goes on, and a power of two */

struct pace {
    atomic_uint_least64_t slots[PACE_SLOTS]; /* which second, in the upper half, and its votes */
};

/* Votes came now. */
void pace_note(struct pace *pace, int64_t mono_ms, uint32_t votes);

/* Those of the last PACE_SECONDS whole seconds. */
uint64_t pace_read(const struct pace *pace, int64_t mono_ms);

#endif
