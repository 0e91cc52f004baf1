/*
 * ledger/check_sums.h - whether a poll, and each of its rows, is as it was written.
 *
 * Threads: main, where no daemon runs.
 */
#ifndef TALLYD_LEDGER_CHECK_SUMS_H
#define TALLYD_LEDGER_CHECK_SUMS_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/auto.h"
#include "base/why.h"
#include "core/tally.h"

/* Says why the store cannot be read, or, where SQLite has just found no memory (db NULL: as it was
 * opened), that nothing is wrong with it. Returns false. */
bool check_failed(sqlite3 *db, struct why *reterr_why);

/*
 * Compares the sums of one poll. A store from before there were any has none that could differ, nor
 * one that no tallyd has started on since.
 *
 *   kept       its tally, as it is kept
 *   ret_wrong  what is not as it was written: a literal, to stand behind the poll; NULL: nothing
 *   returns    false: *reterr_why; it could not be read
 */
MUST_USE bool check_sums(sqlite3 *db, uint64_t number, const struct counts *kept,
                         const char **ret_wrong, struct why *reterr_why);

/* Whether the polls that are there are those that were. */
MUST_USE bool check_live(sqlite3 *db, bool *ret_differs, struct why *reterr_why);

#endif
