/*
 * ledger/postgres/votes_rows.h - the rows that a batch of votes adds, as columns.
 */
#ifndef TALLYD_LEDGER_POSTGRES_VOTES_ROWS_H
#define TALLYD_LEDGER_POSTGRES_VOTES_ROWS_H

#include "core/ballot.h"
#include "ledger/postgres/link.h"
#include "ledger/postgres/votes_keys.h"

/* A row of the ledger, on its way into it. */
struct ledger_row {
    uint64_t poll;
    uint32_t seq;
    int64_t at_ms;
    struct voter_hash voter;
    bool retracted;
    uint64_t marks;
    uint32_t replaces; /* 0: none */
    bool has_address;
    uint64_t group;
};

/* Counts the votes of each address of poll $1 that stand, from its rows. */
#define COUNT_ADDRESSES                                                                            \
    "INSERT INTO address (poll, address, votes) SELECT v.poll, v.address, count(*) FROM vote v "   \
    "WHERE v.poll = $1 AND v.address IS NOT NULL AND v.options <> 0 AND NOT EXISTS "               \
    "(SELECT FROM vote r WHERE r.poll = v.poll AND r.replaces = v.seq) "                           \
    "GROUP BY v.poll, v.address"

struct vote_rows { /* zeroed is empty */
    struct column vote[7];
    struct column fresh[6];   /* voters that stand now, and have no row yet, … */
    struct column changed[6]; /* … or an older one; … */
    struct column gone[2];    /* … and that stand no more */
    struct column address[3]; /* poll, group, how many more votes stand */
};

void vote_rows_clear(struct vote_rows *rows);
void vote_rows_free(struct vote_rows *rows);

void vote_rows_add(struct vote_rows *rows, const struct ledger_row *row);
/* As the batch has left it. */
void vote_rows_voter(struct vote_rows *rows, const struct voter_key *voter);
void vote_rows_address(struct vote_rows *rows, uint64_t poll, uint64_t group, int64_t more);

/* Queues what there is. */
void vote_rows_queue(struct vote_rows *rows, struct link *link);

#endif
