/*
 * unit/base/log_test.c - what a line looks like; stderr is a file meanwhile.
 */
#include "base/log.h"

#include <fcntl.h>
#include <limits.h>
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
    assert_in_range(strlen(hear(LOG_INFO, long_text)), PIPE_BUF - 16, PIPE_BUF);
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

static void say_request(const char *path)
{
    const struct log_field fields[] = { { .name = "status", .number = 201 },
                                        { .name = "role", .text = STR("public") },
                                        { .name = "path", .text = str_of(path) } };

    log_fields(LOG_INFO, "request", fields, 3);
}

static const char *hear_request(const char *path)
{
    FILE *file = tmpfile();
    int kept = dup(STDERR_FILENO);

    assert_non_null(file);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    say_request(path);
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    (void)close(kept);
    rewind(file);
    said[fread(said, 1, sizeof said - 1, file)] = '\0';
    (void)fclose(file);
    return said;
}

static void fields_stand_behind_the_message(void **state)
{
    char long_path[9000];

    (void)state;
    log_setup(LOG_INFO, LOG_TEXT, true);
    assert_string_equal(hear_request("/p/a"), "<6>request status=201 role=public path=/p/a\n");
    assert_string_equal(hear_request("/a b=\"\n"),
                        "<6>request status=201 role=public path=\"/a b=\\\" \"\n");
    assert_string_equal(hear_request(""), "<6>request status=201 role=public path=\"\"\n");
    log_setup(LOG_INFO, LOG_JSON, false);
    assert_string_equal(strstr(hear_request("/a\"b"), ",\"message\""),
                        ",\"message\":\"request\",\"status\":201,\"role\":\"public\","
                        "\"path\":\"/a\\\"b\"}\n");
    memset(long_path, '"', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = '\0';
    assert_in_range(strlen(hear_request(long_path)), PIPE_BUF - 16, PIPE_BUF);
    assert_string_equal(said + strlen(said) - 5, "\\\"\"}\n");
    log_setup(LOG_NOTICE, LOG_JSON, false);
    assert_string_equal(hear_request("/p/a"), "");
    assert_false(log_takes(LOG_INFO));
    assert_true(log_takes(LOG_NOTICE));
}

/* Whoever waits for the reader waits until alarm() ends this program. */
static void a_reader_that_hangs_stops_nobody_and_hears_what_it_has_missed(void **state)
{
    static const char filler[PIPE_BUF];
    int kept = dup(STDERR_FILENO);
    int ends[2];
    ssize_t len;

    (void)state;
    log_setup(LOG_INFO, LOG_TEXT, false);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    while (write(ends[1], filler, sizeof filler) > 0) {
        /* until it is full */
    }
    assert_int_equal(fcntl(ends[1], F_SETFL, 0), 0);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    (void)alarm(60);
    for (int i = 0; i < 3; i++)
        log_line(i == 0 ? LOG_ERROR : LOG_INFO, "unheard %d", i);
    (void)alarm(0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    while (read(ends[0], said, sizeof said) > 0) {
        /* until it is empty */
    }
    log_line(LOG_INFO, "heard");
    log_line(LOG_INFO, "again");
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    (void)close(kept);
    len = read(ends[0], said, sizeof said - 1);
    assert_true(len > 0);
    said[len] = '\0';
    assert_string_equal(said, "3 lines of this log are lost: nobody read them in time\n"
                              "heard\nagain\n");
    (void)close(ends[0]);
    (void)close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_above_the_level_is_dropped),
        cmocka_unit_test(a_line_begins_with_its_priority_under_systemd),
        cmocka_unit_test(one_event_is_one_line_whatever_it_holds),
        cmocka_unit_test(a_json_line_is_json_whatever_it_holds),
        cmocka_unit_test(fields_stand_behind_the_message),
        cmocka_unit_test(a_reader_that_hangs_stops_nobody_and_hears_what_it_has_missed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
