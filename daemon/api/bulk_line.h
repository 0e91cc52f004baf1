/*
 * api/bulk_line.h - one line of POST /v1/votes: {"poll","option"|"options"|"rating","voter"}.
 *
 * Any loop.
 */
#ifndef TALLYD_API_BULK_LINE_H
#define TALLYD_API_BULK_LINE_H

#include <stdbool.h>

#include "api/caller.h"
#include "base/auto.h"
#include "base/str.h"
#include "core/board.h"
#include "core/refusal.h"
#include "ledger/keys.h"

/* Reads lines for one caller. `published` is the poll of the last line, kept because most lines
 * name the same one: bulk_reader_forget() between pieces, so that an old one is not used for long.
 */
struct bulk_reader {
    struct board *board;
    const struct keys *keys;
    struct caller caller;
    struct published *published;
};

void bulk_reader_forget(struct bulk_reader *reader);

/* false: *reterr says why this line is refused. A blank line is for the caller to pass over. */
MUST_USE bool bulk_line_read(struct bulk_reader *reader, struct str text, struct ballot *ret_ballot,
                             struct refusal *reterr);

/* What nearly all lines are: members once each, in any order, strings without escapes, one small
 * number. Anything else is for the JSON reader, which also says what is wrong with it. */
struct plain_line {
    struct str poll;
    struct str voter;
    bool is_rating;  /* "rating", else "option" */
    unsigned number; /* 1..999 */
};
MUST_USE bool plain_line_read(struct str text, struct plain_line *ret_line);

#endif
