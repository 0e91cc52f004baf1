/*
 * ledger/postgres/votes_rows.c - the rows that a batch of votes adds, as columns.
 *
 * Threads: the writer.
 */
#include "ledger/postgres/votes_rows.h"

#define COLUMNS(list) (sizeof(list) / sizeof(list)[0])

static void each(struct vote_rows *rows, void (*call)(struct column *column))
{
    for (size_t i = 0; i < COLUMNS(rows->vote); i++)
        call(&rows->vote[i]);
    for (size_t i = 0; i < COLUMNS(rows->voter); i++)
        call(&rows->voter[i]);
    for (size_t i = 0; i < COLUMNS(rows->gone); i++)
        call(&rows->gone[i]);
    for (size_t i = 0; i < COLUMNS(rows->address); i++)
        call(&rows->address[i]);
}

void vote_rows_clear(struct vote_rows *rows)
{
    each(rows, column_clear);
}

void vote_rows_free(struct vote_rows *rows)
{
    each(rows, column_free);
}

static void int_or_null(struct column *column, bool there, int64_t value)
{
    if (there)
        column_int(column, value);
    else
        column_null(column);
}

void vote_rows_add(struct vote_rows *rows, const struct ledger_row *row)
{
    column_int(&rows->vote[0], (int64_t)row->poll);
    column_int(&rows->vote[1], row->seq);
    column_int(&rows->vote[2], row->at_ms);
    column_hash(&rows->vote[3], &row->voter);
    int_or_null(&rows->vote[4], !row->retracted, (int64_t)row->marks);
    int_or_null(&rows->vote[5], row->replaces > 0, row->replaces);
    int_or_null(&rows->vote[6], row->has_address, (int64_t)row->group);
}

void vote_rows_voter(struct vote_rows *rows, const struct voter_key *voter)
{
    const struct standing *standing = &voter->standing;

    if (!voter->found) {
        column_int(&rows->gone[0], (int64_t)voter->poll);
        column_hash(&rows->gone[1], &voter->voter);
        return;
    }
    column_int(&rows->voter[0], (int64_t)voter->poll);
    column_hash(&rows->voter[1], &voter->voter);
    column_int(&rows->voter[2], standing->seq);
    column_int(&rows->voter[3], standing->at_ms);
    column_int(&rows->voter[4], (int64_t)standing->marks);
    int_or_null(&rows->voter[5], standing->has_address, (int64_t)standing->address_group);
}

void vote_rows_address(struct vote_rows *rows, uint64_t poll, uint64_t group, int64_t more)
{
    column_int(&rows->address[0], (int64_t)poll);
    column_int(&rows->address[1], (int64_t)group);
    column_int(&rows->address[2], more);
}

static void queue_votes(struct vote_rows *rows, struct link *link)
{
    struct values values = { .n = 0 };

    for (size_t i = 0; i < COLUMNS(rows->vote); i++) {
        if (i == 3)
            values_hashes(&values, &rows->vote[i]);
        else
            values_ints(&values, &rows->vote[i]);
    }
    link_queue(link,
               "INSERT INTO vote (poll, seq, at, voter, options, replaces, address) "
               "SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)",
               &values);
}

static void queue_voters(struct vote_rows *rows, struct link *link)
{
    struct values values = { .n = 0 };

    for (size_t i = 0; i < COLUMNS(rows->voter); i++) {
        if (i == 1)
            values_hashes(&values, &rows->voter[i]);
        else
            values_ints(&values, &rows->voter[i]);
    }
    link_queue(link,
               "INSERT INTO voter (poll, voter, seq, at, options, address) "
               "SELECT * FROM unnest($1, $2, $3, $4, $5, $6) "
               "ON CONFLICT (poll, voter) DO UPDATE SET seq = excluded.seq, at = excluded.at, "
               "options = excluded.options, address = excluded.address",
               &values);
}

static void queue_gone(struct vote_rows *rows, struct link *link)
{
    struct values values = { .n = 0 };

    values_ints(&values, &rows->gone[0]);
    values_hashes(&values, &rows->gone[1]);
    link_queue(link,
               "DELETE FROM voter v USING unnest($1, $2) AS u(poll, voter) "
               "WHERE v.poll = u.poll AND v.voter = u.voter",
               &values);
}

static void queue_addresses(struct vote_rows *rows, struct link *link)
{
    struct values values = { .n = 0 };

    for (size_t i = 0; i < COLUMNS(rows->address); i++)
        values_ints(&values, &rows->address[i]);
    link_queue(link,
               "INSERT INTO address AS a (poll, address, votes) "
               "SELECT u.poll, u.address, sum(u.more)::bigint "
               "FROM unnest($1, $2, $3) AS u(poll, address, more) GROUP BY u.poll, u.address "
               "ON CONFLICT (poll, address) DO UPDATE SET votes = a.votes + excluded.votes",
               &values);
}

void vote_rows_queue(struct vote_rows *rows, struct link *link)
{
    if (rows->vote[0].n > 0)
        queue_votes(rows, link);
    if (rows->voter[0].n > 0)
        queue_voters(rows, link);
    if (rows->gone[0].n > 0)
        queue_gone(rows, link);
    if (rows->address[0].n > 0)
        queue_addresses(rows, link);
}
