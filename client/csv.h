/*
 * csv.h - votes as CSV (RFC 4180): poll, options joined by |, voter.
 */
#ifndef TALLY_CSV_H
#define TALLY_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

/* A record beyond this is broken: the daemon takes no longer line. So a quote that is never closed
 * costs no more than this to find. */
#define CSV_RECORD_BYTES_MAX 16384

#define CSV_HEADER "poll,options,voter"

enum csv_result {
    CSV_RECORD, /* one record, or a broken one */
    CSV_MORE,   /* its end is not there yet */
    CSV_END,    /* nothing is left */
};

struct csv_record {
    size_t len;         /* the bytes it takes, its line end with them */
    size_t lines;       /* the lines it takes: a quoted field may hold line ends */
    const char *broken; /* why it is none, or NULL; one with wrong quotes takes its first line */
    bool blank;         /* nothing stands in its line */
};

/*
 * Finds the record that `text` begins with, and checks that it is a vote.
 *
 *   text     whole records, the last one perhaps without its end
 *   all      nothing follows behind `text`
 *   returns  *ret_record on CSV_RECORD
 */
enum csv_result csv_next(struct str text, bool all, struct csv_record *ret_record);

/* Adds a record that is not broken as a line of NDJSON:
 * {"poll":"p","option":2,"voter":"v"}, or "options" where there are several. */
void csv_ndjson(struct buf *out, struct str record);

/* Takes the header line; false: it is another one, or its end is not there. A byte order mark in
 * front of it is none of its bytes. */
bool csv_header(struct str text, size_t *ret_len);

#endif
