/*
 * server_test.c - a real server over real sockets, with a handler that echoes.
 *
 * /later is answered from another thread, by a wake-up; /big with 8 MiB; everything else with its
 * method, path and body. Nothing sleeps: a client's read returns when the server has acted.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/net_fixture.h"

#define BIG_BYTES (8 * 1024 * 1024)
#define LATER_MAX 2048

struct site {
    struct house house;
    /* Exchanges of /later; of the one loop's thread, but for `release`. */
    struct exchange *later[LATER_MAX];
    size_t n_later;
    atomic_size_t arrived;
    atomic_bool release;
    char *big;
};

static struct site site;

static void plan(void *context, const struct http1_request *request, struct exchange_plan *ret_plan)
{
    (void)context;
    ret_plan->overlaps = str_starts(request->path, STR("/later"));
}

static void echo(struct exchange *exchange)
{
    const struct http1_request *request = exchange_request(exchange);

    exchange_reply(exchange, &(struct reply){ .status = 200,
                                              .content_type = "text/plain",
                                              .n_pieces = 3,
                                              .pieces = { request->method_name, request->path,
                                                          exchange_body(exchange) } });
}

static void handle(void *context, struct exchange *exchange)
{
    const struct http1_request *request = exchange_request(exchange);

    (void)context;
    if (str_starts(request->path, STR("/later"))) {
        assert_true(site.n_later < LATER_MAX);
        site.later[site.n_later++] = exchange;
        atomic_fetch_add(&site.arrived, 1);
    } else if (str_eq(request->path, STR("/big"))) {
        exchange_reply(
            exchange,
            &(struct reply){ .status = 200, .n_pieces = 1, .pieces = { { site.big, BIG_BYTES } } });
    } else if (str_eq(request->path, STR("/none"))) {
        exchange_reply(exchange, &(struct reply){ .status = 204 });
    } else {
        echo(exchange);
    }
}

static void refuse(void *context, struct loop *loop, struct exchange *exchange, unsigned status,
                   const char *detail, struct reply *ret_reply)
{
    const struct http1_request *request = exchange_request(exchange);

    (void)context;
    (void)loop;
    *ret_reply = (struct reply){ .status = status,
                                 .n_pieces = 2,
                                 .pieces = { str_of(detail), request ? request->path : STR("") } };
}

/* The last of them first: replies must leave in order all the same. */
static void woken(void *context, struct loop *loop)
{
    (void)context;
    (void)loop;
    if (!atomic_load(&site.release))
        return;
    while (site.n_later > 0)
        exchange_reply(site.later[--site.n_later],
                       &(struct reply){ .status = 200, .n_pieces = 1, .pieces = { STR("late") } });
}

static void start(const struct net_settings *changed)
{
    static const struct http_handler handler = {
        .plan = plan, .handle = handle, .refuse = refuse, .woken = woken
    };

    memset(&site, 0, sizeof site);
    site.big = calloc(1, BIG_BYTES);
    assert_non_null(site.big);
    house_open(&site.house, changed, &handler);
}

static void release(void)
{
    atomic_store(&site.release, true);
    house_wake(&site.house);
}

static void stop(void)
{
    release();
    house_close(&site.house);
    free(site.big);
}

static void a_thousand_pipelined_requests_are_answered_in_order(void **state)
{
    int fd;
    char *heard;
    const char *at;

    (void)state;
    start(&(struct net_settings){ .threads = 1 });
    fd = dial_unix(&site.house);
    for (int i = 0; i < 1000; i++) {
        char request[64];

        (void)snprintf(request, sizeof request, "GET /%d. HTTP/1.1\r\nHost: a\r\n\r\n", i);
        say(fd, request);
    }
    say(fd, LAST);
    heard = hear(fd);
    at = heard;
    for (int i = 0; i < 1000; i++) {
        char path[16];

        (void)snprintf(path, sizeof path, "GET/%d.", i);
        at = strstr(at, path);
        if (!at)
            fail_msg("reply %d is missing or out of order", i);
    }
    assert_int_equal(count_of(heard, "HTTP/1.1 200 OK"), 1001);
    assert_int_equal(count_of(heard, "Connection: close"), 1);
    assert_int_equal(count_of(heard, "Date: "), 1001);
    free(heard);
    stop();
}

