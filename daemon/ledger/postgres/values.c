/*
 * ledger/postgres/values.c - PostgreSQL's binary formats (src/backend/utils/adt: array_recv(),
 * int8recv(), uuid_recv()).
 *
 * Threads: the writer; main while the store opens.
 */
#include "ledger/postgres/values.h"

#include <assert.h>
#include <endian.h>
#include <limits.h>
#include <string.h>

/* Numbers of types that never change: src/include/catalog/pg_type.dat. */
#define TYPE_BYTES 17
#define TYPE_INT 20
#define TYPE_TEXT 25
#define TYPE_TEXTS 1009
#define TYPE_INTS 1016
#define TYPE_HASH 2950
#define TYPE_HASHES 2951

#define ARRAY_HEAD 20 /* dimensions, whether NULLs, type, length, first index: 4 bytes each */
#define EMPTY_ARRAY_BYTES 12 /* it has no dimension, and so neither length nor first index */

static void number_add(struct buf *buf, uint32_t number)
{
    uint32_t wire = htobe32(number);

    buf_add(buf, &wire, sizeof wire);
}

static void element_begin(struct column *column, uint32_t len)
{
    static const char head[ARRAY_HEAD] = { 0 };

    if (column->buf.len == 0)
        buf_add(&column->buf, head, sizeof head);
    number_add(&column->buf, len);
    column->n++;
}

void column_int(struct column *column, int64_t value)
{
    uint64_t wire = htobe64((uint64_t)value);

    element_begin(column, sizeof wire);
    buf_add(&column->buf, &wire, sizeof wire);
}

void column_hash(struct column *column, const struct voter_hash *hash)
{
    element_begin(column, sizeof hash->bytes);
    buf_add(&column->buf, hash->bytes, sizeof hash->bytes);
}

void column_text(struct column *column, struct str text)
{
    element_begin(column, (uint32_t)text.len);
    buf_str_add(&column->buf, text);
}

void column_null(struct column *column)
{
    element_begin(column, UINT32_MAX); /* a length of -1 */
    column->has_null = true;
}

void column_clear(struct column *column)
{
    buf_clear(&column->buf);
    column->n = 0;
    column->has_null = false;
}

void column_free(struct column *column)
{
    buf_free(&column->buf);
}

static int value_begin(struct values *values, Oid type, int len)
{
    int i = values->n++;

    assert(i < VALUES_MAX);
    values->types[i] = type;
    values->lengths[i] = len;
    values->formats[i] = 1;
    return i;
}

void values_int(struct values *values, int64_t value)
{
    int i = value_begin(values, TYPE_INT, sizeof(uint64_t));

    values->numbers[i] = htobe64((uint64_t)value);
    values->at[i] = (const char *)&values->numbers[i];
}

static void piece(struct values *values, Oid type, struct str bytes)
{
    int i;

    if (bytes.len > INT_MAX)
        values->failed = true;
    i = value_begin(values, type, values->failed ? 0 : (int)bytes.len);
    values->at[i] = bytes.at;
}

void values_text(struct values *values, struct str text)
{
    piece(values, TYPE_TEXT, text);
}

void values_bytes(struct values *values, struct str bytes)
{
    piece(values, TYPE_BYTES, bytes);
}

static void array(struct values *values, Oid type, uint32_t element, struct column *column)
{
    struct buf *buf = &column->buf;
    uint32_t dimensions = column->n > 0 ? 1 : 0;
    uint32_t head[ARRAY_HEAD / sizeof(uint32_t)] = { htobe32(dimensions), htobe32(column->has_null),
                                                     htobe32(element), htobe32(column->n),
                                                     htobe32(1) };

    if (dimensions == 0) {
        buf_clear(buf);
        buf_add(buf, head, EMPTY_ARRAY_BYTES);
    }
    if (!buf_ok(buf)) {
        values->failed = true;
        return;
    }
    memcpy(buf->bytes, head, dimensions == 0 ? EMPTY_ARRAY_BYTES : sizeof head);
    piece(values, type, buf_str(buf));
}

void values_ints(struct values *values, struct column *column)
{
    array(values, TYPE_INTS, TYPE_INT, column);
}

void values_hashes(struct values *values, struct column *column)
{
    array(values, TYPE_HASHES, TYPE_HASH, column);
}

void values_texts(struct values *values, struct column *column)
{
    array(values, TYPE_TEXTS, TYPE_TEXT, column);
}

bool value_is_null(const PGresult *result, int row, int column)
{
    return pq.PQgetisnull(result, row, column) != 0;
}

struct str value_bytes(const PGresult *result, int row, int column)
{
    return (struct str){ pq.PQgetvalue(result, row, column),
                         (size_t)pq.PQgetlength(result, row, column) };
}

int64_t value_int(const PGresult *result, int row, int column)
{
    struct str bytes = value_bytes(result, row, column);
    uint64_t wire;

    if (bytes.len != sizeof wire)
        return 0;
    memcpy(&wire, bytes.at, sizeof wire);
    return (int64_t)be64toh(wire);
}

void value_hash(const PGresult *result, int row, int column, struct voter_hash *ret_hash)
{
    struct str bytes = value_bytes(result, row, column);

    *ret_hash = (struct voter_hash){ { 0 } };
    if (bytes.len == sizeof ret_hash->bytes)
        memcpy(ret_hash->bytes, bytes.at, sizeof ret_hash->bytes);
}

static uint32_t number_at(const char *at)
{
    uint32_t wire;

    memcpy(&wire, at, sizeof wire);
    return be32toh(wire);
}

int value_ints(const PGresult *result, int row, int column, uint64_t *ret_values, int max)
{
    const size_t each = sizeof(uint32_t) + sizeof(uint64_t);
    struct str bytes = value_bytes(result, row, column);
    uint32_t n;

    if (bytes.len < ARRAY_HEAD)
        return bytes.len == EMPTY_ARRAY_BYTES ? 0 : -1;
    n = number_at(bytes.at + 3 * sizeof(uint32_t));
    if (number_at(bytes.at) != 1 || n > (uint32_t)max || bytes.len != ARRAY_HEAD + n * each)
        return -1;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t wire;

        memcpy(&wire, bytes.at + ARRAY_HEAD + i * each + sizeof(uint32_t), sizeof wire);
        ret_values[i] = be64toh(wire);
    }
    return (int)n;
}
