/*
 * sheet.c - a table as CSV (RFC 4180) with a header, separated by commas, semicolons or tabs.
 *
 * Threads: main.
 */
#include "sheet.h"

#include <string.h>

#include "gather.h"

#define NAME_BYTES_MAX 128

struct sheet {
    struct source *source;
    const struct sink *sink;
    struct fault *fault;
    int separator; /* 0: not known yet */
    struct layout layout;
    struct gather gather;
};

static const char again[] = "export the table as CSV again, with the column names as first line";

static bool is_separator(const struct sheet *sheet, int c)
{
    return sheet->separator ? c == sheet->separator : c == ',' || c == ';' || c == '\t';
}

/* An end of line, or of the file. */
static bool at_end(struct sheet *sheet)
{
    int c = source_peek(sheet->source);

    return c == SOURCE_END || c == '\n' || (c == '\r' && source_ahead(sheet->source, 1) == '\n');
}

static void end_take(struct sheet *sheet)
{
    if (source_peek(sheet->source) == '\r')
        (void)source_next(sheet->source);
    (void)source_next(sheet->source);
}

static bool quoted_read(struct sheet *sheet, void (*byte)(struct sheet *, int))
{
    uint64_t line = sheet->source->line;

    (void)source_next(sheet->source);
    for (;;) {
        int c = source_next(sheet->source);

        if (c == SOURCE_END)
            return source_fault(sheet->source, sheet->fault, again,
                                "the file ends inside the quotes that were opened in line %llu",
                                (unsigned long long)line);
        if (c == '"' && source_peek(sheet->source) != '"')
            break;
        if (c == '"')
            (void)source_next(sheet->source);
        byte(sheet, c);
    }
    if (at_end(sheet) || is_separator(sheet, source_peek(sheet->source)))
        return true;
    return source_fault(sheet->source, sheet->fault, again,
                        "a separator was expected behind the closing quote");
}

/* Without quotes around it. */
static void plain_read(struct sheet *sheet, void (*byte)(struct sheet *, int))
{
    while (!at_end(sheet) && !is_separator(sheet, source_peek(sheet->source)))
        byte(sheet, source_next(sheet->source));
}

static void name_byte(struct sheet *sheet, int c)
{
    buf_char(&sheet->gather.bytes, (char)c);
}

static void cell_byte(struct sheet *sheet, int c)
{
    gather_byte(&sheet->gather, c);
}

static bool name_read(struct sheet *sheet)
{
    buf_clear(&sheet->gather.bytes);
    if (source_peek(sheet->source) != '"')
        plain_read(sheet, name_byte);
    else if (!quoted_read(sheet, name_byte))
        return false;
    if (!buf_ok(&sheet->gather.bytes))
        return fault_memory(sheet->fault);
    if (sheet->gather.bytes.len > NAME_BYTES_MAX ||
        !layout_add(&sheet->layout, str_trim(buf_str(&sheet->gather.bytes))))
        return source_fault(sheet->source, sheet->fault, again,
                            "the names of columns were expected in the first line");
    return true;
}

static bool header_read(struct sheet *sheet, const struct table *table)
{
    const char *lacks;

    layout_begin(&sheet->layout, table);
    /* The separator that is met first is that of the whole file. */
    do {
        if (sheet->layout.count > 0)
            sheet->separator = source_next(sheet->source);
        if (!name_read(sheet))
            return false;
    } while (!at_end(sheet));
    end_take(sheet);
    lacks = layout_lacks(&sheet->layout);
    if (lacks)
        return source_fault_at(sheet->source, 1, sheet->fault, again,
                               "a column %s of the table %s was expected in the first line", lacks,
                               table->name);
    return true;
}

static bool is_null(const struct gather *gather)
{
    struct str text;

    if (gather->open < 0)
        return true;
    text = str_from(buf_str(&gather->bytes), gather->cells[gather->open].from);
    return str_eq(text, STR("NULL")) || str_eq(text, STR("\\N"));
}

static bool record_read(struct sheet *sheet)
{
    struct gather *gather = &sheet->gather;

    gather_begin(gather, &sheet->layout, sheet->source->line);
    for (;;) {
        bool quoted = source_peek(sheet->source) == '"';

        gather_cell(gather);
        if (!quoted)
            plain_read(sheet, cell_byte);
        else if (!quoted_read(sheet, cell_byte))
            return false;
        gather_cell_end(gather, !quoted && is_null(gather));
        if (at_end(sheet))
            break;
        (void)source_next(sheet->source);
    }
    end_take(sheet);
    return gather_row(gather, sheet->source, sheet->sink, sheet->fault);
}

static void sheet_autofree(struct sheet *sheet)
{
    gather_release(&sheet->gather);
}

bool sheet_read(struct source *source, const struct table *table, const struct sink *sink,
                struct fault *reterr_fault)
{
    __attribute__((cleanup(sheet_autofree))) struct sheet sheet = { .source = source,
                                                                    .sink = sink,
                                                                    .fault = reterr_fault };

    if (!header_read(&sheet, table))
        return false;
    while (source_peek(source) != SOURCE_END) {
        if (at_end(&sheet))
            end_take(&sheet); /* a blank line */
        else if (!record_read(&sheet))
            return false;
    }
    return source_ok(source, reterr_fault);
}
