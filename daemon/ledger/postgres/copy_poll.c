/*
 * ledger/postgres/copy_poll.c - one poll on its way from SQLite.
 *
 * Rows go in slices, each a transaction with the voters whose newest rows are in it: the newest row
 * that has arrived tells where to go on. The poll itself comes last, so that it is there when and
 * only when all of it is.
 *
 * Threads: main.
 */
#include "ledger/postgres/copy_poll.h"

#include <string.h>

#include "core/definition.h"
#include "ledger/postgres/votes_rows.h"

#define SLICE_ROWS 20000

bool copy_flush(struct link *to, struct why *reterr_why)
{
    if (link_flush(to, link_now_ms() + COPY_WAIT_MS) == LINK_DONE)
        return true;
    return why_set(reterr_why, "the target does not take it: %s; run it again to go on",
                   link_why(to)) != NULL;
}

/* Who has voted, by the store's own reading of its rows. */
static bool load_voters(struct sqlite_store *from, struct book *book)
{
    if (book->poll->forgotten || book->seq == 0)
        return true;
    book->loading = true;
    book->loaded_seq = 0;
    from->n_loading++;
    while (book->loading) {
        if (voters_load_slice(from, book) != FAULT_NONE)
            return false;
    }
    return true;
}

/* *ret_there: the poll has arrived. *ret_seq: the newest of its rows that has. */
static bool find_progress(const struct book *book, struct link *to, bool *ret_there,
                          uint32_t *ret_seq, struct why *why)
{
    struct values values = { .n = 0 };

    values_int(&values, (int64_t)book->poll->number);
    link_queue(to,
               "SELECT (SELECT count(*) FROM poll WHERE poll = $1), "
               "coalesce((SELECT v.seq FROM vote v WHERE v.poll = $1 ORDER BY v.seq DESC LIMIT 1), "
               "0)",
               &values);
    if (!copy_flush(to, why))
        return false;
    *ret_there = value_int(link_get(to, 0), 0, 0) > 0;
    *ret_seq = (uint32_t)value_int(link_get(to, 0), 0, 1);
    return true;
}

static void add_row(struct vote_rows *rows, const struct book *book, const struct vote_row *row,
                    bool newest)
{
    struct ledger_row out = { .poll = book->poll->number,
                              .seq = row->seq,
                              .at_ms = book->poll->created_at_ms + row->at_ms,
                              .voter = row->voter,
                              .retracted = row->retracted,
                              .marks = row->marks,
                              .replaces = row->replaces,
                              .has_address = row->has_address,
                              .group = row->group };

    vote_rows_add(rows, &out);
    if (!newest)
        return;
    vote_rows_voter(rows, &(struct voter_key){ .poll = out.poll,
                                               .voter = out.voter,
                                               .found = true,
                                               .standing = { .seq = out.seq,
                                                             .at_ms = out.at_ms,
                                                             .marks = out.marks,
                                                             .has_address = out.has_address,
                                                             .address_group = out.group } });
}

/* *ret_seq: the last one that was read; unchanged: there are no more. */
static bool read_slice(struct sqlite_store *from, const struct book *book, struct vote_rows *rows,
                       uint32_t *ret_seq, struct why *why)
{
    sqlite3_stmt *scan = from->sql[SQL_VOTE_SCAN];
    int code = vote_rows_bind(scan, book, *ret_seq, book->seq, SLICE_ROWS);
    struct vote_row row;

    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(scan);
        if (code != SQLITE_ROW)
            break;
        if (!vote_row_read(scan, &row)) {
            code = SQLITE_CORRUPT;
            break;
        }
        add_row(rows, book, &row, book->voters && book_holds(book, &row.voter, row.seq));
        *ret_seq = row.seq;
    }
    (void)sqlite3_reset(scan);
    if (code == SQLITE_DONE)
        return true;
    return why_set(why, "poll %s cannot be read: %s", book->poll->id, sqlite3_errstr(code)) != NULL;
}

