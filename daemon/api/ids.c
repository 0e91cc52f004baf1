/*
 * api/ids.c - ?ids=first,second.
 *
 * Threads: any loop.
 */
#include "api/ids.h"

#include <assert.h>

static bool is_listed(const struct ids *ids, struct str id)
{
    for (size_t i = 0; i < ids->n; i++) {
        if (str_eq(ids->at[i], id))
            return true;
    }
    return false;
}

bool ids_read(const struct url *url, size_t max, struct ids *ret_ids, struct refusal *reterr)
{
    struct str rest = url_parameter(url, "ids");
    struct str id;

    assert(max <= IDS_MAX);
    ret_ids->n = 0;
    if (rest.len == 0)
        return refuse_parameter(reterr, "ids", "name the polls: ?ids=first,second");
    while (str_next(&rest, ',', &id)) {
        if (is_listed(ret_ids, id))
            continue;
        if (ret_ids->n == max)
            return refuse_parameter(reterr, "ids", "at most %zu polls", max);
        ret_ids->at[ret_ids->n++] = id;
    }
    return true;
}
