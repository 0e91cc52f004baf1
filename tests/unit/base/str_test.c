/*
 * str_test.c - words and digits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"

static void a_word_is_one_of_those_that_it_equals_whole(void **state)
{
    static const struct {
        const char *word;
        bool is;
    } rows[] = {
        { "poll", true },    { "voter", true }, { "option", true }, { "pol", false },
        { "polls", false },  { "", false },     { " ", false },     { "poll voter", false },
        { "poll\n", false }, { "Poll", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (str_is_one_of(str_of(rows[i].word), "poll voter option") != rows[i].is)
            fail_msg("'%s'", rows[i].word);
    }
    assert_false(str_is_one_of(STR("poll"), ""));
}

static void hex_digits_have_values_and_nothing_else_has(void **state)
{
    static const char digits[] = "0123456789abcdef";
    int found = 0;

    (void)state;
    for (int i = 0; i < 16; i++)
        assert_int_equal(hex_digit(digits[i]), i);
    for (int c = -128; c < 256; c++) {
        if (hex_digit(c) >= 0)
            found++;
    }
    assert_int_equal(found, 22);
    assert_int_equal(hex_digit('F'), 15);
    assert_int_equal(hex_digit('A'), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_is_one_of_those_that_it_equals_whole),
        cmocka_unit_test(hex_digits_have_values_and_nothing_else_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
