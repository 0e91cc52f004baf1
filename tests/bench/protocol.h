/*
 * bench/protocol.h - what the load generator asks, and how it knows a right answer.
 *
 * A request is a template whose bytes are always the same but for its holes, as the voter's number
 * and the option, so that asking costs one copy. Pure; any thread.
 */
#ifndef TALLYD_BENCH_PROTOCOL_H
#define TALLYD_BENCH_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/why.h"
#include "bench/tokens.h"

#define VOTER_DIGITS 10U    /* of the number behind a voter's prefix */
#define CLIENT_DIGITS 2U    /* a proxy hands on requests of 100 addresses */
#define POLL_OPTIONS_MAX 9U /* an option is one digit, so that the template keeps its length */

struct request {
    struct buf bytes;
    bool has_holes;
    size_t option_at;      /* one byte */
    size_t voter_at;       /* VOTER_DIGITS bytes, or the voter's token */
    size_t client_at;      /* CLIENT_DIGITS bytes of the client's address; 0: there is none */
    struct tokens *tokens; /* owned; NULL: voters are named */
};

enum reply_state {
    REPLY_PART,   /* more bytes are needed */
    REPLY_RIGHT,  /* whole, and what was hoped for */
    REPLY_WRONG,  /* whole, and something else: reterr_why says what */
    REPLY_BROKEN, /* where it ends cannot be known: the connection is of no more use */
};

struct reply {
    size_t len;    /* bytes it took */
    uint64_t mark; /* its place among the replies that have one: they rise on a connection */
};

struct protocol {
    struct request request;
    unsigned options; /* 1..POLL_OPTIONS_MAX; the options are voted for in turn */
    unsigned marks;   /* marks rise in each of so many series, taken in turn; 0: no marks */
    unsigned status;  /* HTTP: what a right reply says */
    struct buf body;  /* HTTP: its exact body; empty for votes, which are looked into */
    enum reply_state (*read)(const struct protocol *protocol, struct str arrived,
                             struct reply *ret_reply, struct why *reterr_why);
};

/* Appends request `n` (0, 1, …) to `out`: voter n, option n % options + 1. */
void request_add(const struct protocol *protocol, uint64_t n, struct buf *out);

/* Gives back the request, its tokens and the body; the struct itself is the caller's. */
void protocol_free(struct protocol *protocol);

#endif
