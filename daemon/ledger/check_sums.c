/*
 * ledger/check_sums.c - whether a poll, and each of its rows, is as it was written.
 *
 * Threads: main, where no daemon runs.
 */
#include "ledger/check_sums.h"

#include <string.h>

#include "ledger/sqlite.h"

static void statement_close(sqlite3_stmt **statement)
{
    (void)sqlite3_finalize(*statement);
}

#define AUTO_STATEMENT __attribute__((cleanup(statement_close))) sqlite3_stmt *

bool check_failed(sqlite3 *db, struct why *reterr_why)
{
    const char *name = db ? sqlite3_db_filename(db, "main") : NULL;
    int code = db ? sqlite3_errcode(db) & 0xFF : SQLITE_NOMEM;
    int unread = db ? sqlite_read_errno(db) : 0;

    if (unread == 0 && code == SQLITE_IOERR)
        unread = sqlite3_system_errno(db);
    if (!name) /* it was not even opened */
        name = "the store";
    if (code == SQLITE_NOMEM)
        why_set(reterr_why, "no memory to read the store; try again");
    else if (unread != 0)
        why_set(reterr_why, "%s cannot be read: %s; the disk may be failing", name,
                strerror(unread));
    else
        why_set(reterr_why, "%s cannot be read: %s; restore a backup", name, sqlite3_errmsg(db));
    return false;
}

static bool has_column(sqlite3 *db, const char *column)
{
    return sqlite3_table_column_metadata(db, "main", "poll", column, NULL, NULL, NULL, NULL,
                                         NULL) == SQLITE_OK;
}

static bool add_rows(sqlite3 *db, uint64_t number, uint64_t *ret_sum, struct why *why)
{
    static const char sql[] = "SELECT row & 4294967295, voter, options, replaces, address, at "
                              "FROM vote WHERE row > ?1 << 32 AND row <= (?1 << 32) + 4294967295";
    AUTO_STATEMENT scan = NULL;
    struct vote_row row;
    int code = sqlite3_prepare_v2(db, sql, -1, &scan, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(scan, 1, (sqlite3_int64)number);
    if (code != SQLITE_OK)
        return check_failed(db, why);
    *ret_sum = 0;
    while ((code = sqlite3_step(scan)) == SQLITE_ROW) {
        if (vote_row_read(scan, &row)) /* else the recount has said what it is */
            *ret_sum += sums_row(&row);
    }
    return code == SQLITE_DONE || check_failed(db, why);
}

bool check_sums(sqlite3 *db, uint64_t number, const struct counts *kept, const char **ret_wrong,
                struct why *reterr_why)
{
    AUTO_STATEMENT row = NULL;
    AUTO(book) book = NULL;
    uint64_t rows = 0;

    *ret_wrong = NULL;
    if (!has_column(db, "sum"))
        return true;
    if (sqlite3_prepare_v2(db, "SELECT " BOOK_COLUMNS " FROM poll WHERE poll = ?1", -1, &row,
                           NULL) != SQLITE_OK ||
        sqlite3_bind_int64(row, 1, (sqlite3_int64)number) != SQLITE_OK ||
        sqlite3_step(row) != SQLITE_ROW)
        return check_failed(db, reterr_why);
    book = sqlite_read_book(row, NULL);
    if (!book) /* all else that there is to say of its definition was said before */
        return check_failed(NULL, reterr_why);
    if (!book->has_sums)
        return true;
    memcpy(book->counts.marks, kept->marks, sizeof book->counts.marks);
    if (sums_book(book) != book->stored_sum)
        *ret_wrong = "its definition, its salt or its counts are not as they were written";
    if (!add_rows(db, number, &rows, reterr_why))
        return false;
    if (!*ret_wrong && rows != book->rows_sum)
        *ret_wrong = "some row of it is not as it was written";
    return true;
}

bool check_live(sqlite3 *db, bool *ret_differs, struct why *reterr_why)
{
    AUTO_STATEMENT kept = NULL;
    AUTO_STATEMENT polls = NULL;
    uint64_t stored;
    uint64_t live = 0;
    int code =
        sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE name = 'live'", -1, &kept, NULL);

    *ret_differs = false;
    if (code == SQLITE_OK)
        code = sqlite3_step(kept);
    if (code == SQLITE_DONE)
        return true; /* from before there were sums */
    if (code != SQLITE_ROW ||
        sqlite3_prepare_v2(db, "SELECT poll FROM poll WHERE deleted_at IS NULL", -1, &polls,
                           NULL) != SQLITE_OK)
        return check_failed(db, reterr_why);
    while ((code = sqlite3_step(polls)) == SQLITE_ROW)
        live += sums_poll_number((uint64_t)sqlite3_column_int64(polls, 0));
    if (code != SQLITE_DONE)
        return check_failed(db, reterr_why);
    *ret_differs = sqlite3_column_bytes(kept, 0) != (int)sizeof stored;
    if (*ret_differs)
        return true;
    memcpy(&stored, sqlite3_column_blob(kept, 0), sizeof stored);
    *ret_differs = stored != live;
    return true;
}
