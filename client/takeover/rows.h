/*
 * rows.h - rows of the tables that a takeover wants, whatever kind of file they stand in.
 */
#ifndef TALLY_TAKEOVER_ROWS_H
#define TALLY_TAKEOVER_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "fault.h"

#define CELLS_MAX 12

struct row;

/* A table of an older system, and the columns that are read of it. */
struct table {
    const char *name; /* without the prefix that a site puts in front */
    unsigned pass; /* files are read once for each pass, from 1: a log is read behind its totals */
    bool needed;
    /* In the order in which rows have their cells. A ? in front: it may be missing; a|b: either.
     * Names are compared without regard to case. */
    const char *columns[CELLS_MAX];
    bool (*take)(void *with, const struct row *row, struct fault *reterr_fault);
};

struct cell {
    struct str text; /* UTF-8, unless it was cut; empty where it is null */
    bool null;       /* also: the table has no such column */
    bool cut;        /* it was longer than CELL_BYTES_MAX; here is its begin */
};

/* Everything in it lives until take() returns. */
struct row {
    const struct table *table;
    const char *file;
    uint64_t line; /* where it begins */
    struct cell cells[CELLS_MAX];
};

/* Who gets the rows. */
struct sink {
    void *with;
    /* The table of that name, or NULL: not wanted, or not in this pass. */
    const struct table *(*wants)(void *with, struct str name);
};

/* fault_set() with the place of the row in front. */
#define row_fault(row, fault, how, format, ...)                                                    \
    fault_set(fault, how, "%s:%llu: %s: " format, (row)->file, (unsigned long long)(row)->line,    \
              (row)->table->name, ##__VA_ARGS__)

#endif
