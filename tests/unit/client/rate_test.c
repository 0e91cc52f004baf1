/*
 * client/rate_test.c - how fast votes come.
 */
#include "rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_rate_is_told_with_what_it_is_made_of(void **state)
{
    static const struct {
        int64_t votes;
        int64_t took_ms;
        const char *text;
    } rows[] = {
        { 36, 180000, "12 votes/min (36 in 3 min 0 s)" },
        { 1, 90000, "0.7 votes/min (1 in 1 min 30 s)" },
        { 0, 600000, "0 votes/min (0 in 10 min 0 s)" },
        { 3, 12999, "15 votes/min (3 in 12 s)" },
        { 2, 0, "120 votes/min (2 in 1 s)" },
        { -1, 60000, "-1.0 votes/min (-1 in 1 min 0 s)" },
        { 5000000, 60000, "5000000 votes/min (5000000 in 1 min 0 s)" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_BUF out = { 0 };

        rate_add(&out, rows[i].votes, rows[i].took_ms);
        if (!str_eq(buf_str(&out), str_of(rows[i].text)))
            fail_msg("row %zu: %.*s", i, (int)out.len, out.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rate_is_told_with_what_it_is_made_of),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
