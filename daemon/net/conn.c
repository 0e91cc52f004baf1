/*
 * net/conn.c - one connection: how it begins, settles at the end of a turn, times out and ends.
 *
 * Threads: its loop's own.
 */
#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/inside.h"

static void link_conn(struct loop *loop, struct conn *conn)
{
    conn->next = loop->conns;
    if (conn->next)
        conn->next->prev = conn;
    loop->conns = conn;
    loop->n_conns++;
}

static void unlink_conn(struct conn *conn)
{
    struct loop *loop = conn->loop;

    if (conn->prev)
        conn->prev->next = conn->next;
    else
        loop->conns = conn->next;
    if (conn->next)
        conn->next->prev = conn->prev;
    conn->prev = conn->next = NULL;
    loop->n_conns--;
}

static void leave(struct shared *shared, const struct peer *peer)
{
    atomic_fetch_sub(&shared->connections, 1);
    if (peer->kind == PEER_TCP)
        groups_leave(shared->groups, peer->address);
}

void conn_open(struct loop *loop, int fd, const struct peer *peer)
{
    struct conn *conn = calloc(1, sizeof *conn);

    if (!conn) {
        (void)close(fd);
        free(peer->groups);
        leave(loop->shared, peer);
        return;
    }
    conn->loop = loop;
    conn->fd = fd;
    conn->peer = *peer;
    conn->since_ms = loop->mono_ms;
    link_conn(loop, conn);
    (void)event_assign(&conn->read_event, loop->base, fd, EV_READ | EV_PERSIST, conn_on_read, conn);
    (void)event_assign(&conn->write_event, loop->base, fd, EV_WRITE | EV_PERSIST, conn_on_write,
                       conn);
    if (event_add(&conn->read_event, NULL) < 0) {
        conn_close(conn);
        return;
    }
    if (loop->draining)
        conn_drain(conn);
}

void conn_mark_dirty(struct conn *conn)
{
    if (conn->is_dirty)
        return;
    conn->is_dirty = true;
    conn->next_dirty = conn->loop->dirty;
    conn->loop->dirty = conn;
}

/* What arrives for a closed connection is dropped; who waits for the writer is still answered. */
void conn_close(struct conn *conn)
{
    if (conn->fd < 0)
        return;
    (void)event_del(&conn->read_event);
    (void)event_del(&conn->write_event);
    (void)close(conn->fd);
    conn->fd = -1;
    conn->stage = STAGE_OVER;
    leave(conn->loop->shared, &conn->peer);
    unlink_conn(conn);
    loop_turn(conn->loop);
    conn_mark_dirty(conn); /* settling frees it */
}

static void free_conn(struct conn *conn)
{
    loop_give_buf(conn->loop, &conn->out);
    buf_free(&conn->in);
    buf_free(&conn->head);
    buf_free(&conn->body);
    free(conn->peer.groups);
    free(conn);
}

/* Shut our side, and let the peer read the answer before the kernel may reset the connection:
 * closing with unread bytes would take the answer with it (RFC 9112 §9.6). */
static void linger(struct conn *conn)
{
    if (conn->eof || shutdown(conn->fd, SHUT_WR) < 0) {
        conn_close(conn);
        return;
    }
    conn->lingering = true;
    conn->stage = STAGE_OVER;
    conn->since_ms = conn->loop->mono_ms;
    buf_free(&conn->in);
    (void)event_add(&conn->read_event, NULL);
}

/* Where the end of the connection is the end of the reply, only a reset tells that it is none. */
static void cut_off(struct conn *conn)
{
    static const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

    (void)setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    conn_close(conn);
}

static bool is_idle(const struct conn *conn)
{
    return conn->n_exchanges == 0 && conn_unsent(conn) == 0;
}

