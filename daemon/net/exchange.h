/*
 * net/exchange.h - one request and its one reply: what net offers to whoever answers.
 *
 * The handler is called on the connection's own loop thread, when the whole body is there; it
 * replies at once, or keeps the exchange and replies later from the same thread. Every exchange
 * must be ended exactly once, also when its peer is gone, by exchange_reply(), or, once begun, by
 * exchange_end() or exchange_abort(): that is what frees it. Replies leave in request order,
 * whatever the order of exchange_reply().
 *
 * A request whose plan says `streams` is handled as soon as its head is there; its body comes in
 * pieces to a struct body_reader. A reply of unknown length is begun, added to and ended. Both may
 * go on at once, and every function here may be called inside every callback, also the one that
 * ends the exchange whose callback it is.
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

struct exchange; /* opaque: net/inside.h */
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
    size_t body_bytes_max; /* more is 413; no matter where `streams` */
    bool overlaps;         /* may start while earlier requests of this connection that overlap too
                              are unanswered (votes); others wait until all before them are */
    bool streams;          /* handle() is called as soon as the head is there; the body, of any
                              length, goes to exchange_read()'s reader. Never overlaps */
};

struct http_handler {
    void *context;
    /* Head is there. Writes *ret_plan (defaults: 16 KiB, no overlap, no stream). Pure and quick. */
    void (*plan)(void *context, const struct http1_request *request,
                 struct exchange_plan *ret_plan);
    /* Head and body are there (a streamed one: the head is): replies now or later. */
    void (*handle)(void *context, struct exchange *exchange);
    /* A request that net itself refuses (400, 408, 413, 414, 431, 503, and 501 for an unknown
     * method): writes the reply's content type, fields and body for this status and sentence.
     * The pieces must stay valid until the next call on the same loop thread.
     *   exchange  what is being refused, to look at and to note something in; net replies, and
     *             exchange_peer() is not to be had. Its request is NULL where no head was read
     *             whole, or was handled before */
    void (*refuse)(void *context, struct loop *loop, struct exchange *exchange, unsigned status,
                   const char *detail, struct reply *ret_reply);
    /* Something was handed to this loop from another thread (loop_wake()). May be NULL. */
    void (*woken)(void *context, struct loop *loop);
    /* Every active event of this turn of the loop was handled: the moment to hand over in one go
     * what the turn gathered. May be NULL. */
    void (*turn_ends)(void *context, struct loop *loop);
    /* Four times a second while there are connections: for deadlines of the handler's own. May be
     * NULL. */
    void (*ticks)(void *context, struct loop *loop);
    /* The loop begins to drain, once: answer what waits for something that may not come (long
     * polls), end streams, and let nothing of the kind wait from now on. What is not ended is cut
     * after deadlines.drain_ms. May be NULL. */
    void (*drains)(void *context, struct loop *loop);
};

/* The head; valid only until handle() or refuse() returns: copy what is needed later. */
const struct http1_request *exchange_request(const struct exchange *exchange);
/* GET or HEAD: it asks, and changes nothing. Valid until the exchange is ended, as the next two. */
bool exchange_is_safe(const struct exchange *exchange);
/* What the handler has to remember of the request until it answers; copied. false: no memory. */
MUST_USE bool exchange_set_note(struct exchange *exchange, struct str note);
struct str exchange_note(const struct exchange *exchange); /* empty where none was set */
/* The body, decoded; valid only until handle() returns. Empty where it streams. */
struct str exchange_body(const struct exchange *exchange);
/* The other end; valid until the exchange is ended. */
const struct peer *exchange_peer(const struct exchange *exchange);
struct loop *exchange_loop(const struct exchange *exchange);
/* Nobody is left to hear the reply: whatever is still said is dropped. */
bool exchange_gone(const struct exchange *exchange);

/*
 * Replies, and frees the exchange. Date, Content-Length and Connection are added; to a HEAD request
 * the body is left out, its length kept. Statuses 204 and 304 send no body and no length. Where a
 * streamed body has not arrived whole, the connection closes behind the reply: it lingers for two
 * seconds so that the peer can read it.
 * Thread: the exchange's loop. No memory: the connection closes instead, the exchange is freed.
 */
