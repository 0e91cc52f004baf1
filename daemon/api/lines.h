/*
 * api/lines.h - lines out of a stream of pieces, each of at most LINE_BYTES_MAX.
 *
 * A line ends at LF or CRLF, or where the stream does, and is as long as it is without them. Memory
 * is bounded by one line, however long a peer makes it. Pure; one thread at a time.
 */
#ifndef TALLYD_API_LINES_H
#define TALLYD_API_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/str.h"

#define LINE_BYTES_MAX (16 * 1024)

struct lines {       /* zeroed is the start of a stream */
    uint64_t number; /* of the line that was given last, from 1 */
    struct buf rest; /* of a line whose end has not come yet */
    bool skips;      /* that line is too long: its bytes are dropped */
    bool given;      /* `rest` was handed out, and goes with the next call */
};

enum line {
    LINE_WHOLE,    /* *ret_line is the next line, without its end; lives until the next call */
    LINE_TOO_LONG, /* the next line was longer than it may be */
    LINE_MORE,     /* all of *bytes is eaten, and no line has ended */
    LINE_NO_MEMORY
};

/*
 * The next line of the stream.
 *   bytes  what has arrived; what is eaten is taken off its front
 *   last   nothing follows `bytes`: what is left is a line too, unless it is empty
 */
MUST_USE enum line lines_next(struct lines *lines, struct str *bytes, bool last,
                              struct str *ret_line);

void lines_clear(struct lines *lines);

#endif
