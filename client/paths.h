/*
 * paths.h - the paths of the daemon's routes.
 */
#ifndef TALLY_PATHS_H
#define TALLY_PATHS_H

#include "base/buf.h"
#include "http.h"

/* /v1/polls/ID and what follows it, as "/tally". */
static inline struct str path_of_poll(struct buf *out, const char *id, const char *tail)
{
    buf_text(out, "/v1/polls/");
    http_encode(out, id);
    buf_text(out, tail);
    return buf_str(out);
}

#endif
