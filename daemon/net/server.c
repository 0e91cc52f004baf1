/*
 * net/server.c - listeners and loops together.
 *
 * The first loop accepts for all and hands connections round. So that running out of descriptors
 * is answered, not spun on, one descriptor is kept in reserve; where that is not enough, the doors
 * are shut for a moment, and who stands there waits.
 *
 * Threads: main's, but on_accept(), which is the first loop's.
 */
#include "net/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "net/inside.h"
#include "net/listener.h"

#define LISTENERS_MAX 32
#define ACCEPTS_A_TURN 64
#define STANDING_MAX 4096   /* let in from one door as it is closed: those who come meanwhile too */
#define DESCRIPTORS_KEPT 64 /* for the store, the loops and the log */
#define REST_MS 100

const struct net_deadlines net_deadlines_default = {
    .head_ms = 10000,
    .body_ms = 10000,
    .reply_ms = 20000,
    .stall_ms = 30000,
    .keep_alive_ms = 15000,
    .drain_ms = 10000,
    .first_ms = 1000,
};

struct door {
    struct server *server;
    struct listener listener;
    struct event *event;
};

struct server {
    struct shared shared;
    size_t n_loops;
    struct loop **loops;
    size_t n_started;
    struct door doors[LISTENERS_MAX];
    size_t n_doors;
    size_t next_loop;         /* first loop */
    int reserve_fd;           /* first loop; -1: another thread took its number as it was spent */
    struct event *rest_event; /* first loop: pending while the doors are shut */
};

static size_t connections_allowed(size_t wanted)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        size_t most = limit.rlim_cur > DESCRIPTORS_KEPT ? limit.rlim_cur - DESCRIPTORS_KEPT : 1;

        if (wanted > most)
            wanted = most;
    }
    return wanted > 0 ? wanted : 1;
}

static void close_doors(struct server *server)
{
    for (size_t i = 0; i < server->n_doors; i++) {
        if (server->doors[i].event)
            event_free(server->doors[i].event);
        listener_close(&server->doors[i].listener);
    }
    server->n_doors = 0;
}

static void refill_reserve(struct server *server)
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

