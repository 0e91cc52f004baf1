/*
 * window.h - the lines of an import that have no answer yet, as they stand in the file.
 *
 * They are kept so that a refused one can be handed back as it was written, and so that all can be
 * sent again when a connection is lost, also those that came out of a pipe.
 */
#ifndef TALLY_WINDOW_H
#define TALLY_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/str.h"

struct window; /* opaque: window.c */

#define WINDOW_BYTES_MAX (16U << 20)
#define WINDOW_LINES_MAX 200000U
#define WINDOW_LINE_BYTES_MAX (64U << 20)

enum window_format { WINDOW_NDJSON, WINDOW_CSV };

/* NULL: no memory. */
MUST_USE struct window *window_new(enum window_format format);
void window_free(struct window *window);
AUTO_FREE(window);

/* Is there enough in it? Then nothing more is to be read until answers come. */
bool window_full(const struct window *window);

/* Where the next bytes of the file may be written, at least 64 KiB; NULL: no memory, or a line
 * longer than WINDOW_LINE_BYTES_MAX. */
MUST_USE char *window_room(struct window *window, size_t *ret_room);

/* Bytes were written there; `ended`: the file has no more. False: no memory. */
MUST_USE bool window_added(struct window *window, size_t len, bool ended);

/* The header of a CSV file, which comes before all else; until it is taken there are no lines. */
enum window_header { WINDOW_HEADER_TAKEN, WINDOW_HEADER_LATER, WINDOW_HEADER_WRONG };
MUST_USE enum window_header window_header(struct window *window, size_t *ret_len);

/* The next bytes to be sent, as NDJSON; 0: there are none in the window. */
MUST_USE size_t window_send(struct window *window, char *bytes, size_t room);
bool window_unsent(const struct window *window);
bool window_failed(const struct window *window); /* no memory for what was to be sent */

/* All that has no answer is to be sent again. */
void window_rewind(struct window *window);

/* The oldest line. */
struct window_line {
    struct str text;    /* with its line end; until the next call */
    uint64_t number;    /* in the file, from 1 */
    const char *broken; /* why it was never sent, or NULL */
    bool blank;         /* nothing stands in it */
    bool begun;         /* some of it was sent; of a blank or broken record nothing ever is */
    bool sent;          /* all of it was */
};

bool window_first(const struct window *window, struct window_line *ret_line);
void window_drop(struct window *window); /* the oldest, which is there */

/* Lines in it, and the file's bytes and lines that are behind it. */
size_t window_count(const struct window *window);
uint64_t window_bytes_done(const struct window *window);
uint64_t window_lines_done(const struct window *window);

#endif
