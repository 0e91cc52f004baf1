/*
 * summary.h - a tally in one line.
 */
#ifndef TALLY_SUMMARY_H
#define TALLY_SUMMARY_H

#include "base/buf.h"
#include "base/str.h"

/* `34 (31%) 30 (28%) …`, `(votes: 2, rating: 5)`, `(no votes yet)`, or for null that it is hidden.
 */
void summary_add(struct buf *out, struct str tally);

/* `(votes: 2, rating: 5)`, or `(no votes yet)`. */
void summary_rating_add(struct buf *out, struct str tally);

/* `33 (31%)` */
void summary_option_add(struct buf *out, struct str option);

#endif
