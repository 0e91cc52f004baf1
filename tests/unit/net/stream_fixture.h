/*
 * stream_fixture.h - a site whose paths stream, wait, echo and break off.
 *
 * Its exchanges are the loop's, and so is all of struct site but where it says otherwise.
 */
#ifndef TALLYD_TESTS_STREAM_FIXTURE_H
#define TALLYD_TESTS_STREAM_FIXTURE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "net/net_fixture.h"

#define FLOOD_BYTES (32 * 1024 * 1024)
#define FLOOD_PIECE_BYTES (64 * 1024)
#define FLOOD_HIGH_BYTES (1024 * 1024)
#define FLOOD_LOW_BYTES (960 * 1024) /* more than a kernel takes at once: never quite empty */

/* What a path does: "/upload" is KIND_UPLOAD, and so on; any other is KIND_PLAIN. */
enum kind {
    KIND_UPLOAD, /* counts the body, replies behind it with its length */
    KIND_HELD,   /* the same, but pauses at the first piece until it is released */
    KIND_ECHO,   /* sends each piece back as it comes */
    KIND_FIRST,  /* replies inside the first take() */
    KIND_CLOSE,  /* begins a reply and ends it inside the first take() */
    KIND_REFUSE, /* replies at once and reads nothing */
    KIND_UNREAD, /* reads nothing, replies when released */
    KIND_FLOOD,  /* sends FLOOD_BYTES, as far as there is room */
    KIND_FILL,   /* sends FLOOD_HIGH_BYTES, and ends inside room() */
    KIND_HOLD,   /* begins with a few bytes and ends when released */
    KIND_CUT,    /* begins, adds, aborts */
    KIND_FLUSH,  /* adds twice in one turn and ends; the first is flushed */
    KIND_WAIT,   /* no stream: replies when released, the last first; these overlap */
    KIND_PLAIN   /* no stream: replies at once */
};

struct talk; /* opaque: one exchange until it is ended */

struct site {
    struct house house;
    struct talk *talks;  /* the newest first */
    bool ends_late;      /* set before a request: whom gone() is told is not ended there */
    bool ignores_drain;  /* set before the drain */
    atomic_bool release; /* the atomics: any thread */
    atomic_size_t arrived;
    atomic_size_t paused;
    atomic_size_t taken; /* bytes, of all */
    atomic_size_t gone;
    atomic_size_t rooms;
    size_t unsent_most; /* of floods; read after stop() */
    size_t out_room_most;
};

extern struct site site;
extern char piece[FLOOD_PIECE_BYTES]; /* of a flood: all x */

/* NULL: the usual deadlines. But nothing ends by being idle. */
void start(const struct net_deadlines *changed);
void stop(void);    /* drains; everything must be ended by then */
void release(void); /* lets those go on, or be answered, who wait for it */
/* The body of the first reply in `heard`, its chunks put together in place. NULL: it is cut. */
char *unchunk(char *heard);

#endif
