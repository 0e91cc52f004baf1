/*
 * net/conn.c - one connection: how it begins, settles at the end of a turn, times out and ends.
 *
 * Threads: its loop's own.
 */
#include <assert.h>
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
    if (conn->fd >= 0 && is_idle(conn) && !conn->lingering) {
        bool waiting = conn->in.len > 0 || conn->stage != STAGE_HEAD;

        if (conn->close_next)
            linger(conn);
        else if (conn->paused)
            conn_mark_dirty(conn); /* output has left meanwhile: go on with what waits */
        else if (conn->eof || (conn->loop->draining && !waiting))
            conn_close(conn);
    }
    if (conn->fd < 0 && conn->n_exchanges == 0 && !conn->is_dirty)
        free_conn(conn);
}

/* When the peer's patience with us, or ours with it, ends; INT64_MAX: not by itself. */
static int64_t deadline(const struct conn *conn, bool *ret_silent)
{
    const struct net_deadlines *deadlines = &conn->loop->shared->deadlines;

    *ret_silent = true;
    if (conn->lingering)
        return conn->since_ms + LINGER_MS;
    if (conn_unsent(conn) > 0)
        return conn->out_since_ms + deadlines->reply_ms + (int64_t)(conn->out.len / 10);
    if (conn->n_exchanges > 0)
        return INT64_MAX;
    if (conn->stage == STAGE_HEAD && conn->in.len == 0)
        return conn->since_ms + deadlines->keep_alive_ms;
    *ret_silent = false;
    if (conn->stage == STAGE_HEAD)
        return conn->since_ms + deadlines->head_ms;
    return conn->since_ms + deadlines->body_ms + conn->body_bytes * 2; /* 500 B/s */
}

void conn_check_deadline(struct conn *conn)
{
    bool silent;

    if (conn->loop->mono_ms < deadline(conn, &silent))
        return;
    if (silent)
        conn_close(conn);
    else
        conn_refuse(conn, 408, "the request did not arrive in time");
}

void conn_drain(struct conn *conn)
{
    /* What the kernel holds already has begun to arrive. */
    if (!conn->paused && !conn->lingering)
        conn_on_read(conn->fd, EV_READ, conn);
    if (conn->fd >= 0)
        conn_mark_dirty(conn);
}
