/*
 * net/server.h - listeners and loops together: what main starts and stops.
 *
 * Threads: all of it main's, but where it says otherwise.
 */
#ifndef TALLYD_NET_SERVER_H
#define TALLYD_NET_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/why.h"
#include "net/cidr.h"
#include "net/exchange.h"
#include "net/loop.h"
#include "net/peer.h"

/* Deadlines, in milliseconds; tests make them short. */
struct net_deadlines {
    int64_t head_ms;       /* 10000: from the first byte of a request to its last head byte */
    int64_t body_ms;       /* 10000, and its length at 500 B/s */
    int64_t reply_ms;      /* 20000, and its length at 10 kB/s */
    int64_t stall_ms;      /* 30000: what streams, without a byte that we wait for */
    int64_t keep_alive_ms; /* 15000 between requests; closed without an answer */
    int64_t drain_ms;      /* 10000 after server_drain() */
    int64_t first_ms;      /* 1000 of these, for who has connected and not asked anything yet */
};

extern const struct net_deadlines net_deadlines_default;

struct net_settings {
    unsigned threads;                 /* 1..256 */
    size_t connections_max;           /* cut down to the descriptor limit less 64, and at least 1 */
    size_t connections_per_group_max; /* TCP: of one IPv4 /32 or IPv6 /64; 0: no limit */
    struct net_deadlines deadlines;
    const struct clock *clock; /* outlives the server */
};

struct server; /* opaque: net/server.c */

/* Makes the loops; nothing listens and no thread runs yet. The handler is copied. */
MUST_USE struct server *server_new(const struct net_settings *settings,
                                   const struct http_handler *handler, struct why *reterr_why);

/*
 * Listens on `ADDR:PORT` ("127.0.0.1:8080", "[::1]:0", "*:80"); port 0 lets the kernel choose.
 *   returns  false: *reterr_why names the address, the error and the remedy
 */
MUST_USE bool server_listen_tcp(struct server *server, const char *address, struct why *reterr_why);

/* Listens on a Unix socket, `mode` its permissions. A socket file that nobody answers on is
 * replaced; one that is answered, or another kind of file, is an error. Removed again at the end.
 */
MUST_USE bool server_listen_unix(struct server *server, const char *path, mode_t mode,
                                 struct why *reterr_why);

/* Takes connections from a socket that listens already, as systemd hands it over. It is closed at
 * the end; its file is somebody else's and stays, and so does who has connected by then and was
 * not accepted yet: whoever takes the socket next finds them there.
 *   returns  false: no stream socket of that kind, or it does not listen; still the caller's */
MUST_USE bool server_adopt(struct server *server, int fd, enum peer_kind kind,
                           struct why *reterr_why);

/* What it listens on, as a person would write it ("127.0.0.1:41234", "/run/…/tallyd.sock"), by
 * number; NULL behind the last. */
const char *server_address(const struct server *server, size_t number);

/* Starts the threads. */
MUST_USE bool server_start(struct server *server, struct why *reterr_why);

/* Other limits, as in struct net_settings; who is connected stays. */
void server_limit(struct server *server, size_t connections_max, size_t connections_per_group_max);

/* Addresses of these blocks may have any number of connections: proxies that bring many people.
 * Any time; main. */
void server_exempt(struct server *server, const struct cidr *cidrs, size_t n);

/* How many turns a loop has made: a stuck one makes no more, an idle one only when poked. */
uint64_t server_turns(const struct server *server, size_t loop);
void server_poke(struct server *server);

size_t server_loops(const struct server *server);
struct loop *server_loop(struct server *server, size_t number);

/* Stops listening, answers what has begun to arrive, has the handler's drains() called on each
 * loop, closes each connection behind its last reply, and gives up after deadlines.drain_ms. A
 * connection without any request yet is waited for, for deadlines.first_ms: its client cannot know
 * that it came too late, and would take the close for a failure.
 * Returns when all connections are closed. The handler must still be able to answer meanwhile. */
void server_drain(struct server *server);

/* Joins the threads and frees everything. Drained before, or never started. */
void server_free(struct server *server);
AUTO_FREE(server);

/* That of the library below, at run time, as 2.1.12-stable. Any thread. */
const char *net_libevent_version(void);

struct net_counts { /* statistics; any thread */
    uint64_t connections;
    uint64_t requests;
    uint64_t refused_connections;
};
struct net_counts server_counts(const struct server *server);

#endif
