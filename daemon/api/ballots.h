/*
 * api/ballots.h - a vote as JSON: {"option":2}, {"options":[1,3]} or {"rating":5}, and who votes.
 */
#ifndef TALLYD_API_BALLOTS_H
#define TALLYD_API_BALLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "api/caller.h"
#include "base/auto.h"
#include "base/buf.h"
#include "core/json.h"
#include "core/poll.h"
#include "core/refusal.h"

/* Reads "voter" and "token" of a body, both optional. The strs live as long as the JSON.
 *   is_other  which members may stand beside these two; NULL: none
 *   returns   false: 422 in *reterr                                                         */
MUST_USE bool naming_read(const cJSON *body, bool (*is_other)(const char *name),
                          struct naming *ret_naming, struct refusal *reterr);

/* A member that says what is voted for: option, options, rating. */
bool ballot_member(const char *name);

/* Reads the choice and checks it against the poll. false: 422 in *reterr, with pointers. */
MUST_USE bool choice_read(const cJSON *body, const struct poll *poll, uint64_t *ret_marks,
                          struct refusal *reterr);

/* The numbers of the options chosen, in their order, with `between` between them. */
void options_render(uint64_t marks, char between, struct buf *out);

#endif
