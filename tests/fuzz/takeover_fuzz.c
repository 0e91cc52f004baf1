/*
 * fuzz/takeover_fuzz.c - any bytes into the readers of dumps and of sheets.
 *
 * Cells that are handed on are UTF-8 and stand in a line that the file has; what is refused says
 * why and how to go on; and any cell makes a text that tallyd takes: no controls, no tags' spaces.
 */
#include "dump.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/utf8.h"
#include "readable.h"
#include "sheet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void text_check(struct str stored)
{
    for (int as = STORED_PLAIN; as <= STORED_SLASHED_HTML; as++) {
        AUTO_BYTES char *shown = readable(stored, (enum stored_as)as);
        struct str text = str_of(shown);

        assert(shown && utf8_is_text(text));
        assert(text.len == 0 || (text.at[0] != ' ' && text.at[text.len - 1] != ' '));
        for (size_t i = 1; i < text.len; i++)
            assert(text.at[i] != ' ' || text.at[i - 1] != ' ');
    }
}

static bool row_check(void *with, const struct row *row, struct fault *fault)
{
    const uint64_t *lines = with;

    (void)fault;
    assert(row->line > 0 && row->line <= *lines);
    for (size_t i = 0; i < CELLS_MAX && row->table->columns[i]; i++) {
        const struct cell *cell = &row->cells[i];

        assert(!cell->null || cell->text.len == 0);
        assert(cell->cut || utf8_valid(cell->text));
        if (!cell->cut)
            text_check(cell->text);
    }
    return true;
}

static const struct table table = { "t", 1, true, { "a", "?b|c" }, row_check };

static const struct table *wants(void *with, struct str name)
{
    (void)with;
    return str_eq_nocase(name, STR("t")) ? &table : NULL;
}

static void read_all(struct str bytes, bool sheet, uint64_t lines)
{
    AUTO(source) source = source_of_bytes("f", bytes);
    const struct sink sink = { .with = &lines, .wants = wants };
    struct fault fault = { .how = NULL };

    assert(source);
    if (!(sheet ? sheet_read(source, &table, &sink, &fault) : dump_read(source, &sink, &fault)))
        assert(fault.what[0] && fault.how);
    else
        assert(source_peek(source) == SOURCE_END);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = { (const char *)data, size };
    uint64_t lines = 1;

    for (size_t i = 0; i < size; i++)
        lines += bytes.at[i] == '\n';
    read_all(bytes, false, lines);
    read_all(bytes, true, lines);
    return 0;
}
