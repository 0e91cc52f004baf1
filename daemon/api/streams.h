/*
 * api/streams.h - calls of this loop that stream, so that the end of the server ends them.
 */
#ifndef TALLYD_API_STREAMS_H
#define TALLYD_API_STREAMS_H

#include <stdint.h>

struct api_loop;

struct stream { /* embedded; zeroed before streams_enter() */
    struct api_loop *loop;
    struct stream *next;
    struct stream **place;
    /* The server ends: come to an end soon. May call streams_leave(). */
    void (*drain)(struct stream *stream);
    /* Four times a second, or NULL. May leave. */
    void (*tick)(struct stream *stream, int64_t mono_ms);
};

void streams_enter(struct api_loop *loop, struct stream *stream);
void streams_leave(struct stream *stream);
void streams_drain(struct api_loop *loop);
void streams_tick(struct api_loop *loop, int64_t mono_ms);

#endif
