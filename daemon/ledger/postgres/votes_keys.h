/*
 * ledger/postgres/votes_keys.h - what a batch of votes has to know: polls, voters, addresses.
 *
 * Gathered once, sorted and without doubles, so that a batch of any size is a handful of arrays.
 */
#ifndef TALLYD_LEDGER_POSTGRES_VOTES_KEYS_H
#define TALLYD_LEDGER_POSTGRES_VOTES_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "core/ballot.h"
#include "ledger/job.h"

/* A voter in a poll, as the batch at hand has left it. */
struct voter_key {
    uint64_t poll;
    struct voter_hash voter;
    bool has_row; /* in the engine, before the batch */
    bool found;
    bool changed;
    struct standing standing;
};

/* An address group in a poll that limits it. */
struct group_key {
    uint64_t poll;
    uint64_t group;
    uint64_t votes; /* that stand */
};

/* One ballot: a job, or a line of a bulk. */
struct item {
    struct job *job;
    struct bulk_line *line; /* NULL: the job itself */
    const struct ballot *ballot;
    struct voter_key *voter; /* set by keys_gather() */
};

struct keys_of_votes {
    struct item *items;
    size_t n_items;
    uint64_t *polls;
    size_t n_polls;
    struct voter_key *voters;
    size_t n_voters;
    struct group_key *groups;
    size_t n_groups;
};

/* false: no memory. */
MUST_USE bool keys_gather(struct keys_of_votes *keys, struct job **jobs, size_t n);
void keys_clear(struct keys_of_votes *keys);

/* NULL: nobody in this batch votes from there. */
struct group_key *keys_group(const struct keys_of_votes *keys, uint64_t poll, uint64_t group);

#endif