static void late_replies_leave_in_order_and_others_wait_for_them(void **state)
{
    int fd;
    char *heard;

    (void)state;
    start(&(struct net_settings){ .threads = 1 });
    fd = dial_unix(&site.house);
    say(fd, "GET /later1 HTTP/1.1\r\nHost: a\r\n\r\nGET /later2 HTTP/1.1\r\nHost: a\r\n\r\n" LAST);
    wait_until(&site.arrived, 2);
    release();
    heard = hear(fd);
    assert_int_equal(count_of(heard, "late"), 2);
    assert_true(strstr(heard, "GET/last") > strstr(heard, "late"));
    free(heard);
    stop();
}

static void more_than_64_under_way_wait_their_turn(void **state)
{
    int fd;
    char *heard;

    (void)state;
    start(&(struct net_settings){ .threads = 1 });
    fd = dial_unix(&site.house);
    for (int i = 0; i < 200; i++)
        say(fd, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    say(fd, LAST);
    wait_until(&site.arrived, 64);
    assert_int_equal(atomic_load(&site.arrived), 64);
    /* Each release lets in the next ones; the wake-ups end with the last. */
    while (atomic_load(&site.arrived) < 200)
        release();
    release();
    heard = hear(fd);
    assert_int_equal(count_of(heard, "late"), 200);
    assert_int_equal(count_of(heard, "GET/last"), 1);
    free(heard);
    stop();
}

static void a_reader_that_is_slow_gets_all_of_it(void **state)
{
    int fd;

    (void)state;
    start(&(struct net_settings){ .threads = 1 });
    fd = dial_tcp(&site.house);
    say(fd, "GET /big HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n" LAST);
    {
        /* Another client is served meanwhile. */
        int other = dial_unix(&site.house);

        say(other, LAST);
        free(hear(other));
    }
    {
        size_t zeros = 0;
        char tail[512] = "";
        char bytes[4096];
        ssize_t got;

        while ((got = recv(fd, bytes, sizeof bytes, 0)) > 0) {
            for (ssize_t i = 0; i < got; i++)
                zeros += bytes[i] == '\0';
            if (got < (ssize_t)sizeof tail)
                memcpy(tail, bytes, (size_t)got);
        }
        assert_int_equal(zeros, BIG_BYTES);
    }
    (void)close(fd);
    stop();
}

static void a_request_may_come_byte_by_byte(void **state)
{
    static const char request[] = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
                                  "POST /y HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                                  "Connection: close\r\n\r\n5\r\nagain\r\n0\r\n\r\n";
    int fd;
    char *heard;

    (void)state;
    start(&(struct net_settings){ .threads = 1 });
    fd = dial_unix(&site.house);
    for (size_t i = 0; i < sizeof request - 1; i++)
        assert_int_equal(send(fd, request + i, 1, MSG_NOSIGNAL), 1);
    heard = hear(fd);
    assert_int_equal(count_of(heard, "POST/xhello"), 1);
    assert_int_equal(count_of(heard, "POST/yagain"), 1);
    free(heard);
    stop();
}

static void head_204_and_http_1_0_are_answered_as_they_should(void **state)
{
    static const struct {
        const char *request;
        const char *has;
        const char *has_not;
    } rows[] = {
        { "HEAD /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "Content-Length: 6\r\n",
          "HEAD/x" },
        { "GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "204 No Content",
          "Content-Length" },
        { "GET /x HTTP/1.0\r\n\r\n", "Connection: close", "keep-alive" },
        { "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 16385\r\n\r\n", "413 ", "POST" },
        { "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 16385\r\nExpect: 100-continue\r\n\r\n",
          "413 ", "100 Continue" },
        { "rubbish\r\n\r\n", "400 Bad Request", "200" },
        { "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", "501 Not Implemented", "200" },
    };

    (void)state;
    start(&(struct net_settings){ .threads = 1 });
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int fd = dial_unix(&site.house);
        char *heard;

        say(fd, rows[i].request);
        heard = hear(fd);
        if (!strstr(heard, rows[i].has) || strstr(heard, rows[i].has_not))
            fail_msg("row %zu: %s", i, heard);
        free(heard);
    }
    stop();
}

