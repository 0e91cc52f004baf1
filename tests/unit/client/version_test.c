/*
 * client/version_test.c - which version is older.
 */
#include "version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static void versions_are_compared_by_their_numbers(void **state)
{
    static const struct {
        const char *older;
        const char *newer;
    } rows[] = {
        { "0.1.0", "0.1.1" },
        { "0.9.9", "0.10.0" },
        { "0.1.0", "1.0.0" },
        { "1.0", "1.0.1" },
        { "1.0-rc1", "1.0" },
        { "1.0-rc1", "1.0-rc2" },
        { "1.0-rc1", "1.0.1" },
        { "1.0.0", "1.0.99999999999999999999999" },
        { "", "0.1" },
        { "nightly", "1" },
        { "1.2.3-4", "1.2.3" },
        { "01.2", "1.3" },
        { "0.1.0~beta", "0.1.0" },
        { "1.9", "1.10-rc1" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str older = str_of(rows[i].older);
        struct str newer = str_of(rows[i].newer);

        if (sign(version_compare(older, newer)) != -1 || sign(version_compare(newer, older)) != 1)
            fail_msg("%s, %s", rows[i].older, rows[i].newer);
        assert_int_equal(version_compare(older, older), 0);
        assert_int_equal(version_compare(newer, newer), 0);
    }
    assert_int_equal(version_compare(STR("1.02"), STR("1.2")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_compared_by_their_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
