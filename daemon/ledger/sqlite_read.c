/*
 * ledger/sqlite_read.c - slices of long reads, and the state of the store.
 *
 * Between batches, when what is in memory is what was committed.
 *
 * Threads: the writer.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "ledger/files.h"
#include "ledger/sqlite.h"

static bool find(struct sqlite_store *store, struct job *job, uint64_t number,
                 struct book **ret_book)
{
    *ret_book = book_find(store, number);
    if (*ret_book)
        return true;
    refuse(job->refusal, PROBLEM_NO_SUCH_POLL, "there is no poll of this id (any more)");
    job->result = JOB_REFUSED;
    return false;
}

static enum fault contradiction(struct sqlite_store *store, const struct book *book, uint32_t seq)
{
    log_line(LOG_ERROR, "poll %s: row %u of the store %s cannot be read; restore a backup",
             book->poll->id, (unsigned)seq, store->path);
    return FAULT_BROKEN;
}

/* What the table of tallies holds, to be compared with memory and with the rows. */
static enum fault read_stored(struct sqlite_store *store, const struct book *book,
                              struct counts *ret)
{
    sqlite3_stmt *tally = store->sql[SQL_TALLY_SELECT];
    sqlite3_stmt *poll = store->sql[SQL_POLL_SELECT];
    int code = sqlite3_bind_int64(tally, 1, (sqlite3_int64)book->poll->number);

    *ret = (struct counts){ .version = 0 };
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        int64_t option;

        code = sqlite3_step(tally);
        option = code == SQLITE_ROW ? sqlite3_column_int64(tally, 0) : 0;
        if (option >= 1 && option <= OPTIONS_MAX)
            ret->marks[ballot_index((unsigned)option)] = (uint64_t)sqlite3_column_int64(tally, 1);
    }
    (void)sqlite3_reset(tally);
    if (code == SQLITE_DONE)
        code = sqlite3_bind_int64(poll, 1, (sqlite3_int64)book->poll->number);
    if (code == SQLITE_OK)
        code = sqlite3_step(poll);
    if (code == SQLITE_ROW) {
        ret->voters = (uint64_t)sqlite3_column_int64(poll, 0);
        ret->version = (uint64_t)sqlite3_column_int64(poll, 1);
        ret->updated_at_ms = sqlite3_column_int64(poll, 2);
    }
    (void)sqlite3_reset(poll);
    return sql_fault(store, code);
}

static enum fault begin_scan(struct sqlite_store *store, const struct book *book, struct scan *scan)
{
    scan->end = book->seq;
    scan->counts = book->counts;
    scan->rows_sum = book->rows_sum;
    scan->at_rewrites = store->rewrites;
    /* Each row that replaces another makes one row more than there are voters. */
    scan->all_replace_none = scan->counts.voters == scan->end;
    return scan->with_replaced ? read_stored(store, book, &scan->stored) : FAULT_NONE;
}

/* A look at one key, for the few rows that replace another. */
static enum fault look_up_replaced(struct sqlite_store *store, const struct book *book,
                                   struct scanned *row)
{
    sqlite3_stmt *select = store->sql[SQL_VOTE_SELECT];
    int code = sqlite3_bind_int64(select, 1, (sqlite3_int64)book->poll->number);

    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(select, 2, row->replaces);
    if (code == SQLITE_OK)
        code = sqlite3_step(select);
    if (code == SQLITE_ROW) {
        row->replaced_marks = (uint64_t)sqlite3_column_int64(select, 2);
        row->same_voter =
            row->replaces < row->seq &&
            sqlite3_column_bytes(select, 0) == (int)sizeof row->voter.bytes &&
            memcmp(sqlite3_column_blob(select, 0), row->voter.bytes, sizeof row->voter.bytes) == 0;
    }
    (void)sqlite3_reset(select);
    return sql_fault(store, code);
}

static enum fault read_rows(struct sqlite_store *store, const struct book *book, struct scan *scan)
{
    sqlite3_stmt *rows = store->sql[SQL_VOTE_SCAN];
    int code = vote_rows_bind(rows, book, scan->after, scan->end, SCAN_ROWS_MAX);
    enum fault fault = FAULT_NONE;

    if (code == SQLITE_OK)
        code = SQLITE_ROW;
    while (fault == FAULT_NONE && code == SQLITE_ROW && scan->n < SCAN_ROWS_MAX) {
        struct vote_row row;

        code = sqlite3_step(rows);
        if (code != SQLITE_ROW)
            break;
        if (!vote_row_read(rows, &row)) {
            fault = contradiction(store, book, scan->after);
            break;
        }
        if (scan->with_replaced)
            scan->rows_sum -= sums_row(&row);
        scan->rows[scan->n++] = (struct scanned){ .seq = row.seq,
                                                  .replaces = row.replaces,
                                                  .at_ms = book->poll->created_at_ms + row.at_ms,
                                                  .marks = row.marks,
                                                  .retracted = row.retracted,
                                                  .voter = row.voter,
                                                  .has_address = row.has_address,
                                                  .address_group = row.group };
    }
    (void)sqlite3_reset(rows);
    return fault == FAULT_NONE ? sql_fault(store, code) : fault;
}