static void half_a_request_is_timed_out_and_an_idle_connection_just_ends(void **state)
{
    static const struct net_deadlines soon = {
        .head_ms = 1, .body_ms = 1, .reply_ms = 20000, .keep_alive_ms = 1, .drain_ms = 10000
    };
    char *heard;
    int fd;

    (void)state;
    start(&(struct net_settings){ .threads = 1, .deadlines = soon });
    fd = dial_unix(&site.house);
    heard = hear(fd);
    assert_string_equal(heard, "");
    free(heard);
    fd = dial_unix(&site.house);
    say(fd, "GET / HT");
    heard = hear(fd);
    assert_non_null(strstr(heard, "408 Request Timeout"));
    free(heard);
    fd = dial_unix(&site.house);
    say(fd, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel");
    heard = hear(fd);
    assert_non_null(strstr(heard, "408 Request Timeout"));
    free(heard);
    stop();
}

static void a_refusal_is_told_the_head_where_one_was_read(void **state)
{
    static const struct {
        const char *request;
        const char *status;
        bool is_told;
    } rows[] = {
        { "POST /head HTTP/1.1\r\nHost: a\r\nContent-Length: 16385\r\n\r\n", "413", true },
        { "POST /head HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel", "408", true },
        { "POST /head HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "408",
          true },
        { "POST /head HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "400",
          true },
        { "BREW /head HTTP/1.1\r\nHost: a\r\n\r\n", "501", true },
        { "GET /head HTTP/1.1\r\nHost: a\r\n", "408", false },
        { "GET /head HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400", false },
    };
    static const struct net_deadlines soon = {
        .head_ms = 1, .body_ms = 1, .reply_ms = 20000, .keep_alive_ms = 20000, .drain_ms = 10000
    };

    (void)state;
    start(&(struct net_settings){ .threads = 1, .deadlines = soon });
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int fd = dial_unix(&site.house);
        char *heard;

        say(fd, rows[i].request);
        heard = hear(fd);
        if (strncmp(heard + strlen("HTTP/1.1 "), rows[i].status, 3) != 0 ||
            (strstr(heard, "/head") != NULL) != rows[i].is_told)
            fail_msg("row %zu: %s", i, heard);
        free(heard);
    }
    stop();
}

