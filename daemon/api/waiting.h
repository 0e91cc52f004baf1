/*
 * api/waiting.h - long polls: calls that wait until a tally is another.
 *
 * A caller waits at most a minute, is dropped when its peer goes, and is
 * answered when the server drains.
 *
 * Threads: the loop of the exchange.
 */
#ifndef TALLYD_API_WAITING_H
#define TALLYD_API_WAITING_H

#include <stdbool.h>
#include <stdint.h>

#include "api/call.h"
#include "api/caller.h"
#include "base/auto.h"
#include "core/board.h"
#include "core/refusal.h"
#include "net/exchange.h"

struct wait {
    uint64_t version;         /* answered when the tally's version is no longer this one … */
    int64_t most_ms;          /* … or after this long, … */
    char had[ETAG_BYTES_MAX]; /* … then with 304 where this ETag, the caller's, still holds */
    enum role role;
    bool is_limited; /* of so many long polls at once this one counts for its holder */
    struct address holder;
    char language[LANGUAGE_TAG_BYTES_MAX + 1];
    bool must_ask;        /* results are shown after the vote: before the answer the writer … */
    struct ballot ballot; /* … is asked whether this caller's vote stands */
};

/*
 * Keeps the exchange until `wait` is over, and answers it.
 *   published  what the caller has been compared with
 *   returns    false: no memory, or too many wait from one address, in *reterr; the exchange is
 *              still the caller's to answer
 */
MUST_USE bool waiting_add(struct api *api, struct api_loop *loop, struct exchange *exchange,
                          const struct published *published, const struct wait *wait,
                          struct refusal *reterr);

/* Answers those whose time is over; `all`: everybody, since the server ends. */
void waiting_sweep(struct api *api, struct api_loop *loop, int64_t mono_ms, bool all);

#endif
