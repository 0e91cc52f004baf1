/*
 * ledger/sqlite_mark.c - a mark in the store's file for as long as there is a log beside it.
 *
 * Without its log a store looks like an older one: nothing in the file tells. So a row says that
 * there is a log. A file with the mark and without a log has lost commits, or is a copy that was
 * made of the file alone, or another program has opened the store and taken the log in. A backup
 * has no mark (backup_files.c), nor has a store that was ended in good order.
 *
 * The order keeps every crash apart from that: the mark is written once the log's name is synced,
 * and it is out of the file, and synced, before SQLite removes the log. Where it cannot be taken
 * out, on a full disk, the log stays.
 *
 * Threads: main before the store is open; the writer, or main after it;
 * sqlite_settle_copy() a backup's, or main.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "ledger/files.h"
#include "ledger/sqlite.h"

bool sqlite_open_unchanging(const char *path, sqlite3 **ret_db)
{
    AUTO_BUF uri = { 0 };

    buf_text(&uri, "file:");
    for (const char *at = path; *at; at++)
        buf_format(&uri, strchr("?#%", *at) ? "%%%02X" : "%c", (unsigned char)*at);
    buf_text(&uri, "?immutable=1");
    buf_char(&uri, '\0');
    return buf_ok(&uri) && sqlite3_open_v2(uri.bytes, ret_db,
                                           SQLITE_OPEN_READONLY | SQLITE_OPEN_URI |
                                               SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                                           NULL) == SQLITE_OK;
}

enum mark { MARK_IS_SET, MARK_IS_NOT_SET, MARK_CANNOT_BE_READ };

/* A file without the table is one before its first version, and what is damaged stays so: whoever
 * opens the store tells of it. What failed this once must not pass for a store without a mark. */
static enum mark mark_of(sqlite3 *db, int code)
{
    switch (code & 0xFF) {
    case SQLITE_ROW:
        return MARK_IS_SET;
    case SQLITE_DONE:
        return MARK_IS_NOT_SET;
    case SQLITE_ERROR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return sqlite_read_errno(db) == 0 ? MARK_IS_NOT_SET : MARK_CANNOT_BE_READ;
    default:
        return MARK_CANNOT_BE_READ;
    }
}

static enum mark read_mark(const char *path, struct why *why)
{
    sqlite3_stmt *row = NULL;
    sqlite3 *db = NULL;
    int code = sqlite_open_unchanging(path, &db) ? SQLITE_OK
               : db                              ? sqlite3_errcode(db)
                                                 : SQLITE_NOMEM;
    enum mark mark;

    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(db, "SELECT 1 FROM meta WHERE name = 'log'", -1, &row, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(row);
    mark = mark_of(db, code);
    if (mark == MARK_CANNOT_BE_READ)
        why_set(why, "cannot read from the store %s whether it has a log: %s", path,
                sqlite_says(db).text);
    (void)sqlite3_finalize(row);
    (void)sqlite3_close(db);
    return mark;
}

enum log_state { LOG_NOT_LOST, LOG_LOST, LOG_UNKNOWN };

static enum log_state look_for_log(const char *path, struct why *why)
{
    int64_t journal;
    int64_t log;

    if (!sqlite_look_beside(path, "-wal", &log, why) ||
        !sqlite_look_beside(path, "-journal", &journal, why))
        return LOG_UNKNOWN;
    if (log >= 0 || journal > 0)
        return LOG_NOT_LOST;
    switch (read_mark(path, why)) {
    case MARK_IS_SET:
        return LOG_LOST;
    case MARK_IS_NOT_SET:
        return LOG_NOT_LOST;
    case MARK_CANNOT_BE_READ:
        break;
    }
    return LOG_UNKNOWN;
}

bool sqlite_log_not_lost(const char *path, struct why *reterr_why)
{
    enum log_state state = look_for_log(path, reterr_why);

    if (state == LOG_LOST)
        why_set(reterr_why,
                "the log %s-wal is gone, and what was committed last may be gone with it, unless "
                "another program has opened the store; put it back, or restore a backup (tallyd "
                "--restore). To go on without it make an empty file of that name that belongs to "
                "the store's owner",
                path);
    return state == LOG_NOT_LOST;
}

bool sqlite_copy_is_whole(const char *path, struct why *reterr_why)
{
    enum log_state state = look_for_log(path, reterr_why);

    if (state == LOG_LOST)
        why_set(
            reterr_why,
            "%s is a copy of a store's file without the log that it had, and what was committed "
            "last may be missing in it; use a file that tally backup made",
            path);
    return state == LOG_NOT_LOST;
}

/* A transaction of this statement alone. Nothing of it stands where it fails, and *ret_says is why:
 * behind the rollback SQLite does not know it any more. */
static enum fault write_alone(struct sqlite_store *store, const char *sql, struct why *ret_says)
{
    enum fault fault = write_begin(store);

    if (fault == FAULT_NONE)
        fault = sql_fault(store, sqlite3_exec(store->db, sql, NULL, NULL, NULL));
    if (fault == FAULT_NONE)
        fault = sql_run(store, SQL_COMMIT);
    *ret_says = sqlite_says(store->db);
    if (fault == FAULT_NONE)
        store->in_transaction = false;
    else if (batch_roll_back(store) == FAULT_BROKEN)
        fault = FAULT_BROKEN;
    return fault;
}

enum fault mark_set(struct sqlite_store *store, struct why *reterr_why)
{
    struct why says;
    enum fault fault;

    if (store->marked)
        return FAULT_NONE;
    store->marked = true; /* where memory runs out in a commit it may stand even so */
    fault = write_alone(store, "INSERT INTO meta (name, value) VALUES ('log', x'01')", &says);
    if (fault == FAULT_NONE) {
        fault = checkpoint(store, SQLITE_CHECKPOINT_PASSIVE);
        says = sqlite_says(store->db);
    }
    if (fault == FAULT_BROKEN)
        why_set(reterr_why, "cannot write to the store %s: %s", store->path, says.text);
    return fault == FAULT_BROKEN ? FAULT_BROKEN : FAULT_NONE; /* else it has none this time */
}

enum fault mark_clear(struct sqlite_store *store)
{
    struct why says;
    enum fault fault = store->marked
                           ? write_alone(store, "DELETE FROM meta WHERE name = 'log'", &says)
                           : FAULT_NONE;

    if (fault == FAULT_NONE)
        fault = checkpoint(store, SQLITE_CHECKPOINT_PASSIVE);
    if (fault == FAULT_NONE && store->wal_frames == 0)
        store->marked = false;
    return fault;
}

static bool header_without_log(const char *path)
{
    static const char versions[2] = { SQLITE_WITHOUT_LOG, SQLITE_WITHOUT_LOG };
    AUTO_FD fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

    return fd >= 0 && pwrite(fd, versions, sizeof versions, SQLITE_HEADER_VERSIONS) == 2;
}

static bool remove_mark(const char *path)
{
    static const char sql[] = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; "
                              "PRAGMA synchronous = OFF; DELETE FROM meta WHERE name = 'log'";
    sqlite3 *db = NULL;
    bool ok = sqlite3_open_v2(path, &db,
                              SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                              NULL) == SQLITE_OK &&
              sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
    int system = ok                                           ? 0
                 : !db || sqlite3_errcode(db) == SQLITE_NOMEM ? ENOMEM
                                                              : sqlite3_system_errno(db);

    (void)sqlite3_close(db);
    if (!ok)
        errno = system != 0 ? system : EIO;
    return ok;
}

bool sqlite_settle_copy(const char *path)
{
    return header_without_log(path) && remove_mark(path);
}
