/*
 * ledger/sqlite_recount.h - rows of a poll as core/recount.h takes them.
 *
 * Used with a whole poll at once where nobody waits, and in slices where the store is at work.
 */
#ifndef TALLYD_LEDGER_SQLITE_RECOUNT_H
#define TALLYD_LEDGER_SQLITE_RECOUNT_H

#include <stdbool.h>

#include <sqlite3.h>

#include "base/auto.h"
#include "core/recount.h"

/* ?1 the poll's number, ?2 rows behind this seq, ?3 up to this one, ?4 at most so many (-1: all) */
#define SQLITE_RECOUNT                                                                             \
    "SELECT v.row & 4294967295, v.voter, v.options, v.replaces, o.options, o.voter "               \
    "FROM vote AS v LEFT JOIN vote AS o ON o.row = (?1 << 32) + v.replaces "                       \
    "WHERE v.row > (?1 << 32) + ?2 AND v.row <= (?1 << 32) + ?3 ORDER BY v.row LIMIT ?4"

/* The same in a store or a backup from before 002-row-key.sql: checking one changes nothing. */
#define SQLITE_RECOUNT_BEFORE_002                                                                  \
    "SELECT v.seq, v.voter, v.options, v.replaces, o.options, o.voter "                            \
    "FROM vote AS v LEFT JOIN vote AS o ON o.poll = v.poll AND o.seq = v.replaces "                \
    "WHERE v.poll = ?1 AND v.seq > ?2 AND v.seq <= ?3 ORDER BY v.seq LIMIT ?4"

/*
 * The row that such a statement stands on. Pure.
 *
 *   returns  false: no row of a ledger can look so; *reterr_wrong is a literal, to stand behind
 *            "row N "
 */
MUST_USE bool sqlite_recount_row(sqlite3_stmt *scan, struct recount_row *ret_row,
                                 const char **reterr_wrong);

#endif
