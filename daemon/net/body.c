/*
 * net/body.c - the body of a streamed request, handed on piece by piece as it arrives.
 *
 * Threads: the exchange's loop.
 */
#include <assert.h>
#include <stdlib.h>

#include "net/inside.h"

bool body_missing(const struct exchange *exchange)
{
    const struct conn *conn = exchange->conn;

    return conn->stage == STAGE_STREAM && conn->last == exchange && !exchange->stream->arrived;
}

bool body_paused(const struct conn *conn)
{
    return conn->stage == STAGE_STREAM && conn->last->stream->paused;
}

void body_begin(struct conn *conn)
{
    struct loop *loop = conn->loop;
    const struct http1_request *request = &loop->request;
    const struct http_handler *handler = &loop->shared->handler;
    struct stream *stream = calloc(1, sizeof *stream);
    struct exchange *exchange = stream ? exchange_new(conn, request) : NULL;

    if (!exchange) {
        free(stream);
        conn_close(conn);
        return;
    }
    stream->chunked = request->body == BODY_CHUNKED;
    stream->left = request->content_length;
    stream->arrived = !stream->chunked && stream->left == 0;
    exchange->stream = stream;
    conn->chunked = (struct http1_chunked){ 0 };
    conn->stage = STAGE_STREAM;
    conn->continued = false;
    conn->overlapping = false;
    conn->moved_ms = loop->mono_ms;
    atomic_fetch_add_explicit(&loop->shared->requests, 1, memory_order_relaxed);
    handler->handle(handler->context, exchange);
}

/* Calls the reader, which may end its exchange. */
static void hand_on(const struct stream *stream, struct str bytes)
{
    if (stream->reader.take)
        stream->reader.take(stream->reader.context, bytes);
}

static enum eaten finish(struct conn *conn, struct exchange *exchange)
{
    const struct body_reader *reader = &exchange->stream->reader;

    conn->stage = exchange->keep_alive ? STAGE_HEAD : STAGE_OVER;
    if (reader->end)
        reader->end(reader->context);
    return ATE;
}

static enum eaten eat_length(struct stream *stream, struct str bytes, size_t *ret_used)
{
    size_t len = bytes.len < stream->left ? bytes.len : (size_t)stream->left;

    if (len == 0)
        return STARVED;
    stream->left -= len;
    stream->arrived = stream->left == 0;
    *ret_used = len;
    hand_on(stream, (struct str){ bytes.at, len });
    return ATE;
}

static enum eaten eat_chunked(struct conn *conn, struct stream *stream, struct str bytes,
                              size_t *ret_used)
{
    struct str data;

    switch (http1_chunked(&conn->chunked, bytes, ret_used, &data)) {
    case CHUNK_DATA:
        hand_on(stream, data);
        return ATE;
    case CHUNK_MORE:
        return STARVED;
    case CHUNK_DONE:
        stream->arrived = true;
        return ATE;
    case CHUNK_BAD:
        conn_break(conn, 400, "the chunked body breaks the grammar");
        return ATE;
    }
    return STARVED;
}

enum eaten body_eat(struct conn *conn, struct str bytes, size_t *ret_used)
{
    struct exchange *exchange = conn->last;
    struct stream *stream = exchange->stream;

    if (stream->paused)
        return HELD;
    if (stream->arrived)
        return finish(conn, exchange);
    if (stream->chunked)
        return eat_chunked(conn, stream, bytes, ret_used);
    return eat_length(stream, bytes, ret_used);
}

void exchange_read(struct exchange *exchange, const struct body_reader *reader)
{
    assert(exchange->stream && !exchange->stream->reader.take && reader->take && reader->end);
    exchange->stream->reader = *reader;
    if (exchange->request->expect_continue && body_missing(exchange) && !exchange->begun)
        conn_say_continue(exchange->conn);
}

void exchange_pause(struct exchange *exchange)
{
    assert(exchange->stream);
    exchange->stream->paused = true;
    loop_turn(exchange->conn->loop);
    conn_mark_dirty(exchange->conn);
}

void exchange_resume(struct exchange *exchange)
{
    struct conn *conn = exchange->conn;

    assert(exchange->stream);
    if (!exchange->stream->paused)
        return;
    exchange->stream->paused = false;
    loop_turn(conn->loop);
    conn->moved_ms = conn->loop->mono_ms;
    conn_mark_dirty(conn);
}
