/*
 * stream_fixture.c - a site whose paths stream, wait, echo and break off.
 */
#include "net/stream_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/inside.h"

static const struct {
    const char *path;
    enum kind kind;
} kinds[] = {
    { "/upload", KIND_UPLOAD }, { "/held", KIND_HELD },   { "/echo", KIND_ECHO },
    { "/first", KIND_FIRST },   { "/close", KIND_CLOSE }, { "/refuse", KIND_REFUSE },
    { "/unread", KIND_UNREAD }, { "/flood", KIND_FLOOD }, { "/fill", KIND_FILL },
    { "/hold", KIND_HOLD },     { "/cut", KIND_CUT },     { "/wait", KIND_WAIT },
    { "/flush", KIND_FLUSH },
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

struct site site;
char piece[FLOOD_PIECE_BYTES];

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

static void flush(struct talk *talk)
{
    begin(talk, "first");
    exchange_flush(talk->exchange);
    exchange_add(talk->exchange, STR("second"));
    site.talks = talk->next;
    exchange_end(talk->exchange);
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
    else if (talk->kind == KIND_FLUSH)
        flush(talk);
    else if (talk->kind == KIND_REFUSE)
        finish(talk, 401, "no");
    else if (talk->kind == KIND_PLAIN)
        finish(talk, 200, "plain");
    atomic_fetch_add(&site.arrived, 1);
}

static void refuse(void *context, struct loop *loop, struct exchange *exchange, unsigned status,
                   const char *detail, struct reply *ret_reply)
{
    (void)context;
    (void)loop;
    (void)exchange;
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

void start(const struct net_deadlines *changed)
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

void stop(void)
{
    house_close(&site.house);
    assert_null(site.talks);
}

void release(void)
{
    atomic_store(&site.release, true);
    house_wake(&site.house);
}

char *unchunk(char *heard)
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
