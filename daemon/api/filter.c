/*
 * api/filter.c - which polls a list is of: ?kind= and ?state=.
 *
 * Threads: any; nothing is shared.
 */
#include "api/filter.h"

static bool kind_read(struct str word, struct filter *filter, struct refusal *reterr)
{
    filter->has_kind = word.at != NULL;
    if (!filter->has_kind)
        return true;
    for (enum poll_kind kind = POLL_CHOICE; kind <= POLL_RATING; kind++) {
        filter->kind = kind;
        if (str_eq(word, str_of(poll_kind_word(kind))))
            return true;
    }
    return refuse_parameter(reterr, "kind", "must be choice or rating");
}

static bool state_read(struct str word, struct filter *filter, struct refusal *reterr)
{
    filter->has_state = word.at != NULL;
    if (!filter->has_state)
        return true;
    for (enum poll_phase phase = PHASE_SCHEDULED; phase <= PHASE_CLOSED; phase++) {
        filter->state = phase;
        if (str_eq(word, str_of(poll_phase_word(phase))))
            return true;
    }
    return refuse_parameter(reterr, "state", "must be scheduled, open or closed");
}

bool filter_read(const struct url *url, struct filter *ret_filter, struct refusal *reterr)
{
    return kind_read(url_parameter(url, "kind"), ret_filter, reterr) &&
           state_read(url_parameter(url, "state"), ret_filter, reterr);
}

bool filter_takes(const struct filter *filter, const struct published *published)
{
    return (!filter->has_kind || published->poll->kind == filter->kind) &&
           (!filter->has_state || published->phase == filter->state);
}
