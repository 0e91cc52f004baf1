/*
 * ledger/sqlite_sums.c - sums that tell what was written from what a sick disk gives back.
 *
 * SQLite knows a page by its form, not by what it says: of 474 flipped bytes of a small store one
 * changed a text and two let a voter vote twice, and nothing noticed. So each poll keeps a sum of
 * its rows, and one of all that a start reads of it. The latter is compared at each start, the
 * former when the poll's voters are read, before it takes a vote; both by --check-store.
 *
 * Against accidents, not against people: the key is known.
 *
 * Threads: the writer; main while the store opens or is checked.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/siphash.h"
#include "ledger/sqlite.h"

static uint64_t sum(const void *bytes, size_t len)
{
    static const unsigned char key[SIPHASH_KEY_BYTES] = "tallyd's sums: 1";

    return siphash(key, bytes, len);
}

uint64_t sums_row(const struct vote_row *row)
{
    struct {
        uint32_t seq;
        uint32_t replaces;
        uint64_t marks;
        int64_t at_ms;
        uint64_t group;
        uint64_t flags;
        struct voter_hash voter;
    } written = { .seq = row->seq,
                  .replaces = row->replaces,
                  .marks = row->marks,
                  .at_ms = row->at_ms,
                  .group = row->has_address ? row->group : 0,
                  .flags = (row->retracted ? 1U : 0U) | (row->has_address ? 2U : 0U),
                  .voter = row->voter };

    static_assert(sizeof written == 40 + 16, "no bytes between them that nobody sets");
    return sum(&written, sizeof written);
}

uint64_t sums_definition(struct str definition)
{
    return sum(definition.at, definition.len);
}

uint64_t sums_book(const struct book *book)
{
    struct {
        uint64_t number;
        uint64_t definition;
        uint64_t rows;
        uint64_t prefixes;
        uint64_t seq;
        uint64_t voters;
        uint64_t version;
        int64_t updated_at_ms;
        uint64_t phase;
        uint64_t forgotten;
        unsigned char salt[SALT_BYTES];
        uint64_t marks[OPTIONS_MAX];
    } kept = { .number = book->poll->number,
               .definition = book->definition_sum,
               .rows = book->rows_sum,
               .prefixes = (uint64_t)book->poll->prefix_v4 << 32 | book->poll->prefix_v6,
               .seq = book->seq,
               .voters = book->counts.voters,
               .version = book->counts.version,
               .updated_at_ms = book->counts.updated_at_ms,
               .phase = (uint64_t)book->phase,
               .forgotten = book->poll->forgotten };

    static_assert(sizeof kept == 80 + SALT_BYTES + sizeof kept.marks,
                  "no bytes between them that nobody sets");
    if (!book->poll->forgotten)
        memcpy(kept.salt, book->poll->salt, SALT_BYTES);
    memcpy(kept.marks, book->counts.marks, book->poll->n_options * sizeof kept.marks[0]);
    return sum(&kept, sizeof kept - (OPTIONS_MAX - book->poll->n_options) * sizeof kept.marks[0]);
}

uint64_t sums_poll_number(uint64_t number)
{
    return sum(&number, sizeof number);
}

uint64_t sums_live(const struct sqlite_store *store)
{
    uint64_t live = 0;

    for (size_t i = 0; i < store->n_books; i++) {
        const struct book *book = store->books[i];

        if (!book->touched || !book->touched->deleted)
            live += sums_poll_number(book->poll->number);
    }
    return live;
}

enum fault sums_write_live(struct sqlite_store *store)
{
    uint64_t live = sums_live(store);
    int code = sqlite3_bind_blob(store->sql[SQL_LIVE_PUT], 1, &live, sizeof live, SQLITE_TRANSIENT);

    return code == SQLITE_OK ? sql_run(store, SQL_LIVE_PUT) : sql_fault(store, code);
}

static bool cannot_write(const struct sqlite_store *store, struct why *why)
{
    why_set(why, "cannot write the sums of the store %s: %s", store->path,
            sqlite_says(store->db).text);
    return false;
}

/* The sum of a poll's rows as they are now. */
static bool add_rows(struct sqlite_store *store, struct book *book, struct why *why)
{
    sqlite3_stmt *scan = store->sql[SQL_VOTE_SCAN];
    int code = vote_rows_bind(scan, book, 0, book->seq, -1);
    bool can_be = true;
    struct vote_row row;
    char what[POLL_ID_BYTES_MAX + 64];

    book->rows_sum = 0;
    while (can_be && (code == SQLITE_OK || code == SQLITE_ROW)) {
        code = sqlite3_step(scan);
        can_be = code != SQLITE_ROW || vote_row_read(scan, &row);
        if (code == SQLITE_ROW && can_be)
            book->rows_sum += sums_row(&row);
    }
    (void)sqlite3_reset(scan);
    if (code == SQLITE_DONE)
        return true;
    if (can_be)
        return cannot_write(store, why);
    (void)snprintf(what, sizeof what, "a row of poll %s cannot be one", book->poll->id);
    return sqlite_damaged(store, what, why);
}

static bool fill_one(struct sqlite_store *store, struct book *book, struct why *why)
{
    sqlite3_stmt *row = store->sql[SQL_SUMS_PUT];
    int code;

    if (!add_rows(store, book, why))
        return false;
    code = sqlite3_bind_int64(row, 1, (sqlite3_int64)book->poll->number);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(row, 2, (sqlite3_int64)book->rows_sum);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(row, 3, (sqlite3_int64)sums_book(book));
    if (code == SQLITE_OK)
        code = sqlite3_step(row);
    (void)sqlite3_reset(row);
    return code == SQLITE_DONE || cannot_write(store, why);
}

bool sums_fill(struct sqlite_store *store, struct why *reterr_why)
{
    bool ok = sqlite_begin(store, reterr_why);

    for (size_t i = 0; ok && i < store->n_books; i++)
        ok = fill_one(store, store->books[i], reterr_why);
    if (ok && sums_write_live(store) != FAULT_NONE)
        ok = cannot_write(store, reterr_why);
    return ok && sqlite_exec(store->db, "COMMIT", reterr_why);
}
