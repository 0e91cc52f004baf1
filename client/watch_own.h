/*
 * watch_own.h - what the files of `tally watch` share and nobody else sees.
 */
#ifndef TALLY_WATCH_OWN_H
#define TALLY_WATCH_OWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "commands.h"
#include "events.h"
#include "flow.h"

#define WATCH_SOON_MS 1000 /* what ends earlier, with nothing new, was no waiting */

struct watched {
    const char *id;
    struct flow *flow;     /* owned; NULL between two requests */
    struct buf definition; /* on a terminal: JSON */
    struct buf tally;      /* JSON, the one shown last */
    struct buf version;    /* its digits; empty: none was seen */
    uint64_t first_votes;  /* of the tally that was shown first … */
    int64_t first_ms;      /* … and when; 0: none was */
    int64_t asked_ms;
    int64_t next_ms;  /* when the next request may be sent */
    bool asked_back;  /* asked for what there is now: an answer comes at once */
    bool stream_lost; /* what there is now is to be asked for before it is streamed again */
    bool ended;
    bool deleted;
};

struct watch {
    struct session *session;
    struct watched *polls; /* owned */
    size_t count;
    uint64_t left;    /* tallies to show before the end */
    int64_t drawn_ms; /* the picture, last */
    int64_t stuck_ms; /* since when nothing is answered; 0: it is */
    struct why why;   /* and why not */
    enum outcome outcome;
    struct flow *stream; /* owned; NULL: none is open */
    struct events events;
    int64_t stream_ms;      /* when it was opened */
    int64_t stream_told_ms; /* when its last bytes came */
    bool stream_is_one;     /* an event has come */
    bool no_stream;         /* none is to be had: long polls do it */
};

/* watch_show.c */

/* Draws all pictures, one below the other: on a terminal only. */
void watch_draw(struct watch *watch);

/* Is it another one than was shown? Then it is shown. */
void watch_tally(struct watch *watch, struct watched *poll, struct str tally);

/* This poll is watched no more. */
void watch_fail(struct watch *watch, struct watched *poll, enum outcome outcome);
void watch_deleted(struct watch *watch, struct watched *poll);
void watch_hidden(struct watch *watch, struct watched *poll);

/* watch_stream.c */

/* Opens, looks after and closes the one stream of all polls. */
void watch_stream_turn(struct watch *watch);

/* Is this poll left to the stream, the open one or the one to come? */
bool watch_streams(const struct watch *watch, const struct watched *poll);

#endif
