/*
 * ledger/sqlite_load.c - what a start reads: polls and their counts, not their voters.
 *
 * Threads: main, while the store opens.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/definition.h"
#include "ledger/sqlite.h"

#define NO_MEMORY "no memory" /* as definition_load() says it too */

/* Want of memory is neither damage nor a reason to restore an older ledger. */
static void no_memory(const struct sqlite_store *store, struct why *why)
{
    why_set(why, "no memory to read the store %s; nothing is wrong with it, start again",
            store->path);
}

bool sqlite_lacks_memory(const struct sqlite_store *store, struct why *why)
{
    if (sqlite3_errcode(store->db) != SQLITE_NOMEM)
        return false;
    no_memory(store, why);
    return true;
}

bool sqlite_damaged(const struct sqlite_store *store, const char *what, struct why *why)
{
    if (!sqlite_lacks_memory(store, why))
        why_set(why,
                "the store %s is damaged: %s; see what tallyd --check-store says, and restore a "
                "backup (tallyd --restore)",
                store->path, what);
    return false;
}

static bool unreadable(const struct sqlite_store *store, struct why *why)
{
    if (!sqlite_lacks_memory(store, why))
        why_set(why, "cannot read the store %s: %s", store->path, sqlite_says(store->db).text);
    return false;
}

static bool meta_put(struct sqlite_store *store, const char *name, const void *value, int len,
                     struct why *why)
{
    sqlite3_stmt *statement = NULL;
    bool ok = sqlite3_prepare_v2(store->db, "INSERT INTO meta (name, value) VALUES (?1, ?2)", -1,
                                 &statement, NULL) == SQLITE_OK &&
              sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC) == SQLITE_OK &&
              sqlite3_bind_blob(statement, 2, value, len, SQLITE_STATIC) == SQLITE_OK &&
              sqlite3_step(statement) == SQLITE_DONE;

    if (!ok)
        why_set(why, "cannot write to the store %s: %s", store->path, sqlite_says(store->db).text);
    (void)sqlite3_finalize(statement);
    return ok;
}

/* Copies exactly `len` bytes. *ret_found false: there is no such row. */
static bool meta_get(struct sqlite_store *store, const char *name, void *ret, int len,
                     bool *ret_found, struct why *why)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(store->db, "SELECT value FROM meta WHERE name = ?1", -1,
                                  &statement, NULL);
    bool ok;

    if (code == SQLITE_OK)
        code = sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    *ret_found = code == SQLITE_ROW;
    ok = code == SQLITE_ROW || code == SQLITE_DONE;
    if (code == SQLITE_ROW) {
        const void *value = sqlite3_column_blob(statement, 0);

        ok = value && sqlite3_column_bytes(statement, 0) == len;
        if (ok)
            memcpy(ret, value, (size_t)len);
    }
    if (!ok && code == SQLITE_ROW)
        sqlite_damaged(store, "its meta table cannot be read", why);
    else if (!ok)
        unreadable(store, why);
    (void)sqlite3_finalize(statement);
    return ok;
}

/* A start that finds the first ends what a crash left (sqlite_scrub.c). */
static bool load_marks(struct sqlite_store *store, struct why *why)
{
    char mark;

    return meta_get(store, "forgets", &mark, 1, &store->log_remembers, why) &&
           meta_get(store, "log", &mark, 1, &store->marked, why);
}

static bool load_meta(struct sqlite_store *store, struct why *why)
{
    unsigned char fingerprint[KEY_FINGERPRINT_BYTES];
    unsigned char stored[KEY_FINGERPRINT_BYTES];
    bool found;

    keys_fingerprint(store->keys, fingerprint);
    if (!meta_get(store, "epoch", &store->epoch, sizeof store->epoch, &found, why))
        return false;
    if (!found) {
        store->random(&store->epoch, sizeof store->epoch);
        return sqlite_begin(store, why) &&
               meta_put(store, "epoch", &store->epoch, sizeof store->epoch, why) &&
               meta_put(store, "key_fingerprint", fingerprint, sizeof fingerprint, why) &&
               sqlite_exec(store->db, "COMMIT", why);
    }
    if (!meta_get(store, "key_fingerprint", stored, sizeof stored, &found, why))
        return false;
    if (found && memcmp(stored, fingerprint, sizeof stored) == 0)
        return load_marks(store, why);
    why_set(why,
            "the keys are not those of the store %s; restore the keys file that belongs to "
            "it: with another key everybody could vote twice",
            store->path);
    return false;
}

