/*
 * letters_test.c - lines without a font.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "web/letters.h"

#define TEN ((struct lettering){ 10, false })
#define LINES_MAX 512

/* "one|two~": lines, `~` where the last is cut. */
static void wrap(struct str text, double room, size_t max, struct buf *out)
{
    struct line lines[LINES_MAX];
    size_t n = letters_wrap(text, TEN, room, lines, max);

    for (size_t i = 0; i < n; i++) {
        buf_text(out, i > 0 ? "|" : "");
        buf_str_add(out, lines[i].text);
        buf_text(out, lines[i].cut ? "~" : "");
    }
}

static void lines_break_where_a_reader_expects_it(void **state)
{
    static const struct {
        const char *text;
        double room;
        size_t max;
        const char *lines;
    } rows[] = {
        { "", 100, 3, "" },
        { "   ", 100, 3, "" },
        { "one", 100, 3, "one" },
        { " one  two ", 100, 3, "one  two" },
        { "one two three", 45, 3, "one two|three" },
        { "one two three", 45, 1, "one tw~" },
        { "well-known thing", 40, 3, "well-|known|thing" },
        { "a unbreakable", 40, 4, "a|unbrea|kable" },
        { "漢字漢字漢字", 20, 9, "漢字|漢字|漢字" },
        { "да нет наверное", 50, 9, "да нет|наверное" },
        { "W", 1, 3, "W" },
        { "e\xcc\x81"
          "e\xcc\x81",
          7, 3, "e\xcc\x81|e\xcc\x81" }, /* a letter keeps its accent */
        { "👨‍👩‍👧‍👦👨‍👩‍👧‍👦", 14, 3,
          "👨‍👩‍👧‍👦|👨‍👩‍👧‍👦" },
        { "🇰🇬🇷🇺", 14, 3, "🇰🇬|🇷🇺" },
        { "👍🏽👍🏽", 14, 3, "👍🏽|👍🏽" },
        { "\xff\xfe", 1000, 3, "\xff\xfe" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_BUF got = { 0 };

        wrap(str_of(rows[i].text), rows[i].room, rows[i].max, &got);
        if (!str_eq(buf_str(&got), str_of(rows[i].lines)))
            fail_msg("%s: got %.*s", rows[i].text, (int)got.len, got.bytes);
    }
}

static void no_line_is_wider_than_its_room_and_nothing_is_lost(void **state)
{
    static const char *const pieces[] = { "W", "i", "ж", "漢", "😀", "ש", "m-", "e\xcc\x81" };
    static const double rooms[] = { 20, 33.3, 150, 590 };
    struct line lines[LINES_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0] * 4; i++) {
        AUTO_BUF text = { 0 };
        size_t seen = 0;
        size_t n;

        for (size_t j = 0; j < 500; j++)
            buf_text(&text, pieces[i / 4]);
        n = letters_wrap(buf_str(&text), TEN, rooms[i % 4], lines, LINES_MAX);
        for (size_t j = 0; j < n; j++) {
            if (letters_width(lines[j].text, TEN) > rooms[i % 4])
                fail_msg("%s: a line is wider than %f", pieces[i / 4], rooms[i % 4]);
            seen += lines[j].text.len;
        }
        assert_int_equal(seen, text.len);
    }
}

static void a_cut_line_has_room_for_its_ellipsis(void **state)
{
    struct line line;
    AUTO_BUF text = { 0 };

    (void)state;
    for (size_t i = 0; i < 500; i++)
        buf_text(&text, "W");
    assert_int_equal(letters_wrap(buf_str(&text), TEN, 77, &line, 1), 1);
    assert_true(line.cut);
    assert_true(letters_width(line.text, TEN) + letters_width(STR(ELLIPSIS), TEN) <= 77);
}

static void the_first_letter_says_which_way_a_text_runs(void **state)
{
    static const struct {
        const char *text;
        bool otherwise;
        bool rtl;
    } rows[] = {
        { "Hello", true, false },         { "שלום", false, true },
        { "مرحبا", false, true },         { "33 (31%)", false, false },
        { "33 (31%)", true, true },       { "5: שלום", false, true },
        { "\"да\" שלום", true, false },   { "", true, true },
        { "\xe2\x80\x8f!", false, true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (letters_rtl(str_of(rows[i].text), rows[i].otherwise) != rows[i].rtl)
            fail_msg("row %zu: %s", i, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_break_where_a_reader_expects_it),
        cmocka_unit_test(no_line_is_wider_than_its_room_and_nothing_is_lost),
        cmocka_unit_test(a_cut_line_has_room_for_its_ellipsis),
        cmocka_unit_test(the_first_letter_says_which_way_a_text_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
