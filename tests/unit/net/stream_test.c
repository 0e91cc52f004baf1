/*
 * stream_test.c - bodies and replies that stream, over real sockets.
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

static void a_body_larger_than_all_buffers_waits_while_it_is_paused(void **state)
{
    static const size_t len = (size_t)128 * FLOOD_PIECE_BYTES;
    size_t sent = 0;
    size_t taken;
    char *heard;
    int fd;

    (void)state;
    start(NULL);
    fd = dial_unix(&site.house);
    say(fd, "POST /held HTTP/1.1\r\nHost: a\r\nContent-Length: 8388608\r\n"
            "Connection: close\r\n\r\nx");
    sent = 1;
    wait_until(&site.paused, 1);
    taken = atomic_load(&site.taken);
    for (ssize_t now = 0; now >= 0; sent += (size_t)now) {
        now = send(fd, piece, sizeof piece, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (now < 0)
            break;
    }
    assert_true(sent < len); /* the kernel's buffers are full, and nobody reads */
    assert_int_equal(atomic_load(&site.taken), taken);
    release();
    for (; sent < len; sent += sizeof piece)
        say_bytes(fd, piece, len - sent < sizeof piece ? len - sent : sizeof piece);
    heard = hear(fd);
    assert_non_null(strstr(heard, "took 8388608"));
    free(heard);
    stop();
}

static void an_echo_flows_while_its_request_does(void **state)
{
    char *heard;
    int fd;

    (void)state;
    start(NULL);
    fd = dial_unix(&site.house);
    say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_true(hear_until(fd, "Transfer-Encoding: chunked\r\n\r\n"));
    say(fd, "3\r\none\r\n");
    assert_true(hear_until(fd, "one\r\n"));
    say(fd, "3\r\ntwo\r\n");
    assert_true(hear_until(fd, "two\r\n"));
    say(fd, "0\r\n\r\n" LAST);
    assert_true(hear_until(fd, "0\r\n\r\n"));
    heard = hear(fd);
    assert_non_null(strstr(heard, "plain"));
    free(heard);
    stop();
}

static void an_echo_is_read_on_though_nobody_takes_it_yet(void **state)
{
    static const size_t len = (size_t)64 * FLOOD_PIECE_BYTES;
    char *heard;
    int fd;

    (void)state;
    start(NULL);
    fd = dial_unix(&site.house);
    say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4194304\r\n"
            "Connection: close\r\n\r\n");
    for (size_t sent = 0; sent < len; sent += sizeof piece)
        say_bytes(fd, piece, sizeof piece);
    heard = hear(fd);
    assert_int_equal(strlen(unchunk(heard)), len);
    free(heard);
    stop();
}

