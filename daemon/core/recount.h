/*
 * core/recount.h - the counts of one poll, worked out again from the rows of its ledger.
 *
 * Rows are fed one by one in the order of their seq, so that a ledger of any size is recounted in
 * slices and in a few hundred bytes. A zeroed struct is ready. Whether the counts are those that
 * the store keeps is for the caller to compare; what the rows themselves cannot mean is noted here.
 *
 * Pure; one thread at a time.
 */
#ifndef TALLYD_CORE_RECOUNT_H
#define TALLYD_CORE_RECOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/tally.h"

struct recount {
    struct counts counts; /* marks and voters only */
    uint32_t seq;         /* of the newest row; 0: none yet */
    bool contradicts;     /* some row cannot follow from those before it … */
    uint32_t wrong_seq;   /* … the first such row … */
    const char *wrong;    /* … and what is wrong with it: a literal, to stand behind "row N " */
};

/* A row of the ledger with what it says of an older one. */
struct recount_row {
    uint32_t seq;
    uint64_t marks;          /* 0: retracted or voided */
    bool retracted;          /* else marks of 0 were voided by the operator */
    uint32_t replaces;       /* seq of the row it takes the place of; 0: none */
    uint64_t replaced_marks; /* of that row; 0: that one is a retraction, or voided */
    bool same_voter;         /* that row is there, and is this voter's */
};

/* Counts one row. Never fails: a row that contradicts is counted as far as it can be. */
void recount_add(struct recount *recount, const struct recount_row *row);

/* Whether the recounted marks and voters are these. */
bool recount_agrees(const struct recount *recount, const struct counts *counts);

#endif
