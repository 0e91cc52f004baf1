/*
 * table.h - a table for people: columns as wide as what stands in them.
 */
#ifndef TALLY_TABLE_H
#define TALLY_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

#define TABLE_COLUMNS_MAX 8

/* Set `columns` and `right`, the rest is the table's own. */
struct table {
    size_t columns;                /* 1..TABLE_COLUMNS_MAX */
    bool right[TABLE_COLUMNS_MAX]; /* numbers end at one edge */
    size_t n;                      /* of cells so far */
    size_t cells[TABLE_COLUMNS_MAX];
    struct buf text; /* a cell a line, clean */
};

static inline void table_autofree(struct table *table)
{
    buf_free(&table->text);
}

#define AUTO_TABLE __attribute__((cleanup(table_autofree))) struct table

/* Adds the next cell, row by row, the headings first; what a terminal might obey is made harmless.
 */
void table_cell(struct table *table, struct str text);

/* The rows, a line each. A failed allocation is remembered in `out`. */
void table_write(struct buf *out, const struct table *table);

#endif