/* *seq: the newest row that has arrived, so far as is known. */
static bool copy_rows(struct copy *copy, struct sqlite_store *from, const struct book *book,
                      struct link *to, uint32_t *seq, struct why *why)
{
    struct vote_rows rows = { .vote = { { .n = 0 } } };
    bool ok = true;

    while (ok && *seq < book->seq) {
        uint32_t last = *seq;

        vote_rows_clear(&rows);
        ok = read_slice(from, book, &rows, &last, why);
        if (ok && last == *seq)
            ok = why_set(why, "poll %s has fewer rows than it should", book->poll->id) != NULL;
        if (!ok)
            break;
        link_queue(to, "BEGIN", NULL);
        vote_rows_queue(&rows, to);
        link_queue(to, "COMMIT", NULL);
        ok = copy_flush(to, why);
        if (!ok)
            break;
        copy->rows += last - *seq;
        *seq = last;
        copy->tell(copy->context, copy->rows);
    }
    vote_rows_free(&rows);
    return ok;
}

static void queue_poll(const struct book *book, struct link *to, struct str definition)
{
    const struct poll *poll = book->poll;
    struct values values = { .n = 0 };

    values_int(&values, (int64_t)poll->number);
    values_text(&values, str_of(poll->id));
    values_text(&values, definition);
    values_bytes(&values, poll->forgotten
                              ? (struct str){ NULL, 0 }
                              : (struct str){ (const char *)poll->salt, sizeof poll->salt });
    values_int(&values, poll->prefix_v4);
    values_int(&values, poll->prefix_v6);
    link_queue(to,
               "INSERT INTO poll (poll, id, definition, salt, prefix_v4, prefix_v6) "
               "VALUES ($1, $2, $3, $4, $5, $6)",
               &values);
}

static void queue_tally(const struct book *book, struct link *to, struct column *marks)
{
    struct values values = { .n = 0 };

    for (size_t i = 0; i < book->poll->n_options; i++)
        column_int(marks, (int64_t)book->counts.marks[i]);
    values_int(&values, (int64_t)book->poll->number);
    values_int(&values, (int64_t)book->poll->revision);
    values_int(&values, book->poll->forgotten);
    values_int(&values, (int64_t)book->phase);
    values_int(&values, book->seq);
    values_int(&values, (int64_t)book->counts.voters);
    values_int(&values, (int64_t)book->counts.version);
    values_int(&values, book->counts.updated_at_ms);
    values_ints(&values, marks);
    link_queue(
        to,
        "INSERT INTO tally (poll, revision, deleted, forgotten, phase, seq, voters, version, "
        "updated_at, marks, touched) "
        "VALUES ($1, $2, false, $3 <> 0, $4, $5, $6, $7, $8, $9, pg_current_xact_id())",
        &values);
}

static void queue_addresses(const struct book *book, struct link *to)
{
    struct values values = { .n = 0 };

    if (book->poll->per_address == 0)
        return;
    values_int(&values, (int64_t)book->poll->number);
    link_queue(to, COUNT_ADDRESSES, &values);
}

struct hours_columns {
    struct column at[4];
};

static bool queue_hours(struct sqlite_store *from, const struct book *book, struct link *to,
                        struct hours_columns *hours, struct why *why)
{
    struct values values = { .n = 0 };
    sqlite3_stmt *rows = NULL;
    int code = sqlite3_prepare_v2(from->db, "SELECT hour, option, votes FROM hour WHERE poll = ?1",
                                  -1, &rows, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(rows, 1, (sqlite3_int64)book->poll->number);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(rows);
        if (code != SQLITE_ROW)
            break;
        column_int(&hours->at[0], (int64_t)book->poll->number);
        for (int i = 0; i < 3; i++)
            column_int(&hours->at[i + 1], sqlite3_column_int64(rows, i));
    }
    (void)sqlite3_finalize(rows);
    if (code != SQLITE_DONE)
        return why_set(why, "hours of poll %s cannot be read", book->poll->id) != NULL;
    for (size_t i = 0; i < 4; i++)
        values_ints(&values, &hours->at[i]);
    link_queue(to,
               "INSERT INTO hour (poll, hour, option, votes) SELECT * FROM unnest($1, $2, $3, $4)",
               &values);
    return true;
}