void exchange_reply(struct exchange *exchange, const struct reply *reply);

/*
 * Has `gone` called once, at the end of a turn, when nobody is left to hear the reply: the peer has
 * reset or closed the connection, stalled, broken the grammar of its body, or ended it halfway; or
 * the drain is over. No callback of body_reader or room comes any more. The exchange must still be
 * ended, there or later, which only frees it. A peer that has merely ended its own side (EOF behind
 * a whole request) still gets its answer and is not gone; over TCP, one that has closed altogether
 * looks the same until something is sent to it.
 */
void exchange_on_gone(struct exchange *exchange, void (*gone)(void *context), void *context);

/* What became of an exchange. */
struct exchange_end {
    unsigned status; /* 0: nothing could be said, the peer was gone */
    uint64_t bytes;  /* of the body, as far as it was written */
    int64_t took_ms; /* from exchange_on_end() to the end of the reply, by the turns of the loop */
    bool cut;        /* the peer has not been given all of it */
};

/*
 * Has `ended` called once, as the exchange ends, right before it is freed. Where nobody asks,
 * nothing is counted either. At most once an exchange.
 *   returns  false: no memory, it will not be called
 */
MUST_USE bool exchange_on_end(struct exchange *exchange,
                              void (*ended)(void *context, const struct exchange_end *end),
                              void *context);

/* Who takes a streamed body. Called on the exchange's loop, never inside exchange_read() or
 * exchange_resume(). */
struct body_reader {
    void *context;
    /* The next piece, in order, never empty; valid during the call. */
    void (*take)(void *context, struct str bytes);
    /* The body is complete. */
    void (*end)(void *context);
};

/*
 * Has the body of a streamed request brought to `reader`, which is copied; 100 Continue is sent
 * now where the client waits for it. During handle() only, at most once. A request without a body
 * gets end() right behind handle(). Without this call the body is read and dropped.
 *
 * A body may take as long as it takes: only a peer that sends nothing for deadlines.stall_ms while
 * it is not paused is gone (408 where no reply was begun).
 */
void exchange_read(struct exchange *exchange, const struct body_reader *reader);
/* No take() and no end() until exchange_resume(); the socket is not read meanwhile, so the peer
 * feels it. Of a streamed request only; nothing happens where it is paused, or not. */
void exchange_pause(struct exchange *exchange);
void exchange_resume(struct exchange *exchange);

/*
 * Sends the head of a reply whose length is not known, and its pieces as the first bytes of the
 * body: chunked in HTTP/1.1, up to the end of the connection in 1.0. A HEAD request gets the head
 * alone, and exchange_end() must still follow. Any status but 204 and 304.
 *
 * It may take as long as it takes: only a peer that takes nothing of it for deadlines.stall_ms is
 * gone. No memory, here and in exchange_add(): the connection closes, and the peer is gone.
 */
void exchange_begin(struct exchange *exchange, const struct reply *head);
/* More of the body; copied. What is added in one turn is one chunk and one write. */
void exchange_add(struct exchange *exchange, struct str bytes);
/* Sends what was added at once, where its turn has come, and not at the end of this turn: whoever
 * adds to thousands of replies in one turn needs no more than one of them in memory. */
void exchange_flush(struct exchange *exchange);
/* The reply is complete; frees the exchange. Closes like exchange_reply() where the request's body
 * has not arrived whole. */
void exchange_end(struct exchange *exchange);
/* The reply cannot be completed; frees the exchange. What was added is sent, then the connection
 * closes so that the peer sees it cut: without a last chunk, in HTTP/1.0 over TCP by a reset. */
void exchange_abort(struct exchange *exchange);
/* How many bytes of a begun reply wait in this process for the peer to take them, with those of
 * replies before it. 0 once the peer is gone. */
size_t exchange_unsent(const struct exchange *exchange);
/* Has `room` called whenever exchange_unsent() has fallen to `low` or less after it was above, at
 * most once a turn. Of a begun reply; a second call takes the place of the first. */
void exchange_on_room(struct exchange *exchange, size_t low, void (*room)(void *context),
                      void *context);

#endif
