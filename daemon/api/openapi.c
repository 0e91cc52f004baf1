/*
 * api/openapi.c - GET /openapi.json: this interface as machines read it.
 *
 * The file is daemon/api/reference/openapi.json; tests/e2e/openapi_test.py walks the daemon by it.
 *
 * Threads: the loop of the call.
 */
#include <assert.h>

#include "api/routes.h"
#include "daemon_api_reference.h"

void openapi_get(struct call *call)
{
    const struct embedded *file = &embedded_daemon_api_reference[0];
    AUTO_BUF etag = { 0 };
    bool same;

    assert(embedded_daemon_api_reference_count == 1);
    buf_format(&etag, "\"%s\"", file->hash);
    same = buf_ok(&etag) && etag_matches(call->request, buf_str(&etag));
    buf_char(&etag, '\0');
    if (!buf_ok(&etag)) {
        refuse(&call->loop->refusal, PROBLEM_BUSY, "no memory for this answer; send it again");
        answer_refusal(call->exchange, call->loop, &call->loop->refusal, (struct str){ NULL, 0 });
        return;
    }
    answer(call->exchange, call->loop,
           &(struct answer){ .status = same ? 304 : 200,
                             .caching = CACHE_AN_HOUR,
                             .etag = etag.bytes,
                             .body = { { (const char *)file->bytes, same ? 0 : file->len } } });
}
