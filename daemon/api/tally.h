/*
 * api/tally.h - one tally as an answer, for calls that are answered at once and those that wait.
 *
 * Threads: the loop of the exchange.
 */
#ifndef TALLYD_API_TALLY_H
#define TALLYD_API_TALLY_H

#include <stdbool.h>
#include <stddef.h>

#include "api/call.h"
#include "api/pending.h"
#include "core/board.h"

/*
 * Answers with the tally, its ETag and its language.
 *
 *   had  the ETag of what the caller has already, "" for none: with that one it is 304, no body
 */
void tally_answer(struct exchange *exchange, struct api_loop *loop, struct published *published,
                  size_t language, enum caching caching, const char *had);

/* A pending's finish, with one JOB_ASK: answers with the tally where the caller's vote stands. */
void tally_asked(struct pending *pending);

#endif
