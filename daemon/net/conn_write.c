/*
 * net/conn_write.c - sending what was gathered, and the rest when the peer takes it.
 *
 * Threads: the connection's loop.
 */
#include <errno.h>
#include <sys/socket.h>

#include "net/inside.h"

size_t conn_unsent(const struct conn *conn)
{
    return conn->out.len - conn->out_sent;
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
    }
    return true;
}

bool conn_send(struct conn *conn)
{
    if (!buf_ok(&conn->out))
        return false; /* no memory for a reply: the connection ends instead */
    if (conn_unsent(conn) == 0)
        return true;
    if (!push(conn))
        return false;
    if (conn_unsent(conn) > 0)
        return event_add(&conn->write_event, NULL) == 0;
    (void)event_del(&conn->write_event);
    conn->out_sent = 0;
    loop_give_buf(conn->loop, &conn->out);
    return true;
}

void conn_on_write(evutil_socket_t fd, short what, void *context)
{
    struct conn *conn = context;

    (void)fd;
    (void)what;
    loop_turn(conn->loop);
    conn_mark_dirty(conn);
}
