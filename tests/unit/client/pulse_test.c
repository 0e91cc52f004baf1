/*
 * client/pulse_test.c - how fast votes come, drawn from statuses.
 */
#include "pulse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static const struct screen wide = { .cells = 60, .terminal = true, .utf8 = true };

static void note(struct pulse *pulse, const char *status, int64_t now_ms)
{
    pulse_note(pulse, str_of(status), now_ms);
}

static void expect(const struct pulse *pulse, const struct screen *screen, const char *text)
{
    AUTO_BUF out = { 0 };

    pulse_add(&out, screen, pulse);
    if (!str_eq(buf_str(&out), str_of(text)))
        fail_msg("got\n%.*s", (int)out.len, out.bytes);
}

static void polls_stand_by_the_votes_that_came_meanwhile(void **state)
{
    AUTO(pulse) pulse = pulse_new();

    (void)state;
    assert_non_null(pulse);
    note(pulse,
         "{\"commits\":{\"votes\":1000},\"busiest\":[{\"id\":\"old\",\"votes\":900},"
         "{\"id\":\"new\",\"votes\":90},{\"id\":\"still\",\"votes\":10}]}",
         1000);
    expect(pulse, &wide, "");
    note(pulse,
         "{\"commits\":{\"votes\":1009},\"busiest\":[{\"id\":\"old\",\"votes\":901},"
         "{\"id\":\"new\",\"votes\":98},{\"id\":\"still\",\"votes\":10}]}",
         2000);
    expect(pulse, &wide,
           "\nall votes     █ 9.0/s\n"
           "new           █ 8.0/s\n"
           "old           ▂ 1.0/s\n");
    note(pulse,
         "{\"commits\":{\"votes\":1018},\"busiest\":[{\"id\":\"old\",\"votes\":910},"
         "{\"id\":\"new\",\"votes\":98},{\"id\":\"still\",\"votes\":10}]}",
         4000);
    expect(pulse, &wide,
           "\nall votes     █▅ 4.5/s\n"
           "new           █▁ 0.0/s\n"
           "old           ▂▅ 4.5/s\n");
}

static void a_restart_and_a_new_poll_begin_at_0(void **state)
{
    AUTO(pulse) pulse = pulse_new();

    (void)state;
    assert_non_null(pulse);
    note(pulse, "{\"commits\":{\"votes\":500},\"busiest\":[{\"id\":\"a\",\"votes\":500}]}", 1000);
    note(pulse,
         "{\"commits\":{\"votes\":3},\"busiest\":[{\"id\":\"a\",\"votes\":2},"
         "{\"id\":\"b\",\"votes\":1}]}",
         2000);
    expect(pulse, &wide,
           "\nall votes     █ 3.0/s\n"
           "a             █ 2.0/s\n"
           "b             ▅ 1.0/s\n");
}

static void an_older_daemon_says_nothing_of_polls(void **state)
{
    AUTO(pulse) pulse = pulse_new();

    (void)state;
    assert_non_null(pulse);
    note(pulse, "{\"commits\":{\"votes\":1}}", 1000);
    note(pulse, "{\"commits\":{\"votes\":2}}", 2000);
    expect(pulse, &wide, "\nall votes     █ 1.0/s\n");
    note(pulse, "{}", 3000);
    expect(pulse, &wide, "\nall votes     █▁ 0.0/s\n");
}

static void what_does_not_fit_or_cannot_be_drawn_is_left_out(void **state)
{
    static const struct screen plain = { .cells = 60, .terminal = true };
    static const struct screen narrow = { .cells = 31, .terminal = true, .utf8 = true };
    AUTO(pulse) pulse = pulse_new();
    char status[1024];

    (void)state;
    assert_non_null(pulse);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(status, sizeof status,
                       "{\"commits\":{\"votes\":%d},\"busiest\":[{\"id\":\"p\",\"votes\":%d}]}", i,
                       i);
        note(pulse, status, 1000 * (i + 1));
    }
    expect(pulse, &plain, "\nall votes     1.0/s\np             1.0/s\n");
    expect(pulse, &narrow, "\nall votes     ███ 1.0/s\np             ███ 1.0/s\n");
    (void)snprintf(status, sizeof status, "{\"busiest\":[{\"id\":\"%s\",\"votes\":0}]}",
                   "a-poll-whose-name-has-many-words-1");
    note(pulse, status, 102000);
    (void)snprintf(status, sizeof status, "{\"busiest\":[{\"id\":\"%s\",\"votes\":5}]}",
                   "a-poll-whose-name-has-many-words-1");
    note(pulse, status, 103000);
    expect(pulse, &plain,
           "\nall votes                       0.0/s\n"
           "a-poll-whose-name-has-many-wo>  5.0/s\n");
}

static void more_polls_than_there_are_places_do_no_harm(void **state)
{
    AUTO(pulse) pulse = pulse_new();

    (void)state;
    assert_non_null(pulse);
    for (int round = 0; round < 2; round++) {
        AUTO_BUF status = { 0 };
        AUTO_BUF out = { 0 };
        size_t lines = 0;

        buf_text(&status, "{\"busiest\":[{\"id\":7}");
        for (int i = 0; i < 2 * PULSE_POLLS_MAX; i++)
            buf_format(&status, ",{\"id\":\"p%d\",\"votes\":%d}", i, round * i);
        buf_text(&status, "]}");
        pulse_note(pulse, buf_str(&status), 1000 * (round + 1));
        pulse_add(&out, &wide, pulse);
        for (size_t i = 0; i < out.len; i++)
            lines += out.bytes[i] == '\n';
        assert_int_equal(lines, round == 0 ? 0 : 2 + PULSE_SHOWN_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(polls_stand_by_the_votes_that_came_meanwhile),
        cmocka_unit_test(a_restart_and_a_new_poll_begin_at_0),
        cmocka_unit_test(an_older_daemon_says_nothing_of_polls),
        cmocka_unit_test(what_does_not_fit_or_cannot_be_drawn_is_left_out),
        cmocka_unit_test(more_polls_than_there_are_places_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
