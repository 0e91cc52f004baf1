/*
 * net/stream.c - replies of unknown length: begun, added to, ended.
 *
 * What is added within a turn becomes one chunk: its size is left open in the output, and filled
 * in when the turn is sent.
 *
 * Threads: the exchange's loop.
 */
#include <assert.h>
#include <stdlib.h>

#include "net/inside.h"

#define CHUNK_DIGITS 8 /* of its size, with zeros in front: 1*HEXDIG in RFC 9112 §7.1 */
#define CHUNK_BYTES_MAX 0xFFFFFFFU

/* Where its bytes go: to the peer, or aside until its turn comes. */
static struct buf *place(struct exchange *exchange)
{
    struct buf *out;

    if (exchange->conn->first != exchange)
        return &exchange->reply;
    out = conn_out(exchange->conn);
    exchange->conn->out_streams = true;
    return out;
}

static size_t chunk_len(const struct stream *stream, const struct buf *out)
{
    return out->len - stream->chunk_at - CHUNK_DIGITS - 2;
}

void stream_close_chunk(struct exchange *exchange, struct buf *out)
{
    struct stream *stream = exchange->stream;
    size_t len;

    if (!stream || !stream->chunk_open)
        return;
    stream->chunk_open = false;
    len = chunk_len(stream, out);
    for (size_t i = CHUNK_DIGITS; i-- > 0; len >>= 4)
        out->bytes[stream->chunk_at + i] = "0123456789abcdef"[len & 15];
    buf_text(out, "\r\n");
}

static void add_chunked(struct exchange *exchange, struct str bytes, struct buf *out)
{
    struct stream *stream = exchange->stream;

    while (bytes.len > 0 && buf_ok(out)) {
        size_t len = bytes.len < CHUNK_BYTES_MAX ? bytes.len : CHUNK_BYTES_MAX;

        if (stream->chunk_open && chunk_len(stream, out) + len > CHUNK_BYTES_MAX)
            stream_close_chunk(exchange, out);
        if (!stream->chunk_open) {
            stream->chunk_at = out->len;
            buf_text(out, "00000000\r\n");
            stream->chunk_open = buf_ok(out);
        }
        buf_add(out, bytes.at, len);
        bytes = str_from(bytes, len);
    }
}

static void note_above(struct exchange *exchange)
{
    struct stream *stream = exchange->stream;

    if (exchange_unsent(exchange) > stream->low)
        stream->above = true;
}

void exchange_begin(struct exchange *exchange, const struct reply *head)
{
    struct conn *conn = exchange->conn;

    assert(!exchange->begun && !exchange->answered);
    assert(head->status >= 200 && head->status != 204 && head->status != 304);
    loop_turn(conn->loop);
    exchange->begun = true;
    exchange->closes = exchange_is_last(exchange, head) || exchange->http10;
    if (!exchange->stream)
        exchange->stream = calloc(1, sizeof *exchange->stream);
    if (!exchange->stream)
        conn_close(conn);
    if (exchange_gone(exchange))
        return;
    reply_render_head(conn->loop, exchange, head, place(exchange));
    exchange_count(exchange, head->status, 0);
    for (size_t i = 0; i < head->n_pieces; i++)
        exchange_add(exchange, head->pieces[i]);
    note_above(exchange);
    conn_mark_dirty(conn);
}

void exchange_add(struct exchange *exchange, struct str bytes)
{
    assert(exchange->begun && !exchange->answered);
    if (bytes.len == 0 || exchange->is_head || exchange_gone(exchange))
        return;
    loop_turn(exchange->conn->loop);
    exchange_count(exchange, 0, bytes.len);
    if (exchange->http10)
        buf_str_add(place(exchange), bytes);
    else
        add_chunked(exchange, bytes, place(exchange));
    note_above(exchange);
    conn_mark_dirty(exchange->conn);
}

void exchange_flush(struct exchange *exchange)
{
    struct conn *conn = exchange->conn;

    assert(exchange->begun && !exchange->answered);
    if (!exchange_gone(exchange) && conn->first == exchange && !conn_send(conn))
        conn_close(conn);
}

void exchange_end(struct exchange *exchange)
{
    assert(exchange->begun && !exchange->answered);
    loop_turn(exchange->conn->loop);
    if (!exchange_gone(exchange)) {
        exchange->closes |= body_missing(exchange);
        stream_close_chunk(exchange, place(exchange));
        if (!exchange->http10 && !exchange->is_head)
            buf_text(place(exchange), "0\r\n\r\n");
    }
    exchange_finish(exchange);
}

void exchange_abort(struct exchange *exchange)
{
    assert(exchange->begun && !exchange->answered);
    loop_turn(exchange->conn->loop);
    if (!exchange_gone(exchange)) {
        exchange->closes = exchange->cut = true;
        stream_close_chunk(exchange, place(exchange));
    }
    exchange_finish(exchange);
}

size_t exchange_unsent(const struct exchange *exchange)
{
    if (!exchange->begun || exchange_gone(exchange))
        return 0;
    return exchange->conn->first == exchange ? conn_unsent(exchange->conn) : exchange->reply.len;
}

void exchange_on_room(struct exchange *exchange, size_t low, void (*room)(void *context),
                      void *context)
{
    struct stream *stream = exchange->stream;

    assert(exchange->begun);
    if (!stream)
        return; /* there was no memory for it: its peer is gone */
    stream->low = low;
    stream->room = room;
    stream->room_context = context;
    stream->above = exchange_unsent(exchange) > low;
}

void stream_make_room(struct conn *conn)
{
    struct exchange *exchange = conn->first;
    struct stream *stream = exchange ? exchange->stream : NULL;

    if (!stream || !stream->room || !stream->above || exchange_unsent(exchange) > stream->low)
        return;
    if (stream->room_turn == atomic_load(&conn->loop->turns)) {
        /* A quick reader must not keep the others waiting: on with the next turn. */
        if (event_add(&conn->write_event, NULL) < 0)
            conn_close(conn);
        return;
    }
    stream->above = false;
    stream->room_turn = atomic_load(&conn->loop->turns);
    stream->room(stream->room_context);
}