static enum fault read_scan(struct sqlite_store *store, struct job *job)
{
    struct scan *scan = job->scan;
    struct book *book;
    enum fault fault = FAULT_NONE;

    if (!find(store, job, scan->poll, &book))
        return FAULT_NONE;
    if (scan->end == 0)
        fault = begin_scan(store, book, scan);
    scan->n = 0;
    if (fault == FAULT_NONE)
        fault = read_rows(store, book, scan);
    for (size_t i = 0; fault == FAULT_NONE && scan->with_replaced && i < scan->n; i++) {
        if (scan->rows[i].replaces > 0)
            fault = look_up_replaced(store, book, &scan->rows[i]);
    }
    scan->done = scan->n < SCAN_ROWS_MAX || scan->rows[scan->n - 1].seq == scan->end;
    scan->rows_differ = scan->done && scan->with_replaced && scan->rows_sum != 0 &&
                        scan->at_rewrites == store->rewrites;
    job->result = JOB_READ;
    return fault;
}

static int bind_hours(sqlite3_stmt *rows, const struct hours *hours)
{
    int code = sqlite3_bind_int64(rows, 1, (sqlite3_int64)hours->poll);

    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(rows, 2, hours->from);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(rows, 3, hours->from_option);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(rows, 4, hours->until);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int(rows, 5, HOURS_ROWS_MAX);
    return code;
}

static enum fault read_hours(struct sqlite_store *store, struct job *job)
{
    sqlite3_stmt *rows = store->sql[SQL_HOUR_SCAN];
    struct hours *hours = job->hours;
    struct book *book;
    int code;

    if (!find(store, job, hours->poll, &book))
        return FAULT_NONE;
    hours->n = 0;
    code = bind_hours(rows, hours);
    if (code == SQLITE_OK)
        code = SQLITE_ROW;
    while (code == SQLITE_ROW && hours->n < HOURS_ROWS_MAX) {
        code = sqlite3_step(rows);
        if (code == SQLITE_ROW)
            hours->rows[hours->n++] =
                (struct hour_row){ .hour = sqlite3_column_int64(rows, 0),
                                   .option = (unsigned)sqlite3_column_int64(rows, 1),
                                   .votes = (uint64_t)sqlite3_column_int64(rows, 2) };
    }
    (void)sqlite3_reset(rows);
    hours->done = hours->n < HOURS_ROWS_MAX;
    job->result = JOB_READ;
    return sql_fault(store, code);
}

static uint64_t size_of(const char *path, const char *suffix)
{
    AUTO_BYTES char *name = path_beside(path, suffix);
    struct stat file;

    return name && stat(name, &file) == 0 ? (uint64_t)file.st_size : 0;
}

void sqlite_figures(const struct store *base, struct store_figures *ret_figures)
{
    const struct sqlite_store *store = (const struct sqlite_store *)base;

    *ret_figures =
        (struct store_figures){ .polls = store->n_books,
                                .bytes = size_of(store->path, ""),
                                .wal_bytes = size_of(store->path, "-wal"),
                                .wal_waiting_bytes = (uint64_t)store->wal_frames * PAGE_BYTES,
                                .ballast = store->ballast_there,
                                .last_checkpoint_ms = store->last_checkpoint_ms,
                                .last_backup_ms = store->last_backup_ms,
                                .last_backup_bytes = store->last_backup_bytes };
}

static enum fault read_status(struct sqlite_store *store, struct job *job)
{
    sqlite_figures(&store->base, &job->status->figures);
    job->status->votes = 0;
    for (size_t i = 0; i < store->n_books; i++)
        job->status->votes += store->books[i]->counts.voters;
    job->result = JOB_READ;
    return FAULT_NONE;
}

static enum fault read_one(struct sqlite_store *store, struct job *job)
{
    assert(job_reads(job) && store->n_touched == 0 && !store->in_transaction);
    if (job->kind == JOB_SCAN)
        return read_scan(store, job);
    if (job->kind == JOB_HOURS)
        return read_hours(store, job);
    return read_status(store, job);
}

enum store_result sqlite_read(struct store *base, struct job *job)
{
    struct sqlite_store *store = sqlite_of(base);
    enum fault fault = read_one(store, job);

    answer_fault(job, fault);
    if (fault == FAULT_NONE)
        return STORE_DONE;
    return fault == FAULT_BROKEN ? STORE_BROKEN : STORE_REFUSED;
}
