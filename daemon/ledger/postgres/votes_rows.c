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
    for (size_t i = 0; i < COLUMNS(rows->fresh); i++)
        call(&rows->fresh[i]);
    for (size_t i = 0; i < COLUMNS(rows->changed); i++)
        call(&rows->changed[i]);
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
    struct column *columns = voter->has_row ? rows->changed : rows->fresh;

    if (!voter->found) {
        column_int(&rows->gone[0], (int64_t)voter->poll);
        column_hash(&rows->gone[1], &voter->voter);
        return;
    }
    column_int(&columns[0], (int64_t)voter->poll);
    column_hash(&columns[1], &voter->voter);
    column_int(&columns[2], standing->seq);
    column_int(&columns[3], standing->at_ms);
    column_int(&columns[4], (int64_t)standing->marks);
    int_or_null(&columns[5], standing->has_address, (int64_t)standing->address_group);
}

void vote_rows_address(struct vote_rows *rows, uint64_t poll, uint64_t group, int64_t more)
{
    column_int(&rows->address[0], (int64_t)poll);
    column_int(&rows->address[1], (int64_t)group);
    column_int(&rows->address[2], more);
}

#define NO_HASHES SIZE_MAX

/* A statement about rows, where there are any; one column may hold hashes. */
static void queue(struct link *link, const char *sql, struct column *columns, size_t n,
                  size_t hashes)
{
    struct values values = { .n = 0 };

    if (columns[0].n == 0)
        return;
    for (size_t i = 0; i < n; i++) {
        if (i == hashes)
            values_hashes(&values, &columns[i]);
        else
            values_ints(&values, &columns[i]);
    }
    link_queue(link, sql, &values);
}

void vote_rows_queue(struct vote_rows *rows, struct link *link)
{
    queue(link, "SELECT vote_add($1, $2, $3, $4, $5, $6, $7)", rows->vote, COLUMNS(rows->vote), 3);
    queue(link, "SELECT voter_add($1, $2, $3, $4, $5, $6)", rows->fresh, COLUMNS(rows->fresh), 1);
    queue(link, "SELECT voter_change($1, $2, $3, $4, $5, $6)", rows->changed,
          COLUMNS(rows->changed), 1);
    queue(link, "SELECT voter_remove($1, $2)", rows->gone, COLUMNS(rows->gone), 1);
    queue(link, "SELECT address_count($1, $2, $3)", rows->address, COLUMNS(rows->address),
          NO_HASHES);
}
