/*
 * options.h - what was asked for on the command line and in the environment.
 */
#ifndef TALLY_OPTIONS_H
#define TALLY_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/why.h"

/* One row an option: X(ID, name, what it wants, value as help shows it, help). */
#define OPTIONS(X)                                                                                 \
    X(URL, "url", WANTS_VALUE, "URL", "the daemon at http://HOST:PORT (or TALLY_URL)")             \
    X(SOCKET, "socket", WANTS_VALUE, "PATH", "the daemon's Unix socket (or TALLY_SOCKET)")         \
    X(TOKEN_FILE, "token-file", WANTS_VALUE, "F", "a file with a token (or TALLY_TOKEN_FILE)")     \
    X(COLOR, "color", WANTS_VALUE, "WHEN", "auto (unless NO_COLOR is set), always or never")       \
    X(NO_RETRY, "no-retry", WANTS_NOTHING, NULL, "send a vote once, whatever becomes of it")       \
    X(LANG, "lang", WANTS_VALUE, "TAG", "titles and labels in this language, as ru or pt-BR")      \
    X(HELP, "help", WANTS_NOTHING, NULL, "this help; behind a command, that command's")            \
    X(VERSION, "version", WANTS_NOTHING, NULL, "the version")                                      \
    X(TITLE, "title", WANTS_VALUE, "T", "the question; again as ru=T for more languages")          \
    X(OPTION, "option", WANTS_VALUE, "A", "one answer; again for each, in their order")            \
    X(RATING, "rating", MAY_HAVE_VALUE, "N", "stars from 1 to N (5) in place of answers")          \
    X(OPENS, "opens", WANTS_VALUE, "TIME", "RFC 3339, as 2026-11-23T08:00:00Z; none: at once")     \
    X(CLOSES, "closes", WANTS_VALUE, "TIME", "the same; none: never")                              \
    X(CHOICES, "choices", WANTS_VALUE, "N", "most answers a voter may pick (1)")                   \
    X(REVOTE, "revote", MAY_HAVE_VALUE, "yes|no", "voters may change and retract their votes")     \
    X(RESULTS, "results", WANTS_VALUE, "WHEN", "always, after_vote or after_close")                \
    X(VOTERS, "voters", WANTS_VALUE, "W", "who votes: address, token, account; carry: how many")   \
    X(PER_ADDRESS, "per-address", WANTS_VALUE, "N", "most votes from one address (0: no limit)")   \
    X(AGAIN_AFTER, "again-after", WANTS_VALUE, "S", "seconds until a voter may vote anew")         \
    X(IF_ABSENT, "if-absent", WANTS_NOTHING, NULL, "leave polls that exist as they are")           \
    X(VOTER, "voter", WANTS_VALUE, "V", "this voter; else: the local user, forget: all")           \
    X(KIND, "kind", WANTS_VALUE, "KIND", "only choice or only rating")                             \
    X(STATE, "state", WANTS_VALUE, "STATE", "only open, closed or scheduled")                      \
    X(SORT, "sort", WANTS_VALUE, "WHAT", "by score, rating or votes (score)")                      \
    X(MIN_VOTES, "min-votes", WANTS_VALUE, "N", "only polls with so many votes (1)")               \
    X(LIMIT, "limit", WANTS_VALUE, "N", "so many at most, up to 100 (10)")                         \
    X(PREFIX, "prefix", WANTS_VALUE, "P", "only polls whose ids begin with P")                     \
    X(COUNT, "count", WANTS_VALUE, "N", "ratings carried over; watch: end after N tallies")        \
    X(SUM, "sum", WANTS_VALUE, "S", "the sum of their stars")                                      \
    X(FORMAT, "format", WANTS_VALUE, "FORMAT", "ndjson or csv")                                    \
    X(ALL, "all", WANTS_NOTHING, NULL, "every row: changed and retracted votes too")               \
    X(OUTPUT, "output", WANTS_VALUE, "F", "or -o F: into this file, whole or not at all")          \
    X(THEME, "theme", WANTS_VALUE, "THEME", "light or dark (light)")                               \
    X(WIDTH, "width", WANTS_VALUE, "N", "of the picture in pixels")                                \
    X(OF, "of", WANTS_VALUE, "WHAT", "the tally or the history (tally)")                           \
    X(STEP, "step", WANTS_VALUE, "TIME", "whole hours, as 3600, 1h or 1d (1h)")                    \
    X(WATCH, "watch", WANTS_NOTHING, NULL, "draw it again each second, until Ctrl-C")              \
    X(POLL, "poll", WANTS_VALUE, "ID", "good for this poll; again for more (else: for all)")       \
    X(EXPIRES, "expires", WANTS_VALUE, "TIME", "good for so long, as 12h or 30d")                  \
    X(ADDRESS_GROUP, "address-group", WANTS_VALUE, "HEX",                                          \
      "votes of this group, as audit shows it")                                                    \
    X(FROM, "from", WANTS_VALUE, "TIME", "votes from then on, as 2026-11-23T08:00:00Z")            \
    X(TO, "to", WANTS_VALUE, "TIME", "and before then")                                            \
    X(KEEP, "keep", WANTS_VALUE, "N", "delete older ones but the newest N")                        \
    X(DRY_RUN, "dry-run", WANTS_NOTHING, NULL, "only say how many votes it would be")

enum option_wants { WANTS_NOTHING, WANTS_VALUE, MAY_HAVE_VALUE };

#define OPTION_ID(id, name, wants, value, help) OPTION_##id,
enum option_id { OPTIONS(OPTION_ID) OPTION_COUNT_OF };
#undef OPTION_ID

/* Sets of options are bits. */
#define OPTION_BIT(id) (UINT64_C(1) << (id))
#define OPTION_GLOBAL_LAST OPTION_VERSION

struct option_row {
    const char *name;
    enum option_wants wants;
    const char *value; /* as help shows it, or NULL */
    const char *help;
};

extern const struct option_row option_rows[OPTION_COUNT_OF];

struct option_given {
    enum option_id id;
    const char *value; /* NULL where none was given */
};

/* Everything points into argv. */
struct options {
    struct option_given *given; /* owned; in the order of the command line */
    size_t given_count;
    char **operands; /* the command and what it works on */
    size_t operand_count;
    bool wrong;           /* some option is unknown or lacks its value */
    struct why wrong_why; /* which one */
};

/* Reads argv, which is put into another order: options may stand before and behind operands.
 * Returns NULL when there is no memory. */
MUST_USE struct options *options_read(int argc, char **argv);
void options_free(struct options *options);
AUTO_FREE(options);

bool options_has(const struct options *options, enum option_id id);
/* The value that was given last, or NULL. */
const char *options_value(const struct options *options, enum option_id id);
/* An option that lies outside the set, or OPTION_COUNT_OF. */
enum option_id options_outside(const struct options *options, uint64_t set);

/* Where the daemon is: exactly one of the two is set. */
struct place {
    const char *url;
    const char *socket;
};

/* An option beats the environment, TALLY_URL beats TALLY_SOCKET; false: both options are given, or
 * the URL is none. */
MUST_USE bool options_place(const struct options *options, struct place *ret_place,
                            struct why *reterr_why);

/* The language of titles and labels as a tag (RFC 5646), from --lang or the locale; empty for the
 * poll's own. False: --lang is no tag. */
#define LANGUAGE_BYTES_MAX 63
MUST_USE bool options_language(const struct options *options,
                               char ret_language[LANGUAGE_BYTES_MAX + 1], struct why *reterr_why);

#endif
