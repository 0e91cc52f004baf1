/*
 * net/doors.h - where connections are let in: what net/server.c and net/doors.c share.
 */
#ifndef TALLYD_NET_DOORS_H
#define TALLYD_NET_DOORS_H

#include <stddef.h>

#include "net/inside.h"
#include "net/listener.h"

#define LISTENERS_MAX 32

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

/* Opens the descriptor that is kept in reserve, if it is not there. */
void doors_refill_reserve(struct server *server);

/* Events of a door that can be entered, context a struct door, and of the end of a rest, context
 * the server. */
void doors_on_accept(evutil_socket_t unused, short what, void *context);
void doors_on_rested(evutil_socket_t unused, short what, void *context);

/* Who connected before is let in, and then all doors are closed. `context` is the server. */
void doors_take_in_and_close(void *context);

/* As it is, with nobody let in. */
void doors_close(struct server *server);

#endif
