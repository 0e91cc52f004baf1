/*
 * core/addresses.h - standing votes per address group of one poll, for `per_address`.
 *
 * Threads: one at a time (the writer).
 */
#ifndef TALLYD_CORE_ADDRESSES_H
#define TALLYD_CORE_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"

struct addresses; /* opaque: core/addresses.c */

MUST_USE struct addresses *addresses_new(void);
void addresses_free(struct addresses *addresses);
AUTO_FREE(addresses);

/* Standing votes of this group: 0 when it is not known. */
uint64_t addresses_count(const struct addresses *addresses, uint64_t group);

/* One vote more. false: no memory, nothing changed. */
MUST_USE bool addresses_add(struct addresses *addresses, uint64_t group);

/* One vote less; there is one: asserted. A group at 0 is taken out. Never fails. */
void addresses_remove(struct addresses *addresses, uint64_t group);

#endif
