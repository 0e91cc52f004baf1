/*
 * core/tally.h - the counts of one poll, and what follows from them, in whole numbers only.
 *
 * Contract: percent by largest remainder, share rounded half up to 6 decimals, rating rounded half
 * up to 2. Counts are at most INT64_MAX; intermediate products use 128 bits, so nothing wraps.
 * Pure; any thread.
 */
#ifndef TALLYD_CORE_TALLY_H
#define TALLYD_CORE_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "core/poll.h"

/* What the ledger's rows add up to: without what was carried over. */
struct counts {
    uint64_t marks[OPTIONS_MAX]; /* standing votes per option */
    uint64_t voters;             /* standing votes, whatever the number of their marks */
    uint64_t version;            /* 1 at creation */
    int64_t updated_at_ms;       /* of the last change of version */
};

struct tally_option {
    uint64_t votes;
    unsigned percent;          /* 0..100 */
    unsigned share_millionths; /* 0..1000000 */
    char shown[6];             /* "31%", "<1%", ">99%" */
};

/* What is shown: carried included. */
struct tally {
    uint64_t votes;
    uint64_t voters;
    uint64_t carried;           /* marks (a rating in count-and-sum form: its count) */
    bool rated;                 /* a rating with votes: rating_hundredths means something */
    uint64_t rating_hundredths; /* 100..1000: the mean of the stars */
    size_t n_options;
    struct tally_option options[OPTIONS_MAX];
};

/* Works out what is shown. Never fails: the sums were checked when they were let in
 * (counts_fit()). */
void tally_work_out(const struct poll *poll, const struct counts *counts, struct tally *ret_tally);

/* Whether every sum that the tally shows, the sum of stars included, stays within INT64_MAX. */
MUST_USE bool counts_fit(const struct poll *poll, const struct counts *counts);

/* Largest remainder over their sum, ties to the lower option; sums to exactly 100, or all 0 where
 * all votes are 0.   n  1..OPTIONS_MAX;  the sum of votes is at most INT64_MAX */
void tally_percents(const uint64_t *votes, size_t n, unsigned *ret_percents);

/* votes/of rounded half up to a whole number of `parts` (100: percent, 1000000: share); 0 where
 * `of` is 0. votes may exceed `of` only in old carried counts: the result is then cut to `parts`.
 */
unsigned tally_part(uint64_t votes, uint64_t of, unsigned parts);

/* "0.305556", "1", "0.5": `n` of 10^decimals, without trailing zeros. `ret_text` has room for 24.
 */
void tally_decimal(uint64_t n, unsigned decimals, char *ret_text);

#endif
