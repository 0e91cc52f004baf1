/*
 * net/conn_write.c - sending what was gathered, and the rest when the peer takes it.
 *
 * Threads: the connection's loop.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "net/inside.h"

size_t conn_unsent(const struct conn *conn)
{
    return conn->out.len - conn->out_sent;
}

struct buf *conn_out(struct conn *conn)
{
    if (conn->out.room == 0)
        conn->out = loop_take_buf(conn->loop);
    if (conn_unsent(conn) == 0) {
        conn->out_since_ms = conn->moved_ms = conn->loop->mono_ms;
        conn->out_streams = false;
    }
    return &conn->out;
}

/* Sends what the kernel takes. false: the peer is gone. */
static bool push(struct conn *conn)
{
    while (conn_unsent(conn) > 0) {
        ssize_t sent = send(conn->fd, conn->out.bytes + conn->out_sent, conn_unsent(conn),
                            MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent < 0)
            return errno == EAGAIN || errno == EINTR;
        conn->out_sent += (size_t)sent;
        conn->moved_ms = conn->loop->mono_ms;
    }
    return true;
}

/* A stream's output may never be empty, so what was sent of it must go some time. */
static void compact(struct conn *conn)
{
    if (!conn->out_streams || conn->out_sent < COMPACT_BYTES || conn->out_sent < conn_unsent(conn))
        return;
    conn->out.len -= conn->out_sent;
    memmove(conn->out.bytes, conn->out.bytes + conn->out_sent, conn->out.len);
    conn->out_sent = 0;
}

bool conn_send(struct conn *conn)
{
    if (conn->first && conn->first->begun)
        stream_close_chunk(conn->first, &conn->out);
    if (!buf_ok(&conn->out))
        return false; /* no memory for a reply: the connection ends instead */
    if (conn_unsent(conn) == 0)
        return true;
    if (!push(conn))
        return false;
    if (conn_unsent(conn) > 0) {
        compact(conn);
        return event_add(&conn->write_event, NULL) == 0;
    }
    (void)event_del(&conn->write_event);
    conn->out_sent = 0;
    conn->out_streams = false;
    loop_give_buf(conn->loop, &conn->out);
    return true;
}

void conn_on_write(evutil_socket_t fd, short what, void *context)
{
    struct conn *conn = context;

    (void)fd;
    (void)what;
    loop_turn(conn->loop);
    if (conn_unsent(conn) == 0)
        (void)event_del(&conn->write_event); /* it was for another turn's stream_make_room() */
    conn_mark_dirty(conn);
}
