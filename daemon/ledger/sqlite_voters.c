/*
 * ledger/sqlite_voters.c - who has voted: the set in memory, confirmed against the ledger's rows.
 *
 * Threads: the writer.
 */
#include <string.h>

#include "base/log.h"
#include "ledger/sqlite.h"

#define SLICE_ROWS 8192 /* about 4 ms: what votes in other polls wait at most */

/* Reads one row. *ret_same: it is this voter's. */
static enum fault read_row(struct sqlite_store *store, const struct book *book, uint32_t seq,
                           const struct voter_hash *voter, bool *ret_same,
                           struct standing *ret_standing)
{
    sqlite3_stmt *row = store->sql[SQL_VOTE_SELECT];
    int code = sqlite3_bind_int64(row, 1, (sqlite3_int64)book->poll->number);

    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(row, 2, seq);
    if (code == SQLITE_OK)
        code = sqlite3_step(row);
    *ret_same = code == SQLITE_ROW && sqlite3_column_bytes(row, 0) == (int)sizeof voter->bytes &&
                memcmp(sqlite3_column_blob(row, 0), voter->bytes, sizeof voter->bytes) == 0;
    if (*ret_same) {
        const void *group = sqlite3_column_blob(row, 3);

        *ret_standing = (struct standing){
            .seq = seq,
            .at_ms = book->poll->created_at_ms + sqlite3_column_int64(row, 1),
            .marks = (uint64_t)sqlite3_column_int64(row, 2),
            .has_address = group && sqlite3_column_bytes(row, 3) == 8,
        };
        if (ret_standing->has_address)
            memcpy(&ret_standing->address_group, group, 8);
    }
    (void)sqlite3_reset(row);
    if (code == SQLITE_DONE) {
        log_line(LOG_ERROR, "poll %s: row %u is missing from the store %s; restore a backup",
                 book->poll->id, (unsigned)seq, store->path);
        return FAULT_BROKEN;
    }
    return sql_fault(store, code);
}

enum fault voters_standing(struct sqlite_store *store, struct book *book,
                           const struct voter_hash *voter, bool *ret_found,
                           struct standing *ret_standing)
{
    size_t at = 0;
    uint32_t seq;

    *ret_found = false;
    while (!*ret_found && voters_find(book->voters, voter, &at, &seq)) {
        enum fault fault = read_row(store, book, seq, voter, ret_found, ret_standing);

        if (fault != FAULT_NONE)
            return fault;
    }
    return FAULT_NONE;
}

bool book_holds(const struct book *book, const struct voter_hash *voter, uint32_t seq)
{
    size_t at = 0;
    uint32_t found;

    while (voters_find(book->voters, voter, &at, &found)) {
        if (found == seq)
            return true;
    }
    return false;
}

static enum fault load_first(struct sqlite_store *store, struct book *book,
                             const struct vote_row *row)
{
    struct standing standing;
    bool found;
    enum fault fault = voters_standing(store, book, &row->voter, &found, &standing);

    if (fault != FAULT_NONE)
        return fault;
    if (found) /* voted again, after a while: the newest row stands for the voter */
        voters_move(book->voters, &row->voter, standing.seq, row->seq);
    else if (voters_add(book->voters, &row->voter, row->seq) != VOTERS_ADDED)
        return FAULT_NO_MEMORY;
    if (book->addresses && row->has_address && !addresses_add(book->addresses, row->group))
        return FAULT_NO_MEMORY;
    return FAULT_NONE;
}

static enum fault load_replacing(struct sqlite_store *store, struct book *book,
                                 const struct vote_row *row)
{
    bool gone = row->retracted || row->marks == 0;
    bool newest = book_holds(book, &row->voter, row->replaces);

    /* Only a void may take the place of an older row, one that its voter could no longer change. */
    if ((!newest && (row->retracted || row->marks != 0)) ||
        (gone && book->addresses && row->has_address &&
         addresses_count(book->addresses, row->group) == 0)) {
        log_line(LOG_ERROR, "poll %s: row %u of the store %s contradicts those before it",
                 book->poll->id, (unsigned)row->seq, store->path);
        return FAULT_DAMAGED;
    }
    if (row->retracted)
        voters_remove(book->voters, &row->voter, row->replaces);
    else if (newest)
        voters_move(book->voters, &row->voter, row->replaces, row->seq);
    if (gone && book->addresses && row->has_address)
        addresses_remove(book->addresses, row->group);
    return FAULT_NONE;
}

