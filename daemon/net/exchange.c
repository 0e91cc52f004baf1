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
    exchange->keep_alive = request && request->keep_alive;
    exchange->http10 = request && request->minor == 0;
    if (conn->last)
        conn->last->next = exchange;
    else
        conn->first = exchange;
    conn->last = exchange;
    conn->n_exchanges++;
    return exchange;
}

const struct http1_request *exchange_request(const struct exchange *exchange)
{
    return exchange->request;
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
    return exchange->conn->fd < 0;
}

static const char *reason(unsigned status)
{
    static const struct {
        unsigned status;
        const char *reason;
    } rows[] = {
        { 200, "OK" },
        { 201, "Created" },
        { 204, "No Content" },
        { 303, "See Other" },
        { 304, "Not Modified" },
        { 307, "Temporary Redirect" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 412, "Precondition Failed" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 415, "Unsupported Media Type" },
        { 422, "Unprocessable Content" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 503, "Service Unavailable" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].status == status)
            return rows[i].reason;
    }
    return "";
}

void reply_render(const struct loop *loop, const struct exchange *exchange,
                  const struct reply *reply, struct buf *out)
{
    bool has_body = reply->status != 204 && reply->status != 304;
    size_t len = 0;

    for (size_t i = 0; i < reply->n_pieces; i++)
        len += reply->pieces[i].len;
    if (!buf_reserve(out, len + reply->fields.len + 256))
        return;
    buf_text(out, "HTTP/1.1 ");
    buf_uint(out, reply->status);
    buf_char(out, ' ');
    buf_text(out, reason(reply->status));
    buf_text(out, "\r\n");
    buf_text(out, loop->date);
    if (reply->content_type) {
        buf_text(out, "Content-Type: ");
        buf_text(out, reply->content_type);
        buf_text(out, "\r\n");
    }
    if (has_body) {
        buf_text(out, "Content-Length: ");
        buf_uint(out, len);
        buf_text(out, "\r\n");
    }
    buf_str_add(out, reply->fields);
    if (exchange->closes)
        buf_text(out, "Connection: close\r\n");
    else if (exchange->http10)
        buf_text(out, "Connection: keep-alive\r\n");
    buf_text(out, "\r\n");
    for (size_t i = 0; has_body && !exchange->is_head && i < reply->n_pieces; i++)
        buf_str_add(out, reply->pieces[i]);
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
        conn->stage = STAGE_OVER;
    }
    buf_free(&exchange->reply);
    free(exchange);
}

/* While a connection drains, its last reply says so; every other one depends on the request. */
static bool is_the_end(const struct exchange *exchange, const struct reply *reply)
{
    const struct conn *conn = exchange->conn;
    bool last = conn->last == exchange && conn->in.len == 0 && conn->stage == STAGE_HEAD;

    return reply->close || !exchange->keep_alive || (conn->loop->draining && last);
}

static void move_answered(struct conn *conn)
{
    while (conn->first && conn->first->answered) {
        struct buf *reply = &conn->first->reply;

        buf_add(&conn->out, reply->bytes, reply->len);
        if (!buf_ok(reply))
            conn->out.failed = true;
        pop(conn);
    }
}

void exchange_reply(struct exchange *exchange, const struct reply *reply)
{
    struct conn *conn = exchange->conn;
    struct loop *loop = conn->loop;

    assert(!exchange->answered);
    loop_turn(loop);
    exchange->answered = true;
    exchange->closes = is_the_end(exchange, reply);
    if (conn->fd >= 0 && !conn->close_next) {
        if (conn->out.room == 0)
            conn->out = loop_take_buf(loop);
        if (conn_unsent(conn) == 0)
            conn->out_since_ms = loop->mono_ms;
        reply_render(loop, exchange, reply,
                     conn->first == exchange ? &conn->out : &exchange->reply);
        if (conn->first == exchange)
            pop(conn);
        move_answered(conn);
    } else {
        /* Nobody is left to read it: only the books are kept. */
        while (conn->first && conn->first->answered)
            pop(conn);
    }
    conn_mark_dirty(conn);
}
