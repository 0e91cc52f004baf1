/*
 * unit/base/log_test.c - what a line looks like; stderr is a file meanwhile.
 */
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char said[32768];

/* What `level` and `text` make on stderr. */
static const char *hear(enum log_level level, const char *text)
{
    FILE *file = tmpfile();
    int kept = dup(STDERR_FILENO);
    size_t len;

    assert_non_null(file);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    log_line(level, "%s", text);
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    (void)close(kept);
    rewind(file);
    len = fread(said, 1, sizeof said - 1, file);
    said[len] = '\0';
    (void)fclose(file);
    return said;
}

static void a_line_above_the_level_is_dropped(void **state)
{
    (void)state;
    log_setup(LOG_WARNING, LOG_TEXT, false);
    assert_string_equal(hear(LOG_NOTICE, "quiet"), "");
    assert_string_equal(hear(LOG_WARNING, "loud"), "loud\n");
    log_setup(LOG_DEBUG, LOG_TEXT, false);
    assert_string_equal(hear(LOG_DEBUG, "all"), "all\n");
}

static void a_line_begins_with_its_priority_under_systemd(void **state)
{
    (void)state;
    log_setup(LOG_INFO, LOG_TEXT, true);
    assert_string_equal(hear(LOG_ERROR, "x"), "<3>x\n");
}

static void one_event_is_one_line_whatever_it_holds(void **state)
{
    char *long_text = malloc(10001);

    (void)state;
    assert_non_null(long_text);
    log_setup(LOG_INFO, LOG_TEXT, false);
    assert_string_equal(hear(LOG_INFO, "a\nb\tc"), "a b c\n");
    memset(long_text, '\xFF', 10000);
    long_text[10000] = '\0';
    assert_int_equal(strlen(hear(LOG_INFO, long_text)), 2048);
    log_setup(LOG_INFO, LOG_JSON, true);
    assert_true(strlen(hear(LOG_INFO, long_text)) > 3 * 2047);
    assert_string_equal(said + strlen(said) - 3, "\"}\n");
    free(long_text);
}

static void a_json_line_is_json_whatever_it_holds(void **state)
{
    static const char tail[] =
        "\",\"level\":\"warning\",\"message\":\"a \\\"b\\\" \\\\ \xEF\xBF\xBD \xC3\xA9\"}\n";

    (void)state;
    log_setup(LOG_INFO, LOG_JSON, false);
    (void)hear(LOG_WARNING, "a \"b\" \\ \xFF \xC3\xA9");
    assert_memory_equal(said, "{\"at\":\"20", 9);
    assert_string_equal(said + strlen("{\"at\":\"2026-11-23T08:40:12Z"), tail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_above_the_level_is_dropped),
        cmocka_unit_test(a_line_begins_with_its_priority_under_systemd),
        cmocka_unit_test(one_event_is_one_line_whatever_it_holds),
        cmocka_unit_test(a_json_line_is_json_whatever_it_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
