/*
 * api/tallies.c - GET /v1/tallies: the figures of several polls.
 *
 * Threads: the loop of the call.
 */
#include <stdlib.h>

#include "api/ids.h"
#include "api/pending.h"
#include "api/routes.h"
#include "api/viewing.h"

#define TALLIES_IDS_MAX IDS_MAX

struct listed {
    struct published *published; /* a reference, or NULL: missing */
    struct str id;               /* of a missing one: into `ids` */
    enum viewing viewing;
    size_t job; /* VIEW_ASK: which one asks */
    size_t language;
};

struct listing {
    char *ids; /* a copy of what was asked for */
    size_t n;
    struct listed listed[TALLIES_IDS_MAX];
};

static void listing_free(struct listing *listing)
{
    if (!listing)
        return;
    for (size_t i = 0; i < listing->n; i++)
        published_free(listing->listed[i].published);
    free(listing->ids);
    free(listing);
}
AUTO_FREE(listing);

static void listing_drop(void *detail)
{
    listing_free(detail);
}

static bool listing_read(const struct call *call, struct listing *listing, struct refusal *reterr)
{
    struct str text = url_parameter(&call->loop->url, "ids");
    struct ids ids;

    if (!ids_read(&call->loop->url, TALLIES_IDS_MAX, &ids, reterr))
        return false;
    listing->ids = str_copy(text);
    if (!listing->ids)
        return refuse(reterr, PROBLEM_BUSY, "no memory for this request; send it again");
    for (size_t i = 0; i < ids.n; i++) {
        struct listed *listed = &listing->listed[listing->n++];

        *listed =
            (struct listed){ .published = board_get(call->api->board, ids.at[i]),
                             .id = { listing->ids + (ids.at[i].at - text.at), ids.at[i].len } };
        if (listed->published)
            listed->language = call_language(call, listed->published);
    }
    return true;
}

static void shown_render(const struct listed *listed, bool visible, struct languages *languages,
                         struct buf *out)
{
    const struct rendered *tally =
        visible ? published_json(listed->published, listed->language) : NULL;

    if (tally) {
        languages_add(languages, tally->language);
        buf_add(out, tally->json, tally->len);
    } else if (visible) {
        out->failed = true;
    } else {
        buf_text(out, "{\"id\":\"");
        buf_text(out, listed->published->poll->id);
        buf_text(out, "\",\"hidden\":true}");
    }
}

static bool is_visible(const struct listed *listed, const struct pending_job *jobs)
{
    return listed->viewing == VIEW_ASK ? viewing_allowed(&jobs[listed->job].job)
                                       : listed->viewing != VIEW_HIDDEN;
}

/* jobs  what the writer said to the asks; NULL where there were none */
static void listing_render(const struct listing *listing, const struct pending_job *jobs,
                           struct languages *languages, struct buf *out)
{
    const char *comma = "";

    buf_clear(out);
    buf_text(out, "{\"tallies\":[");
    for (size_t i = 0; i < listing->n; i++) {
        const struct listed *listed = &listing->listed[i];

        if (!listed->published)
            continue;
        buf_text(out, comma);
        shown_render(listed, is_visible(listed, jobs), languages, out);
        comma = ",";
    }
    buf_text(out, "],\"missing\":[");
    comma = "";
    for (size_t i = 0; i < listing->n; i++) {
        const struct listed *listed = &listing->listed[i];

        if (listed->published)
            continue;
        buf_text(out, comma);
        buf_json_string(out, listed->id);
        comma = ",";
    }
    buf_text(out, "]}");
}

static void listing_asked(struct pending *pending)
{
    struct languages languages = { .any = false };

    listing_render(pending->detail, pending->jobs, &languages, &pending->loop->out);
    answer_out(pending->exchange, pending->loop,
               &(struct answer){ .status = 200,
                                 .caching = CACHE_PRIVATE,
                                 .language = languages_one(&languages),
                                 .varies = true });
}

static void listing_answer(struct call *call, const struct listing *listing)
{
    enum caching caching = CACHE_TALLY;
    struct languages languages = { .any = false };

    for (size_t i = 0; i < listing->n; i++) {
        if (listing->listed[i].published && listing->listed[i].viewing == VIEW_PRIVATE)
            caching = CACHE_PRIVATE;
    }
    listing_render(listing, NULL, &languages, &call->loop->out);
    answer_out(call->exchange, call->loop,
               &(struct answer){ .status = 200,
                                 .caching = caching,
                                 .language = languages_one(&languages),
                                 .varies = true });
}

static bool listing_call(struct call *call, struct refusal *reterr)
{
    AUTO(listing) listing = calloc(1, sizeof *listing);
    struct ballot ballots[TALLIES_IDS_MAX];
    struct pending *pending;
    size_t asks = 0;

    if (!listing)
        return refuse(reterr, PROBLEM_BUSY, "no memory for this request; send it again");
    if (!listing_read(call, listing, reterr))
        return false;
    for (size_t i = 0; i < listing->n; i++) {
        struct listed *listed = &listing->listed[i];

        if (!listed->published)
            continue;
        listed->viewing = viewing_of(call, listed->published, &ballots[asks]);
        if (listed->viewing == VIEW_ASK)
            listed->job = asks++;
    }
    if (asks == 0) {
        listing_answer(call, listing);
        return true;
    }
    pending = pending_new(call, asks, listing_asked);
    if (!pending)
        return refuse(reterr, PROBLEM_BUSY, "no memory for this request; send it again");
    for (size_t i = 0; i < asks; i++)
        viewing_ask(&pending->jobs[i].job, &ballots[i]);
    pending->detail = TAKE(listing);
    pending->drop = listing_drop;
    pending_submit(pending);
    return true;
}

void tallies_list(struct call *call)
{
    if (!listing_call(call, &call->loop->refusal))
        answer_refusal(call->exchange, call->loop, &call->loop->refusal, (struct str){ NULL, 0 });
}
