/*
 * import.h - an import under way: import.c and import_send.c share it.
 */
#ifndef TALLY_IMPORT_H
#define TALLY_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/why.h"
#include "bulk.h"
#include "commands.h"
#include "outcome.h"
#include "progress.h"
#include "rejects.h"
#include "window.h"

struct import {
    struct session *session;
    const char *file;
    int fd;
    bool waits;  /* reading may have to wait: a pipe, a terminal, a socket */
    bool ended;  /* all of the file was read */
    bool headed; /* CSV: the header was read; else always */
    struct window *window;
    struct rejects *rejects;
    struct progress progress;
    uint64_t counts[BULK_RESULTS];
    uint64_t answered;  /* lines of this request */
    struct buf partial; /* the beginning of an answer whose end is not there yet */
    bool nonsense;      /* an answer was none */
    bool again;         /* an answer asks for the line once more */
    struct why again_why;
    struct why lost_why; /* SENT_LOST: what happened */
    int64_t retry_after_s;
    bool met;            /* the daemon was there in this run */
    int64_t moved_ms;    /* when a line came in or went out for the last time */
    int64_t stuck_ms;    /* since when nothing goes on; 0: it does */
    int64_t pause_ms;    /* before the next try */
    enum outcome failed; /* and told */
};

enum sent {
    SENT_ALL,  /* all lines that the window held have their answers */
    SENT_LOST, /* those in the window may be sent again */
    SENT_INTERRUPTED,
    SENT_FAILED, /* as import->failed says */
};

/* Sends what the window holds and what the file still gives, until it ends, or stands still. */
enum sent import_send(struct import *import);

/* Reads a block of the file into the window, if one is there and there is room for it. */
void import_read(struct import *import);

/* Votes that stand. */
uint64_t import_votes(const struct import *import);

#endif