static void one_connection_too_many_is_told_so(void **state)
{
    int first;
    int second;
    char *heard;

    (void)state;
    start(&(struct net_settings){ .threads = 1, .connections_max = 1 });
    first = dial_unix(&site.house);
    say(first, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    wait_until(&site.arrived, 1);
    second = dial_unix(&site.house);
    heard = hear(second);
    assert_non_null(strstr(heard, "503 Service Unavailable"));
    free(heard);
    release();
    say(first, LAST);
    free(hear(first));
    stop();
}

static void an_address_has_its_share_of_connections(void **state)
{
    int first;
    char *heard;

    (void)state;
    start(&(struct net_settings){ .threads = 1, .connections_per_group_max = 1 });
    first = dial_tcp(&site.house);
    say(first, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    wait_until(&site.arrived, 1);
    heard = hear(dial_tcp(&site.house));
    assert_non_null(strstr(heard, "503 Service Unavailable"));
    free(heard);
    release();
    say(first, LAST);
    free(hear(first));
    stop();
}

static int64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void where_not_even_the_reserve_helps_the_loop_rests_and_then_serves(void **state)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int64_t since_ms;
    struct rlimit before;
    struct rlimit none;
    uint64_t turns;
    char *heard;
    int fd;

    (void)state;
    start(&(struct net_settings){ .threads = 1 });
    fd = dial_unix(&site.house); /* warms up: everything else is open by then */
    say(fd, LAST);
    free(hear(fd));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    none = before;
    none.rlim_cur = 1; /* no number, not that of the reserve either */
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", site.house.path);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    turns = server_turns(site.house.server, 0);
    since_ms = now_ms();
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    say(fd, LAST);
    while (server_turns(site.house.server, 0) < turns + 6)
        (void)sched_yield();
    assert_true(now_ms() - since_ms >= 200); /* a rest lies before each turn but the first */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    heard = hear(fd);
    assert_non_null(strstr(heard, "200 OK"));
    free(heard);
    stop();
}

static void without_descriptors_a_client_hears_503_and_the_next_is_served(void **state)
{
    struct rlimit before;
    struct rlimit tight;
    char *heard;
    int fd;

    (void)state;
    start(&(struct net_settings){ .threads = 1 });
    fd = dial_unix(&site.house); /* warms up: everything else is open by then */
    say(fd, LAST);
    free(hear(fd));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    tight = before;
    tight.rlim_cur = (rlim_t)fd + 1; /* no number is left for the server's end */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", site.house.path);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    }
    heard = hear(fd);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_non_null(strstr(heard, "503 Service Unavailable"));
    free(heard);
    fd = dial_unix(&site.house);
    say(fd, LAST);
    heard = hear(fd);
    assert_non_null(strstr(heard, "200 OK"));
    free(heard);
    stop();
}

static void draining_answers_what_has_begun_and_closes_the_idle(void **state)
{
    char *heard;
    int busy;
    int idle;

    (void)state;
    start(&(struct net_settings){ .threads = 1 });
    busy = dial_unix(&site.house);
    idle = dial_unix(&site.house);
    say(idle, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    say(busy, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    wait_until(&site.arrived, 1);
    house_drain(&site.house);
    heard = hear(idle);
    assert_int_equal(count_of(heard, "200 OK"), 1);
    free(heard);
    release();
    heard = hear(busy);
    assert_int_equal(count_of(heard, "late"), 1);
    assert_int_equal(count_of(heard, "Connection: close"), 1);
    free(heard);
    house_drained(&site.house);
    assert_int_equal(access(site.house.path, F_OK), -1);
    server_free(site.house.server);
    free(site.big);
}

static void what_cannot_be_listened_on_is_named(void **state)
{
    static const char *const rows[] = { "nonsense", "127.0.0.1", "127.0.0.1:99999", "::1:80",
                                        "127.0.0.1:x" };
    struct why why;

    (void)state;
    start(&(struct net_settings){ .threads = 1 });
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_false(server_listen_tcp(site.house.server, rows[i], &why));
        assert_non_null(strstr(why.text, rows[i]));
    }
    assert_false(server_listen_tcp(site.house.server, server_address(site.house.server, 1), &why));
    assert_non_null(strstr(why.text, "choose another port"));
    assert_false(server_listen_unix(site.house.server, site.house.path, 0600, &why));
    assert_non_null(strstr(why.text, "another process answers"));
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_pipelined_requests_are_answered_in_order),
        cmocka_unit_test(late_replies_leave_in_order_and_others_wait_for_them),
        cmocka_unit_test(more_than_64_under_way_wait_their_turn),
        cmocka_unit_test(a_reader_that_is_slow_gets_all_of_it),
        cmocka_unit_test(a_request_may_come_byte_by_byte),
        cmocka_unit_test(head_204_and_http_1_0_are_answered_as_they_should),
        cmocka_unit_test(half_a_request_is_timed_out_and_an_idle_connection_just_ends),
        cmocka_unit_test(a_refusal_is_told_the_head_where_one_was_read),
        cmocka_unit_test(one_connection_too_many_is_told_so),
        cmocka_unit_test(an_address_has_its_share_of_connections),
        cmocka_unit_test(where_not_even_the_reserve_helps_the_loop_rests_and_then_serves),
        cmocka_unit_test(without_descriptors_a_client_hears_503_and_the_next_is_served),
        cmocka_unit_test(draining_answers_what_has_begun_and_closes_the_idle),
        cmocka_unit_test(what_cannot_be_listened_on_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
