/*
 * ledger/sqlite_recount.c - rows of a poll as core/recount.h takes them.
 *
 * Threads: whoever has the connection; nothing is kept.
 */
#include "ledger/sqlite_recount.h"

#include <string.h>

#include "core/ballot.h"

enum column { SEQ, VOTER, OPTIONS, REPLACES, OLD_OPTIONS, OLD_VOTER };

static bool same_blob(sqlite3_stmt *scan, int a, int b)
{
    int len = sqlite3_column_bytes(scan, a);

    return len > 0 && len == sqlite3_column_bytes(scan, b) &&
           memcmp(sqlite3_column_blob(scan, a), sqlite3_column_blob(scan, b), (size_t)len) == 0;
}

bool sqlite_recount_row(sqlite3_stmt *scan, struct recount_row *ret_row, const char **reterr_wrong)
{
    int64_t seq = sqlite3_column_int64(scan, SEQ);
    int64_t replaces = sqlite3_column_int64(scan, REPLACES);
    bool names_one = sqlite3_column_type(scan, REPLACES) != SQLITE_NULL;

    *reterr_wrong = NULL;
    if (seq < 1 || seq > UINT32_MAX)
        *reterr_wrong = "has a number that no row has";
    else if (names_one && (replaces < 1 || replaces > UINT32_MAX))
        *reterr_wrong = "takes the place of a row that cannot be";
    else if (sqlite3_column_bytes(scan, VOTER) != (int)sizeof(struct voter_hash))
        *reterr_wrong = "has no voter";
    if (*reterr_wrong)
        return false;
    *ret_row = (struct recount_row){
        .seq = (uint32_t)seq,
        .marks = (uint64_t)sqlite3_column_int64(scan, OPTIONS),
        .retracted = sqlite3_column_type(scan, OPTIONS) == SQLITE_NULL,
        .replaces = (uint32_t)replaces,
        .replaced_marks = (uint64_t)sqlite3_column_int64(scan, OLD_OPTIONS),
        .same_voter = same_blob(scan, VOTER, OLD_VOTER),
    };
    return true;
}
