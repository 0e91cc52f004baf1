/*
 * net/conn_read.c - from bytes to requests: what has arrived is parsed where it lies, and only an
 * unfinished rest stays with the connection.
 *
 * Threads: the connection's loop.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "net/inside.h"

/*   request  NULL: no head was read */
static void refuse_request(struct conn *conn, const struct http1_request *request, unsigned status,
                           const char *detail)
{
    const struct http_handler *handler = &conn->loop->shared->handler;
    struct exchange *exchange = exchange_new(conn, request);
    struct reply reply;

    conn->stage = STAGE_OVER;
    if (!exchange) {
        conn_close(conn);
        return;
    }
    handler->refuse(handler->context, conn->loop, exchange, status, detail, &reply);
    reply.close = true;
    exchange_reply(exchange, &reply);
    buf_free(&conn->in); /* not before: the head may lie there */
}

/* The head whose body was being read, once more; NULL where none was read whole. */
static const struct http1_request *head_again(struct conn *conn)
{
    struct http1_request *request = &conn->loop->request;
    struct str bytes = conn->stage == STAGE_LENGTH    ? buf_str(&conn->in)
                       : conn->stage == STAGE_CHUNKED ? buf_str(&conn->head)
                                                      : (struct str){ NULL, 0 };
    const char *what;
    size_t head;

    if (bytes.len == 0 || http1_head(bytes, request, &head, &what) != HTTP1_DONE)
        return NULL;
    return request;
}

void conn_refuse(struct conn *conn, unsigned status, const char *detail)
{
    refuse_request(conn, head_again(conn), status, detail);
}

static void refuse_head(struct conn *conn, enum http1_result result, const char *what)
{
    unsigned status = result == HTTP1_URI_TOO_LONG     ? 414
                      : result == HTTP1_HEAD_TOO_LARGE ? 431
                                                       : 400;

    conn_refuse(conn, status, what);
}

void conn_break(struct conn *conn, unsigned status, const char *detail)
{
    const struct http_handler *handler = &conn->loop->shared->handler;
    struct exchange *exchange = conn->last;
    struct reply reply;

    conn->stage = STAGE_OVER;
    buf_free(&conn->in);
    if (status != 0 && !exchange->begun) {
        exchange->request = NULL; /* it went when it had been handled */
        handler->refuse(handler->context, conn->loop, exchange, status, detail, &reply);
        exchange->closes = true;
        exchange_count(exchange, reply.status, 0);
        reply_render(conn->loop, exchange, &reply, conn_out(conn));
    }
    conn->close_next = true;
    conn_mark_dirty(conn);
}

/* Whether a request may start at all, whatever it is. */
bool conn_may_start(const struct conn *conn)
{
    return conn->n_exchanges < EXCHANGES_MAX && conn_unsent(conn) < OUT_BYTES_PAUSE;
}

static bool this_may_start(const struct conn *conn, bool overlaps)
{
    return conn->n_exchanges == 0 || (overlaps && conn->overlapping);
}

static void handle(struct conn *conn, struct str body, bool overlaps)
{
    struct loop *loop = conn->loop;
    const struct http_handler *handler = &loop->shared->handler;
    struct exchange *exchange = exchange_new(conn, &loop->request);

    conn->stage = loop->request.keep_alive ? STAGE_HEAD : STAGE_OVER;
    conn->continued = false;
    conn->since_ms = loop->mono_ms;
    if (!exchange) {
        conn_close(conn);
        return;
    }
    conn->overlapping = overlaps;
    exchange->body = body;
    atomic_fetch_add_explicit(&loop->shared->requests, 1, memory_order_relaxed);
    handler->handle(handler->context, exchange);
}

void conn_say_continue(struct conn *conn)
{
    buf_text(conn_out(conn), "HTTP/1.1 100 Continue\r\n\r\n");
    conn_mark_dirty(conn);
}

/* A client that waits for 100 Continue gets it as soon as it is this request's turn to speak. */
static void say_continue(struct conn *conn, bool expected)
{
    if (!expected || conn->continued || conn->n_exchanges > 0)
        return;
    conn->continued = true;
    conn_say_continue(conn);
}

