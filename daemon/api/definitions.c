/*
 * api/definitions.c - a definition as an answer.
 *
 * Threads: any loop.
 */
#include "api/definitions.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/definition.h"

static int64_t newer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void definition_answer(struct published *published, bool visible, size_t language, struct buf *out)
{
    const struct poll *poll = published->poll;
    const struct rendered *tally = visible ? published_json(published, language) : NULL;
    int64_t updated_at_ms =
        visible ? newer(poll->defined_at_ms, published->counts.updated_at_ms) : poll->defined_at_ms;

    definition_render(poll, updated_at_ms, out);
    buf_text(out, ",\"tally\":");
    if (tally)
        buf_add(out, tally->json, tally->len);
    else if (visible)
        out->failed = true;
    else
        buf_text(out, "null");
    buf_char(out, '}');
}

bool definition_etag(struct published *published, bool visible, size_t language,
                     char ret_etag[DEFINITION_ETAG_BYTES_MAX])
{
    const struct poll *poll = published->poll;
    const struct rendered *tally = visible ? published_json(published, language) : NULL;

    if (visible && !tally)
        return false;
    if (visible)
        (void)snprintf(ret_etag, DEFINITION_ETAG_BYTES_MAX, "\"%" PRIx64 ".%s", poll->revision,
                       tally->etag + 1); /* behind its opening quote */
    else
        (void)snprintf(ret_etag, DEFINITION_ETAG_BYTES_MAX,
                       "\"%" PRIx64 ".%" PRIx64 ".%" PRIx64 "\"", poll->revision, published->epoch,
                       poll->number);
    return true;
}
