/*
 * pace_test.c - votes of the last minute, by a clock that is a number.
 */
#include "ledger/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define DAY_MS (86400 * INT64_C(1000))

static void only_whole_seconds_of_the_last_minute_count(void **state)
{
    struct pace pace = { 0 };

    (void)state;
    pace_note(&pace, DAY_MS + 1500, 3);
    pace_note(&pace, DAY_MS + 1999, 4);
    assert_int_equal(pace_read(&pace, DAY_MS + 1999), 0); /* this second goes on */
    assert_int_equal(pace_read(&pace, DAY_MS + 2000), 7);
    pace_note(&pace, DAY_MS + 30000, 10);
    assert_int_equal(pace_read(&pace, DAY_MS + 61999), 17);
    assert_int_equal(pace_read(&pace, DAY_MS + 62000), 10); /* the first is a minute old */
    assert_int_equal(pace_read(&pace, DAY_MS + 90999), 10);
    assert_int_equal(pace_read(&pace, DAY_MS + 91000), 0);
}

static void a_steady_stream_is_a_minute_of_it_whenever_it_is_looked_at(void **state)
{
    struct pace pace = { 0 };

    (void)state;
    for (int64_t second = 0; second < 1000; second++) {
        assert_int_equal(pace_read(&pace, second * 1000),
                         (second < PACE_SECONDS ? second : PACE_SECONDS) * 5);
        for (int i = 0; i < 5; i++)
            pace_note(&pace, second * 1000 + i * 200, 1);
    }
    assert_int_equal(pace_read(&pace, 2000 * 1000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_whole_seconds_of_the_last_minute_count),
        cmocka_unit_test(a_steady_stream_is_a_minute_of_it_whenever_it_is_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
