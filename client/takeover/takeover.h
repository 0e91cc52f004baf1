/*
 * takeover.h - one run: the tables of an older system in, its polls out.
 */
#ifndef TALLY_TAKEOVER_TAKEOVER_H
#define TALLY_TAKEOVER_TAKEOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fault.h"
#include "index.h"
#include "polls.h"
#include "readable.h"
#include "rows.h"
#include "zone.h"

#define TABLES_MAX 12
#define ID_BYTES_MAX 128
#define SCALE_USUAL 5

struct takeover;

/* Where polls come from. */
struct origin {
    const char *name;
    const char *prefix; /* of its tables, unless the site has another */
    const char *help;   /* one line */
    const struct table *tables;
    size_t count;
    const char *log; /* the table with the votes one by one, or NULL */
    /* What is left to do with a poll when all was read; NULL: nothing. */
    bool (*settle)(struct old_poll *poll, struct fault *reterr_fault);
};

/* What was asked for. */
struct settings {
    const struct origin *origin;
    const char *prefix; /* NULL: the origin's */
    const char *zone;   /* known; NULL: not said */
    uint64_t scale;     /* of ratings; 0: not said */
    bool up_down;       /* ratings are votes up and down */
    bool prefer_log;
    bool closed;
    bool leave_out;
    bool dry_run;
    const char *output; /* NULL: stdout */
    char *const *files;
    size_t files_count;
};

/* A vote that stands unless a newer one of the same voter comes. */
struct standing {
    uint64_t option;
    int64_t at_ms;
};

struct takeover {
    const struct settings *settings;
    struct polls *polls;
    struct index *notes; /* what one pass found that a later one needs; keys by a letter each */
    struct standing *standing; /* owned */
    size_t standing_count;
    size_t standing_room;
    unsigned pass;
    bool seen[TABLES_MAX];         /* tables of the origin that the files have */
    char other_name[ID_BYTES_MAX]; /* a table that differs only in its prefix, or "" */
    char zone[ZONE_BYTES_MAX + 1]; /* that the files say, or "" */
    uint64_t scale;                /* that the files say, or 0 */
    uint64_t strays;               /* rows that belong to no poll */
    uint64_t disagreements;
    uint64_t problems; /* polls that tallyd cannot hold */
};

/* takeover.c: everything that fails is told. */
MUST_USE bool takeover_init(struct takeover *takeover, const struct settings *settings);
void takeover_release(struct takeover *takeover);

/* Reads all files, as often as there are passes. */
MUST_USE bool takeover_read(struct takeover *takeover, struct fault *reterr_fault);

/* What the origins use. */

/* A poll called STEM-NUMBER that is not there yet.   NULL, with the fault: it is, or no memory */
struct old_poll *takeover_add(struct takeover *takeover, const struct row *row, const char *stem,
                              uint64_t number, struct fault *reterr_fault);

/* The poll of that name, or NULL: there is none. */
struct old_poll *takeover_find(const struct takeover *takeover, const char *stem, uint64_t number);

/* Its title or label out of a cell.   false, with the fault: no memory, or the cell was cut */
bool takeover_text(const struct row *row, size_t cell, enum stored_as as, char **ret_text,
                   struct fault *reterr_fault);

/* Adds an answer.   order: where it stands; `label` as in takeover_text() */
bool takeover_option(struct old_poll *poll, const struct row *row, uint64_t id, int64_t order,
                     char *label, uint64_t votes, struct fault *reterr_fault);

/* Notes under a letter and a number; to be found by takeover_noted(), NULL where it is not. */
bool takeover_note(struct takeover *takeover, char letter, uint64_t number, size_t value,
                   struct fault *reterr_fault);
size_t *takeover_noted(const struct takeover *takeover, char letter, uint64_t number);

/* How many stars ratings have: as asked for, as the files say, or SCALE_USUAL. */
uint64_t takeover_scale(const struct takeover *takeover);

#endif
