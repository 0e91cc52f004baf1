/*
 * api/ballots.h - a vote as JSON: {"option":2}, {"options":[1,3]} or {"rating":5}, and who votes.
 */
#ifndef TALLYD_API_BALLOTS_H
#define TALLYD_API_BALLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "api/caller.h"
#include "base/auto.h"
#include "core/json.h"
#include "core/poll.h"
#include "core/refusal.h"

/* Reads "voter" and "token" of a body, both optional. The strs live as long as the JSON.
 *   rest_ok  members other than these two are let through (the choice stands beside them)
 *   returns  false: 422 in *reterr                                                          */
MUST_USE bool naming_read(const cJSON *body, bool rest_ok, struct naming *ret_naming,
                          struct refusal *reterr);

/* Reads the choice and checks it against the poll. false: 422 in *reterr, with pointers. */
MUST_USE bool choice_read(const cJSON *body, const struct poll *poll, uint64_t *ret_marks,
                          struct refusal *reterr);

#endif
