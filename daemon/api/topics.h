/*
 * api/topics.h - polls that somebody on this loop follows: long polls and event streams.
 *
 * Each loop watches a poll once, however many follow it: a change wakes the loop once, one look at
 * the board serves them all.
 *
 * Threads: the loop.
 */
#ifndef TALLYD_API_TOPICS_H
#define TALLYD_API_TOPICS_H

#include <stdbool.h>
#include <stdint.h>

#include "api/call.h"
#include "base/auto.h"
#include "core/board.h"

struct topic; /* opaque: api/topics.c */

struct follower { /* embedded; `changed` is set by its owner */
    struct follower *prev;
    struct follower *next;
    struct topic *topic; /* NULL: follows nothing */
    /*
     * What is shown is another. May stop following, for itself only.
     *   published  as it is now; NULL: the poll was deleted
     */
    void (*changed)(struct follower *follower, struct published *published);
};

/* Begins to follow the poll of `published`. What changed since that was looked at comes as a first
 * change, later in this turn or the next. false: no memory. */
MUST_USE bool topics_follow(struct api *api, struct api_loop *loop,
                            const struct published *published, struct follower *follower);
/* Fine where it follows nothing. */
void topics_leave(struct api *api, struct api_loop *loop, struct follower *follower);

/* The id of its poll; lives as long as it follows. */
const char *topics_id(const struct follower *follower);

/* What is shown now, with one more reference; NULL: the poll was deleted. */
MUST_USE struct published *topics_look(struct api *api, const struct follower *follower);

/* A watch came out of the loop's queue. */
void topics_told(struct api *api, struct api_loop *loop, struct watch *watch);

/* At the end, when nobody follows any more. */
void topics_free(struct api *api, struct api_loop *loop);

#endif
