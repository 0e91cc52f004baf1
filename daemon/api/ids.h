/*
 * api/ids.h - ?ids=first,second: several polls in one request.
 */
#ifndef TALLYD_API_IDS_H
#define TALLYD_API_IDS_H

#include <stdbool.h>
#include <stddef.h>

#include "api/url.h"
#include "base/auto.h"
#include "core/refusal.h"

#define IDS_MAX 100

struct ids {
    size_t n;
    struct str at[IDS_MAX]; /* none twice; into the address */
};

/* false: 422 in *reterr, when there is none or more than `max`. */
MUST_USE bool ids_read(const struct url *url, size_t max, struct ids *ret_ids,
                       struct refusal *reterr);

#endif
