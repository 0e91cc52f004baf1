/*
 * api/streams.c - calls of this loop that stream.
 *
 * Threads: the loop.
 */
#include "api/streams.h"

#include <stddef.h>

#include "api/call.h"

void streams_enter(struct api_loop *loop, struct stream *stream)
{
    stream->next = loop->streams;
    if (stream->next)
        stream->next->place = &stream->next;
    loop->streams = stream;
    stream->place = &loop->streams;
    stream->loop = loop;
    tell_add(&loop->n_streams, 1);
}

void streams_leave(struct stream *stream)
{
    *stream->place = stream->next;
    if (stream->next)
        stream->next->place = stream->place;
    tell_add(&stream->loop->n_streams, -1);
}

void streams_drain(struct api_loop *loop)
{
    struct stream *next;

    for (struct stream *stream = loop->streams; stream; stream = next) {
        next = stream->next;
        stream->drain(stream);
    }
}

void streams_tick(struct api_loop *loop, int64_t mono_ms)
{
    struct stream *next;

    for (struct stream *stream = loop->streams; stream; stream = next) {
        next = stream->next;
        if (stream->tick)
            stream->tick(stream, mono_ms);
    }
}
