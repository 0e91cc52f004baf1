/*
 * api/jsonld.c - GET …/jsonld: the figures for search engines.
 *
 * Threads: the loop of the call.
 */
#include "core/jsonld.h"

#include "api/definitions.h"
#include "api/pending.h"
#include "api/routes.h"
#include "api/viewing.h"

/* No mean can be told of a rating that nobody has given. */
static bool has_figures(const struct published *published, struct refusal *reterr)
{
    struct tally tally;

    tally_work_out(published->poll, &published->counts, &tally);
    return published->poll->kind != POLL_RATING || tally.rated ||
           refuse(reterr, PROBLEM_NO_SUCH_VOTE, "nobody has rated this yet");
}

static void refused(struct exchange *exchange, struct api_loop *loop, const struct refusal *refusal)
{
    answer_refusal(exchange, loop, refusal, (struct str){ NULL, 0 });
}

/* request  what its If-None-Match is compared with; NULL: the answer is kept by nobody */
static void give(struct exchange *exchange, struct api_loop *loop, struct published *published,
                 size_t language, enum caching caching, const struct http1_request *request)
{
    char etag[DEFINITION_ETAG_BYTES_MAX];
    const char *tag = published->languages[language];
    struct answer reply = { .status = 200,
                            .content_type = "application/ld+json",
                            .caching = caching,
                            .etag = etag,
                            .language = tag,
                            .varies = true };

    buf_clear(&loop->out);
    /* That of the definition: it holds for the tally and for what is asked, `about` too. */
    if (!definition_etag(published, true, language, etag))
        loop->out.failed = true;
    else if (request && etag_matches(request, str_of(etag)))
        reply.status = 304;
    else
        jsonld_render(published->poll, &published->counts, tag, &loop->out);
    answer_out(exchange, loop, &reply);
}

static void asked(struct pending *pending)
{
    const struct job *job = &pending->jobs[0].job;

    if (job->result != JOB_REFUSED && !viewing_allowed(job))
        viewing_refuse(&pending->refusal);
    if (job->result == JOB_REFUSED || !viewing_allowed(job) ||
        !has_figures(job->published, &pending->refusal)) {
        refused(pending->exchange, pending->loop, &pending->refusal);
        return;
    }
    give(pending->exchange, pending->loop, job->published,
         pending_language(pending, job->published), CACHE_PRIVATE, NULL);
}

static bool ask(const struct call *call, const struct published *published,
                const struct ballot *ballot, struct refusal *reterr)
{
    struct pending *pending = viewing_pending(call, published, ballot, asked, reterr);

    if (!pending)
        return false;
    pending_submit(pending);
    return true;
}

static bool look(const struct call *call, struct published *published, enum caching caching,
                 struct refusal *reterr)
{
    if (!has_figures(published, reterr))
        return false;
    give(call->exchange, call->loop, published, call_language(call, published), caching,
         call->request);
    return true;
}

static bool get(struct call *call, struct refusal *reterr)
{
    AUTO(published) published = call_poll(call, reterr);
    struct ballot ballot;

    if (!published)
        return false;
    switch (viewing_of(call, published, &ballot)) {
    case VIEW_PUBLIC:
        return look(call, published, CACHE_TALLY, reterr);
    case VIEW_PRIVATE:
        return look(call, published, CACHE_PRIVATE, reterr);
    case VIEW_ASK:
        return ask(call, published, &ballot, reterr);
    case VIEW_HIDDEN:
        break;
    }
    return viewing_refuse(reterr);
}

void jsonld_get(struct call *call)
{
    if (!get(call, &call->loop->refusal))
        refused(call->exchange, call->loop, &call->loop->refusal);
}
