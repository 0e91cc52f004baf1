/*
 * progress.h - how far an import is, on stderr.
 */
#ifndef TALLY_PROGRESS_H
#define TALLY_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *name;     /* of the file */
    uint64_t bytes_total; /* 0: not known */
    bool terminal;        /* stderr is one */
    bool utf8;
    bool drawn; /* a bar stands in the last line */
    int64_t began_ms;
    int64_t shown_ms;
};

/* name is kept. */
struct progress progress_begin(const char *name, uint64_t bytes_total, bool utf8);

/* Shows it: on a terminal a bar that is drawn again at most each 100 ms, else a line each 10 s. */
void progress_show(struct progress *progress, uint64_t bytes, uint64_t votes);

/* Takes the bar away, so that other lines can be written, or for good. */
void progress_hide(struct progress *progress);

#endif
