/*
 * cells.h - what a cell says: a number, a text, a time.
 *
 * Each returns false, with the place of the row, when the cell says nothing of the kind.
 */
#ifndef TALLY_TAKEOVER_CELLS_H
#define TALLY_TAKEOVER_CELLS_H

#include "rows.h"

/* A number of 0 and above, up to 2^63 - 1. */
bool cell_count(const struct row *row, size_t cell, uint64_t *ret_n, struct fault *reterr_fault);

/* The same, where no value, an empty one and one below 0 stand for 0. */
bool cell_count_if(const struct row *row, size_t cell, uint64_t *ret_n, struct fault *reterr_fault);

/* A number of either sign; no value and an empty one stand for 0. */
bool cell_int(const struct row *row, size_t cell, int64_t *ret_n, struct fault *reterr_fault);

/* A number with decimals, in thousandths, what is below them cut off; no value is 0. */
bool cell_milli(const struct row *row, size_t cell, int64_t *ret_milli, struct fault *reterr_fault);

/* 2026-11-23 08:40:12, perhaps with a fraction, as milliseconds since 1970 on a clock that shows
 * it; no value and 0000-00-00 are 0. */
bool cell_moment(const struct row *row, size_t cell, int64_t *ret_ms, struct fault *reterr_fault);

/* What stands there, compared without regard to case. */
bool cell_is(const struct row *row, size_t cell, const char *text);

#endif
