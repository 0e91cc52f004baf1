/*
 * stream_test.c - bodies and replies that stream, and exchanges that wait, over real sockets.
 *
 * What a path does stands at its row of `kinds`. Every exchange is a `struct talk` until it is
 * ended; all of it is the loop's, but for the atomics.
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

#include "net/inside.h"
#include "net/net_fixture.h"

#define FLOOD_BYTES (32 * 1024 * 1024)
#define FLOOD_PIECE_BYTES (64 * 1024)
#define FLOOD_HIGH_BYTES (1024 * 1024)
#define FLOOD_LOW_BYTES (960 * 1024) /* more than a kernel takes at once: never quite empty */

enum kind {
    KIND_UPLOAD, /* counts the body, replies behind it with its length */
    KIND_HELD,   /* the same, but pauses at the first piece until it is released */
    KIND_ECHO,   /* sends each piece back as it comes */
    KIND_FIRST,  /* replies inside the first take() */
    KIND_CLOSE,  /* begins a reply and ends it inside the first take() */
    KIND_REFUSE, /* replies at once and reads nothing */
    KIND_UNREAD, /* reads nothing, replies when released */
    KIND_FLOOD,  /* sends FLOOD_BYTES, as far as there is room */
    KIND_FILL,   /* sends FLOOD_HIGH_BYTES, and ends inside room() */
    KIND_HOLD,   /* begins with a few bytes and ends when released */
    KIND_CUT,    /* begins, adds, aborts */
    KIND_WAIT,   /* no stream: replies when released, the last first; these overlap */
    KIND_PLAIN   /* no stream: replies at once */
};

static const struct {
    const char *path;
    enum kind kind;
} kinds[] = {
    { "/upload", KIND_UPLOAD }, { "/held", KIND_HELD },   { "/echo", KIND_ECHO },
    { "/first", KIND_FIRST },   { "/close", KIND_CLOSE }, { "/refuse", KIND_REFUSE },
    { "/unread", KIND_UNREAD }, { "/flood", KIND_FLOOD }, { "/fill", KIND_FILL },
    { "/hold", KIND_HOLD },     { "/cut", KIND_CUT },     { "/wait", KIND_WAIT },
};

struct talk {
    struct talk *next;
    struct exchange *exchange;
    enum kind kind;
    bool begun;
    size_t taken;
    size_t added;
    uint64_t room_turn;
};

struct site {
    struct house house;
    struct talk *talks; /* the newest first */
    bool ends_late;     /* set before a request: whom gone() is told is not ended there */
    bool ignores_drain; /* set before the drain */
    atomic_bool release;
    atomic_size_t arrived;
    atomic_size_t paused;
    atomic_size_t taken; /* bytes, of all */
    atomic_size_t gone;
    atomic_size_t rooms;
    size_t unsent_most;
    size_t out_room_most;
};

static struct site site;
static char piece[FLOOD_PIECE_BYTES];

static enum kind kind_of(const struct http1_request *request)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (str_eq(request->path, str_of(kinds[i].path)))
            return kinds[i].kind;
    }
    return KIND_PLAIN;
}

static void plan(void *context, const struct http1_request *request, struct exchange_plan *ret_plan)
{
    enum kind kind = kind_of(request);

    (void)context;
    ret_plan->streams = kind <= KIND_UNREAD;
    ret_plan->overlaps = kind == KIND_WAIT || kind == KIND_HOLD;
}

static void finish(struct talk *talk, unsigned status, const char *text)
{
    struct talk **place = &site.talks;

    while (*place != talk)
        place = &(*place)->next;
    *place = talk->next;
    if (talk->begun)
        exchange_end(talk->exchange);
    else
        exchange_reply(
            talk->exchange,
            &(struct reply){ .status = status, .n_pieces = 1, .pieces = { str_of(text) } });
    free(talk);
}

