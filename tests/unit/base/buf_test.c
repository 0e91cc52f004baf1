/*
 * buf_test.c - times as they are written, beside those of the C library.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"

static void expect(int64_t at_ms, const char *expected)
{
    AUTO_BUF got = { 0 };

    buf_time(&got, at_ms);
    if (!buf_ok(&got) || !str_eq(buf_str(&got), str_of(expected)))
        fail_msg("%lld: %.*s, not %s", (long long)at_ms, (int)got.len, got.bytes, expected);
}

static void times_are_written_with_their_fractions_cut_off(void **state)
{
    (void)state;
    expect(0, "1970-01-01T00:00:00Z");
    expect(999, "1970-01-01T00:00:00Z");
    expect(-1, "1969-12-31T23:59:59Z");
    expect(951782400000, "2000-02-29T00:00:00Z");
    expect(951868800000, "2000-03-01T00:00:00Z");
    expect(4107542399000, "2100-02-28T23:59:59Z");
    expect(4107542400000, "2100-03-01T00:00:00Z");
    expect(2147483648000, "2038-01-19T03:14:08Z");
    expect(253402300799999, "9999-12-31T23:59:59Z");
    expect(-62167219200000, "0000-01-01T00:00:00Z");
}

static void every_day_of_800_years_is_that_of_the_c_library(void **state)
{
    const int64_t day_s = 86400;

    (void)state;
    for (int64_t seconds = -400 * 366 * day_s; seconds < 400 * 366 * day_s; seconds += day_s - 61) {
        time_t at = (time_t)seconds;
        char expected[32];
        struct tm utc;

        assert_non_null(gmtime_r(&at, &utc));
        assert_true(strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%SZ", &utc) > 0);
        expect(seconds * 1000, expected);
    }
}

static void a_year_that_has_no_four_digits_is_a_failure(void **state)
{
    static const int64_t rows[] = { 253402300800000, -62167219200001, INT64_MAX, INT64_MIN };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_BUF got = { 0 };

        buf_time(&got, rows[i]);
        assert_false(buf_ok(&got));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_written_with_their_fractions_cut_off),
        cmocka_unit_test(every_day_of_800_years_is_that_of_the_c_library),
        cmocka_unit_test(a_year_that_has_no_four_digits_is_a_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
