/*
 * net_fixture.h - a real server of one loop, and clients on plain sockets.
 *
 * Nothing sleeps: a client's read returns when the server has acted, and wait_until() spins on what
 * the loop has counted.
 */
#ifndef TALLYD_TESTS_NET_FIXTURE_H
#define TALLYD_TESTS_NET_FIXTURE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "net/server.h"

#define LAST "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

struct house {
    struct server *server;
    char path[64]; /* of its Unix socket; it listens on a TCP port too */
    pthread_t drainer;
};

/* What is 0 in `changed` is as usual: one thread, 100 connections, the default deadlines. */
void house_open(struct house *house, const struct net_settings *changed,
                const struct http_handler *handler);
void house_wake(struct house *house);
/* server_drain() on a thread of its own, and the end of it. */
void house_drain(struct house *house);
void house_drained(struct house *house);
void house_close(struct house *house); /* drained or not */

int dial_unix(const struct house *house);
int dial_tcp(const struct house *house);
void say(int fd, const char *text);
void say_bytes(int fd, const char *bytes, size_t len);
/* Everything until the server closes, with a NUL behind it. The caller free()s it. */
char *hear(int fd);
/* Reads until `what` has come; false: the connection ended before. Reads byte by byte. */
bool hear_until(int fd, const char *what);
/* Ends the connection by a reset. */
void hang_up(int fd);
size_t count_of(const char *text, const char *what);
void wait_until(atomic_size_t *counter, size_t at_least);

#endif
