/*
 * net/exchange.h - one request and its one reply: what net offers to whoever answers.
 *
 * The handler is called on the connection's own loop thread, when the whole body is there; it
 * replies at once, or keeps the exchange and replies later from the same thread. Every exchange
 * must be replied to exactly once, also when its peer is gone: exchange_reply() is what frees it.
 * Replies leave in request order, whatever the order of exchange_reply().
 */
#ifndef TALLYD_NET_EXCHANGE_H
#define TALLYD_NET_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/str.h"
#include "net/http1.h"
#include "net/peer.h"

struct exchange; /* opaque: net/conn.c */
struct loop;

#define REPLY_BODY_PIECES_MAX 4

struct reply {
    unsigned status;
    const char *content_type; /* NULL: none */
    struct str fields;        /* more header fields, each with its CRLF; copied */
    size_t n_pieces;          /* the body: pieces one behind the other; copied before return */
    struct str pieces[REPLY_BODY_PIECES_MAX];
    bool close; /* say Connection: close, and close once it is sent */
};

/* How the handler wants a request to be read; filled in by `plan` from the head alone. */
struct exchange_plan {
    size_t body_bytes_max; /* more is 413 */
    bool overlaps;         /* may start while earlier requests of this connection that overlap too
                              are unanswered (votes); others wait until all before them are */
};

struct http_handler {
    void *context;
    /* Head is there. Writes *ret_plan (defaults: 16 KiB, no overlap). Pure and quick. */
    void (*plan)(void *context, const struct http1_request *request,
                 struct exchange_plan *ret_plan);
    /* Head and body are there: replies now or later. */
    void (*handle)(void *context, struct exchange *exchange);
    /* A request that net itself refuses (400, 408, 413, 414, 431, 503, and 501 for an unknown
     * method): writes the reply's content type, fields and body for this status and sentence.
     * The pieces must stay valid until the next call on the same loop thread. */
    void (*refuse)(void *context, struct loop *loop, unsigned status, const char *detail,
                   struct reply *ret_reply);
    /* Something was handed to this loop from another thread (loop_wake()). May be NULL. */
    void (*woken)(void *context, struct loop *loop);
    /* Every active event of this turn of the loop was handled: the moment to hand over in one go
     * what the turn gathered. May be NULL. */
    void (*turn_ends)(void *context, struct loop *loop);
};

/* The head; valid only until handle() returns: copy what is needed later. */
const struct http1_request *exchange_request(const struct exchange *exchange);
/* The body, decoded; valid only until handle() returns. */
struct str exchange_body(const struct exchange *exchange);
/* The other end; valid until the reply. */
const struct peer *exchange_peer(const struct exchange *exchange);
struct loop *exchange_loop(const struct exchange *exchange);
/* The peer went away: the reply will be dropped. */
bool exchange_gone(const struct exchange *exchange);

/*
 * Replies, and frees the exchange. Date, Content-Length and Connection are added; to a HEAD request
 * the body is left out, its length kept. Statuses 204 and 304 send no body and no length.
 * Thread: the exchange's loop. No memory: the connection closes instead, the exchange is freed.
 */
void exchange_reply(struct exchange *exchange, const struct reply *reply);

#endif