static struct str column_str(sqlite3_stmt *row, int column)
{
    const void *at = sqlite3_column_blob(row, column);

    return (struct str){ at, (size_t)sqlite3_column_bytes(row, column) };
}

struct book *sqlite_read_book(sqlite3_stmt *row, struct why *reterr_why)
{
    AUTO(book) book = calloc(1, sizeof *book);
    struct str salt;

    if (!book)
        return why_set(reterr_why, NO_MEMORY);
    book->poll = definition_load(column_str(row, 1), reterr_why);
    if (!book->poll)
        return NULL;
    if (!str_eq(column_str(row, 10), str_of(book->poll->id)))
        return why_set(reterr_why, "a poll has two ids");
    book->poll->number = (uint64_t)sqlite3_column_int64(row, 0);
    salt = column_str(row, 2);
    book->poll->forgotten = salt.len != SALT_BYTES;
    if (!book->poll->forgotten)
        memcpy(book->poll->salt, salt.at, SALT_BYTES);
    book->poll->prefix_v4 = (unsigned)sqlite3_column_int(row, 3);
    book->poll->prefix_v6 = (unsigned)sqlite3_column_int(row, 4);
    book->seq = (uint32_t)sqlite3_column_int64(row, 5);
    book->counts.voters = (uint64_t)sqlite3_column_int64(row, 6);
    book->counts.version = (uint64_t)sqlite3_column_int64(row, 7);
    book->counts.updated_at_ms = sqlite3_column_int64(row, 8);
    book->phase = (enum poll_phase)sqlite3_column_int(row, 9);
    book->definition_sum = sums_definition(column_str(row, 1));
    book->rows_sum = (uint64_t)sqlite3_column_int64(row, 11);
    book->stored_sum = (uint64_t)sqlite3_column_int64(row, 12);
    book->has_sums = sqlite3_column_type(row, 12) != SQLITE_NULL;
    return TAKE(book);
}

static bool load_books(struct sqlite_store *store, struct why *why)
{
    static const char sql[] =
        "SELECT " BOOK_COLUMNS " FROM poll WHERE deleted_at IS NULL ORDER BY poll";
    struct why cause = { .text = "" };
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL);
    bool ok = true;

    if (code != SQLITE_OK)
        return unreadable(store, why);
    while (ok && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        AUTO(book) book = sqlite_read_book(statement, &cause);

        if (!book && strcmp(cause.text, NO_MEMORY) == 0)
            no_memory(store, why);
        else if (!book)
            sqlite_damaged(store, cause.text, why);
        ok = book != NULL;
        if (ok && store->n_books > 0 &&
            store->books[store->n_books - 1]->poll->number >= book->poll->number)
            ok = sqlite_damaged(store, "its polls are not in order", why);
        if (ok && !book_add(store, book))
            ok = why_set(why, "no memory") != NULL;
        if (ok)
            (void)TAKE(book);
    }
    (void)sqlite3_finalize(statement);
    if (ok && code != SQLITE_DONE)
        return unreadable(store, why);
    return ok;
}

static bool load_last_number(struct sqlite_store *store, struct why *why)
{
    sqlite3_stmt *statement = NULL;
    bool ok = sqlite3_prepare_v2(store->db, "SELECT coalesce(max(poll), 0) FROM poll", -1,
                                 &statement, NULL) == SQLITE_OK &&
              sqlite3_step(statement) == SQLITE_ROW;

    if (ok)
        store->last_number = (uint64_t)sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return ok || unreadable(store, why);
}

static bool load_tally_row(struct sqlite_store *store, sqlite3_stmt *row, struct why *why)
{
    struct book *book = book_find(store, (uint64_t)sqlite3_column_int64(row, 0));
    int64_t option = sqlite3_column_int64(row, 1);
    int64_t votes = sqlite3_column_int64(row, 2);

    if (!book)
        return true; /* of a deleted poll */
    if (option < 1 || (uint64_t)option > OPTIONS_MAX || votes < 0)
        return sqlite_damaged(store, "a tally has an impossible row", why);
    book->counts.marks[ballot_index((unsigned)option)] = (uint64_t)votes;
    return true;
}