static void finish_all(void)
{
    while (site.talks)
        finish(site.talks, 200, "late");
}

static void begin(struct talk *talk, const char *text)
{
    talk->begun = true;
    exchange_begin(talk->exchange, &(struct reply){ .status = 200,
                                                    .content_type = "text/csv",
                                                    .n_pieces = 1,
                                                    .pieces = { str_of(text) } });
}

static void on_gone(void *context)
{
    struct talk *talk = context;

    assert_true(exchange_gone(talk->exchange));
    if (!site.ends_late)
        finish(talk, 200, "to nobody");
    atomic_fetch_add(&site.gone, 1);
}

static void take(void *context, struct str bytes)
{
    struct talk *talk = context;

    assert_false(exchange_gone(talk->exchange));
    assert_true(bytes.len > 0);
    talk->taken += bytes.len;
    atomic_fetch_add(&site.taken, bytes.len);
    if (talk->kind == KIND_ECHO) {
        exchange_add(talk->exchange, bytes);
    } else if (talk->kind == KIND_FIRST || talk->kind == KIND_CLOSE) {
        finish(talk, 200, "enough");
    } else if (talk->kind == KIND_HELD && talk->taken == bytes.len) {
        exchange_pause(talk->exchange);
        atomic_fetch_add(&site.paused, 1);
    }
}

static void end(void *context)
{
    struct talk *talk = context;
    char text[32];

    assert_false(exchange_gone(talk->exchange));
    (void)snprintf(text, sizeof text, "took %zu", talk->taken);
    finish(talk, 200, text);
}

static void pump(struct talk *talk)
{
    while (talk->added < FLOOD_BYTES && exchange_unsent(talk->exchange) < FLOOD_HIGH_BYTES) {
        exchange_add(talk->exchange, (struct str){ piece, sizeof piece });
        talk->added += sizeof piece;
    }
    if (exchange_unsent(talk->exchange) > site.unsent_most)
        site.unsent_most = exchange_unsent(talk->exchange);
    if (talk->exchange->conn->out.room > site.out_room_most)
        site.out_room_most = talk->exchange->conn->out.room;
    if (talk->added == FLOOD_BYTES)
        finish(talk, 0, "");
}

static void room(void *context)
{
    struct talk *talk = context;
    uint64_t turn = exchange_loop(talk->exchange)->turns;

    assert_true(exchange_unsent(talk->exchange) <= FLOOD_LOW_BYTES);
    assert_true(turn > talk->room_turn);
    talk->room_turn = turn;
    atomic_fetch_add(&site.rooms, 1);
    if (talk->kind == KIND_FILL)
        finish(talk, 0, "");
    else
        pump(talk);
}

static void flood(struct talk *talk)
{
    begin(talk, "");
    exchange_on_room(talk->exchange, FLOOD_LOW_BYTES, room, talk);
    if (talk->exchange->is_head) {
        exchange_add(talk->exchange, STR("dropped"));
        finish(talk, 0, "");
    } else if (talk->kind == KIND_FLOOD) {
        pump(talk);
    } else {
        for (size_t added = 0; added < FLOOD_HIGH_BYTES; added += sizeof piece)
            exchange_add(talk->exchange, (struct str){ piece, sizeof piece });
    }
}

static void cut(struct talk *talk)
{
    begin(talk, "half");
    site.talks = talk->next;
    exchange_abort(talk->exchange);
    free(talk);
}