static bool copy_head(struct sqlite_store *from, const struct book *book, struct link *to,
                      struct why *why)
{
    AUTO_BUF definition = { 0 };
    struct column marks = { .n = 0 };
    struct hours_columns hours = { .at = { { .n = 0 } } };
    bool ok;

    definition_store(book->poll, &definition);
    if (!buf_ok(&definition))
        return why_set(why, "no memory") != NULL;
    link_queue(to, "BEGIN", NULL);
    queue_poll(book, to, buf_str(&definition));
    queue_tally(book, to, &marks);
    queue_addresses(book, to);
    ok = queue_hours(from, book, to, &hours, why);
    if (ok) {
        link_queue(to, "COMMIT", NULL);
        ok = copy_flush(to, why);
    }
    column_free(&marks);
    for (size_t i = 0; i < 4; i++)
        column_free(&hours.at[i]);
    return ok;
}

/* The counts once more, from the rows that arrived. */
static bool check(const struct book *book, struct link *to, struct why *why)
{
    struct counts counts = { .version = 0 };
    struct values values = { .n = 0 };
    const PGresult *groups;

    values_int(&values, (int64_t)book->poll->number);
    link_queue(to,
               "SELECT v.options, count(*) FROM vote v WHERE v.poll = $1 AND v.options <> 0 AND "
               "NOT EXISTS (SELECT FROM vote r WHERE r.poll = v.poll AND r.replaces = v.seq) "
               "GROUP BY v.options",
               &values);
    if (!copy_flush(to, why))
        return false;
    groups = link_get(to, 0);
    for (int i = 0; i < pq.PQntuples(groups); i++) {
        uint64_t marks = (uint64_t)value_int(groups, i, 0);
        uint64_t n = (uint64_t)value_int(groups, i, 1);

        counts.voters += n;
        for (; marks != 0; marks &= marks - 1)
            counts.marks[__builtin_ctzll(marks)] += n;
    }
    if (counts.voters == book->counts.voters &&
        memcmp(counts.marks, book->counts.marks, sizeof counts.marks) == 0)
        return true;
    return why_set(
               why,
               "poll %s: what arrived is not its tally; drop the target database, make it anew, "
               "and copy again",
               book->poll->id) != NULL;
}

/* Rows behind *seq, and then the poll. */
static bool copy_behind(struct copy *copy, struct sqlite_store *from, const struct book *book,
                        struct link *to, uint32_t *seq, struct why *why)
{
    return copy_rows(copy, from, book, to, seq, why) && copy_head(from, book, to, why);
}

/* The same; and where a copy that was stopped still had a slice under way, which has arrived by
 * now, whatever is behind that. */
static bool copy_rest(struct copy *copy, struct sqlite_store *from, const struct book *book,
                      struct link *to, uint32_t seq, struct why *why)
{
    bool there = false;
    uint32_t arrived = 0;

    if (copy_behind(copy, from, book, to, &seq, why))
        return true;
    if (!link_is_up(to))
        return false;
    link_roll_back(to);
    if (!find_progress(book, to, &there, &arrived, why))
        return false;
    return there || (arrived > seq && copy_behind(copy, from, book, to, &arrived, why));
}

bool copy_poll(struct copy *copy, struct sqlite_store *from, struct book *book, struct link *to,
               struct why *reterr_why)
{
    bool there;
    uint32_t seq;

    if (!find_progress(book, to, &there, &seq, reterr_why))
        return false;
    if (!there) {
        if (!load_voters(from, book))
            return why_set(reterr_why, "voters of poll %s cannot be read", book->poll->id) != NULL;
        if (!copy_rest(copy, from, book, to, seq, reterr_why))
            return false;
        book_drop_sets(book);
    }
    copy->polls++;
    copy->votes += book->counts.voters;
    return check(book, to, reterr_why);
}