static bool load_tallies(struct sqlite_store *store, struct why *why)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(store->db, "SELECT poll, option, votes FROM tally", -1,
                                  &statement, NULL);
    bool ok = true;

    if (code != SQLITE_OK)
        return unreadable(store, why);
    while (ok && (code = sqlite3_step(statement)) == SQLITE_ROW)
        ok = load_tally_row(store, statement, why);
    (void)sqlite3_finalize(statement);
    if (ok && code != SQLITE_DONE)
        return unreadable(store, why);
    return ok;
}

/* Stated before each commit too: the options sum to the votes. */
static bool sums_agree(const struct book *book)
{
    uint64_t marks = 0;

    for (size_t i = 0; i < OPTIONS_MAX; i++)
        marks += book->counts.marks[i];
    if (book->poll->max_choices == 1)
        return marks == book->counts.voters;
    return marks >= book->counts.voters;
}

/* The newest row of the ledger is the one that the poll's row names: a look at one key. */
static bool rows_agree(struct sqlite_store *store, const struct book *book, bool *ret_agree,
                       struct why *why)
{
    sqlite3_stmt *statement = NULL;
    bool ok = sqlite3_prepare_v2(store->db,
                                 "SELECT coalesce(max(row), 0) & 4294967295 FROM vote "
                                 "WHERE row > ?1 << 32 AND row <= (?1 << 32) + 4294967295",
                                 -1, &statement, NULL) == SQLITE_OK &&
              sqlite3_bind_int64(statement, 1, (sqlite3_int64)book->poll->number) == SQLITE_OK &&
              sqlite3_step(statement) == SQLITE_ROW;

    *ret_agree = ok && sqlite3_column_int64(statement, 0) == (sqlite3_int64)book->seq;
    (void)sqlite3_finalize(statement);
    return ok || unreadable(store, why);
}

/* All that was read is as it was written; where there are sums, which there are behind the first
 * start, and then for every poll. */
static bool sums_agree_with(struct sqlite_store *store, bool with_sums, struct why *why)
{
    for (size_t i = 0; i < store->n_books; i++) {
        const struct book *book = store->books[i];

        if (book->has_sums == with_sums && (!with_sums || book->stored_sum == sums_book(book)))
            continue;
        why_set(why,
                "the store %s is damaged: poll %s is not as it was written; see what tallyd "
                "--check-store says, and restore a backup (tallyd --restore)",
                store->path, book->poll->id);
        return false;
    }
    return true;
}

static bool check_sums(struct sqlite_store *store, struct why *why)
{
    uint64_t live;
    bool found;

    if (!meta_get(store, "live", &live, sizeof live, &found, why) ||
        !sums_agree_with(store, found, why))
        return false;
    if (!found)
        return sums_fill(store, why);
    return live == sums_live(store) ||
           sqlite_damaged(store, "a poll is missing, or one too many", why);
}

static bool check_books(struct sqlite_store *store, struct why *why)
{
    char what[POLL_ID_BYTES_MAX + 64];

    for (size_t i = 0; i < store->n_books; i++) {
        const struct book *book = store->books[i];
        bool agree;

        if (!rows_agree(store, book, &agree, why))
            return false;
        if (agree && sums_agree(book) && counts_fit(book->poll, &book->counts))
            continue;
        (void)snprintf(what, sizeof what, "the tally of poll %s is not that of its votes",
                       book->poll->id);
        return sqlite_damaged(store, what, why);
    }
    return true;
}

static bool show(struct sqlite_store *store, struct why *why)
{
    for (size_t i = 0; i < store->n_books; i++) {
        struct book *book = store->books[i];

        book->published = published_new(book->poll, &book->counts, book->phase, store->epoch);
        if (!book->published || !board_publish(store->board, published_ref(book->published))) {
            why_set(why, "no memory for the board");
            return false;
        }
    }
    return true;
}

bool sqlite_load(struct sqlite_store *store, struct why *reterr_why)
{
    return load_meta(store, reterr_why) && load_last_number(store, reterr_why) &&
           load_books(store, reterr_why) && load_tallies(store, reterr_why) &&
           check_books(store, reterr_why) && check_sums(store, reterr_why) &&
           show(store, reterr_why);
}
