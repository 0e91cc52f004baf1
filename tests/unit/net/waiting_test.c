/*
 * waiting_test.c - what becomes of exchanges that wait: peers that stall, go away, or only end
 * their own side, and the drain.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/stream_fixture.h"

static void whose_peer_has_gone_may_be_ended_later(void **state)
{
    char *heard;
    int fd;

    (void)state;
    start(NULL);
    site.ends_late = true;
    fd = dial_unix(&site.house);
    say(fd, "POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n");
    assert_true(hear_until(fd, "the chunked body breaks the grammar"));
    wait_until(&site.gone, 1);
    house_drain(&site.house); /* ends it */
    heard = hear(fd);
    assert_string_equal(heard, "");
    free(heard);
    house_drained(&site.house);
    stop();
}

static void a_body_that_its_peer_ends_halfway_has_nobody(void **state)
{
    char *heard;
    int fd;

    (void)state;
    start(NULL);
    fd = dial_unix(&site.house);
    say(fd, "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
    (void)shutdown(fd, SHUT_WR);
    heard = hear(fd);
    assert_string_equal(heard, "");
    free(heard);
    wait_until(&site.gone, 1);
    stop();
}

static void what_stalls_is_cut_and_what_waits_for_us_is_not(void **state)
{
    struct net_deadlines soon = net_deadlines_default;
    char *heard;
    int waits;
    int paused;
    int fd;

    (void)state;
    soon.stall_ms = 1;
    start(&soon);
    waits = dial_unix(&site.house);
    say(waits, "GET /wait HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    paused = dial_unix(&site.house);
    say(paused, "POST /held HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n"
                "Connection: close\r\n\r\nhello");
    wait_until(&site.paused, 1);

    fd = dial_unix(&site.house);
    say(fd, "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
    heard = hear(fd);
    assert_int_equal(strncmp(heard, "HTTP/1.1 408 Request Timeout\r\n", 30), 0);
    free(heard);
    wait_until(&site.gone, 1);

    fd = dial_unix(&site.house);
    say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
    heard = hear(fd);
    assert_non_null(strstr(heard, "00000005\r\nhello\r\n"));
    assert_null(unchunk(heard));
    free(heard);
    wait_until(&site.gone, 2);

    fd = dial_unix(&site.house);
    say(fd, "GET /flood HTTP/1.1\r\nHost: a\r\n\r\n");
    wait_until(&site.gone, 3);
    (void)close(fd);

    say(paused, "again"); /* lies there when it is resumed */
    release();
    heard = hear(waits);
    assert_non_null(strstr(heard, "late"));
    free(heard);
    heard = hear(paused);
    assert_non_null(strstr(heard, "took 10"));
    free(heard);
    assert_int_equal(atomic_load(&site.gone), 3);
    stop();
}

/* A long poll behind which the peer went away, in every way that shows. */
static void a_peer_that_has_gone_is_noticed_while_its_exchange_waits(void **state)
{
    static const struct {
        const char *when;
        const char *behind; /* the long poll: then reading pauses */
        bool tcp;
        bool half_closes;
    } rows[] = {
        { "closed, local", "", false, false },
        { "closed, local, with a request behind", LAST, false, false },
        { "half closed, then closed, local", "", false, true },
        { "reset, TCP", "", true, false },
        { "reset, TCP, with a request behind", LAST, true, false },
        { "half closed, then reset, TCP", "", true, true },
    };

    (void)state;
    start(NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int fd = rows[i].tcp ? dial_tcp(&site.house) : dial_unix(&site.house);

        say(fd, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
        say(fd, rows[i].behind);
        wait_until(&site.arrived, i + 1);
        if (rows[i].half_closes)
            (void)shutdown(fd, SHUT_WR);
        if (rows[i].tcp)
            hang_up(fd);
        else
            (void)close(fd);
        wait_until(&site.gone, i + 1); /* hangs where it is not noticed */
    }
    stop();
}

static void a_peer_that_resets_a_paused_body_is_noticed(void **state)
{
    int fd;

    (void)state;
    start(NULL);
    fd = dial_tcp(&site.house);
    say(fd, "POST /held HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
    wait_until(&site.paused, 1);
    hang_up(fd);
    wait_until(&site.gone, 1);
    stop();
}

static void a_peer_that_has_ended_only_its_own_side_is_answered(void **state)
{
    static const char *const requests[] = {
        "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /held HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    };
    static const char *const answers[] = { "late", "begun\r\n0\r\n\r\n", "took 5" };
    int fds[6];

    (void)state;
    start(NULL);
    for (size_t i = 0; i < 6; i++) {
        fds[i] = i < 3 ? dial_unix(&site.house) : dial_tcp(&site.house);
        say(fds[i], requests[i % 3]);
        (void)shutdown(fds[i], SHUT_WR);
    }
    wait_until(&site.arrived, 6);
    {
        /* A stranger's deadline shows that the sweep has passed over them. */
        int fd = dial_tcp(&site.house);

        say(fd, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n" LAST);
        wait_until(&site.arrived, 7);
        hang_up(fd);
        wait_until(&site.gone, 1);
    }
    release();
    for (size_t i = 0; i < 6; i++) {
        char *heard = hear(fds[i]);

        if (!strstr(heard, answers[i % 3]))
            fail_msg("row %zu: %s", i, heard);
        free(heard);
    }
    assert_int_equal(atomic_load(&site.gone), 1);
    stop();
}

static void draining_ends_at_once_when_nobody_is_kept_waiting(void **state)
{
    struct net_deadlines patient = net_deadlines_default;
    char *heard;
    int waits;
    int holds;
    int uploads;

    (void)state;
    patient.drain_ms = 3600 * 1000;
    start(&patient);
    waits = dial_unix(&site.house);
    holds = dial_unix(&site.house);
    uploads = dial_unix(&site.house);
    say(waits, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    say(holds, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
    say(uploads, "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
    wait_until(&site.arrived, 3);
    house_drain(&site.house);
    heard = hear(waits);
    assert_non_null(strstr(heard, "late"));
    free(heard);
    heard = hear(holds);
    assert_string_equal(unchunk(heard), "begun");
    free(heard);
    heard = hear(uploads);
    assert_non_null(strstr(heard, "late"));
    free(heard);
    house_drained(&site.house);
    assert_int_equal(atomic_load(&site.gone), 0);
    stop();
}

static void what_is_not_ended_when_the_drain_is_over_is_cut(void **state)
{
    struct net_deadlines soon = net_deadlines_default;
    char *heard;
    int fd;

    (void)state;
    soon.drain_ms = 1;
    start(&soon);
    site.ignores_drain = true;
    fd = dial_unix(&site.house);
    say(fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_true(hear_until(fd, "\r\n\r\n"));
    house_drain(&site.house);
    heard = hear(fd);
    assert_null(strstr(heard, "0\r\n\r\n"));
    free(heard);
    house_drained(&site.house);
    wait_until(&site.gone, 1);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whose_peer_has_gone_may_be_ended_later),
        cmocka_unit_test(a_body_that_its_peer_ends_halfway_has_nobody),
        cmocka_unit_test(what_stalls_is_cut_and_what_waits_for_us_is_not),
        cmocka_unit_test(a_peer_that_has_gone_is_noticed_while_its_exchange_waits),
        cmocka_unit_test(a_peer_that_resets_a_paused_body_is_noticed),
        cmocka_unit_test(a_peer_that_has_ended_only_its_own_side_is_answered),
        cmocka_unit_test(draining_ends_at_once_when_nobody_is_kept_waiting),
        cmocka_unit_test(what_is_not_ended_when_the_drain_is_over_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
