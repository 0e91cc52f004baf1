/*
 * core/poll.h - a poll: what is asked, and by which rules.
 *
 * A struct poll is built by one thread, then published and never written again: a change is a new
 * struct poll with the same number. It is shared by reference count, so loops may read one that
 * the writer has replaced meanwhile.
 */
#ifndef TALLYD_CORE_POLL_H
#define TALLYD_CORE_POLL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/str.h"
#include "core/language.h"
#include "core/when.h"

#define POLL_ID_BYTES_MAX 128
#define OPTIONS_MIN 2
#define OPTIONS_MAX 64
#define SCALE_DEFAULT 5
#define SCALE_MAX 10
#define SALT_BYTES 16
/* How long after the close a repeated vote is still `already`, so that every retry is safe. */
#define ALREADY_AFTER_CLOSE_MS (10 * 60 * 1000)

enum poll_kind { POLL_CHOICE, POLL_RATING };
enum poll_results { RESULTS_ALWAYS, RESULTS_AFTER_VOTE, RESULTS_AFTER_CLOSE };
enum poll_voters { VOTERS_ADDRESS, VOTERS_TOKEN, VOTERS_ACCOUNT };
enum poll_state { STATE_OPEN, STATE_CLOSED };                  /* what was set */
enum poll_phase { PHASE_SCHEDULED, PHASE_OPEN, PHASE_CLOSED }; /* what holds now */

/* Counts brought over from an older system. */
struct carried {
    uint64_t marks[OPTIONS_MAX]; /* per option; all 0 in the count-and-sum form */
    uint64_t voters;             /* people behind the marks */
    bool sum_only;               /* a rating given as {"count","sum"}: stars unknown */
    uint64_t count;              /* sum_only: how many ratings … */
    uint64_t sum;                /* … and the sum of their stars */
};

struct about { /* the thing that is rated or asked about; each NULL where not given */
    char *type;
    char *name;
    char *url;
};

struct poll {
    atomic_uint refs;  /* poll_ref(), poll_free() */
    uint64_t number;   /* the ledger's own, 1..INT64_MAX, never used twice; 0: not stored yet */
    uint64_t revision; /* of the definition: 1 at creation, grows with each change of it */
    char id[POLL_ID_BYTES_MAX + 1];
    enum poll_kind kind;
    size_t n_options; /* a rating: its scale */
    struct text title;
    struct text labels[OPTIONS_MAX]; /* a rating: absent; its labels are "1" … */
    unsigned min_choices;            /* 1..max_choices */
    unsigned max_choices;            /* 1..n_options */
    bool revote;
    int64_t again_after_s; /* 0: never */
    enum poll_results results;
    enum poll_voters voters;
    uint64_t per_address; /* 0: no limit */
    int64_t opens_at_ms;  /* WHEN_NEVER: open from the start */
    int64_t closes_at_ms; /* WHEN_NEVER: until closed by hand */
    enum poll_state state;
    int64_t closed_at_ms; /* when it was closed by hand; WHEN_NEVER while state is open */
    struct about about;
    struct carried carried;
    int64_t created_at_ms;
    int64_t defined_at_ms; /* the last change of the definition */
    /* Fixed at creation by the ledger, never shown: */
    unsigned char salt[SALT_BYTES]; /* of the voter hashes */
    bool forgotten;                 /* the salt is destroyed: takes no vote, never opens again */
    unsigned prefix_v4;             /* bits that make an address group: 32 */
    unsigned prefix_v6;             /* 64 */
};

/* A zeroed poll with one reference and the contract's defaults, or NULL. */
MUST_USE struct poll *poll_new(void);
/* A deep copy with one reference, or NULL: the way to change one. */
MUST_USE struct poll *poll_copy(const struct poll *poll);
/* One more reference; returns `poll`. Any thread that holds one. */
struct poll *poll_ref(struct poll *poll);
/* One reference less; the last one frees. Any thread. */
void poll_free(struct poll *poll);
AUTO_FREE(poll);

bool poll_id_ok(struct str id);

/* What holds at `now_ms`: scheduled before opens_at, closed from closes_at on, to the millisecond.
 */
enum poll_phase poll_phase(const struct poll *poll, int64_t now_ms);

/* When the phase changes next after `now_ms` by the clock alone, or WHEN_NEVER. */
int64_t poll_next_phase_ms(const struct poll *poll, int64_t now_ms);

/* The moment it closed, by time or by hand, whichever came first; WHEN_NEVER if it is not closed.
 */
int64_t poll_closed_since_ms(const struct poll *poll, int64_t now_ms);

/* The languages its texts come in: the title's in order, then those that only labels have, at most
 * TEXT_LANGUAGES_MAX. NULL stands for a text without a language.
 *
 *   ret_tags  room for TEXT_LANGUAGES_MAX; they live as long as the poll
 *   returns   how many, at least 1                                                          */
size_t poll_languages(const struct poll *poll, const char **ret_tags);

/* Who may see the figures: everybody, or only those who voted, or trusted callers. */
enum viewer { VIEWER_STRANGER, VIEWER_VOTED, VIEWER_TRUSTED };
bool poll_hides_results(const struct poll *poll, enum poll_phase phase, enum viewer viewer);

/* The words of the contract: "choice", "after_vote", "scheduled", … */
const char *poll_kind_word(enum poll_kind kind);
const char *poll_results_word(enum poll_results results);
const char *poll_voters_word(enum poll_voters voters);
const char *poll_state_word(enum poll_state state);
const char *poll_phase_word(enum poll_phase phase);

#endif
