/*
 * gather.c - gathers the cells of a row while its bytes go by, and hands the row on.
 *
 * Threads: main.
 */
#include "gather.h"

#include "base/utf8.h"

void layout_begin(struct layout *layout, const struct table *table)
{
    layout->table = table;
    layout->count = 0;
}

/* Without the ? of those that may be missing. */
static struct str names_of(const struct table *table, size_t cell)
{
    struct str names = str_of(table->columns[cell]);

    return str_starts(names, STR("?")) ? str_from(names, 1) : names;
}

static signed char cell_of(const struct table *table, struct str column)
{
    for (size_t i = 0; i < CELLS_MAX && table->columns[i]; i++) {
        struct str names = names_of(table, i);
        struct str name;

        while (str_next(&names, '|', &name)) {
            if (str_eq_nocase(name, column))
                return (signed char)i;
        }
    }
    return -1;
}

bool layout_add(struct layout *layout, struct str column)
{
    if (layout->count == COLUMNS_MAX)
        return false;
    layout->cell[layout->count++] = cell_of(layout->table, column);
    return true;
}

const char *layout_lacks(const struct layout *layout)
{
    for (size_t i = 0; i < CELLS_MAX && layout->table->columns[i]; i++) {
        bool there = layout->table->columns[i][0] == '?';

        for (size_t column = 0; column < layout->count; column++)
            there |= layout->cell[column] == (signed char)i;
        if (!there)
            return layout->table->columns[i];
    }
    return NULL;
}

void gather_release(struct gather *gather)
{
    buf_free(&gather->bytes);
}

void gather_begin(struct gather *gather, const struct layout *layout, uint64_t line)
{
    gather->layout = layout;
    gather->column = 0;
    gather->line = line;
    gather->open = -1;
    buf_clear(&gather->bytes);
    for (size_t i = 0; i < CELLS_MAX; i++) {
        gather->cells[i].from = gather->cells[i].len = 0;
        gather->cells[i].null = true;
        gather->cells[i].cut = false;
    }
}

void gather_cell(struct gather *gather)
{
    size_t column = gather->column++;

    gather->open = column < gather->layout->count ? gather->layout->cell[column] : -1;
    if (gather->open < 0)
        return;
    gather->cells[gather->open].from = gather->bytes.len;
    gather->cells[gather->open].cut = false;
}

void gather_cell_end(struct gather *gather, bool null)
{
    if (gather->open < 0)
        return;
    gather->cells[gather->open].len =
        null ? 0 : gather->bytes.len - gather->cells[gather->open].from;
    gather->cells[gather->open].null = null;
    gather->open = -1;
}

void gather_restart(struct gather *gather)
{
    if (gather->open >= 0 && !gather->bytes.failed)
        gather->bytes.len = gather->cells[gather->open].from;
}

bool gather_row(struct gather *gather, const struct source *source, const struct sink *sink,
                struct fault *reterr_fault)
{
    const struct table *table = gather->layout->table;
    struct row row = { .table = table, .file = source->name, .line = gather->line };

    if (!buf_ok(&gather->bytes))
        return fault_memory(reterr_fault);
    if (gather->column != gather->layout->count)
        return row_fault(&row, reterr_fault, "is the file whole, and made by one export?",
                         "%zu values were expected, as there are columns, and %zu found",
                         gather->layout->count, gather->column);
    for (size_t i = 0; i < CELLS_MAX && table->columns[i]; i++) {
        struct cell *cell = &row.cells[i];

        cell->null = gather->cells[i].null;
        cell->cut = gather->cells[i].cut;
        if (!cell->null && gather->cells[i].len > 0)
            cell->text =
                (struct str){ gather->bytes.bytes + gather->cells[i].from, gather->cells[i].len };
        if (!cell->cut && !utf8_valid(cell->text))
            return row_fault(&row, reterr_fault,
                             "export it as UTF-8 (mysqldump --default-character-set=utf8mb4, "
                             "pg_dump --encoding=UTF8), or convert it with iconv",
                             "%s: UTF-8 was expected, and other bytes found", table->columns[i]);
    }
    return table->take(sink->with, &row, reterr_fault);
}
