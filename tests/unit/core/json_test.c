/*
 * unit/core/json_test.c - what the strict reader takes, what it refuses, and that integers are
 * exact.
 */
#include "core/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

/* A copy of exactly these bytes, so that a sanitizer sees a read past the end. */
static enum json_result parse(struct str bytes, struct json **ret_json, struct why *reterr_why)
{
    AUTO_BYTES char *copy = malloc(bytes.len > 0 ? bytes.len : 1);

    assert_non_null(copy);
    if (bytes.len > 0)
        memcpy(copy, bytes.at, bytes.len);
    return json_parse((struct str){ copy, bytes.len }, ret_json, reterr_why);
}

#define ROW(text)                                                                                  \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

static void good_json_is_taken(void **state)
{
    static const struct str rows[] = {
        ROW("{}"),
        ROW("[]"),
        ROW("null"),
        ROW("true"),
        ROW("false"),
        ROW("0"),
        ROW("-0"),
        ROW("12"),
        ROW("-1.5e+10"),
        ROW("1E-2"),
        ROW("0.0"),
        ROW("\"\""),
        ROW(" \t\r\n[1 , 2]\n "),
        ROW("{\"a\":{\"a\":[{\"a\":1}]}}"),
        ROW("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\""),
        ROW("\"\\ud83d\\uDE00\""),
        ROW("\"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 \x7F\""),
        ROW("[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]"),
        ROW("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"),
        ROW("123456789012345678901234567890123456789012345678901234567890123"),
        ROW("{\"\":1,\"A\":2,\"a\":3}"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO(json) json = NULL;
        struct why why = { "" };

        if (parse(rows[i], &json, &why) != JSON_OK)
            fail_msg("%.*s: refused: %s", (int)rows[i].len, rows[i].at, why.text);
    }
}

static void bad_json_is_refused_with_its_place(void **state)
{
    static const struct {
        struct str text;
        const char *why;
    } rows[] = {
        { ROW(""), "a value is missing at byte 0" },
        { ROW("  "), "a value is missing at byte 2" },
        { ROW("{"), "name is missing at byte 1" },
        { ROW("["), "value is missing at byte 1" },
        { ROW("[1"), "comma or an end is missing at byte 2" },
        { ROW("[1}"), "comma or an end is missing at byte 2" },
        { ROW("{\"a\":1]"), "comma or an end is missing at byte 6" },
        { ROW("[1,]"), "value is missing at byte 3" },
        { ROW("{\"a\":1,}"), "name is missing at byte 7" },
        { ROW("{a:1}"), "name is missing at byte 1" },
        { ROW("{\"a\" 1}"), "colon is missing at byte 5" },
        { ROW("{\"a\":}"), "value is missing at byte 5" },
        { ROW("tru"), "value is missing at byte 0" },
        { ROW("nul"), "value is missing at byte 0" },
        { ROW("True"), "value is missing at byte 0" },
        { ROW("NaN"), "value is missing at byte 0" },
        { ROW("01"), "more behind the end at byte 1" },
        { ROW("-"), "digit is missing at byte 1" },
        { ROW("+1"), "value is missing at byte 0" },
        { ROW(".5"), "value is missing at byte 0" },
        { ROW("1."), "digit is missing at byte 2" },
        { ROW("1e"), "digit is missing at byte 2" },
        { ROW("1e+"), "digit is missing at byte 3" },
        { ROW("0x10"), "more behind the end at byte 1" },
        { ROW("1 2"), "more behind the end at byte 2" },
        { ROW("{} x"), "more behind the end at byte 3" },
        { ROW("{}\0"), "more behind the end at byte 2" },
        { ROW("\xEF\xBB\xBF{}"), "value is missing at byte 0" },
        { ROW("[1]\v"), "more behind the end at byte 3" },
        { ROW("\"a"), "string has no end at byte 2" },
        { ROW("\"a\n\""), "control character in a string at byte 2" },
        { ROW("\"a\0\""), "control character in a string at byte 2" },
        { ROW("\"\\x\""), "unknown escape in a string at byte 2" },
        { ROW("\"\\"), "unknown escape in a string at byte 2" },
        { ROW("\"\\\0\""), "unknown escape in a string at byte 2" },
        { ROW("\"\\u12g4\""), "four hexadecimal digits at byte 5" },
        { ROW("\"\\u12"), "four hexadecimal digits at byte 5" },
        { ROW("\"\\u0000\""), "\\u0000 is not taken at byte 7" },
        { ROW("{\"\\u0000\":1}"), "\\u0000 is not taken at byte 8" },
        { ROW("\"\\ud800\""), "surrogate stands alone" },
        { ROW("\"\\ud800\\n\""), "surrogate stands alone" },
        { ROW("\"\\ud800\\ud800\""), "surrogate stands alone" },
        { ROW("\"\\udc00\\ud800\""), "surrogate stands alone" },
        { ROW("\"\xFF\""), "not UTF-8 at byte 1" },
        { ROW("\"\xC0\x80\""), "not UTF-8 at byte 1" },
        { ROW("\"\xED\xA0\x80\""), "not UTF-8 at byte 1" },
        { ROW("\"\xF4\x90\x80\x80\""), "not UTF-8 at byte 1" },
        { ROW("\"\xE2\x82"), "not UTF-8 at byte 1" },
        { ROW("[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]"), "more than 16 levels of nesting at byte 16" },
        { ROW("[[[[[[[[[[[[[[[[{}]]]]]]]]]]]]]]]]"), "more than 16 levels" },
        { ROW("1234567890123456789012345678901234567890123456789012345678901234"),
          "longer than 63 characters" },
        { ROW("{\"a\":1,\"b\":2,\"a\":3}"), "\"a\" stands twice" },
        { ROW("{\"a\":1,\"\\u0061\":3}"), "\"a\" stands twice" },
        { ROW("[1,{\"x\":[{\"b\":1,\"b\":1}]}]"), "\"b\" stands twice" },
        { ROW("{\"\\n\":1,\"\\n\":3}"), "a member stands twice" },
        { ROW("{\"a\":{},\"b\":{},\"c\":{},\"d\":{},\"e\":{},\"f\":{},\"g\":{},\"h\":{},\"i\":{},"
              "\"j\":{},\"k\":{},\"l\":{},\"m\":{},\"n\":{},\"o\":{},\"p\":{},\"q\":{},\"c\":{}}"),
          "\"c\" stands twice" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO(json) json = NULL;
        struct why why = { "" };

        if (parse(rows[i].text, &json, &why) != JSON_BAD)
            fail_msg("%.*s: taken", (int)rows[i].text.len, rows[i].text.at);
        if (!strstr(why.text, rows[i].why))
            fail_msg("%.*s: %s", (int)rows[i].text.len, rows[i].text.at, why.text);
    }
}

static void an_integer_is_what_its_text_says(void **state)
{
    static const struct {
        const char *text;
        bool is_integer;
        int64_t n;
    } rows[] = {
        { "0", true, 0 },
        { "-0", true, 0 },
        { "7", true, 7 },
        { "9007199254740993", true, 9007199254740993 }, /* 2^53 + 1 */
        { "9223372036854775807", true, INT64_MAX },
        { "9223372036854775808", false, 0 },
        { "-9223372036854775808", true, INT64_MIN },
        { "-9223372036854775809", false, 0 },
        { "18446744073709551617", false, 0 },
        { "1.0", false, 0 },
        { "1e0", false, 0 },
        { "1E2", false, 0 },
        { "\"1\"", false, 0 },
        { "true", false, 0 },
        { "null", false, 0 },
        { "[1]", false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO(json) json = NULL;
        int64_t n = 0;

        assert_int_equal(parse(str_of(rows[i].text), &json, NULL), JSON_OK);
        if (json_int64(json_root(json), &n) != rows[i].is_integer || n != rows[i].n)
            fail_msg("%s: got %lld", rows[i].text, (long long)n);
    }
    {
        int64_t n = 0;

        assert_false(json_int64(NULL, &n));
    }
}

static void every_number_keeps_its_own_text(void **state)
{
    static const char text[] = "{\"a\":[1,2.5,{\"b\":3,\"c\":\"x\"},[]],\"d\":4,\"e\":[[5],6]}";
    AUTO(json) json = NULL;
    const cJSON *root;
    const cJSON *a;
    int64_t n = 0;

    (void)state;
    assert_int_equal(parse(str_of(text), &json, NULL), JSON_OK);
    root = json_root(json);
    a = json_member(root, "a");
    assert_true(json_int64(cJSON_GetArrayItem(a, 0), &n) && n == 1);
    assert_false(json_int64(cJSON_GetArrayItem(a, 1), &n));
    assert_true(json_int64(json_member(cJSON_GetArrayItem(a, 2), "b"), &n) && n == 3);
    assert_true(json_int64(json_member(root, "d"), &n) && n == 4);
    assert_true(json_int64(cJSON_GetArrayItem(json_member(root, "e"), 1), &n) && n == 6);
    assert_null(json_member(root, "A"));
    assert_null(json_member(a, "b"));
    assert_true(str_eq(json_string(json_member(cJSON_GetArrayItem(a, 2), "c")), STR("x")));
    assert_null(json_string(a).at);
}

static void the_copy_of_a_tree_keeps_its_integers(void **state)
{
    AUTO(json) json = NULL;
    cJSON *copy;
    int64_t n = 0;

    (void)state;
    assert_int_equal(parse(STR("[9007199254740993]"), &json, NULL), JSON_OK);
    copy = cJSON_Duplicate(json_root(json), true);
    assert_true(json_int64(cJSON_GetArrayItem(copy, 0), &n));
    assert_true(n == 9007199254740993);
    cJSON_Delete(copy);
}

/* 256 KiB of members: compared pair by pair they would take minutes, and the test would time out
 * under a sanitizer. */
static void many_members_are_compared(void **state)
{
    static const struct {
        const char *last;
        enum json_result result;
    } rows[] = { { "\"last\":1}", JSON_OK }, { "\"k0\":1}", JSON_BAD } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO(json) json = NULL;
        AUTO_BUF body = { 0 };

        buf_char(&body, '{');
        for (int k = 0; body.len < 256 * 1024; k++)
            buf_format(&body, "\"k%d\":%d,", k, k);
        buf_text(&body, rows[i].last);
        assert_int_equal(parse(buf_str(&body), &json, NULL), rows[i].result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_json_is_taken),
        cmocka_unit_test(bad_json_is_refused_with_its_place),
        cmocka_unit_test(an_integer_is_what_its_text_says),
        cmocka_unit_test(every_number_keeps_its_own_text),
        cmocka_unit_test(the_copy_of_a_tree_keeps_its_integers),
        cmocka_unit_test(many_members_are_compared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
