/*
 * fuzz/csv_fuzz.c - any bytes into the CSV reader.
 *
 * Its records cover the bytes without a gap, each at least a byte; read in two pieces they are the
 * same; and one that is a vote makes a single line of valid UTF-8.
 */
#include "csv.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void line_check(struct str record)
{
    AUTO_BUF line = { 0 };

    csv_ndjson(&line, record);
    assert(buf_ok(&line) && utf8_valid(buf_str(&line)));
    assert(str_find(buf_str(&line), '\n') == line.len - 1);
}

/* What is taken before the rest is there must be what is taken when it is. */
static void early_check(struct str text, size_t cut)
{
    struct str head = { text.at, cut };
    struct csv_record early;
    struct csv_record late;

    while (csv_next(head, false, &early) == CSV_RECORD) {
        assert(csv_next(text, true, &late) == CSV_RECORD);
        assert(early.len == late.len && early.lines == late.lines && early.broken == late.broken);
        head = str_from(head, early.len);
        text = str_from(text, early.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = { (const char *)data, size };
    struct csv_record record;
    size_t unused;

    (void)csv_header(text, &unused);
    early_check(text, size / 2);
    early_check(text, size > 0 ? size - 1 : 0);
    while (csv_next(text, true, &record) == CSV_RECORD) {
        struct str whole = { text.at, record.len };

        assert(record.len > 0 && record.len <= text.len && record.lines > 0);
        if (!record.broken && !record.blank)
            line_check(whole);
        text = str_from(text, record.len);
    }
    assert(text.len == 0);
    return 0;
}