bool vote_row_selected(sqlite3_stmt *select, uint32_t seq, struct vote_row *ret_row)
{
    const void *group = sqlite3_column_blob(select, 3);

    if (sqlite3_column_bytes(select, 0) != (int)sizeof ret_row->voter.bytes)
        return false;
    *ret_row = (struct vote_row){
        .seq = seq,
        .retracted = sqlite3_column_type(select, 2) == SQLITE_NULL,
        .marks = (uint64_t)sqlite3_column_int64(select, 2),
        .replaces = (uint32_t)sqlite3_column_int64(select, 4),
        .has_address = group && sqlite3_column_bytes(select, 3) == 8,
        .at_ms = sqlite3_column_int64(select, 1),
    };
    memcpy(ret_row->voter.bytes, sqlite3_column_blob(select, 0), sizeof ret_row->voter.bytes);
    if (group && ret_row->has_address)
        memcpy(&ret_row->group, group, 8);
    return true;
}

bool vote_row_read(sqlite3_stmt *scan, struct vote_row *ret_row)
{
    const void *group = sqlite3_column_blob(scan, 4);

    if (sqlite3_column_bytes(scan, 1) != (int)sizeof ret_row->voter.bytes)
        return false;
    *ret_row = (struct vote_row){
        .seq = (uint32_t)sqlite3_column_int64(scan, 0),
        .retracted = sqlite3_column_type(scan, 2) == SQLITE_NULL,
        .marks = (uint64_t)sqlite3_column_int64(scan, 2),
        .replaces = (uint32_t)sqlite3_column_int64(scan, 3),
        .has_address = group && sqlite3_column_bytes(scan, 4) == 8,
        .at_ms = sqlite3_column_int64(scan, 5),
    };
    memcpy(ret_row->voter.bytes, sqlite3_column_blob(scan, 1), sizeof ret_row->voter.bytes);
    if (ret_row->has_address)
        memcpy(&ret_row->group, group, 8);
    return true;
}

int vote_rows_bind(sqlite3_stmt *scan, const struct book *book, uint32_t after, uint32_t end,
                   int most)
{
    int code = sqlite3_bind_int64(scan, 1, (sqlite3_int64)book->poll->number);

    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(scan, 2, after);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(scan, 3, end);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int(scan, 4, most);
    return code;
}

static enum fault load_rows(struct sqlite_store *store, struct book *book, sqlite3_stmt *scan,
                            int *ret_rows)
{
    int code;

    while ((code = sqlite3_step(scan)) == SQLITE_ROW) {
        struct vote_row row;
        enum fault fault = vote_row_read(scan, &row) ? FAULT_NONE : FAULT_DAMAGED;

        if (fault == FAULT_NONE)
            fault = row.replaces > 0 ? load_replacing(store, book, &row)
                                     : load_first(store, book, &row);
        if (fault != FAULT_NONE)
            return fault;
        book->loaded_seq = row.seq;
        book->loaded_sum += sums_row(&row);
        (*ret_rows)++;
    }
    return sql_fault(store, code);
}

enum fault voters_begin(struct book *book)
{
    book_drop_sets(book);
    book->loaded_sum = 0;
    book->voters = voters_new();
    if (book->poll->per_address > 0)
        book->addresses = addresses_new();
    if (book->voters && (book->addresses || book->poll->per_address == 0))
        return FAULT_NONE;
    book_drop_sets(book);
    return FAULT_NO_MEMORY;
}

/* Votes are taken only over rows that are as they were written. */
static enum fault loaded(struct sqlite_store *store, struct book *book)
{
    if (book->loaded_sum != book->rows_sum)
        return FAULT_DAMAGED;
    book->loading = false;
    store->n_loading--;
    return FAULT_NONE;
}

enum fault voters_load_slice(struct sqlite_store *store, struct book *book)
{
    sqlite3_stmt *scan = store->sql[SQL_VOTE_SCAN];
    int rows = 0;
    enum fault fault = book->loaded_seq == 0 ? voters_begin(book) : FAULT_NONE;
    int code;

    if (fault != FAULT_NONE)
        return fault;
    code = vote_rows_bind(scan, book, book->loaded_seq, book->seq, SLICE_ROWS);
    fault = code == SQLITE_OK ? load_rows(store, book, scan, &rows) : sql_fault(store, code);
    (void)sqlite3_reset(scan);
    return fault == FAULT_NONE && rows < SLICE_ROWS ? loaded(store, book) : fault;
}
