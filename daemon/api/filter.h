/*
 * api/filter.h - which polls a list is of: ?kind= and ?state=.
 */
#ifndef TALLYD_API_FILTER_H
#define TALLYD_API_FILTER_H

#include <stdbool.h>

#include "api/url.h"
#include "core/board.h"

struct filter {
    bool has_kind; /* else of any */
    enum poll_kind kind;
    bool has_state; /* what holds now */
    enum poll_phase state;
};

/* false: 422 in *reterr. Pure; any thread. */
MUST_USE bool filter_read(const struct url *url, struct filter *ret_filter, struct refusal *reterr);

bool filter_takes(const struct filter *filter, const struct published *published);

#endif
