/*
 * unit/base/repeat_test.c - how often a line is said; stderr is a file meanwhile, the clock a
 * number.
 */
#include "base/repeat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static FILE *file;
static int kept;
static char heard[4096];

static int open_file(void **state)
{
    (void)state;
    file = tmpfile();
    kept = dup(STDERR_FILENO);
    log_setup(LOG_INFO, LOG_TEXT, true);
    return file && dup2(fileno(file), STDERR_FILENO) >= 0 ? 0 : -1;
}

static int close_file(void **state)
{
    (void)state;
    return dup2(kept, STDERR_FILENO) >= 0 && close(kept) == 0 && fclose(file) == 0 ? 0 : -1;
}

/* What was said since this was last asked. */
static const char *said(void)
{
    rewind(file);
    heard[fread(heard, 1, sizeof heard - 1, file)] = '\0';
    rewind(file);
    assert_int_equal(ftruncate(fileno(file), 0), 0);
    return heard;
}

static void a_line_is_said_once_and_then_counted_for_a_minute(void **state)
{
    struct repeat repeat;

    (void)state;
    repeat_init(&repeat);
    repeat_say(&repeat, 1000, LOG_WARNING, "no room for %s", "a");
    assert_string_equal(said(), "<4>no room for a\n");
    for (int i = 0; i < 1204; i++)
        repeat_say(&repeat, 1000 + REPEAT_MS - 1, LOG_WARNING, "no room for %s", "b");
    repeat_tell(&repeat, 1000 + REPEAT_MS - 1);
    assert_string_equal(said(), "");
    repeat_tell(&repeat, 1000 + REPEAT_MS);
    assert_string_equal(said(), "<4>no room for a (said 1,204 times more in the last minute)\n");
    repeat_tell(&repeat, 1000 + REPEAT_MS);
    assert_string_equal(said(), "");
    repeat_end(&repeat);
}

static void what_goes_on_is_a_line_a_minute(void **state)
{
    struct repeat repeat;

    (void)state;
    repeat_init(&repeat);
    repeat_say(&repeat, 1, LOG_INFO, "x");
    (void)said();
    for (int minute = 1; minute < 4; minute++) {
        int64_t now_ms = 1 + minute * (int64_t)REPEAT_MS;

        repeat_say(&repeat, now_ms - 1, LOG_INFO, "x");
        repeat_tell(&repeat, now_ms);
        assert_string_equal(said(), "<6>x (said 1 time more in the last minute)\n");
    }
    repeat_end(&repeat);
}

static void a_line_after_a_quiet_minute_is_said_behind_the_count(void **state)
{
    struct repeat repeat;

    (void)state;
    repeat_init(&repeat);
    repeat_say(&repeat, 1, LOG_INFO, "first");
    repeat_say(&repeat, 2, LOG_INFO, "second");
    repeat_say(&repeat, 3 * REPEAT_MS, LOG_INFO, "third");
    assert_string_equal(said(), "<6>first\n<6>first (said 1 time more in the last minute)\n"
                                "<6>third\n");
    repeat_end(&repeat);
    assert_string_equal(said(), "");
}

static void at_the_end_what_was_counted_is_told(void **state)
{
    struct repeat repeat;

    (void)state;
    repeat_init(&repeat);
    for (int i = 0; i < 1000001; i++)
        repeat_say(&repeat, 1, LOG_INFO, "x");
    (void)said();
    repeat_end(&repeat);
    assert_string_equal(said(), "<6>x (said 1,000,000 times more in the last minute)\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_said_once_and_then_counted_for_a_minute),
        cmocka_unit_test(what_goes_on_is_a_line_a_minute),
        cmocka_unit_test(a_line_after_a_quiet_minute_is_said_behind_the_count),
        cmocka_unit_test(at_the_end_what_was_counted_is_told),
    };

    return cmocka_run_group_tests(tests, open_file, close_file);
}
