/*
 * dump_table.c - CREATE TABLE: which columns a table has, for rows that do not name them.
 *
 * Threads: main.
 */
#include <string.h>

#include "dump_own.h"

/* What begins a part of CREATE TABLE that is no column. A column of such a name is quoted. */
static const char no_columns[] =
    "CHECK CONSTRAINT EXCLUDE FOREIGN FULLTEXT INDEX KEY LIKE PERIOD PRIMARY SPATIAL UNIQUE";

struct layout *dump_layout(struct dump *dump, const struct table *table)
{
    struct layout *layout;

    for (size_t i = 0; i < dump->layouts_count; i++) {
        if (dump->layouts[i].table == table)
            return &dump->layouts[i];
    }
    if (dump->layouts_count == LAYOUTS_MAX)
        return NULL;
    layout = &dump->layouts[dump->layouts_count++];
    layout_begin(layout, table);
    return layout;
}

bool dump_layout_check(struct dump *dump, const struct layout *layout)
{
    const char *lacks = layout_lacks(layout);

    if (layout->count == 0)
        return dump_expected(dump, "the names of the columns, or CREATE TABLE before them,");
    if (lacks)
        return source_fault(dump->source, dump->fault,
                            "is this a table of that system? Its dump has to hold all columns",
                            "%s: a column %s was expected, and is missing", layout->table->name,
                            lacks);
    return true;
}

static bool column_add(struct dump *dump, struct layout *layout, const struct name *name)
{
    if (layout_add(layout, name_str(name)))
        return true;
    return source_fault(dump->source, dump->fault, "export the columns that are needed alone",
                        "%s: at most %d columns were expected", layout->table->name, COLUMNS_MAX);
}

bool dump_columns(struct dump *dump, struct layout *layout)
{
    struct name name;

    layout_begin(layout, layout->table);
    if (!dump_take(dump, '(', "( and the names of columns"))
        return false;
    for (;;) {
        if (!dump_name(dump, &name) || !column_add(dump, layout, &name) || !dump_space(dump))
            return false;
        if (source_peek(dump->source) != ',')
            return dump_take(dump, ')', ") behind the names of columns");
        (void)source_next(dump->source);
    }
}

/* The rest of a column, up to the comma or parenthesis that ends it, which stays. */
static bool definition_skip(struct dump *dump)
{
    size_t depth = 0;

    for (;;) {
        int c;

        if (!dump_space(dump))
            return false;
        c = source_peek(dump->source);
        if (c == SOURCE_END)
            return dump_cut(dump, "CREATE TABLE");
        if (depth == 0 && (c == ',' || c == ')'))
            return true;
        if (c == '\'' || c == '"' || c == '`') {
            if (!dump_quoted_skip(dump))
                return false;
            continue;
        }
        depth += c == '(';
        depth -= c == ')';
        (void)source_next(dump->source);
    }
}

static bool columns_define(struct dump *dump, struct layout *layout)
{
    layout_begin(layout, layout->table);
    for (;;) {
        struct name name;

        (void)source_next(dump->source); /* the parenthesis, or a comma */
        if (!dump_space(dump))
            return false;
        if (source_peek(dump->source) != ')') {
            char word[WORD_BYTES_MAX] = "";

            if (!dump_name(dump, &name))
                return false;
            for (size_t i = 0; i < name.len && i + 1 < sizeof word; i++)
                word[i] = (char)(name.bytes[i] & ~0x20);
            if ((name.quoted || !str_is_one_of(str_of(word), no_columns)) &&
                !column_add(dump, layout, &name))
                return false;
            if (!definition_skip(dump))
                return false;
        }
        if (source_peek(dump->source) != ',')
            return true;
    }
}

/* TABLE, behind what may stand in front of it. */
static bool is_of_table(struct dump *dump, bool *ret_is)
{
    char word[WORD_BYTES_MAX];

    do {
        if (!dump_space(dump))
            return false;
        dump_word(dump, word);
    } while (word[0] && str_is_one_of(str_of(word), "TEMPORARY UNLOGGED GLOBAL LOCAL"));
    *ret_is = strcmp(word, "TABLE") == 0;
    return true;
}

static bool table_name(struct dump *dump, struct name *ret_name)
{
    bool not_there = false;

    do {
        if (!dump_name(dump, ret_name))
            return false;
        not_there = !ret_name->quoted && ret_name->len <= 6 &&
                    (str_eq_nocase(name_str(ret_name), STR("IF")) ||
                     str_eq_nocase(name_str(ret_name), STR("NOT")) ||
                     str_eq_nocase(name_str(ret_name), STR("EXISTS")));
    } while (not_there);
    return true;
}

bool dump_create(struct dump *dump)
{
    char text[TEXT_BYTES_MAX];
    const struct table *table;
    struct layout *layout;
    struct name name;
    bool of_table;

    if (!is_of_table(dump, &of_table))
        return false;
    if (!of_table)
        return dump_statement_skip(dump, text);
    if (!table_name(dump, &name) || !dump_space(dump))
        return false;
    table = dump->sink->wants(dump->sink->with, name_str(&name));
    layout = table ? dump_layout(dump, table) : NULL;
    if (layout && source_peek(dump->source) == '(' && !columns_define(dump, layout))
        return false;
    return dump_statement_skip(dump, text);
}
