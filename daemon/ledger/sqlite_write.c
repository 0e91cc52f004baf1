/*
 * ledger/sqlite_write.c - one row each, and what a failure of one means.
 *
 * Threads: the writer.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "core/definition.h"
#include "ledger/sqlite.h"

#define HOUR_MS (3600 * 1000)
#define FULL_SAID_MS (60 * 1000)

/* Why the last call on this file failed. sqlite3_system_errno() knows nothing of a COMMIT, and a
 * file remembers for ever: ask only the one that the failed call was on. */
static int errno_of(sqlite3_file *file)
{
    int number = 0;

    if (file && file->pMethods)
        (void)file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &number);
    return number;
}

static int errno_at(const struct sqlite_store *store, int which)
{
    sqlite3_file *file = NULL;

    (void)sqlite3_file_control(store->db, "main", which, (void *)&file);
    return errno_of(file);
}

/* Every vote that is refused would say it, on a disk that is full. */
static void say_full(struct sqlite_store *store)
{
    int64_t now_ms = clock_mono_ms(store->clock);

    if (now_ms < store->say_full_ms)
        return;
    store->say_full_ms = now_ms + FULL_SAID_MS;
    log_line(LOG_ERROR, "the disk of %s is full: votes are refused until there is room",
             store->path);
}

/* A batch writes the log, and reads the file too: whichever of them knows an error is named. */
static void say_broken(const struct sqlite_store *store, int code, int file, int system)
{
    bool log = file == SQLITE_FCNTL_JOURNAL_POINTER;

    if (system == 0) {
        int other = errno_at(store, log ? SQLITE_FCNTL_FILE_POINTER : SQLITE_FCNTL_JOURNAL_POINTER);

        log = other != 0 ? !log : log;
        system = other;
    }
    log_line(LOG_ERROR, "the store %s%s failed: %s (%d, %s); ending, the next start recovers it",
             store->path, log ? "-wal" : "", sqlite3_errstr(code), code,
             system ? strerror(system) : "no errno");
}

/* A full disk is no broken disk. ENOSPC out of fsync is: nobody knows what was kept. */
static enum fault fault_of(struct sqlite_store *store, int code, int file)
{
    int system;

    if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW)
        return FAULT_NONE;
    if ((code & 0xFF) == SQLITE_NOMEM)
        return FAULT_NO_MEMORY;
    system = errno_at(store, file);
    if ((code & 0xFF) == SQLITE_FULL || (code == SQLITE_IOERR_WRITE && system == EDQUOT)) {
        say_full(store);
        return FAULT_FULL;
    }
    say_broken(store, code, file, system);
    return FAULT_BROKEN;
}

enum fault sql_fault(struct sqlite_store *store, int code)
{
    return fault_of(store, code, SQLITE_FCNTL_JOURNAL_POINTER); /* the log */
}

enum fault sql_checkpoint_fault(struct sqlite_store *store, int code)
{
    return fault_of(store, code, SQLITE_FCNTL_FILE_POINTER);
}

enum fault sql_run(struct sqlite_store *store, enum statement which)
{
    sqlite3_stmt *statement = store->sql[which];
    int code = sqlite3_step(statement);

    /* Never left open: one open statement, and every checkpoint answers SQLITE_LOCKED. */
    (void)sqlite3_reset(statement);
    return sql_fault(store, code);
}

enum fault write_begin(struct sqlite_store *store)
{
    enum fault fault;

    if (store->in_transaction)
        return FAULT_NONE;
    fault = log_of_crash_goes(store);
    if (fault == FAULT_NONE)
        fault = sql_run(store, SQL_BEGIN);
    store->in_transaction = fault == FAULT_NONE;
    return fault;
}

static int bind_or_null(sqlite3_stmt *statement, int column, uint32_t seq)
{
    return seq > 0 ? sqlite3_bind_int64(statement, column, seq)
                   : sqlite3_bind_null(statement, column);
}