static void bodies_stream_in_every_framing(void **state)
{
    static const struct {
        const char *when;
        const char *request;
        const char *body;
    } rows[] = {
        { "a length",
          "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\nConnection: close\r\n\r\n"
          "12345678",
          "12345678" },
        { "chunks, with an extension and a trailer",
          "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
          "Connection: close\r\n\r\n5;a=b\r\n12345\r\n003\r\n678\r\n0\r\nA: b\r\n\r\n",
          "12345678" },
        { "a length of 0",
          "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "" },
        { "no body", "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "" },
    };

    (void)state;
    start(NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int bytewise = 0; bytewise < 2; bytewise++) {
            int fd = dial_unix(&site.house);
            size_t len = strlen(rows[i].request);
            char *heard;
            const char *body;

            for (size_t at = 0; bytewise && at < len; at++)
                say_bytes(fd, rows[i].request + at, 1);
            if (!bytewise)
                say(fd, rows[i].request);
            heard = hear(fd);
            body = unchunk(heard);
            if (!body || strcmp(body, rows[i].body) != 0)
                fail_msg("%s: %s", rows[i].when, heard);
            free(heard);
        }
    }
    stop();
}

static void a_request_of_http_1_0_gets_its_stream_up_to_the_end(void **state)
{
    char *heard;
    int fd;

    (void)state;
    start(NULL);
    fd = dial_unix(&site.house);
    say(fd, "POST /echo HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello");
    heard = hear(fd);
    assert_null(strstr(heard, "Transfer-Encoding"));
    assert_null(strstr(heard, "Content-Length"));
    assert_non_null(strstr(heard, "Connection: close\r\n"));
    assert_string_equal(strstr(heard, "\r\n\r\n"), "\r\n\r\nhello");
    free(heard);
    stop();
}

static void head_gets_the_head_alone_and_the_next_request_its_answer(void **state)
{
    char *heard;
    int fd;

    (void)state;
    start(NULL);
    fd = dial_unix(&site.house);
    say(fd, "HEAD /flood HTTP/1.1\r\nHost: a\r\n\r\n" LAST);
    heard = hear(fd);
    assert_int_equal(count_of(heard, "HTTP/1.1 200 OK\r\n"), 2);
    assert_memory_equal(strstr(heard, "\r\n\r\n"), "\r\n\r\nHTTP/1.1 200 OK\r\n", 20);
    assert_null(strstr(heard, "dropped"));
    free(heard);
    stop();
}

static void a_slow_reader_makes_room_and_bounds_what_waits_for_it(void **state)
{
    size_t heard = 0;
    char bytes[256]; /* small, so that the server is the faster one */
    ssize_t got;
    int fd;

    (void)state;
    start(NULL);
    fd = dial_unix(&site.house);
    say(fd, "GET /flood HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    while ((got = recv(fd, bytes, sizeof bytes, 0)) > 0) {
        for (ssize_t i = 0; i < got; i++)
            heard += bytes[i] == 'x';
    }
    (void)close(fd);
    assert_int_equal(heard, FLOOD_BYTES + 1); /* text/csv has one too */
    stop();
    assert_true(atomic_load(&site.rooms) > 0);
    assert_true(site.unsent_most <= FLOOD_HIGH_BYTES + FLOOD_PIECE_BYTES + 512);
    assert_true(site.out_room_most <= 4 * FLOOD_HIGH_BYTES);
}

static void an_exchange_may_end_inside_its_own_room(void **state)
{
    char *heard;
    int fd;

    (void)state;
    start(NULL);
    fd = dial_unix(&site.house);
    say(fd, "GET /fill HTTP/1.1\r\nHost: a\r\n\r\n" LAST);
    heard = hear(fd);
    assert_int_equal(atomic_load(&site.rooms), 1);
    assert_non_null(strstr(heard, "x\r\n0\r\n\r\nHTTP/1.1 200 OK"));
    free(heard);
    stop();
}

static void an_exchange_may_end_inside_take(void **state)
{
    static const struct {
        const char *request;
        size_t replies; /* LAST behind it is answered only where the body was whole */
    } rows[] = {
        { "POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" LAST, 2 },
        { "POST /close HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" LAST, 2 },
        { "POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n" LAST,
          1 },
        { "POST /close HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n" LAST,
          1 },
        { "POST /first HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
          "7fffffffffffffff\r\n" LAST,
          1 },
    };

    (void)state;
    start(NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int fd = dial_unix(&site.house);
        char *heard;

        say(fd, rows[i].request);
        heard = hear(fd);
        if (count_of(heard, "HTTP/1.1 200 OK") != rows[i].replies)
            fail_msg("row %zu: %s", i, heard);
        free(heard);
    }
    assert_int_equal(atomic_load(&site.gone), 0);
    stop();
}

static void requests_behind_a_stream_wait_until_it_has_ended(void **state)
{
    char *heard;
    int fd;

    (void)state;
    start(NULL);
    fd = dial_unix(&site.house);
    say(fd, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"
            "POST /held HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" LAST);
    wait_until(&site.arrived, 1);
    {
        int other = dial_unix(&site.house);

        say(other, LAST);
        free(hear(other));
    }
    assert_int_equal(atomic_load(&site.arrived), 2); /* the other's, and /wait */
    release();
    wait_until(&site.paused, 1);
    release();
    heard = hear(fd);
    assert_true(strstr(heard, "late") < strstr(heard, "took 5"));
    assert_true(strstr(heard, "took 5") < strstr(heard, "plain"));
    free(heard);
    stop();
}

static void begun_replies_wait_for_their_turn(void **state)
{
    char *heard;
    int fd;

    (void)state;
    start(NULL);
    fd = dial_unix(&site.house);
    say(fd, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\nGET /hold HTTP/1.1\r\nHost: a\r\n\r\n"
            "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n" LAST);
    wait_until(&site.arrived, 3);
    release(); /* ends the last of them first */
    heard = hear(fd);
    assert_true(strstr(heard, "late") < strstr(heard, "begun"));
    assert_int_equal(count_of(heard, "00000005\r\nbegun\r\n0\r\n\r\n"), 2);
    assert_non_null(strstr(heard, "plain"));
    free(heard);
    stop();
}

static void continue_is_said_to_those_who_are_read(void **state)
{
    char *heard;
    int fd;

    (void)state;
    start(NULL);
    fd = dial_unix(&site.house);
    say(fd, "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n"
            "Connection: close\r\n\r\n");
    assert_true(hear_until(fd, "HTTP/1.1 100 Continue\r\n\r\n"));
    say(fd, "hello");
    heard = hear(fd);
    assert_non_null(strstr(heard, "took 5"));
    free(heard);
    fd = dial_unix(&site.house);
    say(fd, "POST /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
            "Expect: 100-continue\r\n\r\n");
    heard = hear(fd);
    assert_int_equal(strncmp(heard, "HTTP/1.1 401 Unauthorized\r\n", 27), 0);
    assert_non_null(strstr(heard, "Connection: close\r\n"));
    free(heard);
    stop();
}

static void what_nobody_reads_is_dropped(void **state)
{
    char *heard;
    int fd;

    (void)state;
    start(NULL);
    fd = dial_unix(&site.house);
    say(fd, "POST /unread HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    wait_until(&site.arrived, 1);
    for (int i = 0; i < 64; i++) { /* more than would fit between us */
        say(fd, "10000\r\n");
        say_bytes(fd, piece, sizeof piece);
        say(fd, "\r\n");
    }
    release();
    heard = hear(fd);
    assert_non_null(strstr(heard, "late"));
    assert_non_null(strstr(heard, "Connection: close\r\n"));
    free(heard);
    stop();
}

static void a_broken_body_is_400_or_cuts_what_was_begun(void **state)
{
    char *heard;
    int fd;

    (void)state;
    start(NULL);
    fd = dial_unix(&site.house);
    say(fd, "POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            "3\r\none\r\nx\r\n");
    heard = hear(fd);
    assert_int_equal(strncmp(heard, "HTTP/1.1 400 Bad Request\r\n", 26), 0);
    assert_null(strstr(heard, "to nobody"));
    free(heard);
    fd = dial_unix(&site.house);
    say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            "3\r\none\r\nx\r\n");
    heard = hear(fd);
    assert_non_null(strstr(heard, "00000003\r\none\r\n"));
    assert_null(unchunk(heard));
    free(heard);
    assert_int_equal(atomic_load(&site.gone), 2);
    stop();
}

static void an_abort_is_seen_as_one(void **state)
{
    char bytes[4096];
    char *heard;
    ssize_t got;
    int fd;

    (void)state;
    start(NULL);
    fd = dial_unix(&site.house);
    say(fd, "GET /cut HTTP/1.1\r\nHost: a\r\n\r\n" LAST);
    heard = hear(fd);
    assert_non_null(strstr(heard, "00000004\r\nhalf\r\n"));
    assert_null(unchunk(heard));
    assert_null(strstr(heard, "plain"));
    free(heard);
    fd = dial_tcp(&site.house);
    say(fd, "GET /cut HTTP/1.0\r\n\r\n");
    do
        got = recv(fd, bytes, sizeof bytes, 0);
    while (got > 0);
    assert_int_equal(got, -1); /* ECONNRESET, no end that looks like a good one */
    (void)close(fd);
    stop();
}

static void what_is_flushed_leaves_before_its_turn_ends(void **state)
{
    char *heard;
    int fd;

    (void)state;
    start(NULL);
    fd = dial_tcp(&site.house);
    say(fd, "GET /flush HTTP/1.1\r\nHost: a\r\n\r\n" LAST);
    heard = hear(fd);
    /* A chunk is closed when it is sent. */
    assert_non_null(strstr(heard, "00000005\r\nfirst\r\n00000006\r\nsecond\r\n0\r\n\r\n"));
    assert_int_equal(count_of(heard, "plain"), 1);
    free(heard);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_larger_than_all_buffers_waits_while_it_is_paused),
        cmocka_unit_test(an_echo_flows_while_its_request_does),
        cmocka_unit_test(an_echo_is_read_on_though_nobody_takes_it_yet),
        cmocka_unit_test(bodies_stream_in_every_framing),
        cmocka_unit_test(a_request_of_http_1_0_gets_its_stream_up_to_the_end),
        cmocka_unit_test(head_gets_the_head_alone_and_the_next_request_its_answer),
        cmocka_unit_test(a_slow_reader_makes_room_and_bounds_what_waits_for_it),
        cmocka_unit_test(an_exchange_may_end_inside_its_own_room),
        cmocka_unit_test(an_exchange_may_end_inside_take),
        cmocka_unit_test(requests_behind_a_stream_wait_until_it_has_ended),
        cmocka_unit_test(begun_replies_wait_for_their_turn),
        cmocka_unit_test(continue_is_said_to_those_who_are_read),
        cmocka_unit_test(what_nobody_reads_is_dropped),
        cmocka_unit_test(a_broken_body_is_400_or_cuts_what_was_begun),
        cmocka_unit_test(an_abort_is_seen_as_one),
        cmocka_unit_test(what_is_flushed_leaves_before_its_turn_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
