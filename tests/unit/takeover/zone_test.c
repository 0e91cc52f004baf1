/*
 * takeover/zone_test.c - clocks of a site, and what time it was.
 */
#include "zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define HOUR_MS INT64_C(3600000)

static void a_clock_says_what_time_it_was(void **state)
{
    static const struct {
        const char *zone;
        int64_t local_ms;
        int64_t utc_ms;
    } rows[] = {
        { "UTC", 1700000000000, 1700000000000 },
        { "+03:00", 1700000000000, 1700000000000 - 3 * HOUR_MS },
        { "-0530", 1700000000000, 1700000000000 + 5 * HOUR_MS + HOUR_MS / 2 },
        { "+3", 1700000000000, 1700000000000 - 3 * HOUR_MS },
        { "Europe/Moscow", 1700000000000, 1700000000000 - 3 * HOUR_MS },
        { "Europe/Berlin", 1700000000000, 1700000000000 - HOUR_MS },     /* November */
        { "Europe/Berlin", 1720000000000, 1720000000000 - 2 * HOUR_MS }, /* July */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(zone_known(rows[i].zone));
        if (zone_utc(rows[i].zone, rows[i].local_ms) != rows[i].utc_ms)
            fail_msg("%s %lld", rows[i].zone, (long long)rows[i].local_ms);
    }
}

static void what_is_no_zone_is_not_taken_for_utc(void **state)
{
    static const char *const rows[] = {
        "",        "Moskow", "Europe/Berlinn",       "../etc/passwd", "+", "+99", "+03:0",
        "+03:00x", "3",      "A/../../../etc/passwd"
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (zone_known(rows[i]))
            fail_msg("\"%s\" is taken for a zone", rows[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_says_what_time_it_was),
        cmocka_unit_test(what_is_no_zone_is_not_taken_for_utc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
