/*
 * fuzz/ndjson_fuzz.c - any bytes as the lines of a bulk.
 *
 * However the bytes are cut into pieces, the lines are the same; and a line that is read without a
 * JSON tree says what the JSON reader says of it.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/bulk_line.h"
#include "api/lines.h"
#include "base/utf8.h"
#include "core/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_plain(struct str text)
{
    AUTO(json) json = NULL;
    struct plain_line line;
    struct why why;
    int64_t number;

    if (!plain_line_read(text, &line))
        return;
    /* Strings are looked at behind this reader: a poll that is none is not found, a voter that is
     * no text is refused. */
    if (json_parse(text, &json, &why) != JSON_OK) {
        assert(!utf8_valid(text));
        return;
    }
    assert(cJSON_GetArraySize(json_root(json)) == 3);
    assert(str_eq(json_string(json_member(json_root(json), "poll")), line.poll));
    assert(str_eq(json_string(json_member(json_root(json), "voter")), line.voter));
    assert(json_int64(json_member(json_root(json), line.is_rating ? "rating" : "option"), &number));
    assert(number == line.number);
}

/* Each line with its number and its kind, one behind the other. */
static void gather(struct str bytes, size_t piece, struct buf *out)
{
    struct lines lines = { 0 };
    bool last = false;

    while (!last) {
        size_t len = bytes.len < piece ? bytes.len : piece;
        struct str part = { bytes.at, len };
        struct str line = { NULL, 0 };
        enum line what;

        last = len == bytes.len;
        bytes = str_from(bytes, len);
        while ((what = lines_next(&lines, &part, last, &line)) != LINE_MORE) {
            assert(what != LINE_NO_MEMORY);
            buf_uint(out, lines.number);
            buf_char(out, what == LINE_WHOLE ? ':' : '!');
            if (what != LINE_WHOLE)
                continue;
            assert(line.len <= LINE_BYTES_MAX);
            buf_str_add(out, line);
            check_plain(line);
        }
    }
    lines_clear(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t pieces[] = { 1, 7, 64, 4096 };
    struct str bytes = { (const char *)data, size };
    AUTO_BUF whole = { 0 };

    gather(bytes, size + 1, &whole);
    assert(buf_ok(&whole));
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        AUTO_BUF cut = { 0 };

        gather(bytes, pieces[i], &cut);
        assert(str_eq(buf_str(&whole), buf_str(&cut)));
    }
    return 0;
}
