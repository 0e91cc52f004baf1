/*
 * ledger/check.c - whether a store, or a backup, is what its own rows say.
 *
 * Threads: main, where no daemon runs.
 */
#include "ledger/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/definition.h"
#include "ledger/check_sums.h"
#include "ledger/files.h"
#include "ledger/sqlite.h"
#include "ledger/sqlite_recount.h"

#define PAGES_LINES_MAX "10" /* one damaged page may make thousands */
#define LINE_BYTES_MAX 512

static void db_close(sqlite3 **db)
{
    (void)sqlite3_close(*db);
}

static void statement_close(sqlite3_stmt **statement)
{
    (void)sqlite3_finalize(*statement);
}

#define AUTO_DB __attribute__((cleanup(db_close))) sqlite3 *
#define AUTO_STATEMENT __attribute__((cleanup(statement_close))) sqlite3_stmt *

__attribute__((format(printf, 2, 3))) static void mismatch(struct check *check, const char *format,
                                                           ...)
{
    char line[LINE_BYTES_MAX];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    check->mismatches++;
    check->tell(check->context, line);
}

static bool prepare(sqlite3 *db, const char *sql, uint64_t poll, sqlite3_stmt **ret_statement,
                    struct why *why)
{
    if (sqlite3_prepare_v2(db, sql, -1, ret_statement, NULL) != SQLITE_OK)
        return check_failed(db, why);
    if (sqlite3_bind_parameter_count(*ret_statement) > 0 &&
        sqlite3_bind_int64(*ret_statement, 1, (sqlite3_int64)poll) != SQLITE_OK)
        return check_failed(db, why);
    return true;
}

static bool check_pages(sqlite3 *db, struct check *check, struct why *why)
{
    AUTO_STATEMENT row = NULL;
    int code;

    if (!prepare(db, "PRAGMA integrity_check(" PAGES_LINES_MAX ")", 0, &row, why))
        return false;
    while ((code = sqlite3_step(row)) == SQLITE_ROW) {
        const char *line = (const char *)sqlite3_column_text(row, 0);

        if (sqlite_read_errno(db) != 0)
            return check_failed(db, why); /* that is no damage, or not for certain */
        if (!line || strcmp(line, "ok") != 0)
            mismatch(check, "file: %s", line ? line : "no memory");
    }
    return code == SQLITE_DONE || check_failed(db, why);
}

static bool check_key(sqlite3 *db, const struct keys *keys, struct check *check, struct why *why)
{
    unsigned char fingerprint[KEY_FINGERPRINT_BYTES];
    AUTO_STATEMENT row = NULL;
    int code;

    if (!prepare(db, "SELECT value FROM meta WHERE name = 'key_fingerprint'", 0, &row, why))
        return false;
    code = sqlite3_step(row);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return check_failed(db, why);
    keys_fingerprint(keys, fingerprint);
    if (code == SQLITE_DONE || sqlite3_column_bytes(row, 0) != (int)sizeof fingerprint ||
        memcmp(sqlite3_column_blob(row, 0), fingerprint, sizeof fingerprint) != 0)
        mismatch(check, "key: the key is not the one that these votes were made with; put the keys "
                        "file that belongs to them beside them");
    return true;
}

/* What the tables keep of one poll. */
struct kept {
    const char *id;
    const struct poll *poll;
    struct counts counts;
    int64_t seq;
};

static bool read_tally(sqlite3 *db, struct kept *kept, struct check *check, struct why *why)
{
    AUTO_STATEMENT row = NULL;
    int code;

    if (!prepare(db, "SELECT option, votes FROM tally WHERE poll = ?1", kept->poll->number, &row,
                 why))
        return false;
    while ((code = sqlite3_step(row)) == SQLITE_ROW) {
        int64_t option = sqlite3_column_int64(row, 0);
        int64_t votes = sqlite3_column_int64(row, 1);

        if (option < 1 || option > OPTIONS_MAX || votes < 0)
            mismatch(check,
                     "poll %s: option %" PRId64 " stands at %" PRId64 " votes, which cannot "
                     "be",
                     kept->id, option, votes);
        else
            kept->counts.marks[__builtin_ctzll(ballot_mark((unsigned)option))] = (uint64_t)votes;
    }
    return code == SQLITE_DONE || check_failed(db, why);
}

/* A backup may be older than this tallyd, which brings it to its own version when it starts. */
static const char *recount_sql(sqlite3 *db)
{
    bool by_row = sqlite3_table_column_metadata(db, "main", "vote", "row", NULL, NULL, NULL, NULL,
                                                NULL) == SQLITE_OK;

    return by_row ? SQLITE_RECOUNT : SQLITE_RECOUNT_BEFORE_002;
}

static bool recount_rows(sqlite3 *db, const struct kept *kept, struct recount *recount,
                         struct check *check, struct why *why)
{
    AUTO_STATEMENT scan = NULL;
    const char *wrong = NULL;
    int code;

