/*
 * bench/conn.h - one connection of the load generator: what is asked, what is still to come.
 *
 * One thread.
 */
#ifndef TALLYD_BENCH_CONN_H
#define TALLYD_BENCH_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/why.h"
#include "bench/protocol.h"

struct asked {
    uint64_t n; /* which request */
    int64_t at_ns;
};

struct conn {
    int fd;              /* -1: closed */
    bool waits_to_write; /* EPOLLOUT is armed */
    struct buf out;
    size_t out_sent;
    struct buf rest;     /* the beginning of a reply whose end has not come */
    struct asked *asked; /* a ring of `depth` */
    unsigned oldest;
    unsigned in_flight;
    uint64_t last_mark[POLL_OPTIONS_MAX];
};

/* Connects to a Unix socket's path or, where that is NULL, to ADDRESS:PORT; waits at most 10 s.
 * The socket does not block afterwards. */
MUST_USE bool conn_open(struct conn *conn, const char *socket_path, const char *tcp, unsigned depth,
                        struct why *reterr_why);

/* Closes it and gives back what it holds; a zeroed one with fd -1 is fine. */
void conn_close(struct conn *conn);

enum conn_write { CONN_WRITTEN, CONN_FULL, CONN_WRITE_FAILED };

/* Writes what is in `out` as far as the socket takes it. */
MUST_USE enum conn_write conn_write(struct conn *conn);

/* Keeps the beginning of a reply, which may lie in conn->rest itself; false: no memory. */
MUST_USE bool conn_keep(struct conn *conn, struct str rest);

#endif