static void on_rested(evutil_socket_t unused, short what, void *context)
{
    struct server *server = context;

    (void)unused;
    (void)what;
    refill_reserve(server);
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

    handler->refuse(handler->context, loop, 503, detail, &reply);
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
    refill_reserve(server);
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

static void on_accept(evutil_socket_t unused, short what, void *context)
{
    (void)unused;
    (void)what;
    (void)let_in_some(context);
}

/* Who connected before is let in: what they send has begun to arrive, and closing the door would
 * reset them. At one that somebody else holds too they go on waiting, for whoever accepts next. */
static void take_in_and_close(void *context)
{
    struct server *server = context;

    for (size_t i = 0; i < server->n_doors; i++) {
        struct door *door = &server->doors[i];
        size_t left = STANDING_MAX / ACCEPTS_A_TURN;

        while (!door->listener.adopted && left > 0 && let_in_some(door))
            left--;
    }
    close_doors(server);
}

static bool make_loops(struct server *server, size_t n, struct why *reterr_why)
{
    server->loops = calloc(n, sizeof(struct loop *));
    if (!server->loops) {
        why_set(reterr_why, "no memory for %zu loops", n);
        return false;
    }
    for (; server->n_loops < n; server->n_loops++) {
        server->loops[server->n_loops] = loop_new(&server->shared, server->n_loops, reterr_why);
        if (!server->loops[server->n_loops])
            return false;
    }
    return true;
}

struct server *server_new(const struct net_settings *settings, const struct http_handler *handler,
                          struct why *reterr_why)
{
    AUTO(server) server = calloc(1, sizeof *server);

    if (!server)
        return why_set(reterr_why, "no memory for the server");
    server->reserve_fd = -1;
    refill_reserve(server);
    server->shared.handler = *handler;
    server->shared.deadlines = settings->deadlines;
    server->shared.clock = settings->clock;
    server->shared.close_doors = take_in_and_close;
    server->shared.server = server;
    atomic_init(&server->shared.connections_max, connections_allowed(settings->connections_max));
    server->shared.groups = groups_new(settings->connections_per_group_max);
    if (!server->shared.groups)
        return why_set(reterr_why, "no memory for the server");
    if (server->reserve_fd < 0)
        return why_set(reterr_why, "cannot open /dev/null: %s", strerror(errno));
    if (!make_loops(server, settings->threads, reterr_why))
        return NULL;
    return TAKE(server);
}

static struct door *next_door(struct server *server, struct why *reterr_why)
{
    struct door *door = &server->doors[server->n_doors];

    if (server->n_doors == LISTENERS_MAX)
        return why_set(reterr_why, "more than %d addresses to listen on", LISTENERS_MAX);
    door->server = server;
    door->listener.fd = -1;
    return door;
}

bool server_listen_tcp(struct server *server, const char *address, struct why *reterr_why)
{
    struct door *door = next_door(server, reterr_why);

    if (!door || !listener_open_tcp(address, &door->listener, reterr_why))
        return false;
    server->n_doors++;
    return true;
}

bool server_listen_unix(struct server *server, const char *path, mode_t mode,
                        struct why *reterr_why)
{
    struct door *door = next_door(server, reterr_why);

    if (!door || !listener_open_unix(path, mode, &door->listener, reterr_why))
        return false;
    server->n_doors++;
    return true;
}

bool server_adopt(struct server *server, int fd, enum peer_kind kind, struct why *reterr_why)
{
    struct door *door = next_door(server, reterr_why);

    if (!door || !listener_adopt(fd, kind, &door->listener, reterr_why))
        return false;
    server->n_doors++;
    return true;
}

const char *server_address(const struct server *server, size_t number)
{
    return number < server->n_doors ? server->doors[number].listener.name : NULL;
}

/* As top -H shows it. */
static void name_thread(const struct loop *loop)
{
    char name[16];

    (void)snprintf(name, sizeof name, "loop %zu", loop->number);
    (void)pthread_setname_np(loop->thread, name);
}

bool server_start(struct server *server, struct why *reterr_why)
{
    server->rest_event = event_new(server->loops[0]->base, -1, 0, on_rested, server);
    if (!server->rest_event) {
        why_set(reterr_why, "no memory to listen");
        return false;
    }
    for (size_t i = 0; i < server->n_doors; i++) {
        struct door *door = &server->doors[i];

        door->event = event_new(server->loops[0]->base, door->listener.fd, EV_READ | EV_PERSIST,
                                on_accept, door);
        if (!door->event || event_add(door->event, NULL) < 0) {
            why_set(reterr_why, "no memory to listen on %s", door->listener.name);
            return false;
        }
    }
    for (; server->n_started < server->n_loops; server->n_started++) {
        struct loop *loop = server->loops[server->n_started];
        int error = pthread_create(&loop->thread, NULL, loop_run, loop);

        if (error != 0) {
            why_set(reterr_why, "cannot start a thread: %s", strerror(error));
            return false;
        }
        name_thread(loop);
    }
    return true;
}

void server_limit(struct server *server, size_t connections_max, size_t connections_per_group_max)
{
    atomic_store(&server->shared.connections_max, connections_allowed(connections_max));
    groups_limit(server->shared.groups, connections_per_group_max);
}

void server_exempt(struct server *server, const struct cidr *cidrs, size_t n)
{
    groups_exempt(server->shared.groups, cidrs, n);
}

uint64_t server_turns(const struct server *server, size_t loop)
{
    return atomic_load(&server->loops[loop]->turns);
}

void server_poke(struct server *server)
{
    for (size_t i = 0; i < server->n_loops; i++)
        loop_wake(server->loops[i]);
}

size_t server_loops(const struct server *server)
{
    return server->n_loops;
}

struct loop *server_loop(struct server *server, size_t number)
{
    return server->loops[number];
}

/* The first loop first: behind it nobody is handed to the others any more. */
void server_drain(struct server *server)
{
    if (!server)
        return;
    for (size_t i = 0; i < server->n_started; i++)
        loop_drain(server->loops[i]);
    for (size_t i = 0; i < server->n_started; i++)
        loop_wait_quiet(server->loops[i]);
}

void server_free(struct server *server)
{
    if (!server)
        return;
    for (size_t i = 0; i < server->n_started; i++)
        loop_stop(server->loops[i]);
    for (size_t i = 0; i < server->n_started; i++)
        (void)pthread_join(server->loops[i]->thread, NULL);
    close_doors(server);
    if (server->rest_event)
        event_free(server->rest_event);
    for (size_t i = 0; i < server->n_loops; i++)
        loop_free(server->loops[i]);
    free(server->loops);
    groups_free(server->shared.groups);
    if (server->reserve_fd >= 0)
        (void)close(server->reserve_fd);
    free(server);
}

struct net_counts server_counts(const struct server *server)
{
    return (struct net_counts){ .connections = atomic_load(&server->shared.accepted),
                                .requests = atomic_load(&server->shared.requests),
                                .refused_connections = atomic_load(&server->shared.refused) };
}

const char *net_libevent_version(void)
{
    return event_get_version();
}
