/*
 * net/inside.h - what the files of this room share: the loop and its connections.
 *
 * Nobody outside net/ includes this. Everything is its loop's own thread's, but where it says
 * otherwise.
 */
#ifndef TALLYD_NET_INSIDE_H
#define TALLYD_NET_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "base/why.h"
#include "net/exchange.h"
#include "net/groups.h"
#include "net/http1.h"
#include "net/loop.h"
#include "net/server.h"

#define SCRATCH_BYTES (64 * 1024)
#define EXCHANGES_MAX 64              /* under way on one connection, then reading pauses */
#define OUT_BYTES_PAUSE (1024 * 1024) /* unsent on one connection, then reading pauses */
#define SPARE_BUFS_MAX 64             /* kept by a loop for its next replies */
#define SPARE_BUF_BYTES_MAX (128 * 1024)
#define LINGER_MS 2000

struct conn;

struct handed { /* an accepted socket on its way to its loop */
    struct handed *next;
    int fd;
    struct peer peer;
};

struct shared { /* one for all loops of a server */
    struct http_handler handler;
    struct net_deadlines deadlines;
    const struct clock *clock;
    size_t connections_max;
    struct groups *groups; /* any thread: it locks itself */
    /* The first loop calls it as it begins to drain: takes in who waits, then closes the doors. */
    void (*close_doors)(void *server);
    void *server;
    atomic_size_t connections;
    atomic_uint_least64_t accepted;
    atomic_uint_least64_t requests;
    atomic_uint_least64_t refused;
};

struct loop {
    struct shared *shared;
    size_t number;
    pthread_t thread;
    struct event_base *base;
    int wake_fd; /* any thread writes */
    struct event *wake_event;
    struct event *turn_event; /* made active by the first event of a turn: runs behind the others */
    struct event *sweep_event; /* deadlines; off while there is no connection */
    bool in_turn;
    int64_t mono_ms; /* as this turn began */
    int64_t wall_ms;
    int64_t date_s;
    char date[48]; /* "Date: …\r\n" of date_s */
    struct conn *conns;
    size_t n_conns;
    struct conn *dirty; /* have something to send, or to go on with, at the end of this turn */
    struct buf spare[SPARE_BUFS_MAX];
    size_t n_spare;
    struct http1_request request; /* of the head at hand */
    char *scratch;                /* what recv() has just brought */
    bool draining;
    int64_t drain_until_ms;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* with lock: drains or quiet was set */
    struct handed *handed;  /* lock */
    bool told_to_drain;     /* lock */
    bool told_to_stop;      /* lock */
    bool drains;            /* lock: has begun to, and takes no new connections */
    bool quiet;             /* lock: draining, and no connection left */
};

enum stage {
    STAGE_HEAD,    /* the next byte belongs to a request head */
    STAGE_LENGTH,  /* the head is there, `need` bytes make it whole */
    STAGE_CHUNKED, /* the head is in `head`, chunks go to `body` */
    STAGE_OVER     /* no further request is read */
};

struct conn {
    struct conn *prev;
    struct conn *next;
    struct conn *next_dirty;
    struct loop *loop;
    int fd; /* -1: closed; the rest waits for its exchanges to be answered */
    struct peer peer;
    struct event read_event;
    struct event write_event;
    bool is_dirty;
    bool paused;      /* reading is off until replies have left */
    bool eof;         /* the peer sends no more */
    bool close_next;  /* close behind what is in `out` */
    bool lingering;   /* all is sent, our side is shut: reads what still comes, then closes */
    bool overlapping; /* what is unanswered may run beside each other */
    bool continued;   /* 100 Continue was sent for the request at hand */
    enum stage stage;
    size_t need;
    struct http1_chunked chunked;
    struct buf in;   /* arrived, not yet eaten */
    struct buf head; /* STAGE_CHUNKED */
    struct buf body; /* STAGE_CHUNKED */
    size_t body_bytes_max;
    struct buf out;
    size_t out_sent;
    struct exchange *first; /* unanswered, or answered behind an unanswered one; in order */
    struct exchange *last;
    size_t n_exchanges;
    int64_t since_ms;     /* mono: when the request at hand began, or the last reply had left */
    int64_t out_since_ms; /* mono: when `out` was last empty */
    int64_t body_bytes;   /* announced, for the deadline of the body */
};

struct exchange {
    struct exchange *next;
    struct conn *conn;
    const struct http1_request *request; /* while handle() runs */
    struct str body;                     /* while handle() runs */
    struct buf reply;                    /* answered before its turn */
    bool answered;
    bool is_head;
    bool keep_alive;
    bool http10;
    bool closes; /* the connection ends behind this reply */
};

/* loop.c */
MUST_USE struct loop *loop_new(struct shared *shared, size_t number, struct why *reterr_why);
void loop_free(struct loop *loop); /* its thread is joined, or never ran */
AUTO_FREE(loop);
void *loop_run(void *loop); /* a thread's function */
/* Any thread: takes over the socket and the peer's groups. false: no memory, still the caller's. */
MUST_USE bool loop_hand(struct loop *loop, int fd, const struct peer *peer);
void loop_drain(struct loop *loop);      /* any thread */
void loop_wait_quiet(struct loop *loop); /* main */
void loop_stop(struct loop *loop);       /* any thread */
/* Every callback of the event base starts with this. */
void loop_turn(struct loop *loop);
struct buf loop_take_buf(struct loop *loop);
void loop_give_buf(struct loop *loop, struct buf *buf);

/* conn.c */
void conn_open(struct loop *loop, int fd, const struct peer *peer);
void conn_close(struct conn *conn); /* the socket; the memory once all exchanges are answered */
void conn_mark_dirty(struct conn *conn);
void conn_settle(struct conn *conn);         /* the end of a turn: send, go on, or close */
void conn_check_deadline(struct conn *conn); /* may close it */
void conn_drain(struct conn *conn);          /* may close it */

/* conn_read.c */
void conn_on_read(evutil_socket_t fd, short what, void *conn);
/* Reads requests from what has arrived, as far as they may start. */
void conn_go_on(struct conn *conn);
bool conn_may_start(const struct conn *conn);
/* Answers with a refusal of net's own, and reads no further request. */
void conn_refuse(struct conn *conn, unsigned status, const char *detail);

/* conn_write.c */
/* false: the connection is broken. */
bool conn_send(struct conn *conn);
void conn_on_write(evutil_socket_t fd, short what, void *conn);
size_t conn_unsent(const struct conn *conn);

/* exchange.c */
/* A new unanswered exchange at the end of the connection's list, or NULL. */
MUST_USE struct exchange *exchange_new(struct conn *conn, const struct http1_request *request);
void reply_render(const struct loop *loop, const struct exchange *exchange,
                  const struct reply *reply, struct buf *out);

#endif
