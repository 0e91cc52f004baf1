/*
 * api/streams.h - calls of this loop that stream, so that the end of the server ends them.
 */
#ifndef TALLYD_API_STREAMS_H
#define TALLYD_API_STREAMS_H

struct api_loop;

struct stream { /* embedded; zeroed before streams_enter() */
    struct stream *next;
    struct stream **place;
    /* The server ends: come to an end soon. May call streams_leave(). */
    void (*drain)(struct stream *stream);
};

void streams_enter(struct api_loop *loop, struct stream *stream);
void streams_leave(struct stream *stream);
void streams_drain(struct api_loop *loop);

#endif
