/*
 * gather.h - gathers the cells of a row while its bytes go by, and hands the row on.
 *
 * Only cells of columns that are wanted are kept, each up to CELL_BYTES_MAX.
 */
#ifndef TALLY_TAKEOVER_GATHER_H
#define TALLY_TAKEOVER_GATHER_H

#include "base/buf.h"
#include "rows.h"
#include "source.h"

#define CELL_BYTES_MAX 65536
#define COLUMNS_MAX 512

/* Which column of a table is which cell. */
struct layout {
    const struct table *table; /* NULL: none yet */
    size_t count;
    signed char cell[COLUMNS_MAX]; /* -1: not wanted */
};

/* Forgets the columns. */
void layout_begin(struct layout *layout, const struct table *table);
/* false: there are too many. */
MUST_USE bool layout_add(struct layout *layout, struct str column);
/* The first column that is needed and not there, or NULL. */
const char *layout_lacks(const struct layout *layout);

struct gather {
    const struct layout *layout;
    struct buf bytes; /* owned; of all cells of the row */
    size_t column;    /* the one that is being read */
    uint64_t line;
    int open; /* the cell that is being read, or -1 */
    struct {
        size_t from;
        size_t len;
        bool null;
        bool cut;
    } cells[CELLS_MAX];
};

void gather_release(struct gather *gather);
void gather_begin(struct gather *gather, const struct layout *layout, uint64_t line);
void gather_cell(struct gather *gather); /* the next column begins */

static inline void gather_byte(struct gather *gather, int c)
{
    if (gather->open < 0)
        return;
    if (gather->bytes.len - gather->cells[gather->open].from >= CELL_BYTES_MAX)
        gather->cells[gather->open].cut = true;
    else
        buf_char(&gather->bytes, (char)c);
}

void gather_cell_end(struct gather *gather, bool null);

/* What the cell that is open holds so far, and drops it: for a piece that only led to its value. */
void gather_restart(struct gather *gather);

/*
 * The row is whole: checks how many cells it has and that they are UTF-8, and hands it on.
 */
MUST_USE bool gather_row(struct gather *gather, const struct source *source,
                         const struct sink *sink, struct fault *reterr_fault);

#endif