    if (!prepare(db, recount_sql(db), kept->poll->number, &scan, why) ||
        sqlite3_bind_int64(scan, 2, -1) != SQLITE_OK ||
        sqlite3_bind_int64(scan, 3, UINT32_MAX) != SQLITE_OK ||
        sqlite3_bind_int64(scan, 4, -1) != SQLITE_OK)
        return check_failed(db, why);
    while ((code = sqlite3_step(scan)) == SQLITE_ROW) {
        struct recount_row row;

        if (!sqlite_recount_row(scan, &row, &wrong)) {
            mismatch(check, "poll %s: row %lld %s", kept->id, sqlite3_column_int64(scan, 0), wrong);
            return true;
        }
        recount_add(recount, &row);
    }
    if (code != SQLITE_DONE)
        return check_failed(db, why);
    if (recount->contradicts)
        mismatch(check, "poll %s: row %u %s", kept->id, (unsigned)recount->wrong_seq,
                 recount->wrong);
    return true;
}

static void compare(const struct kept *kept, const struct recount *recount, struct check *check)
{
    if (kept->seq != (int64_t)recount->seq)
        mismatch(check, "poll %s: its newest row is kept as %" PRId64 ", and is %u", kept->id,
                 kept->seq, (unsigned)recount->seq);
    if (kept->counts.voters != recount->counts.voters)
        mismatch(check, "poll %s: %" PRIu64 " votes are kept, its rows give %" PRIu64, kept->id,
                 kept->counts.voters, recount->counts.voters);
    for (size_t i = 0; i < OPTIONS_MAX; i++) {
        if (kept->counts.marks[i] != recount->counts.marks[i])
            mismatch(check, "poll %s: option %zu stands at %" PRIu64 ", its rows give %" PRIu64,
                     kept->id, i + 1, kept->counts.marks[i], recount->counts.marks[i]);
    }
}

/* Some hour has what the rows give: the newest one, unless the clock was set back meanwhile, which
 * nobody can see from here. */
static bool check_hours(sqlite3 *db, const struct kept *kept, const struct recount *recount,
                        struct check *check, struct why *why)
{
    AUTO_STATEMENT row = NULL;

    if (!prepare(db, "SELECT 1 FROM hour WHERE poll = ?1 AND option = ?2 AND votes = ?3 LIMIT 1",
                 kept->poll->number, &row, why))
        return false;
    for (size_t i = 0; i < kept->poll->n_options; i++) {
        uint64_t votes = recount->counts.marks[i] + kept->poll->carried.marks[i];
        int code = sqlite3_bind_int64(row, 2, (sqlite3_int64)i + 1);

        if (code == SQLITE_OK)
            code = sqlite3_bind_int64(row, 3, (sqlite3_int64)votes);
        if (code == SQLITE_OK)
            code = sqlite3_step(row);
        if (code == SQLITE_DONE)
            mismatch(check,
                     "poll %s: option %zu stands at %" PRIu64 ", carried included, and its "
                     "history does not end there",
                     kept->id, i + 1, votes);
        else if (code != SQLITE_ROW)
            return check_failed(db, why);
        (void)sqlite3_reset(row);
    }
    return true;
}

static bool check_poll(sqlite3 *db, sqlite3_stmt *row, struct check *check, struct why *why)
{
    const struct str definition = { sqlite3_column_blob(row, 2),
                                    (size_t)sqlite3_column_bytes(row, 2) };
    AUTO(poll) poll = definition_load(definition, NULL);
    struct recount recount = { .seq = 0 };
    const char *wrong = NULL;
    struct kept kept = { .id = (const char *)sqlite3_column_text(row, 1),
                         .poll = poll,
                         .seq = sqlite3_column_int64(row, 3),
                         .counts = { .voters = (uint64_t)sqlite3_column_int64(row, 4) } };

    if (!kept.id)
        return check_failed(NULL, why);
    if (!poll) {
        mismatch(check, "poll %s: its definition cannot be read", kept.id);
        return true;
    }
    if (strcmp(poll->id, kept.id) != 0) {
        mismatch(check, "poll %s: its definition is that of poll %s", kept.id, poll->id);
        return true;
    }
    poll->number = (uint64_t)sqlite3_column_int64(row, 0);
    if (!read_tally(db, &kept, check, why) || !recount_rows(db, &kept, &recount, check, why))
        return false;
    compare(&kept, &recount, check);
    if (!check_hours(db, &kept, &recount, check, why) ||
        !check_sums(db, poll->number, &kept.counts, &wrong, why))
        return false;
    if (wrong)
        mismatch(check, "poll %s: %s", kept.id, wrong);
    check->polls++;
    check->votes += kept.counts.voters;
    return true;
}

static bool check_polls(sqlite3 *db, struct check *check, struct why *why)
{
    AUTO_STATEMENT row = NULL;
    bool differs;
    int code;

    if (!check_live(db, &differs, why))
        return false;
    if (differs)
        mismatch(check, "polls: one is missing, or one is too many");
    if (!prepare(db,
                 "SELECT poll, id, definition, seq, voters FROM poll "
                 "WHERE deleted_at IS NULL ORDER BY poll",
                 0, &row, why))
        return false;
    while ((code = sqlite3_step(row)) == SQLITE_ROW) {
        if (!check_poll(db, row, check, why))
            return false;
    }
    return code == SQLITE_DONE || check_failed(db, why);
}

