/*
 * lines_test.c - lines out of pieces of every size.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/lines.h"

/* "1:first|2!|4:last": numbers and lines, `!` for one that was too long. */
static void gather(struct str text, size_t piece, struct buf *out)
{
    struct lines lines = { 0 };

    for (size_t at = 0; at <= text.len; at += piece) {
        size_t len = text.len - at < piece ? text.len - at : piece;
        bool last = at + piece > text.len;
        struct str bytes = { text.at + at, len };
        struct str line;
        enum line what;

        while ((what = lines_next(&lines, &bytes, last, &line)) != LINE_MORE) {
            assert_int_not_equal(what, LINE_NO_MEMORY);
            buf_uint(out, lines.number);
            buf_char(out, what == LINE_TOO_LONG ? '!' : ':');
            if (what == LINE_WHOLE && line.len < 100)
                buf_str_add(out, line);
            else if (what == LINE_WHOLE)
                buf_uint(out, line.len);
            buf_char(out, '|');
        }
        assert_int_equal(bytes.len, 0);
    }
    lines_clear(&lines);
}

static void lines_are_the_same_whatever_the_pieces(void **state)
{
    static const char *const rows[][2] = {
        { "", "" },
        { "\n", "1:|" },
        { "one\ntwo\n", "1:one|2:two|" },
        { "one\r\n\r\n\nlast", "1:one|2:|3:|4:last|" },
        { "one\r\r\n\rtwo\r", "1:one\r|2:\rtwo|" },
        { "a\nb", "1:a|2:b|" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t piece = 1; piece < 12; piece++) {
            AUTO_BUF got = { 0 };

            gather(str_of(rows[i][0]), piece, &got);
            if (!str_eq(buf_str(&got), str_of(rows[i][1])))
                fail_msg("row %zu in pieces of %zu: %.*s", i, piece, (int)got.len, got.bytes);
        }
    }
}

static void a_line_over_16_KiB_is_told_and_the_next_one_is_read(void **state)
{
    static const size_t pieces[] = { 1000, 16384, 16385, 16386, 65536, 1000000 };
    AUTO_BUF text = { 0 };

    (void)state;
    for (int i = 0; i < LINE_BYTES_MAX; i++)
        buf_char(&text, 'x');
    buf_text(&text, "\nshort\n");
    for (int i = 0; i < LINE_BYTES_MAX + 1; i++)
        buf_char(&text, 'x');
    buf_text(&text, "\nshort\n");
    for (int i = 0; i < 300000; i++)
        buf_char(&text, 'x');
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        AUTO_BUF got = { 0 };

        gather(buf_str(&text), pieces[i], &got);
        if (!str_eq(buf_str(&got), STR("1:16384|2:short|3!|4:short|5!|")))
            fail_msg("pieces of %zu: %.*s", pieces[i], (int)got.len, got.bytes);
    }
}

static void the_end_of_a_line_is_no_part_of_its_length(void **state)
{
    static const size_t pieces[] = { 1, 1000, 16384, 16385, 16386, 65536 };
    static const char *const ends[] = { "\n", "\r\n" };
    static const char *const rows[][2] = { { "", "1:16384|2:short|" }, { "x", "1!|2:short|" } };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        AUTO_BUF text = { 0 };

        for (int k = 0; k < LINE_BYTES_MAX; k++)
            buf_char(&text, 'x');
        buf_text(&text, rows[i / 2][0]);
        buf_text(&text, ends[i % 2]);
        buf_text(&text, "short");
        for (size_t k = 0; k < sizeof pieces / sizeof pieces[0]; k++) {
            AUTO_BUF got = { 0 };

            gather(buf_str(&text), pieces[k], &got);
            if (!str_eq(buf_str(&got), str_of(rows[i / 2][1])))
                fail_msg("row %zu in pieces of %zu: %.*s", i, pieces[k], (int)got.len, got.bytes);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_the_same_whatever_the_pieces),
        cmocka_unit_test(a_line_over_16_KiB_is_told_and_the_next_one_is_read),
        cmocka_unit_test(the_end_of_a_line_is_no_part_of_its_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
