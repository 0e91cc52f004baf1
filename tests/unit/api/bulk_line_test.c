/*
 * bulk_line_test.c - which lines are plain, and that they say what JSON says they say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "api/bulk_line.h"

static void plain_lines_are_read_without_a_tree(void **state)
{
    static const struct {
        const char *text;
        const char *poll;
        const char *voter;
        bool is_rating;
        unsigned number;
    } rows[] = {
        { "{\"poll\":\"p\",\"option\":2,\"voter\":\"v\"}", "p", "v", false, 2 },
        { "{\"voter\":\"a b\",\"poll\":\"us-goals\",\"rating\":10}", "us-goals", "a b", true, 10 },
        { " {\t\"option\" : 64 , \"voter\":\"\",\"poll\":\"p\" } \r", "p", "", false, 64 },
        { "{\"poll\":\"p\",\"option\":999,\"voter\":\"\xd0\x96\"}", "p", "\xd0\x96", false, 999 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct plain_line line;

        if (!plain_line_read(str_of(rows[i].text), &line))
            fail_msg("row %zu is not plain", i);
        assert_true(str_eq(line.poll, str_of(rows[i].poll)));
        assert_true(str_eq(line.voter, str_of(rows[i].voter)));
        assert_int_equal(line.is_rating, rows[i].is_rating);
        assert_int_equal(line.number, rows[i].number);
    }
}

static void anything_else_is_left_to_the_json_reader(void **state)
{
    static const char *const rows[] = {
        "",
        "{}",
        "[1]",
        "{\"poll\":\"p\",\"option\":2}",
        "{\"poll\":\"p\",\"option\":2,\"voter\":\"v\"",
        "{\"poll\":\"p\",\"option\":2,\"voter\":\"v\"}}",
        "{\"poll\":\"p\",\"option\":2,\"voter\":\"v\"},",
        "{\"poll\":\"p\",\"option\":2,\"voter\":\"v\",}",
        "{\"poll\":\"p\",\"option\":2,\"voter\":\"v\",\"x\":1}",
        "{\"poll\":\"p\",\"option\":2,\"voter\":\"\\u0076\"}",
        "{\"poll\":\"p\",\"option\":2,\"voter\":\"v\\\"\"}",
        "{\"poll\":\"p\",\"option\":2,\"voter\":\"v\tw\"}",
        "{\"poll\":\"p\",\"option\":02,\"voter\":\"v\"}",
        "{\"poll\":\"p\",\"option\":0,\"voter\":\"v\"}",
        "{\"poll\":\"p\",\"option\":-2,\"voter\":\"v\"}",
        "{\"poll\":\"p\",\"option\":2.0,\"voter\":\"v\"}",
        "{\"poll\":\"p\",\"option\":2e1,\"voter\":\"v\"}",
        "{\"poll\":\"p\",\"option\":1000,\"voter\":\"v\"}",
        "{\"poll\":\"p\",\"option\":\"2\",\"voter\":\"v\"}",
        "{\"poll\":\"p\",\"option\":[2],\"voter\":\"v\"}",
        "{\"poll\":\"p\",\"options\":[2],\"voter\":\"v\"}",
        "{\"poll\":\"p\",\"option\":2,\"option\":3}",
        "{\"poll\":\"p\",\"option\":2,\"rating\":3}",
        "{\"poll\":\"p\",\"poll\":\"q\",\"option\":2}",
        "{\"voter\":\"p\",\"voter\":\"q\",\"option\":2}",
        "{\"p\\u006fll\":\"p\",\"option\":2,\"voter\":\"v\"}",
        "{\"poll\":\"p\"\"option\":2,\"voter\":\"v\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct plain_line line;

        if (plain_line_read(str_of(rows[i]), &line))
            fail_msg("row %zu was taken for plain: %s", i, rows[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_lines_are_read_without_a_tree),
        cmocka_unit_test(anything_else_is_left_to_the_json_reader),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
