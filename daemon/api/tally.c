/*
 * api/tally.c - GET …/tally: the figures of one poll, now or when they are others.
 *
 * Threads: the loop of the call.
 */
#include "api/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/routes.h"
#include "api/viewing.h"
#include "api/waiting.h"

#define WAIT_S_MAX 60

void tally_answer(struct exchange *exchange, struct api_loop *loop, struct published *published,
                  size_t language, enum caching caching, const char *had)
{
    const struct rendered *tally = published_json(published, language);
    struct answer reply = { .status = 200, .caching = caching, .varies = true };

    if (!tally) {
        refuse(&loop->refusal, PROBLEM_BUSY, "no memory for the answer; send it again");
        answer_refusal(exchange, loop, &loop->refusal, (struct str){ NULL, 0 });
        return;
    }
    reply.etag = tally->etag;
    reply.language = tally->language;
    if (strcmp(tally->etag, had) == 0)
        reply.status = 304;
    else
        reply.body[0] = (struct str){ tally->json, tally->len };
    answer(exchange, loop, &reply);
}

/* The tally's ETag where the caller has these bytes, else "". */
static const char *etag_had(const struct call *call, struct published *published)
{
    const struct rendered *tally = published_json(published, call_language(call, published));

    if (!tally || !etag_matches(call->request, (struct str){ tally->etag, tally->etag_len }))
        return "";
    return tally->etag;
}

static void answer_now(struct call *call, struct published *published, enum caching caching)
{
    tally_answer(call->exchange, call->loop, published, call_language(call, published), caching,
                 etag_had(call, published));
}

/* What a call that waits is compared with: a version, or the bytes that it has. */
static bool wait_read(const struct call *call, struct published *published, struct wait *ret_wait,
                      struct refusal *reterr)
{
    const struct url *url = &call->loop->url;
    bool by_version = url_parameter(url, "version").at != NULL;
    const char *had = etag_had(call, published);
    uint64_t seconds;
    uint64_t version;

    if (!url_number(url, "wait", 1, WAIT_S_MAX, 0, &seconds, reterr) ||
        !url_number(url, "version", 0, INT64_MAX, 0, &version, reterr))
        return false;
    *ret_wait = (struct wait){ .most_ms = (int64_t)seconds * 1000, .role = call->caller.role };
    ret_wait->is_limited = caller_holder(&call->caller, &ret_wait->holder);
    (void)snprintf(ret_wait->had, sizeof ret_wait->had, "%s", had);
    if (seconds == 0)
        return true;
    if (call->loop->draining)
        ret_wait->most_ms = 1; /* the server ends: the next look is the last */
    if (!by_version && !http1_field(call->request, STR("If-None-Match")).at)
        return refuse_parameter(reterr, "version",
                                "name the version that you have, here or in If-None-Match");
    /* Other bytes than these are another version; no tally has version 0. */
    ret_wait->version = by_version ? version : had[0] ? published->counts.version : 0;
    language_keep(published, call_language(call, published), ret_wait->language);
    return true;
}

/* The wait of a pending that asks first, or NULL. */
static const struct wait *wait_of(const struct pending *pending)
{
    return pending->detail;
}

static bool goes_on_waiting(const struct wait *wait, const struct published *published)
{
    return wait->most_ms > 0 && wait->version == published->counts.version;
}

void tally_asked(struct pending *pending)
{
    const struct job *job = &pending->jobs[0].job;
    const struct wait *wait = wait_of(pending);

    if (job->result == JOB_REFUSED) {
        answer_refusal(pending->exchange, pending->loop, &pending->refusal,
                       (struct str){ NULL, 0 });
        return;
    }
    if (!viewing_allowed(job)) {
        viewing_refuse(&pending->refusal);
        answer_refusal(pending->exchange, pending->loop, &pending->refusal,
                       (struct str){ NULL, 0 });
        return;
    }
    if (wait && goes_on_waiting(wait, job->published)) {
        if (!waiting_add(pending->api, pending->loop, pending->exchange, job->published, wait,
                         &pending->refusal))
            answer_refusal(pending->exchange, pending->loop, &pending->refusal,
                           (struct str){ NULL, 0 });
        return;
    }
    tally_answer(pending->exchange, pending->loop, job->published,
                 pending_language(pending, job->published), CACHE_PRIVATE, pending->had);
}

static bool ask(const struct call *call, const struct published *published,
                const struct ballot *ballot, const struct wait *wait, struct refusal *reterr)
{
    AUTO(pending) pending = viewing_pending(call, published, ballot, tally_asked, reterr);
    struct wait *kept = pending ? malloc(sizeof *kept) : NULL;

    if (!pending)
        return false;
    if (!kept)
        return refuse(reterr, PROBLEM_BUSY, "no memory for this request; send it again");
    *kept = *wait;
    kept->must_ask = true;
    kept->ballot = *ballot;
    pending_remember_etag(pending, wait->had);
    pending->detail = kept;
    pending->drop = free;
    pending_submit(TAKE(pending));
    return true;
}

/* Answers, or begins to wait. false: *reterr. */
static bool look(struct call *call, struct published *published, const struct wait *wait,
                 enum caching caching, struct refusal *reterr)
{
    if (goes_on_waiting(wait, published))
        return waiting_add(call->api, call->loop, call->exchange, published, wait, reterr);
    answer_now(call, published,
               wait->most_ms > 0 && caching != CACHE_PRIVATE ? CACHE_NOT : caching);
    return true;
}

static bool get(struct call *call, struct refusal *reterr)
{
    AUTO(published) published = call_poll(call, reterr);
    struct ballot ballot;
    struct wait wait;

    if (!published || !wait_read(call, published, &wait, reterr))
        return false;
    switch (viewing_of(call, published, &ballot)) {
    case VIEW_PUBLIC:
        return look(call, published, &wait, CACHE_TALLY, reterr);
    case VIEW_PRIVATE:
        return look(call, published, &wait, CACHE_PRIVATE, reterr);
    case VIEW_ASK:
        return ask(call, published, &ballot, &wait, reterr);
    case VIEW_HIDDEN:
        break;
    }
    return viewing_refuse(reterr);
}

void tally_get(struct call *call)
{
    if (!get(call, &call->loop->refusal))
        answer_refusal(call->exchange, call->loop, &call->loop->refusal, (struct str){ NULL, 0 });
}
