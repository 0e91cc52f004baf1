/*
 * table.c - a table for people.
 *
 * Threads: any; nothing is shared.
 */
#include "table.h"

#include "screen.h"

#define GAP_CELLS 2

void table_cell(struct table *table, struct str text)
{
    size_t *cells = &table->cells[table->n++ % table->columns];
    size_t taken = screen_cells(text);

    *cells = taken > *cells ? taken : *cells;
    screen_text(&table->text, text); /* no line end is left in it */
    buf_char(&table->text, '\n');
}

void table_write(struct buf *out, const struct table *table)
{
    struct str rest = buf_str(&table->text);
    struct str text;

    out->failed |= !buf_ok(&table->text);
    for (size_t i = 0; str_next(&rest, '\n', &text); i++) {
        size_t column = i % table->columns;
        size_t spaces = table->cells[column] - screen_cells(text);
        bool last = column + 1 == table->columns;

        if (column > 0)
            screen_spaces(out, GAP_CELLS);
        if (table->right[column])
            screen_spaces(out, spaces);
        buf_str_add(out, text);
        if (!table->right[column] && !last)
            screen_spaces(out, spaces);
        if (last)
            buf_char(out, '\n');
    }
}
