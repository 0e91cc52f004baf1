/*
 * core/busiest.h - how many votes the busiest polls got, and all of them together.
 *
 * A fixed number of places, so that what is shown stays small however many polls there are. A poll
 * keeps its place while it is voted in. One that has none takes over a place whose poll gets fewer
 * votes, and that not more often than once an hour, so that names do not come and go. Only who has
 * a place is counted by name; the rest is counted together. Figures are those since the poll took
 * its place: they grow, or begin again at 0.
 */
#ifndef TALLYD_CORE_BUSIEST_H
#define TALLYD_CORE_BUSIEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "core/poll.h"

#define BUSIEST_PLACES 50
#define BUSIEST_KEPT_MS (60 * 60 * 1000) /* a place is its poll's for as long at least */

enum vote_result { VOTE_COUNTED, VOTE_CHANGED, VOTE_ALREADY, VOTE_RETRACTED };
#define VOTE_RESULTS 4
const char *vote_result_word(enum vote_result result); /* "counted", … */

struct busiest; /* opaque: core/busiest.c */

struct busiest_poll {
    uint64_t number; /* struct poll's */
    char id[POLL_ID_BYTES_MAX + 1];
    uint64_t votes[VOTE_RESULTS];
};

struct busiest_figures {
    uint64_t all[VOTE_RESULTS];  /* since the start */
    uint64_t rest[VOTE_RESULTS]; /* the same, of polls that had no place then */
    size_t n;
    struct busiest_poll polls[BUSIEST_PLACES]; /* in no order */
};

MUST_USE struct busiest *busiest_new(void); /* NULL: no memory */
void busiest_free(struct busiest *busiest);
AUTO_FREE(busiest);

/*
 * A vote in this poll had this result.
 *
 *   id      copied where the poll takes a place; at most POLL_ID_BYTES_MAX
 *   thread  writer
 */
void busiest_add(struct busiest *busiest, uint64_t number, const char *id, enum vote_result result,
                 int64_t mono_ms);

/* Any thread, and never waits: a poll that takes a place at this very moment may be left out. */
void busiest_read(const struct busiest *busiest, struct busiest_figures *ret_figures);

#endif