static void handle(void *context, struct exchange *exchange)
{
    struct talk *talk = calloc(1, sizeof *talk);

    (void)context;
    assert_non_null(talk);
    *talk = (struct talk){ site.talks, exchange, .kind = kind_of(exchange_request(exchange)) };
    site.talks = talk;
    exchange_on_gone(exchange, on_gone, talk);
    if (talk->kind <= KIND_CLOSE)
        exchange_read(exchange, &(struct body_reader){ talk, take, end });
    if (talk->kind == KIND_ECHO || talk->kind == KIND_CLOSE)
        begin(talk, "");
    else if (talk->kind == KIND_HOLD)
        begin(talk, "begun");
    else if (talk->kind == KIND_FLOOD || talk->kind == KIND_FILL)
        flood(talk);
    else if (talk->kind == KIND_CUT)
        cut(talk);
    else if (talk->kind == KIND_REFUSE)
        finish(talk, 401, "no");
    else if (talk->kind == KIND_PLAIN)
        finish(talk, 200, "plain");
    atomic_fetch_add(&site.arrived, 1);
}

static void refuse(void *context, struct loop *loop, unsigned status, const char *detail,
                   struct reply *ret_reply)
{
    (void)context;
    (void)loop;
    *ret_reply = (struct reply){ .status = status, .n_pieces = 1, .pieces = { str_of(detail) } };
}

static void woken(void *context, struct loop *loop)
{
    (void)context;
    (void)loop;
    if (!atomic_load(&site.release))
        return;
    for (struct talk *talk = site.talks, *next; talk; talk = next) {
        next = talk->next;
        if (talk->kind == KIND_HELD)
            exchange_resume(talk->exchange);
        else if (talk->kind == KIND_WAIT || talk->kind == KIND_HOLD || talk->kind == KIND_UNREAD)
            finish(talk, 200, "late");
    }
}

static void drains(void *context, struct loop *loop)
{
    (void)context;
    (void)loop;
    if (!site.ignores_drain)
        finish_all();
}

/* Patient as usual; but what waits for the end of a connection must not get it by being idle. */
static void start(const struct net_deadlines *changed)
{
    static const struct http_handler handler = {
        .plan = plan, .handle = handle, .refuse = refuse, .woken = woken, .drains = drains
    };

    struct net_deadlines deadlines = changed ? *changed : net_deadlines_default;

    deadlines.keep_alive_ms = 3600 * 1000;
    memset(&site, 0, sizeof site);
    memset(piece, 'x', sizeof piece);
    house_open(&site.house, &(struct net_settings){ .deadlines = deadlines }, &handler);
}

static void stop(void)
{
    house_close(&site.house);
    assert_null(site.talks);
}

static void release(void)
{
    atomic_store(&site.release, true);
    house_wake(&site.house);
}

/* The body of the first reply in `heard`, its chunks put together in place. NULL: it is cut. */
static char *unchunk(char *heard)
{
    char *from = strstr(heard, "\r\n\r\n");
    char *body = from + 4;
    char *to = body;

    assert_non_null(from);
    assert_non_null(strstr(heard, "Transfer-Encoding: chunked\r\n"));
    from = body;
    for (;;) {
        size_t len = strtoul(from, &from, 16);

        if (strlen(from) < len + 4)
            break;
        assert_memory_equal(from, "\r\n", 2);
        memmove(to, from + 2, len);
        to += len;
        from += 2 + len;
        assert_memory_equal(from, "\r\n", 2);
        from += 2;
        if (len == 0) {
            *to = '\0';
            return body;
        }
    }
    return NULL;
}

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
        cmocka_unit_test(whose_peer_has_gone_may_be_ended_later),
        cmocka_unit_test(a_body_that_its_peer_ends_halfway_has_nobody),
        cmocka_unit_test(what_stalls_is_cut_and_what_waits_for_us_is_not),
        cmocka_unit_test(a_peer_that_has_gone_is_noticed_while_its_exchange_waits),
        cmocka_unit_test(a_peer_that_resets_a_paused_body_is_noticed),
        cmocka_unit_test(a_peer_that_has_ended_only_its_own_side_is_answered),
        cmocka_unit_test(an_abort_is_seen_as_one),
        cmocka_unit_test(draining_ends_at_once_when_nobody_is_kept_waiting),
        cmocka_unit_test(what_is_not_ended_when_the_drain_is_over_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
