/*
 * client/csv_test.c - which bytes are records, which are broken, and what becomes of them.
 */
#include "csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* What a text is read as: `R` and its NDJSON, `B` and the bytes, `-` for a blank line, `>` for more
 * to come. */
static void read_all(struct buf *out, struct str text, bool all)
{
    struct csv_record record;
    enum csv_result result;

    while ((result = csv_next(text, all, &record)) == CSV_RECORD) {
        struct str whole = { text.at, record.len };

        if (record.blank) {
            buf_text(out, "-\n");
        } else if (record.broken) {
            buf_text(out, "B ");
            buf_str_add(out, whole);
            if (whole.at[whole.len - 1] != '\n')
                buf_char(out, '\n');
        } else {
            buf_text(out, "R ");
            csv_ndjson(out, whole);
        }
        text = str_from(text, record.len);
    }
    buf_text(out, result == CSV_MORE ? ">" : "");
    buf_char(out, '\0');
    assert_true(buf_ok(out));
}

static void records_are_read_as_rfc_4180_has_them(void **state)
{
    static const struct {
        const char *when;
        const char *text;
        const char *read;
    } rows[] = {
        { "one option", "p,2,v\n", "R {\"poll\":\"p\",\"option\":2,\"voter\":\"v\"}\n" },
        { "several options", "p,1|3,v\n",
          "R {\"poll\":\"p\",\"options\":[1,3],\"voter\":\"v\"}\n" },
        { "CRLF", "p,2,v\r\np,3,w\r\n",
          "R {\"poll\":\"p\",\"option\":2,\"voter\":\"v\"}\n"
          "R {\"poll\":\"p\",\"option\":3,\"voter\":\"w\"}\n" },
        { "no end", "p,2,v", "R {\"poll\":\"p\",\"option\":2,\"voter\":\"v\"}\n" },
        { "zeros in front", "p,007|0,v\n",
          "R {\"poll\":\"p\",\"options\":[7,0],\"voter\":\"v\"}\n" },
        { "quoted fields", "\"p\",\"2\",\"v\"\n",
          "R {\"poll\":\"p\",\"option\":2,\"voter\":\"v\"}\n" },
        { "a quote inside", "p,2,\"a\"\"b\"\n",
          "R {\"poll\":\"p\",\"option\":2,\"voter\":\"a\\\"b\"}\n" },
        { "nothing but quotes inside", "p,2,\"\"\"\"\"\"\n",
          "R {\"poll\":\"p\",\"option\":2,\"voter\":\"\\\"\\\"\"}\n" },
        { "an empty quoted field", "p,2,\"\"\n",
          "R {\"poll\":\"p\",\"option\":2,\"voter\":\"\"}\n" },
        { "a comma inside", "p,2,\"a,b\"\n",
          "R {\"poll\":\"p\",\"option\":2,\"voter\":\"a,b\"}\n" },
        { "a line end inside", "p,2,\"a\nb\"\n",
          "R {\"poll\":\"p\",\"option\":2,\"voter\":\"a\\u000ab\"}\n" },
        { "CRLF inside the first field", "\"a\r\nb\",2,v\r\n",
          "R {\"poll\":\"a\\u000d\\u000ab\",\"option\":2,\"voter\":\"v\"}\n" },
        { "blank lines", "\n\r\np,2,v\n",
          "-\n-\nR {\"poll\":\"p\",\"option\":2,\"voter\":\"v\"}\n" },
        { "spaces belong to fields", " p,2, v\n",
          "R {\"poll\":\" p\",\"option\":2,\"voter\":\" v\"}\n" },
        { "an empty voter is the daemon's to refuse", "p,2,\n",
          "R {\"poll\":\"p\",\"option\":2,\"voter\":\"\"}\n" },
        { "two fields", "p,2\n", "B p,2\n" },
        { "one field", "p\n", "B p\n" },
        { "four fields", "p,2,v,w\n", "B p,2,v,w\n" },
        { "no options", "p,,v\n", "B p,,v\n" },
        { "options with a gap", "p,1||2,v\n", "B p,1||2,v\n" },
        { "an option at the end missing", "p,1|,v\n", "B p,1|,v\n" },
        { "a sign", "p,-1,v\n", "B p,-1,v\n" },
        { "a fraction", "p,1.0,v\n", "B p,1.0,v\n" },
        { "a space", "p, 1,v\n", "B p, 1,v\n" },
        { "JSON in the options", "p,\"1,\"\"voter\"\":2\",v\n", "B p,\"1,\"\"voter\"\":2\",v\n" },
        { "a number without end", "p,1234567890123456789,v\n", "B p,1234567890123456789,v\n" },
        { "no UTF-8", "p,1,\xff\n", "B p,1,\xff\n" },
        { "a quote in a plain field", "p,1,v\"w\n", "B p,1,v\"w\n" },
        { "text behind a quote", "p,1,\"v\"w\n", "B p,1,\"v\"w\n" },
        { "a quote that is never closed", "p,1,\"v\nq,2,w\n",
          "B p,1,\"v\nR {\"poll\":\"q\",\"option\":2,\"voter\":\"w\"}\n" },
        { "two quotes that are never closed", "p,1,\"v\nq,2,\"w\nr,3,x\n",
          "B p,1,\"v\nB q,2,\"w\nR {\"poll\":\"r\",\"option\":3,\"voter\":\"x\"}\n" },
        { "a doubled quote at the very end", "p,1,\"v\"\"", "B p,1,\"v\"\"\n" },
        { "a quote alone", "\"", "B \"\n" },
        { "nothing", "", "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_BUF got = { 0 };

        read_all(&got, str_of(rows[i].text), true);
        if (strcmp(got.bytes, rows[i].read) != 0)
            fail_msg("%s: got %s", rows[i].when, got.bytes);
    }
}

/* However a text arrives, it is read as the same records. */
static void what_arrives_in_two_pieces_is_read_as_it_is_in_one(void **state)
{
    const struct str text = STR("p,1,v\r\n\"p\",2,\"a\"\"\n,b\"\np,x,y\n\np,1,\"u\nq,1,w\n");
    AUTO_BUF whole = { 0 };

    (void)state;
    read_all(&whole, text, true);
    for (size_t cut = 0; cut <= text.len; cut++) {
        AUTO_BUF got = { 0 };
        struct str head = { text.at, cut };
        struct csv_record record;
        size_t at = 0;

        while (csv_next(str_from(head, at), false, &record) == CSV_RECORD) {
            AUTO_BUF one = { 0 };

            read_all(&one, (struct str){ text.at + at, record.len }, true);
            buf_text(&got, one.bytes);
            at += record.len;
        }
        {
            AUTO_BUF rest = { 0 };

            read_all(&rest, str_from(text, at), true);
            buf_text(&got, rest.bytes);
        }
        buf_char(&got, '\0');
        if (strcmp(got.bytes, whole.bytes) != 0)
            fail_msg("cut at %zu: got %s in place of %s", cut, got.bytes, whole.bytes);
    }
}

static void a_record_says_how_many_lines_it_takes(void **state)
{
    struct csv_record record;

    (void)state;
    assert_int_equal(csv_next(STR("p,1,\"a\n\nb\"\nq,1,c\n"), true, &record), CSV_RECORD);
    assert_int_equal(record.lines, 3);
    assert_int_equal(record.len, 11);
    assert_int_equal(csv_next(STR("p,1,\"a\n\n"), true, &record), CSV_RECORD);
    assert_int_equal(record.lines, 1);
    assert_non_null(record.broken);
}

static void a_record_beyond_the_limit_is_broken_and_ends_with_its_line(void **state)
{
    AUTO_BUF text = { 0 };
    struct csv_record record;
    size_t line;

    (void)state;
    buf_text(&text, "p,1,\"");
    for (size_t i = 0; i < 2 * CSV_RECORD_BYTES_MAX; i++)
        buf_char(&text, 'x');
    buf_text(&text, "\"\n");
    line = text.len;
    buf_text(&text, "p,1,v\n");
    assert_int_equal(csv_next(buf_str(&text), false, &record), CSV_RECORD);
    assert_non_null(record.broken);
    assert_int_equal(record.len, line);
    assert_int_equal(csv_next(str_from(buf_str(&text), line), true, &record), CSV_RECORD);
    assert_null(record.broken);
}

static void the_header_is_exactly_one(void **state)
{
    static const struct {
        const char *text;
        size_t len; /* 0: it is none */
    } rows[] = {
        { "poll,options,voter\n", 19 }, { "poll,options,voter\r\np,1,v\n", 20 },
        { "poll,options,voter", 18 },   { "\xEF\xBB\xBFpoll,options,voter\n", 22 },
        { "poll,options,voters\n", 0 }, { "poll, options,voter\n", 0 },
        { "poll,options\n", 0 },        { "", 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t len = 0;
        bool is = csv_header(str_of(rows[i].text), &len);

        if (is != (rows[i].len > 0) || len != rows[i].len)
            fail_msg("%s: got %zu", rows[i].text, len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_read_as_rfc_4180_has_them),
        cmocka_unit_test(what_arrives_in_two_pieces_is_read_as_it_is_in_one),
        cmocka_unit_test(a_record_says_how_many_lines_it_takes),
        cmocka_unit_test(a_record_beyond_the_limit_is_broken_and_ends_with_its_line),
        cmocka_unit_test(the_header_is_exactly_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
