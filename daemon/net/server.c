/*
 * net/server.c - listeners and loops together.
 *
 * Threads: main's. What happens at the doors is the first loop's: net/doors.c.
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

#include "net/doors.h"
#include "net/inside.h"
#include "net/listener.h"

#define DESCRIPTORS_KEPT 64 /* for the store, the loops and the log */

const struct net_deadlines net_deadlines_default = {
    .head_ms = 10000,
    .body_ms = 10000,
    .reply_ms = 20000,
    .stall_ms = 30000,
    .keep_alive_ms = 15000,
    .drain_ms = 10000,
    .first_ms = 1000,
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
    doors_refill_reserve(server);
    server->shared.handler = *handler;
    server->shared.deadlines = settings->deadlines;
    server->shared.clock = settings->clock;
    server->shared.close_doors = doors_take_in_and_close;
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
    server->rest_event = event_new(server->loops[0]->base, -1, 0, doors_on_rested, server);
    if (!server->rest_event) {
        why_set(reterr_why, "no memory to listen");
        return false;
    }
    for (size_t i = 0; i < server->n_doors; i++) {
        struct door *door = &server->doors[i];

        door->event = event_new(server->loops[0]->base, door->listener.fd, EV_READ | EV_PERSIST,
                                doors_on_accept, door);
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
    doors_close(server);
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
