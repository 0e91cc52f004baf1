/*
 * core/top.h - the best polls: by score, by rating, by votes.
 *
 * The score of a rating is its mean drawn towards the mean of all ratings by a weight of 10 votes,
 * as if 10 average voters had voted in each poll: one five does not lead. Contract: whole numbers
 * only, rounded half up to 2 decimals.
 *
 * Scales differ, so means are compared by where they lie between one star and the top of their
 * scale: 4.5 of 5 is 0.875 of the way, 9 of 10 is 0.889. The mean of all is the average place of
 * all stars that were given, and each score is written on its own poll's scale. Where all scales
 * are the same it is plainly (10 M + sum) / (10 + n), M the mean of all stars.
 *
 * A poll without votes, and each choice, has no score. Pure; one thread at a time.
 */
#ifndef TALLYD_CORE_TOP_H
#define TALLYD_CORE_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "core/board.h"

#define TOP_LIMIT_MAX 100
#define TOP_WEIGHT_VOTES 10

enum top_sort { TOP_SCORE, TOP_RATING, TOP_VOTES };

struct top_row {
    struct published *published;
    bool scored; /* score_hundredths means something */
    uint64_t score_hundredths;
};

struct top; /* opaque: core/top.c */

/* An empty list of at most `limit` (1..TOP_LIMIT_MAX) polls, or NULL. */
MUST_USE struct top *top_new(enum top_sort sort, size_t limit);
void top_free(struct top *top);
AUTO_FREE(top);

/* First, each rating that the mean of all is made of; other polls are passed over. */
void top_weigh(struct top *top, const struct published *published);

/*
 * Then each poll that may be in the list; takes a reference if it is for now. Order: by `sort`,
 * what has no score or rating last; of equals (as they are shown) the one with more votes, then
 * the lower id.
 *
 *   votes_min  polls with fewer are passed over
 */
void top_offer(struct top *top, struct published *published, uint64_t votes_min);

/* What is in the list, the best first; they live as long as `top`. */
size_t top_count(const struct top *top);
const struct top_row *top_row(const struct top *top, size_t i);

#endif