static struct vote_row row_of(const struct sqlite_store *store, const struct book *book,
                              const struct ballot *ballot, uint32_t seq, uint32_t replaces,
                              enum row_kind kind)
{
    return (struct vote_row){ .seq = seq,
                              .voter = ballot->voter,
                              .retracted = ballot->marks == 0 && kind == ROW_VOTE,
                              .marks = ballot->marks,
                              .replaces = replaces,
                              .has_address = ballot->has_address,
                              .group = ballot->address_group,
                              .at_ms = store->now_ms - book->poll->created_at_ms };
}

enum fault write_vote(struct sqlite_store *store, struct book *book, const struct ballot *ballot,
                      uint32_t seq, uint32_t replaces, enum row_kind kind)
{
    struct vote_row written = row_of(store, book, ballot, seq, replaces, kind);
    sqlite3_stmt *row = store->sql[SQL_VOTE_INSERT];
    int code = sqlite3_bind_int64(row, 1, (sqlite3_int64)book->poll->number);

    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(row, 2, seq);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(row, 3, written.at_ms);
    if (code == SQLITE_OK)
        code = sqlite3_bind_blob(row, 4, ballot->voter.bytes, sizeof ballot->voter.bytes,
                                 SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = written.retracted ? sqlite3_bind_null(row, 5)
                                 : sqlite3_bind_int64(row, 5, (sqlite3_int64)ballot->marks);
    if (code == SQLITE_OK)
        code = bind_or_null(row, 6, replaces);
    if (code == SQLITE_OK)
        code = ballot->has_address ? sqlite3_bind_blob(row, 7, &ballot->address_group,
                                                       sizeof ballot->address_group, SQLITE_STATIC)
                                   : sqlite3_bind_null(row, 7);
    if (code != SQLITE_OK)
        return sql_fault(store, code);
    book->rows_sum += sums_row(&written);
    return sql_run(store, SQL_VOTE_INSERT);
}

static enum fault insert_poll(struct sqlite_store *store, const struct book *book,
                              struct str definition)
{
    const struct poll *poll = book->poll;
    sqlite3_stmt *row = store->sql[SQL_POLL_INSERT];
    int code = sqlite3_bind_int64(row, 1, (sqlite3_int64)poll->number);
    const struct {
        int column;
        int64_t value;
    } numbers[] = {
        { 5, poll->prefix_v4 },
        { 6, poll->prefix_v6 },
        { 7, book->seq },
        { 8, (int64_t)book->counts.voters },
        { 9, (int64_t)book->counts.version },
        { 10, book->counts.updated_at_ms },
        { 11, (int64_t)book->phase },
        { 12, (int64_t)book->rows_sum },
        { 13, (int64_t)sums_book(book) },
    };

    if (code == SQLITE_OK)
        code = sqlite3_bind_text(row, 2, poll->id, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(row, 3, definition.at, (int)definition.len, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_bind_blob(row, 4, poll->salt, SALT_BYTES, SQLITE_STATIC);
    for (size_t i = 0; code == SQLITE_OK && i < sizeof numbers / sizeof numbers[0]; i++)
        code = sqlite3_bind_int64(row, numbers[i].column, numbers[i].value);
    if (code != SQLITE_OK)
        return sql_fault(store, code);
    return sql_run(store, SQL_POLL_INSERT);
}

/* definition  {NULL, 0}: it stays as it is */
static enum fault update_poll(struct sqlite_store *store, const struct book *book,
                              struct str definition)
{
    sqlite3_stmt *row = store->sql[SQL_POLL_UPDATE];
    const int64_t numbers[] = { book->seq,
                                (int64_t)book->counts.voters,
                                (int64_t)book->counts.version,
                                book->counts.updated_at_ms,
                                (int64_t)book->phase,
                                (int64_t)book->rows_sum,
                                (int64_t)sums_book(book) };
    int code = sqlite3_bind_int64(row, 1, (sqlite3_int64)book->poll->number);

    if (code == SQLITE_OK)
        code = definition.at
                   ? sqlite3_bind_text(row, 2, definition.at, (int)definition.len, SQLITE_STATIC)
                   : sqlite3_bind_null(row, 2);
    for (size_t i = 0; code == SQLITE_OK && i < sizeof numbers / sizeof numbers[0]; i++)
        code = sqlite3_bind_int64(row, 3 + (int)i, numbers[i]);
    if (code != SQLITE_OK)
        return sql_fault(store, code);
    return sql_run(store, SQL_POLL_UPDATE);
}

static enum fault delete_poll(struct sqlite_store *store, const struct book *book)
{
    sqlite3_stmt *row = store->sql[SQL_POLL_DELETE];
    int code = sqlite3_bind_int64(row, 1, (sqlite3_int64)book->poll->number);

    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(row, 2, store->now_ms);
    if (code != SQLITE_OK)
        return sql_fault(store, code);
    return sql_run(store, SQL_POLL_DELETE);
}

static enum fault forget_salt(struct sqlite_store *store, const struct book *book)
{
    sqlite3_stmt *row = store->sql[SQL_POLL_FORGET];
    int code = sqlite3_bind_int64(row, 1, (sqlite3_int64)book->poll->number);

    return code == SQLITE_OK ? sql_run(store, SQL_POLL_FORGET) : sql_fault(store, code);
}

enum fault write_poll(struct sqlite_store *store, struct touched *touched)
{
    struct book *book = touched->book;
    AUTO_BUF definition = { 0 };
    enum fault fault = FAULT_NONE;

    if (touched->created || touched->defined)
        definition_store(book->poll, &definition);
    if (!buf_ok(&definition))
        return FAULT_NO_MEMORY;
    if (touched->created || touched->defined)
        book->definition_sum = sums_definition(buf_str(&definition));
    if (touched->created && touched->deleted)
        return FAULT_NONE; /* nobody has seen it */
    if (touched->deleted)
        return delete_poll(store, book);
    if (touched->created)
        return insert_poll(store, book, buf_str(&definition));
    if (touched->forgotten)
        fault = forget_salt(store, book);
    return fault == FAULT_NONE ? update_poll(store, book, buf_str(&definition)) : fault;
}

static enum fault put_tally(struct sqlite_store *store, const struct poll *poll, unsigned option,
                            uint64_t votes)
{
    sqlite3_stmt *row = store->sql[SQL_TALLY_PUT];
    int code = sqlite3_bind_int64(row, 1, (sqlite3_int64)poll->number);

    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(row, 2, option);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(row, 3, (sqlite3_int64)votes);
    if (code != SQLITE_OK)
        return sql_fault(store, code);
    return sql_run(store, SQL_TALLY_PUT);
}

static enum fault put_hour(struct sqlite_store *store, const struct poll *poll, unsigned option,
                           uint64_t votes)
{
    sqlite3_stmt *row = store->sql[SQL_HOUR_PUT];
    int code = sqlite3_bind_int64(row, 1, (sqlite3_int64)poll->number);

    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(row, 2, store->now_ms / HOUR_MS);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(row, 3, option);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(row, 4, (sqlite3_int64)votes);
    if (code != SQLITE_OK)
        return sql_fault(store, code);
    return sql_run(store, SQL_HOUR_PUT);
}

enum fault write_counts(struct sqlite_store *store, const struct touched *touched)
{
    const struct book *book = touched->book;
    bool redefined = touched->created || touched->defined;

    if (touched->deleted)
        return FAULT_NONE;
    for (size_t i = 0; i < book->poll->n_options; i++) {
        uint64_t votes = book->counts.marks[i];
        bool moved = votes != touched->counts.marks[i];
        enum fault fault = FAULT_NONE;

        if (moved)
            fault = put_tally(store, book->poll, (unsigned)i + 1, votes);
        if (fault == FAULT_NONE && (moved || redefined))
            fault =
                put_hour(store, book->poll, (unsigned)i + 1, votes + book->poll->carried.marks[i]);
        if (fault != FAULT_NONE)
            return fault;
    }
    return FAULT_NONE;
}
