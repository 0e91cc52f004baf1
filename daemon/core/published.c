/*
 * core/published.c - one immutable tally, and its JSON in each language that was asked for.
 *
 * Threads: any that holds a reference.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/board.h"
#include "core/render.h"

struct published *published_new(struct poll *poll, const struct counts *counts,
                                enum poll_phase phase, uint64_t epoch)
{
    struct published *published = calloc(1, sizeof *published);

    if (!published)
        return NULL;
    atomic_init(&published->refs, 1);
    published->poll = poll_ref(poll);
    published->counts = *counts;
    published->phase = phase;
    published->epoch = epoch;
    published->n_languages = poll_languages(poll, published->languages);
    return published;
}

struct published *published_ref(struct published *published)
{
    atomic_fetch_add_explicit(&published->refs, 1, memory_order_relaxed);
    return published;
}

void published_free(struct published *published)
{
    if (!published || atomic_fetch_sub_explicit(&published->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < published->n_languages; i++)
        free(atomic_load_explicit(&published->rendered[i], memory_order_relaxed));
    poll_free(published->poll);
    free(published);
}

static struct rendered *render(const struct published *published, const char *language)
{
    AUTO_BUF json = { 0 };
    struct rendered *rendered;

    render_tally(published->poll, &published->counts, published->phase, language, &json);
    if (!buf_ok(&json))
        return NULL;
    rendered = malloc(sizeof *rendered + json.len);
    if (!rendered)
        return NULL;
    rendered->language = language;
    rendered->etag_len = (size_t)snprintf(
        rendered->etag, sizeof rendered->etag, "\"%" PRIx64 ".%" PRIx64 ".%" PRIx64 "%s%s\"",
        published->epoch, published->poll->number, published->counts.version, language ? "." : "",
        language ? language : "");
    assert(rendered->etag_len < sizeof rendered->etag);
    rendered->len = json.len;
    memcpy(rendered->json, json.bytes, json.len);
    return rendered;
}

const struct rendered *published_json(struct published *published, size_t language)
{
    _Atomic(struct rendered *) *place = &published->rendered[language];
    struct rendered *there = atomic_load_explicit(place, memory_order_acquire);
    struct rendered *mine;

    assert(language < published->n_languages);
    if (there)
        return there;
    mine = render(published, published->languages[language]);
    if (!mine)
        return NULL;
    if (atomic_compare_exchange_strong(place, &there, mine))
        return mine;
    free(mine); /* another loop was faster */
    return there;
}

size_t published_language(const struct published *published, struct str wanted, struct str accept)
{
    if (published->n_languages == 1)
        return 0;
    return language_choose(published->languages, published->n_languages, wanted, accept);
}