static void begin_chunked(struct conn *conn, struct str head, const struct exchange_plan *plan)
{
    buf_clear(&conn->head);
    buf_clear(&conn->body);
    buf_str_add(&conn->head, head);
    conn->chunked = (struct http1_chunked){ 0 };
    conn->body_bytes_max = plan->body_bytes_max;
    conn->body_bytes = 0;
    conn->stage = STAGE_CHUNKED;
    conn->since_ms = conn->loop->mono_ms;
    say_continue(conn, conn->loop->request.expect_continue);
}

/* Reads a head, and the body too where all of it has arrived. */
static enum eaten eat_request(struct conn *conn, struct str bytes, size_t *ret_used)
{
    struct loop *loop = conn->loop;
    const struct http_handler *handler = &loop->shared->handler;
    struct http1_request *request = &loop->request;
    struct exchange_plan plan = { .body_bytes_max = 16384 };
    const char *what;
    size_t head;
    enum http1_result result = http1_head(bytes, request, &head, &what);

    if (result == HTTP1_MORE)
        return STARVED;
    if (result != HTTP1_DONE) {
        refuse_head(conn, result, what);
        return ATE;
    }
    if (request->method == METHOD_OTHER) {
        refuse_request(conn, request, 501, "this method is not known here");
        return ATE;
    }
    handler->plan(handler->context, request, &plan);
    if (!this_may_start(conn, plan.overlaps && !plan.streams))
        return HELD;
    if (plan.streams) {
        *ret_used = head;
        body_begin(conn);
        return ATE;
    }
    if (request->body == BODY_CHUNKED) {
        begin_chunked(conn, (struct str){ bytes.at, head }, &plan);
        *ret_used = head;
        return ATE;
    }
    if (request->content_length > plan.body_bytes_max) {
        refuse_request(conn, request, 413, "the body is larger than this address takes");
        return ATE;
    }
    conn->need = head + (size_t)request->content_length;
    if (bytes.len < conn->need) {
        conn->stage = STAGE_LENGTH;
        conn->body_bytes = (int64_t)request->content_length;
        conn->since_ms = loop->mono_ms;
        say_continue(conn, request->expect_continue);
        return STARVED;
    }
    *ret_used = conn->need;
    handle(conn, (struct str){ bytes.at + head, (size_t)request->content_length }, plan.overlaps);
    return ATE;
}

/* The head was read before: it is read again, now that its body is there. */
static enum eaten eat_length(struct conn *conn, struct str bytes, size_t *ret_used)
{
    if (bytes.len < conn->need)
        return STARVED;
    conn->stage = STAGE_HEAD;
    return eat_request(conn, bytes, ret_used);
}

static void handle_chunked(struct conn *conn)
{
    const char *what;
    size_t head;

    /* The same bytes gave a head before, so they do again. */
    if (http1_head(buf_str(&conn->head), &conn->loop->request, &head, &what) != HTTP1_DONE ||
        !buf_ok(&conn->body)) {
        conn_close(conn); /* no memory for head or body */
        return;
    }
    handle(conn, buf_str(&conn->body), false);
    buf_free(&conn->head);
    buf_free(&conn->body);
}

static enum eaten eat_chunked(struct conn *conn, struct str bytes, size_t *ret_used)
{
    struct str data;

    switch (http1_chunked(&conn->chunked, bytes, ret_used, &data)) {
    case CHUNK_DATA:
        if (conn->body.len + data.len > conn->body_bytes_max) {
            conn_refuse(conn, 413, "the body is larger than this address takes");
            return ATE;
        }
        buf_str_add(&conn->body, data);
        conn->body_bytes = (int64_t)conn->body.len;
        return ATE;
    case CHUNK_MORE:
        return STARVED;
    case CHUNK_DONE:
        handle_chunked(conn);
        return ATE;
    case CHUNK_BAD:
        conn_refuse(conn, 400, "the chunked body breaks the grammar");
        return ATE;
    }
    return STARVED;
}

