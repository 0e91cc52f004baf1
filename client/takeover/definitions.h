/*
 * definitions.h - polls as a file for `tally apply`.
 */
#ifndef TALLY_TAKEOVER_DEFINITIONS_H
#define TALLY_TAKEOVER_DEFINITIONS_H

#include "base/buf.h"
#include "takeover.h"

/* {"polls":[…]}, a poll a line; those that were dropped are left out. */
void definitions_write(struct buf *out, const struct takeover *takeover);

/* For people: a line each, and how many there are. */
void definitions_list(struct buf *out, const struct takeover *takeover);

/* How many there are that were not dropped, and the votes in them (2^64 - 1: or more). */
size_t definitions_count(const struct takeover *takeover, uint64_t *ret_votes);

#endif
