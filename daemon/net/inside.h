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
#define COMPACT_BYTES (64 * 1024) /* sent of a stream's output: then the rest is moved forward */

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
    atomic_size_t connections_max; /* main writes, the first loop reads */
    struct groups *groups;         /* any thread: it locks itself */
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
    int64_t drain_since_ms;
    atomic_uint_least64_t turns; /* its own thread writes, any reads: that it is not stuck */

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
    STAGE_STREAM,  /* the next byte belongs to the body of `last`, which is the only exchange */
    STAGE_OVER     /* no further request is read */
};

enum eaten {
    ATE,     /* one request, or some of it: look again */
    STARVED, /* needs more bytes */
    HELD     /* must wait: for replies to leave, or for a reader that has paused */
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
    bool paused;      /* reading is off until replies have left, or a reader resumes */
    bool eof;         /* the peer sends no more */
    bool close_next;  /* close behind what is in `out`; nobody hears what is still unanswered */
    bool cut_next;    /* then by a reset, for the end would look like a good one */
    bool lingering;   /* all is sent, our side is shut: reads what still comes, then closes */
    bool overlapping; /* what is unanswered may run beside each other */
    bool continued;   /* 100 Continue was sent for the request at hand */
    bool asked;       /* there was a request */
    enum stage stage;
    size_t need;
    struct http1_chunked chunked;
    struct buf in;   /* arrived, not yet eaten */
    struct buf head; /* STAGE_CHUNKED */
    struct buf body; /* STAGE_CHUNKED */
    size_t body_bytes_max;
    struct buf out;
    size_t out_sent;
    bool out_streams;       /* some of `out` is of a begun reply: it may stall, not be late */
    struct exchange *first; /* unanswered, or answered behind an unanswered one; in order */
    struct exchange *last;
    size_t n_exchanges;
    int64_t since_ms;     /* mono: when the request at hand began, or the last reply had left */
    int64_t out_since_ms; /* mono: when `out` was last empty */
    int64_t moved_ms;     /* mono: when the peer last sent or took a byte, or we began to wait */
    int64_t body_bytes;   /* announced, for the deadline of the body */
};

/* What only a streamed request or a begun reply needs. */
struct stream {
    struct body_reader reader; /* take NULL: nobody reads, the body is dropped */
    uint64_t left;             /* of a body with a length */
    bool chunked;              /* else it has a length */
    bool arrived;              /* the last byte of the body was taken; end() may be still to come */
    bool paused;
    bool above;      /* `low` bytes, since room() was last called */
    bool chunk_open; /* the reply's last chunk may still grow: its size is filled in later */
    size_t chunk_at; /* where its head is, in `out` or the exchange's `reply` */
    size_t low;
    void (*room)(void *context);
    void *room_context;
    uint64_t room_turn; /* when it was last called */
};

/* Of an exchange whose end somebody wants to hear of. */
struct ending {
    void (*ended)(void *context, const struct exchange_end *end);
    void *context;
    int64_t since_ms;
    unsigned status; /* 0: nothing was said yet */
    uint64_t bytes;
};

struct exchange {
    struct exchange *next;
    struct conn *conn;
    const struct http1_request *request; /* while handle() runs */
    struct str body;                     /* while handle() runs */
    struct buf reply;                    /* answered or begun before its turn */
    struct stream *stream;               /* NULL: neither streams */
    struct ending *ending;               /* owned; NULL: nobody asks */
    char *note;                          /* owned; NULL: none */
    void (*gone)(void *context);         /* NULL: nobody asks, or it was called */
    void *gone_context;
    bool answered;
    bool begun;
    bool cut; /* its end is no good end */
    bool is_head;
    bool is_safe;
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
/* The peer has reset or closed the connection while nothing is read from it. */
bool conn_is_lost(const struct conn *conn);
void conn_drain(struct conn *conn); /* may close it */

/* conn_read.c */
void conn_on_read(evutil_socket_t fd, short what, void *conn);
/* Reads requests from what has arrived, as far as they may start. */
void conn_go_on(struct conn *conn);
bool conn_may_start(const struct conn *conn);
/* Answers with a refusal of net's own, and reads no further request. */
void conn_refuse(struct conn *conn, unsigned status, const char *detail);
/* The streamed body at hand cannot be had whole: says so (`status` 0, or a begun reply: without a
 * word) and closes; the exchange is the api's to end. */
void conn_break(struct conn *conn, unsigned status, const char *detail);
void conn_say_continue(struct conn *conn);

/* conn_write.c */
/* false: the connection is broken. */
bool conn_send(struct conn *conn);
void conn_on_write(evutil_socket_t fd, short what, void *conn);
size_t conn_unsent(const struct conn *conn);
/* Where the next bytes for the peer are written to. */
struct buf *conn_out(struct conn *conn);

/* body.c */
/* A streamed request, its head in loop->request: makes its exchange and has it handled. */
void body_begin(struct conn *conn);
enum eaten body_eat(struct conn *conn, struct str bytes, size_t *ret_used); /* STAGE_STREAM */
bool body_paused(const struct conn *conn);
/* Some of a streamed body is still to come. */
bool body_missing(const struct exchange *exchange);

/* stream.c */
/* No more goes into the chunk that is being written, which lies in `out`. */
void stream_close_chunk(struct exchange *exchange, struct buf *out);
/* Calls room() of the connection's first exchange, where it is due. */
void stream_make_room(struct conn *conn);

/* reply.c */
void reply_render(const struct loop *loop, const struct exchange *exchange,
                  const struct reply *reply, struct buf *out);
/* The head of a begun reply. */
void reply_render_head(const struct loop *loop, const struct exchange *exchange,
                       const struct reply *head, struct buf *out);

/* exchange.c */
/* This is being said: a head with that status, more of a body. */
void exchange_count(const struct exchange *exchange, unsigned status, size_t bytes);
/* A new unanswered exchange at the end of the connection's list, or NULL. */
MUST_USE struct exchange *exchange_new(struct conn *conn, const struct http1_request *request);
/* Whether the connection ends behind this reply, as far as its head can know. */
bool exchange_is_last(const struct exchange *exchange, const struct reply *reply);
/* All of the reply was written: sends it in its turn, and frees the exchange. */
void exchange_finish(struct exchange *exchange);
/* Tells everybody who waits for an answer on this connection, and asked, that it is in vain. */
void exchange_tell_gone(struct conn *conn);
/* Somebody waits on this connection who asked to be told when the peer is gone. */
bool exchange_asks(const struct conn *conn);

#endif
