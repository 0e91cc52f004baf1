/*
 * net/exchange.c - one request and its one reply.
 *
 * A reply goes straight to the connection's output when everything before it was answered, else it
 * waits with its exchange.
 *
 * Threads: the exchange's loop.
 */
#include "net/exchange.h"

#include <assert.h>
#include <stdlib.h>

#include "net/inside.h"

struct exchange *exchange_new(struct conn *conn, const struct http1_request *request)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);

    if (!exchange)
        return NULL;
    exchange->conn = conn;
    exchange->request = request;
    exchange->is_head = request && request->method == METHOD_HEAD;
    exchange->is_safe = exchange->is_head || (request && request->method == METHOD_GET);
    exchange->keep_alive = request && request->keep_alive;
    exchange->http10 = request && request->minor == 0;
    if (conn->last)
        conn->last->next = exchange;
    else
        conn->first = exchange;
    conn->last = exchange;
    conn->n_exchanges++;
    conn->asked = true;
    return exchange;
}

const struct http1_request *exchange_request(const struct exchange *exchange)
{
    return exchange->request;
}

bool exchange_is_safe(const struct exchange *exchange)
{
    return exchange->is_safe;
}

bool exchange_set_note(struct exchange *exchange, struct str note)
{
    free(exchange->note);
    exchange->note = str_copy(note);
    return exchange->note != NULL;
}

struct str exchange_note(const struct exchange *exchange)
{
    return str_of(exchange->note);
}

struct str exchange_body(const struct exchange *exchange)
{
    return exchange->body;
}

const struct peer *exchange_peer(const struct exchange *exchange)
{
    return &exchange->conn->peer;
}

struct loop *exchange_loop(const struct exchange *exchange)
{
    return exchange->conn->loop;
}

bool exchange_gone(const struct exchange *exchange)
{
    return exchange->conn->fd < 0 || exchange->conn->close_next;
}

/* Takes the oldest exchange off the connection, and frees it. */
static void pop(struct conn *conn)
{
    struct exchange *exchange = conn->first;

    conn->first = exchange->next;
    if (!conn->first)
        conn->last = NULL;
    conn->n_exchanges--;
    conn->since_ms = conn->loop->mono_ms;
    if (exchange->closes) {
        conn->close_next = true;
        conn->cut_next = exchange->cut && exchange->http10;
        conn->stage = STAGE_OVER;
    } else if (conn->stage == STAGE_STREAM) {
        conn->stage = STAGE_HEAD; /* replied to by its reader, behind the last byte */
    }
    buf_free(&exchange->reply);
    free(exchange->stream);
    free(exchange->note);
    free(exchange);
}

/* While a connection drains, its last reply says so; every other one depends on the request. */
bool exchange_is_last(const struct exchange *exchange, const struct reply *reply)
{
    const struct conn *conn = exchange->conn;
    bool last = conn->last == exchange && conn->in.len == 0 && conn->stage == STAGE_HEAD;

    return reply->close || !exchange->keep_alive || (conn->loop->draining && last);
}

bool exchange_on_end(struct exchange *exchange,
                     void (*ended)(void *context, const struct exchange_end *end), void *context)
{
    struct ending *ending = calloc(1, sizeof *ending);

    assert(!exchange->ending);
    if (!ending)
        return false;
    ending->ended = ended;
    ending->context = context;
    ending->since_ms = exchange->conn->loop->mono_ms;
    exchange->ending = ending;
    return true;
}

void exchange_count(const struct exchange *exchange, unsigned status, size_t bytes)
{
    struct ending *ending = exchange->ending;

    if (!ending)
        return;
    if (status != 0)
        ending->status = status;
    if (!exchange->is_head && ending->status != 204 && ending->status != 304)
        ending->bytes += bytes;
}

static void tell_end(struct exchange *exchange)
{
    const struct ending *ending = exchange->ending;
    const struct conn *conn = exchange->conn;
    struct exchange_end end = { .status = ending->status,
                                .bytes = ending->bytes,
                                .took_ms = conn->loop->mono_ms - ending->since_ms,
                                .cut = exchange->cut || exchange_gone(exchange) };

    ending->ended(ending->context, &end);
    free(exchange->ending);
    exchange->ending = NULL;
}

/* What was written while others were before it goes to the peer now. */
static void move_reply(struct conn *conn, struct exchange *exchange)
{
    struct buf *reply = &exchange->reply;

    if (reply->room == 0 && !reply->failed)
        return; /* it was written where it belongs */
    stream_close_chunk(exchange, reply);
    buf_add(conn_out(conn), reply->bytes, reply->len);
    conn->out_streams |= exchange->begun;
    if (!buf_ok(reply))
        conn->out.failed = true;
    buf_free(reply);
}

static void move_answered(struct conn *conn)
{
    while (conn->first && (conn->first->answered || conn->first->begun)) {
        if (!exchange_gone(conn->first))
            move_reply(conn, conn->first);
        if (!conn->first->answered)
            return; /* the rest of it follows by itself */
        pop(conn);
    }
}

void exchange_finish(struct exchange *exchange)
{
    struct conn *conn = exchange->conn;

    exchange->answered = true;
    if (exchange->ending)
        tell_end(exchange);
    move_answered(conn);
    conn_mark_dirty(conn);
}

static void count_reply(const struct exchange *exchange, const struct reply *reply)
{
    exchange_count(exchange, reply->status, 0);
    for (size_t i = 0; i < reply->n_pieces; i++)
        exchange_count(exchange, 0, reply->pieces[i].len);
}

void exchange_reply(struct exchange *exchange, const struct reply *reply)
{
    struct conn *conn = exchange->conn;

    assert(!exchange->answered && !exchange->begun);
    loop_turn(conn->loop);
    exchange->closes = exchange_is_last(exchange, reply) || body_missing(exchange);
    if (!exchange_gone(exchange)) {
        reply_render(conn->loop, exchange, reply,
                     conn->first == exchange ? conn_out(conn) : &exchange->reply);
        if (exchange->ending)
            count_reply(exchange, reply);
    }
    exchange_finish(exchange);
}

void exchange_on_gone(struct exchange *exchange, void (*gone)(void *context), void *context)
{
    exchange->gone = gone;
    exchange->gone_context = context;
    if (exchange_gone(exchange)) {
        loop_turn(exchange->conn->loop);
        conn_mark_dirty(exchange->conn);
    }
}

bool exchange_asks(const struct conn *conn)
{
    for (const struct exchange *exchange = conn->first; exchange; exchange = exchange->next) {
        if (exchange->gone)
            return true;
    }
    return false;
}

void exchange_tell_gone(struct conn *conn)
{
    struct exchange *exchange = conn->first;

    while (exchange) {
        void (*gone)(void *context) = exchange->gone;

        if (!gone) {
            exchange = exchange->next;
            continue;
        }
        exchange->gone = NULL;
        gone(exchange->gone_context);
        exchange = conn->first; /* it may have ended any of them */
    }
}
