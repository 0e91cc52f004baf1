/*
 * api/event_stream.h - one subscriber's stream of events: what its route and its sending share.
 *
 * Threads: the loop of the call; an ask while it is asked the writer's.
 */
#ifndef TALLYD_API_EVENT_STREAM_H
#define TALLYD_API_EVENT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/call.h"
#include "api/streams.h"
#include "api/topics.h"
#include "ledger/job.h"
#include "net/exchange.h"

#define EVENTS_UNSENT_BYTES_MAX ((size_t)32 << 10) /* more, and a reader is a slow one */

struct events;

/* One poll of a stream. */
struct followed {
    struct follower follower; /* first: a follower is its followed */
    struct events *events;
    struct job *ask; /* NULL, but where results are shown after the vote; owned */
    uint64_t shown;  /* version that was sent last; 0: none */
    int64_t sent_ms; /* mono; also when the writer was asked */
    bool due;        /* something is to be sent that could not be yet */
    bool asked;      /* `ask` is the writer's */
    bool said_hidden;
    char language[LANGUAGE_TAG_BYTES_MAX + 1];
};

struct events {
    struct stream stream; /* first: a stream is its events */
    struct api *api;
    struct api_loop *loop;
    struct exchange *exchange;
    bool is_limited; /* counts among the long polls and streams of this holder */
    struct address holder;
    bool trusted;
    bool is_head;
    bool begun; /* the head has been sent */
    bool ended; /* freed with the last ask that comes back */
    size_t n_asked;
    int64_t commented_ms; /* mono: when anything was sent last */
    size_t n;
    struct followed polls[];
};

/* Monotonic, as this turn began. */
int64_t events_now_ms(const struct events *events);

/* Sends a poll as it is now, or says once that it is hidden, or asks the writer which. */
void followed_show(struct followed *followed, struct published *published);
/* The ask has come back to a stream that has begun: sends its tally, or says that it is hidden, or
 * is to ask again, for it was refused. */
void followed_answered(struct followed *followed, bool visible);
/* Asks the writer about the caller's vote. */
void followed_ask(struct followed *followed);
/* A follower's `changed`. May end the stream by events_leave(). */
void followed_changed(struct follower *follower, struct published *published);

/* Sends what could not be sent before, as it is now. */
void events_send_due(struct events *events);

/* Follows nothing more; the exchange has been ended. Frees the events, with the last ask. */
void events_leave(struct events *events);
void events_free(struct events *events);

#endif
