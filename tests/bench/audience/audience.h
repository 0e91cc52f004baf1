/*
 * bench/audience/audience.h - many who listen for one thing: when the last of them has heard it.
 *
 * One thread, one epoll, the same for whatever server speaks. What a listener hears is compared
 * byte by byte with what the first one heard.
 */
#ifndef TALLYD_BENCH_AUDIENCE_AUDIENCE_H
#define TALLYD_BENCH_AUDIENCE_AUDIENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/why.h"

#define LISTENERS_MAX 20000U
#define EVENTS_MAX 1000U

/* What is special about a server. Whoever comes is told something at once, the same for all: a
 * first event, by which the next one waits. */
struct tongue {
    struct buf subscribe; /* what each listener sends */
    struct buf publish;   /* what makes the next event; its number goes to number_at */
    size_t number_at;     /* NUMBER_DIGITS of it; 0: nowhere */
    const char *said;     /* what the answer to it begins with */
    /*
     * One message of what has arrived.
     *   returns  its length, and in *ret_event its part that must be the same for all, empty where
     *            it is no event; 0: more must come
     */
    size_t (*message)(struct str arrived, struct str *ret_event);
};

#define NUMBER_DIGITS 10U

struct audience_plan {
    const char *tcp;       /* ADDRESS:PORT where listeners connect to */
    const char *socket;    /* Unix socket by which is published */
    unsigned listeners;    /* 1..LISTENERS_MAX */
    unsigned events;       /* published; 1..EVENTS_MAX */
    unsigned every_ms;     /* one behind the other */
    unsigned first_number; /* of what is published */
    pid_t server;          /* whose memory is looked at */
};

struct audience_memory {
    uint64_t private_bytes; /* of the server: anonymous memory */
    uint64_t rss_bytes;
    uint64_t kernel_bytes; /* of the whole machine: slabs, and buffers of TCP */
};

struct audience_result {
    struct audience_memory before;
    struct audience_memory there; /* everybody listens */
    struct audience_memory after; /* the last event was heard */
    int64_t first_ns[EVENTS_MAX]; /* from publishing to the first who has it */
    int64_t last_ns[EVENTS_MAX];  /* to the last */
    int64_t cpu_ns;               /* of the server, for all events */
};

/* false: *reterr_why; somebody heard something else, or not in time. */
MUST_USE bool audience_run(const struct audience_plan *plan, const struct tongue *tongue,
                           struct audience_result *ret_result, struct why *reterr_why);

/* tongues.c. The caller frees their bufs. */
struct tongue tongue_tallyd(const char *poll);
struct tongue tongue_redis(const char *channel, struct str payload);

#endif
