/*
 * net/doors.c - where connections are let in.
 *
 * The first loop accepts for all and hands connections round. So that running out of descriptors
 * is answered, not spun on, one descriptor is kept in reserve; where that is not enough, the doors
 * are shut for a moment, and who stands there waits.
 *
 * Threads: the first loop's, but doors_close() and doors_refill_reserve() before it starts and
 * behind its end, which are main's.
 */
#include "net/doors.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"

#define ACCEPTS_A_TURN 64
#define STANDING_MAX 4096 /* let in from one door as it is closed: those who come meanwhile too */
#define REST_MS 100

void doors_close(struct server *server)
{
    for (size_t i = 0; i < server->n_doors; i++) {
        if (server->doors[i].event)
            event_free(server->doors[i].event);
        listener_close(&server->doors[i].listener);
    }
    server->n_doors = 0;
}

void doors_refill_reserve(struct server *server)
{
    if (server->reserve_fd < 0)
        server->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Who cannot be let in, nor be told so, would wake the loop again and again. */
static void rest(struct server *server)
{
    static const struct timeval a_moment = { .tv_usec = REST_MS * 1000 };

    if (event_add(server->rest_event, &a_moment) < 0)
        return; /* rather busy than deaf */
    for (size_t i = 0; i < server->n_doors; i++)
        (void)event_del(server->doors[i].event);
}

void doors_on_rested(evutil_socket_t unused, short what, void *context)
{
    struct server *server = context;

    (void)unused;
    (void)what;
    doors_refill_reserve(server);
    for (size_t i = 0; i < server->n_doors; i++) {
        if (event_add(server->doors[i].event, NULL) < 0)
            rest(server);
    }
}

/* A connection that cannot be had is told so, as well as one can without waiting for it. */
static void turn_away(struct server *server, int fd, const char *detail)
{
    struct loop *loop = server->loops[0];
    const struct http_handler *handler = &server->shared.handler;
    struct exchange exchange = { .closes = true };
    struct reply reply;
    AUTO_BUF out = { 0 };

    handler->refuse(handler->context, loop, &exchange, 503, detail, &reply);
    reply_render(loop, &exchange, &reply, &out);
    if (buf_ok(&out) && send(fd, out.bytes, out.len, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
        (void)shutdown(fd, SHUT_WR);
    (void)close(fd);
    atomic_fetch_add(&server->shared.refused, 1);
}

static void hand_round(struct server *server, int fd, struct peer *peer)
{
    struct shared *shared = &server->shared;

    if (atomic_fetch_add(&shared->connections, 1) >= atomic_load(&shared->connections_max)) {
        atomic_fetch_sub(&shared->connections, 1);
        free(peer->groups);
        turn_away(server, fd, "too many connections; try again");
        return;
    }
    if (peer->kind == PEER_TCP && !groups_enter(shared->groups, peer->address)) {
        atomic_fetch_sub(&shared->connections, 1);
        turn_away(server, fd, "too many connections from this address; try again");
        return;
    }
    atomic_fetch_add(&shared->accepted, 1);
    if (loop_hand(server->loops[server->next_loop++ % server->n_loops], fd, peer))
        return;
    atomic_fetch_sub(&shared->connections, 1);
    if (peer->kind == PEER_TCP)
        groups_leave(shared->groups, peer->address);
    free(peer->groups);
    turn_away(server, fd, "no memory for a connection; try again");
}

/* Lets one in on the reserve, to say that there is no room. */
static enum accepted spend_reserve(struct server *server, const struct listener *listener)
{
    enum accepted accepted;
    struct peer peer;
    int fd;

    if (server->reserve_fd < 0)
        return ACCEPT_NO_FD;
    (void)close(server->reserve_fd);
    server->reserve_fd = -1;
    accepted = listener_accept(listener, &fd, &peer);
    if (accepted == ACCEPTED) {
        free(peer.groups);
        turn_away(server, fd, "no descriptor for a connection; try again");
    }
    doors_refill_reserve(server);
    return accepted;
}

/* Returns whether more may stand there. */
static bool let_in_some(struct door *door)
{
    struct server *server = door->server;

    loop_turn(server->loops[0]);
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        struct peer peer;
        int fd;
        enum accepted accepted = listener_accept(&door->listener, &fd, &peer);

        if (accepted == ACCEPT_NO_FD)
            accepted = spend_reserve(server, &door->listener);
        else if (accepted == ACCEPTED)
            hand_round(server, fd, &peer);
        if (accepted == ACCEPT_BROKEN) {
            log_line(LOG_ERROR, "%s can no longer be listened on", door->listener.name);
            (void)event_del(door->event);
        }
        if (accepted == ACCEPT_NO_FD)
            rest(server);
        if (accepted != ACCEPTED && accepted != ACCEPT_GONE)
            return false;
    }
    return true;
}

void doors_on_accept(evutil_socket_t unused, short what, void *context)
{
    (void)unused;
    (void)what;
    (void)let_in_some(context);
}

/* Who connected before is let in: what they send has begun to arrive, and closing the door would
 * reset them. At one that somebody else holds too they go on waiting, for whoever accepts next. */
void doors_take_in_and_close(void *context)
{
    struct server *server = context;

    for (size_t i = 0; i < server->n_doors; i++) {
        struct door *door = &server->doors[i];
        size_t left = STANDING_MAX / ACCEPTS_A_TURN;

        while (!door->listener.adopted && left > 0 && let_in_some(door))
            left--;
    }
    doors_close(server);
}