void conn_settle(struct conn *conn)
{
    if (conn->fd >= 0 && !conn->lingering && conn->stage != STAGE_OVER)
        conn_go_on(conn);
    if (conn->fd >= 0 && !conn->lingering && !conn_send(conn))
        conn_close(conn);
    if (conn->fd < 0 || conn->close_next)
        exchange_tell_gone(conn);
    else
        stream_make_room(conn);
    if (conn->fd >= 0 && is_idle(conn) && !conn->lingering) {
        bool waiting = conn->in.len > 0 || conn->stage != STAGE_HEAD;

        if (conn->cut_next)
            cut_off(conn);
        else if (conn->close_next)
            linger(conn);
        else if (conn->paused)
            conn_mark_dirty(conn); /* output has left meanwhile: go on with what waits */
        else if (conn->eof || (conn->loop->draining && conn->asked && !waiting))
            conn_close(conn);
    }
    if (conn->fd < 0 && conn->n_exchanges == 0 && !conn->is_dirty)
        free_conn(conn);
}

enum lateness {
    LATE_SILENT, /* the connection just ends */
    LATE_REQUEST /* 408 */
};

/* When the peer's patience with us, or ours with it, ends; INT64_MAX: not by itself. */
static int64_t deadline(const struct conn *conn, enum lateness *ret_lateness)
{
    const struct net_deadlines *deadlines = &conn->loop->shared->deadlines;
    bool unsent = conn_unsent(conn) > 0;

    *ret_lateness = LATE_SILENT;
    if (conn->lingering)
        return conn->since_ms + LINGER_MS;
    if (unsent && !conn->out_streams && conn->stage != STAGE_STREAM)
        return conn->out_since_ms + deadlines->reply_ms + (int64_t)(conn->out.len / 10);
    if (unsent)
        return conn->moved_ms + deadlines->stall_ms;
    if (conn->n_exchanges > 0 && (conn->stage != STAGE_STREAM || body_paused(conn)))
        return INT64_MAX;
    if (conn->stage == STAGE_HEAD && conn->in.len == 0) {
        int64_t until_ms = conn->since_ms + deadlines->keep_alive_ms;
        int64_t first_ms = conn->loop->drain_since_ms + deadlines->first_ms;

        return conn->loop->draining && first_ms < until_ms ? first_ms : until_ms;
    }
    *ret_lateness = LATE_REQUEST;
    if (conn->stage == STAGE_STREAM)
        return conn->moved_ms + deadlines->stall_ms;
    if (conn->stage == STAGE_HEAD)
        return conn->since_ms + deadlines->head_ms;
    return conn->since_ms + deadlines->body_ms + conn->body_bytes * 2; /* 500 B/s */
}

void conn_check_deadline(struct conn *conn)
{
    enum lateness lateness;

    if (conn->loop->mono_ms < deadline(conn, &lateness))
        return;
    if (lateness == LATE_SILENT)
        conn_close(conn);
    else if (conn->stage == STAGE_STREAM)
        conn_break(conn, 408, "the rest of the body does not arrive");
    else
        conn_refuse(conn, 408, "the request did not arrive in time");
}

/* Nothing is read where requests wait behind others, or behind the peer's own end: then epoll is
 * not asked either (libevent 2.1.12 tells an error as EV_READ|EV_WRITE, so with EV_CLOSED alone it
 * would spin). Who waits for long and asked to be told is looked after here. */
bool conn_is_lost(const struct conn *conn)
{
    struct pollfd peer = { .fd = conn->fd }; /* POLLERR and POLLHUP are always told */

    if (event_pending(&conn->read_event, EV_READ, NULL) || !exchange_asks(conn))
        return false;
    return poll(&peer, 1, 0) == 1 && (peer.revents & (POLLERR | POLLHUP)) != 0;
}

void conn_drain(struct conn *conn)
{
    /* What the kernel holds already has begun to arrive. */
    if (!conn->paused && !conn->lingering)
        conn_on_read(conn->fd, EV_READ, conn);
    if (conn->fd >= 0)
        conn_mark_dirty(conn);
}
