/*
 * api/assets.c - GET /assets/{file} and /widget.js: what pages load.
 *
 * Threads: the loop of the call.
 */
#include "web/assets.h"

#include <stdio.h>

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

/* The script has one address for all sites, which cannot tell its bytes. */
void widget_get(struct call *call)
{
    const char *hash;
    struct asset asset = asset_named("widget.js", &hash);
    char etag[32];
    struct answer reply = { .status = 200,
                            .content_type = asset.type,
                            .caching = CACHE_SCRIPT,
                            .etag = etag,
                            .body = { asset.bytes } };

    (void)snprintf(etag, sizeof etag, "\"%s\"", hash);
    if (etag_matches(call->request, str_of(etag))) {
        reply.status = 304;
        reply.body[0].len = 0;
    }
    answer(call->exchange, call->loop, &reply);
}