static bool cut_off(const char *path, struct why *why)
{
    why_set(why,
            "the store %s was cut off at its very first start; start tallyd, which recovers it",
            path);
    return false;
}

/* Made, but not brought to its first version yet, or not given its key: sqlite_create.c. */
static bool is_begun(sqlite3 *db, struct why *why)
{
    static const char *const sql[] = {
        "SELECT user_version > 0 OR EXISTS (SELECT 1 FROM sqlite_schema) FROM pragma_user_version",
        "SELECT EXISTS (SELECT 1 FROM meta WHERE name = 'epoch') OR EXISTS (SELECT 1 FROM poll)"
    };

    for (size_t i = 0; i < sizeof sql / sizeof sql[0]; i++) {
        AUTO_STATEMENT row = NULL;

        if (!prepare(db, sql[i], 0, &row, why) || sqlite3_step(row) != SQLITE_ROW)
            return check_failed(db, why);
        if (sqlite3_column_int(row, 0) == 0)
            return cut_off(sqlite3_db_filename(db, "main"), why);
    }
    return true;
}

/* What is counted on damaged pages says nothing. */
static bool check_all(sqlite3 *db, const struct keys *keys, struct check *check, struct why *why)
{
    if (!check_pages(db, check, why))
        return false;
    return check->mismatches > 0 ||
           (is_begun(db, why) && check_key(db, keys, check, why) && check_polls(db, check, why));
}

static bool open_unchanging(const char *path, sqlite3 **ret_db, struct why *why)
{
    return sqlite_open_unchanging(path, ret_db) || check_failed(*ret_db, why);
}

/* The lock in memory, so that no -shm is made; and closing it is no checkpoint. */
static bool open_with_log(const char *path, sqlite3 **ret_db, struct why *why)
{
    if (sqlite3_open_v2(path, ret_db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                        NULL) == SQLITE_OK &&
        sqlite3_db_config(*ret_db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) == SQLITE_OK)
        return sqlite_exec(*ret_db, "PRAGMA locking_mode = EXCLUSIVE", why) &&
               sqlite_exec(*ret_db, "PRAGMA query_only = ON", why) &&
               sqlite_exec(*ret_db, "PRAGMA wal_autocheckpoint = 0", why);
    return check_failed(*ret_db, why);
}

static bool is_there(const char *path, struct why *why)
{
    struct stat file;

    if (stat(path, &file) < 0) {
        why_set(why, "cannot open %s: %s; name a file that is there and that this user may read",
                path, strerror(errno));
        return false;
    }
    if (S_ISREG(file.st_mode) && file.st_size > 0)
        return true;
    why_set(why, "%s is no store of tallyd and no backup of one: it is %s", path,
            S_ISREG(file.st_mode) ? "empty" : "no file");
    return false;
}

static bool check_locked(const char *path, const struct keys *keys, struct check *check,
                         struct why *why)
{
    AUTO_DB db = NULL;
    int64_t journal;
    int64_t log;

    if (!sqlite_file_ok(path, sqlite_newest_migration(), why) ||
        !sqlite_look_beside(path, "-journal", &journal, why) ||
        !sqlite_look_beside(path, "-wal", &log, why))
        return false;
    if (journal > 0)
        return cut_off(path, why);
    if (!sqlite_log_not_lost(path, why) || !sqlite_log_ok(path, why))
        return false;
    if (log > 0 ? !open_with_log(path, &db, why) : !open_unchanging(path, &db, why))
        return false;
    return check_all(db, keys, check, why);
}

bool check_store(const char *path, const struct keys *keys, struct check *check,
                 struct why *reterr_why)
{
    AUTO_FD lock = -1;

    if (!is_there(path, reterr_why))
        return false;
    lock = sqlite_lock(path, reterr_why);
    return lock >= 0 && check_locked(path, keys, check, reterr_why);
}

bool check_is_backup(const char *path, struct why *reterr_why)
{
    int64_t journal;
    int64_t log;

    if (!is_there(path, reterr_why) ||
        !sqlite_file_ok(path, sqlite_newest_migration(), reterr_why) ||
        !sqlite_look_beside(path, "-journal", &journal, reterr_why) ||
        !sqlite_look_beside(path, "-wal", &log, reterr_why))
        return false;
    if (journal <= 0 && log <= 0)
        return true;
    why_set(reterr_why,
            "%s has a log beside it: it is a store, or half of a copied one, and no backup; use a "
            "file that tally backup made",
            path);
    return false;
}

bool check_backup(const char *path, const struct keys *keys, struct check *check,
                  struct why *reterr_why)
{
    AUTO_DB db = NULL;

    return check_is_backup(path, reterr_why) && sqlite_copy_is_whole(path, reterr_why) &&
           open_unchanging(path, &db, reterr_why) && check_all(db, keys, check, reterr_why);
}
