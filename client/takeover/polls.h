/*
 * polls.h - the polls of an older system, with what its tables say was voted.
 */
#ifndef TALLY_TAKEOVER_POLLS_H
#define TALLY_TAKEOVER_POLLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/str.h"

#define OLD_OPTIONS_MAX 1000 /* more than tallyd holds, so that they can be counted and told */
#define STARS_MAX 10

struct old_option {
    uint64_t id;    /* of its row; a rating's are its stars */
    int64_t order;  /* where it stands; then by id */
    char *label;    /* owned; as readers saw it */
    uint64_t votes; /* the total that was stored */
    uint64_t logged;
};

struct old_poll {
    char *id;             /* owned; what it will be called */
    char *title;          /* owned; as readers saw it; NULL: not found so far */
    const char *results;  /* a word of tallyd's, or NULL: as it takes them */
    uint64_t scale;       /* of a rating */
    uint64_t max_choices; /* 1, or how many answers one may pick */
    uint64_t min_choices;
    int64_t opens_at_ms;        /* 0: not said */
    int64_t closes_at_ms;       /* the same */
    struct old_option *options; /* owned */
    size_t count;
    size_t room;
    uint64_t voters;  /* stored: how many people voted */
    uint64_t rated;   /* of a rating, stored: how many there were */
    uint64_t sum;     /* of their stars */
    uint64_t logged;  /* rows of the log */
    uint64_t ballots; /* how many people they were of */
    uint64_t strange; /* rows of the log with a value that the poll has not */
    uint64_t rounded; /* rows of the log with a value between two stars */
    uint64_t aside;   /* its origin's own, while tables are read */
    bool rating;
    bool dropped; /* there is nothing to take over */
    bool closed;
    bool all_choices; /* one may pick as many as there are answers */
    bool local_times; /* its times are by the clock of the site */
    bool has_voters;
    bool no_totals; /* the log is all there is */
    bool sum_only;  /* in the end: stars by themselves are not known */
};

struct polls; /* opaque: polls.c */

MUST_USE struct polls *polls_new(void); /* NULL: no memory */
void polls_free(struct polls *polls);
AUTO_FREE(polls);

size_t polls_count(const struct polls *polls);
struct old_poll *polls_at(const struct polls *polls, size_t i); /* in the order of polls_add() */

/* NULL: there is none of that id. */
struct old_poll *polls_find(const struct polls *polls, const char *id);

/* A poll of that id, which is not there yet; NULL: no memory. */
MUST_USE struct old_poll *polls_add(struct polls *polls, const char *id);

/* NULL: the poll has none of that id. */
struct old_option *old_option_find(const struct old_poll *poll, uint64_t id);

/* NULL: no memory, or there are OLD_OPTIONS_MAX.   label: owned by the option from now on, also
 * where it is NULL */
MUST_USE struct old_option *old_option_add(struct old_poll *poll, uint64_t id, int64_t order,
                                           char *label);

/* Gives a rating its stars, none of them voted for. false: no memory. */
MUST_USE bool old_poll_stars(struct old_poll *poll, uint64_t scale);

/* A row of a rating's log, of so many thousandths of a star: it counts for the nearest one. */
void old_poll_rate(struct old_poll *poll, int64_t milli_stars);

/* Puts its answers into their order. */
void old_poll_sort(struct old_poll *poll);

#endif
