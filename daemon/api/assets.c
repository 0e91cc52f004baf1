/*
 * api/assets.c - GET /assets/{file}: what pages load.
 *
 * Threads: the loop of the call.
 */
#include "web/assets.h"
#include "api/routes.h"

void asset_get(struct call *call)
{
    struct asset asset;

    switch (asset_find(call->id, &asset)) {
    case ASSET_NONE:
        break;
    case ASSET_CURRENT:
    case ASSET_NEWER:
        answer(call->exchange, call->loop,
               &(struct answer){ .status = 200,
                                 .content_type = asset.type,
                                 .caching = asset_find(call->id, &asset) == ASSET_CURRENT
                                                ? CACHE_FOR_EVER
                                                : CACHE_TALLY,
                                 .body = { asset.bytes } });
        return;
    }
    refuse(&call->loop->refusal, PROBLEM_NO_SUCH_ROUTE, "there is no such file");
    answer_refusal(call->exchange, call->loop, &call->loop->refusal, (struct str){ NULL, 0 });
}