static enum eaten eat(struct conn *conn, struct str bytes, size_t *ret_used)
{
    *ret_used = 0;
    if (conn->stage == STAGE_STREAM)
        return body_eat(conn, bytes, ret_used);
    if (!conn_may_start(conn))
        return HELD;
    switch (conn->stage) {
    case STAGE_HEAD:
        return bytes.len > 0 ? eat_request(conn, bytes, ret_used) : STARVED;
    case STAGE_LENGTH:
        return eat_length(conn, bytes, ret_used);
    case STAGE_CHUNKED:
        return eat_chunked(conn, bytes, ret_used);
    case STAGE_STREAM:
    case STAGE_OVER:
        break;
    }
    return STARVED;
}

/* Eats requests from `bytes`; returns what is left. */
static struct str eat_all(struct conn *conn, struct str bytes)
{
    enum eaten eaten = ATE;

    while (eaten == ATE && conn->fd >= 0 && conn->stage != STAGE_OVER) {
        size_t used;

        eaten = eat(conn, bytes, &used);
        bytes = str_from(bytes, used);
    }
    conn->paused = eaten == HELD;
    if (conn->fd < 0 || conn->stage == STAGE_OVER)
        return (struct str){ NULL, 0 };
    return bytes;
}

static void read_while_not_paused(struct conn *conn)
{
    if (conn->fd < 0 || conn->eof)
        return;
    if (conn->paused)
        (void)event_del(&conn->read_event);
    else if (!event_pending(&conn->read_event, EV_READ, NULL) &&
             event_add(&conn->read_event, NULL) < 0)
        conn_close(conn);
}

/* Keeps what is left behind the `eaten` first bytes of conn->in. */
static void drop_eaten(struct buf *in, size_t eaten)
{
    if (eaten == in->len) {
        buf_free(in);
        return;
    }
    if (eaten > 0)
        memmove(in->bytes, in->bytes + eaten, in->len - eaten);
    in->len -= eaten;
}

void conn_go_on(struct conn *conn)
{
    /* Handlers and refusals may free conn->in under us, so it is taken out meanwhile. */
    struct buf in = conn->in;
    struct str rest;

    if (in.len == 0 && conn->stage == STAGE_HEAD) {
        conn->paused = !conn_may_start(conn);
        read_while_not_paused(conn);
        return;
    }
    conn->in = (struct buf){ 0 };
    rest = eat_all(conn, buf_str(&in));
    if (rest.len > 0) {
        drop_eaten(&in, in.len - rest.len);
        conn->in = in;
    } else {
        buf_free(&in);
    }
    read_while_not_paused(conn);
}

static void take_bytes(struct conn *conn, struct str bytes)
{
    struct str rest;

    if (conn->in.len > 0) {
        buf_str_add(&conn->in, bytes);
        if (!buf_ok(&conn->in))
            conn_close(conn);
        else
            conn_go_on(conn);
        return;
    }
    if (conn->stage == STAGE_HEAD && conn->n_exchanges == 0)
        conn->since_ms = conn->loop->mono_ms;
    rest = eat_all(conn, bytes);
    buf_str_add(&conn->in, rest);
    if (!buf_ok(&conn->in))
        conn_close(conn);
    read_while_not_paused(conn);
}

static void take_eof(struct conn *conn)
{
    conn->eof = true;
    (void)event_del(&conn->read_event);
    if (conn->lingering) {
        conn_close(conn);
        return;
    }
    if (conn->stage == STAGE_STREAM) {
        conn_break(conn, 0, NULL);
    } else if (!conn->paused) {
        conn->stage = STAGE_OVER; /* half a request is none */
        buf_free(&conn->in);
    }
    conn_mark_dirty(conn);
}

void conn_on_read(evutil_socket_t fd, short what, void *context)
{
    struct conn *conn = context;
    struct loop *loop = conn->loop;
    ssize_t got;

    (void)what;
    loop_turn(loop);
    if (body_paused(conn))
        return; /* in this very turn: settling stops the reading */
    got = recv(fd, loop->scratch, SCRATCH_BYTES, MSG_DONTWAIT);
    if (got < 0) {
        if (errno != EAGAIN && errno != EINTR)
            conn_close(conn);
        return;
    }
    if (got == 0) {
        take_eof(conn);
        return;
    }
    conn->moved_ms = loop->mono_ms;
    if (conn->lingering || conn->stage == STAGE_OVER)
        return; /* read to be dropped */
    take_bytes(conn, (struct str){ loop->scratch, (size_t)got });
}
