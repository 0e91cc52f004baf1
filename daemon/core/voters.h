/*
 * core/voters.h - who has voted in one poll: an exact set in 8 bytes an entry.
 *
 * Open addressing over a table sorted by tag: an entry is a 32-bit tag of the voter hash and the
 * 32-bit seq of the voter's newest row. A tag can match by chance, so a match is only a candidate:
 * the caller confirms it against the full hash in the ledger and asks for the next. At most
 * 16 bytes a voter, growing included.
 *
 * Threads: one at a time (the writer).
 */
#ifndef TALLYD_CORE_VOTERS_H
#define TALLYD_CORE_VOTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "core/ballot.h"

struct voters; /* opaque: core/voters.c */

enum voters_added { VOTERS_ADDED, VOTERS_NO_MEMORY };

MUST_USE struct voters *voters_new(void);
void voters_free(struct voters *set);
AUTO_FREE(voters);

/*
 * Notes that the voter behind `hash` has ledger row `seq`.
 *
 *   seq      1..UINT32_MAX, and not in the set yet
 *   returns  VOTERS_NO_MEMORY: the set is as it was, the vote may be sent again
 */
MUST_USE enum voters_added voters_add(struct voters *set, const struct voter_hash *hash,
                                      uint32_t seq);

/* Candidates: the seqs whose tag matches, one call each, in no order.
 *   at       starts at 0; keep it between calls, and do not change the set meanwhile
 *   returns  false when there are no more                                                     */
bool voters_find(const struct voters *set, const struct voter_hash *hash, size_t *at,
                 uint32_t *ret_seq);

/* The entry of `hash` with `old_seq` now names `new_seq`. It is there: asserted. Never fails. */
void voters_move(struct voters *set, const struct voter_hash *hash, uint32_t old_seq,
                 uint32_t new_seq);

/* Takes the entry out. It is there: asserted. Never fails. */
void voters_remove(struct voters *set, const struct voter_hash *hash, uint32_t seq);

size_t voters_count(const struct voters *set);
/* Bytes held, for status and tests. */
size_t voters_bytes(const struct voters *set);

#endif
