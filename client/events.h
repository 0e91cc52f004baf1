/*
 * events.h - server-sent events (WHATWG HTML §9.2.6), read as their bytes come.
 */
#ifndef TALLY_EVENTS_H
#define TALLY_EVENTS_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/str.h"

#define EVENT_BYTES_MAX (16U << 20)

/* Zeroed is a stream that begins. */
struct events {
    struct buf line; /* of which the end has not come */
    struct buf name; /* of the event that is being read */
    struct buf data; /* each of its lines with a line end */
    bool returned;   /* the last byte was a CR: a LF behind it belongs to it */
};

static inline void events_autofree(struct events *events)
{
    buf_free(&events->line);
    buf_free(&events->name);
    buf_free(&events->data);
}

/* Begins anew, with another stream. */
void events_clear(struct events *events);

/*
 * Reads on. Comments, `id` and `retry` are passed over, an event without data too.
 *
 *   take     gets the name ("message" where none was given) and the data of each event; they live
 *            until it returns
 *   returns  false: no memory, or an event of more than EVENT_BYTES_MAX
 */
MUST_USE bool events_read(struct events *events, struct str bytes,
                          void (*take)(void *context, struct str name, struct str data),
                          void *context);

#endif
