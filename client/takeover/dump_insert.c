/*
 * dump_insert.c - INSERT INTO … VALUES (…),(…): the rows of a table, as SQL.
 *
 * Threads: main.
 */
#include <string.h>

#include "dump_own.h"

static const char one_value[] = "a value";

/* What stands behind a backslash, in MySQL's strings and PostgreSQL's E''. */
static int escaped(int c)
{
    switch (c) {
    case '0':
        return '\0';
    case 'b':
        return '\b';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'Z':
        return 26;
    default: /* a byte of the file: it stands for itself */
        return c;
    }
}

static bool string_read(struct dump *dump, bool backslashes)
{
    int quote = source_next(dump->source);

    for (;;) {
        int c = source_next(dump->source);

        if (c == SOURCE_END)
            return dump_cut(dump, one_value);
        if (c == '\\' && backslashes) {
            c = source_next(dump->source);
            if (c == SOURCE_END)
                return dump_cut(dump, one_value);
            gather_byte(&dump->gather, escaped(c));
            continue;
        }
        if (c == quote) {
            if (source_peek(dump->source) != quote)
                return true;
            (void)source_next(dump->source);
        }
        gather_byte(&dump->gather, c);
    }
}

static bool is_quote(const struct dump *dump, int c)
{
    return c == '\'' || (c == '"' && !dump->postgres);
}

/* Letters, digits and what numbers have. false: there is none. */
static bool bare_read(struct dump *dump, char ret_word[WORD_BYTES_MAX])
{
    size_t len = 0;

    for (;;) {
        int c = source_peek(dump->source);

        if (!(c == '+' || c == '-' || c == '.' || c == '_' || (c >= '0' && c <= '9') ||
              (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
            break;
        (void)source_next(dump->source);
        gather_byte(&dump->gather, c);
        if (len + 1 < WORD_BYTES_MAX)
            ret_word[len++] = (char)c;
    }
    ret_word[len] = '\0';
    return len > 0;
}

/* 'text', E'text', _utf8mb4'text', 12, NULL; perhaps with ::type behind it. */
static bool value_read(struct dump *dump)
{
    char word[WORD_BYTES_MAX] = "";
    bool null = false;

    gather_cell(&dump->gather);
    if (!dump_space(dump))
        return false;
    if (!is_quote(dump, source_peek(dump->source))) {
        if (!bare_read(dump, word))
            return source_peek(dump->source) == SOURCE_END ? dump_cut(dump, one_value)
                                                           : dump_expected(dump, one_value);
        if (word[0] == '_' && !dump_space(dump))
            return false;
        null = str_eq_nocase(str_of(word), STR("NULL"));
    }
    if (is_quote(dump, source_peek(dump->source))) {
        bool escapes = str_eq_nocase(str_of(word), STR("E")) || dump->backslashes;

        gather_restart(&dump->gather);
        if (!string_read(dump, escapes))
            return false;
    }
    gather_cell_end(&dump->gather, null);
    while (source_peek(dump->source) == ':') {
        (void)source_next(dump->source);
        if (source_peek(dump->source) == ':')
            (void)source_next(dump->source);
        dump_word(dump, word);
    }
    return true;
}

static bool tuple_read(struct dump *dump, const struct layout *layout)
{
    if (!dump_take(dump, '(', "( and the values of a row"))
        return false;
    gather_begin(&dump->gather, layout, dump->source->line);
    for (;;) {
        if (!value_read(dump) || !dump_space(dump))
            return false;
        if (source_peek(dump->source) == SOURCE_END)
            return dump_cut(dump, "a row");
        if (source_peek(dump->source) != ',')
            break;
        (void)source_next(dump->source);
    }
    return dump_take(dump, ')', ", or ) behind a value") &&
           gather_row(&dump->gather, dump->source, dump->sink, dump->fault);
}

static bool tuples_read(struct dump *dump, const struct layout *layout)
{
    char text[TEXT_BYTES_MAX];

    for (;;) {
        int c;

        if (!tuple_read(dump, layout) || !dump_space(dump))
            return false;
        c = source_peek(dump->source);
        if (c == SOURCE_END)
            return dump_cut(dump, "INSERT");
        if (c == ';' || (c | 0x20) == 'o') /* ON DUPLICATE KEY …, ON CONFLICT … */
            return dump_statement_skip(dump, text);
        if (c != ',')
            return dump_expected(dump, ", or ; behind a row");
        (void)source_next(dump->source);
    }
}

/* Skips INTO and what may stand around it. */
static bool into_take(struct dump *dump, struct name *ret_name)
{
    do {
        if (!dump_name(dump, ret_name))
            return false;
    } while (!ret_name->quoted && (str_eq_nocase(name_str(ret_name), STR("INTO")) ||
                                   str_eq_nocase(name_str(ret_name), STR("IGNORE")) ||
                                   str_eq_nocase(name_str(ret_name), STR("DELAYED")) ||
                                   str_eq_nocase(name_str(ret_name), STR("LOW_PRIORITY")) ||
                                   str_eq_nocase(name_str(ret_name), STR("HIGH_PRIORITY"))));
    return true;
}

/* VALUES, perhaps behind OVERRIDING SYSTEM VALUE. */
static bool values_take(struct dump *dump)
{
    char word[WORD_BYTES_MAX];

    do {
        if (!dump_space(dump))
            return false;
        dump_word(dump, word);
    } while (word[0] && str_is_one_of(str_of(word), "OVERRIDING SYSTEM USER VALUE"));
    return strcmp(word, "VALUES") == 0 ? true : dump_expected(dump, "VALUES");
}

bool dump_insert(struct dump *dump)
{
    char text[TEXT_BYTES_MAX];
    const struct table *table;
    struct layout *layout;
    struct name name;

    if (!into_take(dump, &name))
        return false;
    table = dump->sink->wants(dump->sink->with, name_str(&name));
    layout = table ? dump_layout(dump, table) : NULL;
    if (!layout)
        return dump_statement_skip(dump, text);
    if (!dump_space(dump))
        return false;
    if (source_peek(dump->source) == '(' && !dump_columns(dump, layout))
        return false;
    return dump_layout_check(dump, layout) && values_take(dump) && tuples_read(dump, layout);
}
