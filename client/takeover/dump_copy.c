/*
 * dump_copy.c - COPY … FROM stdin: the rows of a table in PostgreSQL's text format, up to \.
 *
 * Threads: main.
 */
#include <string.h>

#include "dump_own.h"

static int octal(int c)
{
    return c >= '0' && c <= '7' ? c - '0' : -1;
}

/* The byte for which up to three octal digits stand, of which the first is taken. */
static int octal_read(struct source *source, int first)
{
    int byte = octal(first);

    for (int i = 0; i < 2 && octal(source_peek(source)) >= 0; i++)
        byte = byte * 8 + octal(source_next(source));
    return byte & 0xFF;
}

static int escape_read(struct source *source)
{
    static const char names[] = "bfnrtv";
    static const char bytes[] = "\b\f\n\r\t\v";
    int c = source_next(source);
    const char *at = c > 0 ? strchr(names, c) : NULL;

    if (at)
        return bytes[at - names];
    return octal(c) >= 0 ? octal_read(source, c) : c;
}

/* A value up to the tab or line end behind it, which stays. */
static bool cell_read(struct dump *dump)
{
    struct source *source = dump->source;
    bool null = false;

    gather_cell(&dump->gather);
    for (;;) {
        int c = source_peek(source);

        if (c == SOURCE_END)
            return dump_cut(dump, "the rows of COPY");
        if (c == '\t' || c == '\n')
            break;
        (void)source_next(source);
        if (c != '\\') {
            gather_byte(&dump->gather, c);
        } else if (source_peek(source) == 'N') {
            (void)source_next(source);
            null = true;
        } else {
            c = escape_read(source);
            if (c == SOURCE_END)
                return dump_cut(dump, "the rows of COPY");
            gather_byte(&dump->gather, c);
        }
    }
    gather_cell_end(&dump->gather, null);
    return true;
}

static bool line_read(struct dump *dump, const struct layout *layout)
{
    gather_begin(&dump->gather, layout, dump->source->line);
    for (;;) {
        if (!cell_read(dump))
            return false;
        if (source_peek(dump->source) == '\n')
            break;
        (void)source_next(dump->source);
    }
    if (!gather_row(&dump->gather, dump->source, dump->sink, dump->fault))
        return false;
    (void)source_next(dump->source);
    return true;
}

static void line_skip(struct source *source)
{
    static const bool stops[256] = { ['\n'] = true };

    while (source_peek(source) != SOURCE_END && source_peek(source) != '\n')
        source_skip_until(source, stops);
    (void)source_next(source);
}

static bool is_last(struct source *source)
{
    int c = source_ahead(source, 2);

    return source_ahead(source, 0) == '\\' && source_ahead(source, 1) == '.' &&
           (c == '\n' || c == '\r' || c == SOURCE_END);
}

static bool lines_read(struct dump *dump, const struct layout *layout)
{
    line_skip(dump->source); /* what is left of the line of COPY */
    while (!is_last(dump->source)) {
        if (source_peek(dump->source) == SOURCE_END)
            return dump_cut(dump, "the rows of COPY");
        if (!layout)
            line_skip(dump->source);
        else if (!line_read(dump, layout))
            return false;
    }
    line_skip(dump->source);
    return true;
}

bool dump_copy(struct dump *dump)
{
    char text[TEXT_BYTES_MAX];
    const struct table *table;
    struct layout *layout;
    struct name name;

    if (!dump_name(dump, &name) || !dump_space(dump))
        return false;
    table = dump->sink->wants(dump->sink->with, name_str(&name));
    layout = table ? dump_layout(dump, table) : NULL;
    if (layout && source_peek(dump->source) == '(' && !dump_columns(dump, layout))
        return false;
    if (layout && !dump_layout_check(dump, layout))
        return false;
    if (!dump_statement_skip(dump, text))
        return false;
    if (!strstr(text, "FROM STDIN"))
        return dump_expected(dump, "FROM stdin in front of this, and the rows behind it:");
    return lines_read(dump, layout);
}
