/*
 * base64_test.c - base64url: one form for every string of bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"

static void what_the_rfc_lists_is_read(void **state)
{
    /* RFC 4648 §10, without padding, and both digits that base64url has of its own. */
    static const struct {
        const char *text;
        const char *bytes;
    } rows[] = {
        { "", "" },
        { "Zg", "f" },
        { "Zm8", "fo" },
        { "Zm9v", "foo" },
        { "Zm9vYg", "foob" },
        { "Zm9vYmE", "fooba" },
        { "Zm9vYmFy", "foobar" },
        { "-_-_", "\xFB\xFF\xBF" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned char bytes[8];
        size_t len = 99;

        if (!base64url_decode(str_of(rows[i].text), bytes, sizeof bytes, &len) ||
            len != strlen(rows[i].bytes) || memcmp(bytes, rows[i].bytes, len) != 0)
            fail_msg("%s: %zu bytes", rows[i].text, len);
    }
}

static void any_other_form_is_refused(void **state)
{
    static const struct str rows[] = {
        STR("Z"),   STR("Zm9vY"),  STR("Zg=="),        STR("Zm8="),         STR("Zh"),
        STR("Zv"),  STR("Zm9"),    STR("Zm+v"),        STR("Zm/v"),         STR(" Zg"),
        STR("Zg "), STR("Zm\n9v"), STR("Zm9v\n"),      STR("Zm9\0"),        STR("Z."),
        STR("=Zg"), STR("\xC0g"),  STR("Zm9vZm9\xFF"), STR("Zm9v\xDA\xDA"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned char bytes[8];
        size_t len = 99;

        if (base64url_decode(rows[i], bytes, sizeof bytes, &len) || len != 99)
            fail_msg("row %zu was read", i);
    }
}

static void what_needs_more_room_is_refused(void **state)
{
    unsigned char bytes[3] = { 0 };
    size_t len;

    (void)state;
    assert_true(base64url_decode(STR("Zm9v"), bytes, 3, &len));
    assert_false(base64url_decode(STR("Zm9v"), bytes, 2, &len));
    assert_false(base64url_decode(STR("Zg"), bytes, 0, &len));
    assert_true(base64url_decode(STR(""), NULL, 0, &len));
    assert_int_equal(len, 0);
}

static void each_digit_is_itself_and_no_other_byte_is_one(void **state)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    (void)state;
    for (int c = 0; c < 256; c++) {
        const char *is = c > 0 ? strchr(digits, c) : NULL;
        char text[4] = { 'A', 'A', 'A', (char)c };
        unsigned char bytes[3];
        size_t len;

        if (base64url_decode((struct str){ text, 4 }, bytes, 3, &len) != (is != NULL) ||
            (is && bytes[2] != is - digits))
            fail_msg("byte %d", c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_rfc_lists_is_read),
        cmocka_unit_test(any_other_form_is_refused),
        cmocka_unit_test(what_needs_more_room_is_refused),
        cmocka_unit_test(each_digit_is_itself_and_no_other_byte_is_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
