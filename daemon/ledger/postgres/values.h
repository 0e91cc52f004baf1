/*
 * ledger/postgres/values.h - what goes into a statement and comes out of it, as PostgreSQL's
 * binary formats: big-endian numbers, and arrays of them.
 *
 * A batch goes as columns: one array a column, whatever the number of rows.
 */
#ifndef TALLYD_LEDGER_POSTGRES_VALUES_H
#define TALLYD_LEDGER_POSTGRES_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "core/ballot.h"
#include "ledger/postgres/libpq.h"

#define VALUES_MAX 12

/* The values of one statement, $1 first. Zeroed is none. They hold copies, but for texts and bytes,
 * which are read when the statement is sent. */
struct values {
    int n;
    bool failed; /* no memory for one of them */
    Oid types[VALUES_MAX];
    const char *at[VALUES_MAX];
    int lengths[VALUES_MAX];
    int formats[VALUES_MAX];
    uint64_t numbers[VALUES_MAX];
};

/* A column of rows. Zeroed is empty, and of no kind yet. */
struct column {
    struct buf buf;
    uint32_t n;
    bool has_null;
};

void column_free(struct column *column);
void column_clear(struct column *column); /* empty; the memory is kept */
void column_int(struct column *column, int64_t value);
void column_hash(struct column *column, const struct voter_hash *hash);
void column_text(struct column *column, struct str text);
void column_null(struct column *column);

void values_int(struct values *values, int64_t value);
void values_text(struct values *values, struct str text); /* {NULL, 0}: NULL */
void values_bytes(struct values *values, struct str bytes);
/* The columns are read when the statement is sent. */
void values_ints(struct values *values, struct column *column);
void values_hashes(struct values *values, struct column *column);
void values_texts(struct values *values, struct column *column);

/* What a result holds; every column that is asked for is bigint, bytea, text, uuid or bigint[]; or
 * timestamptz, which is a bigint of microseconds since 2000. */
int64_t value_int(const PGresult *result, int row, int column); /* NULL: 0 */
bool value_is_null(const PGresult *result, int row, int column);
struct str value_bytes(const PGresult *result, int row, int column);
void value_hash(const PGresult *result, int row, int column, struct voter_hash *ret_hash);
/* At most `max` of them; returns how many, or -1: it is no such array. */
int value_ints(const PGresult *result, int row, int column, uint64_t *ret_values, int max);

#endif
