/*
 * api/jsonld.c - GET …/jsonld: the figures for search engines.
 *
 * Threads: the loop of the call.
 */
#include "core/jsonld.h"

#include <string.h>

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

/* That of the definition: it holds for the tally and for what is asked, `about` too. */
static bool etag_of(struct published *published, size_t language,
                    char ret_etag[DEFINITION_ETAG_BYTES_MAX])
{
    return definition_etag(published, true, language, ret_etag);
}

/* The ETag where the caller has what it names, else "". */
static void etag_had(const struct call *call, struct published *published,
                     char ret_had[DEFINITION_ETAG_BYTES_MAX])
{
    if (!etag_of(published, call_language(call, published), ret_had) ||
        !etag_matches(call->request, str_of(ret_had)))
        ret_had[0] = '\0';
}

/* had  the ETag of what the caller has already, or "" */
static void give(struct exchange *exchange, struct api_loop *loop, struct published *published,
                 size_t language, enum caching caching, const char *had)
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
    if (!etag_of(published, language, etag))
        loop->out.failed = true;
    else if (strcmp(etag, had) == 0)
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
         pending_language(pending, job->published), CACHE_PRIVATE, pending->had);
}

static bool ask(const struct call *call, struct published *published, const struct ballot *ballot,
                struct refusal *reterr)
{
    struct pending *pending = viewing_pending(call, published, ballot, asked, reterr);
    char had[DEFINITION_ETAG_BYTES_MAX];

    if (!pending)
        return false;
    etag_had(call, published, had);
    pending_remember_etag(pending, had);
    pending_submit(pending);
    return true;
}

static bool look(const struct call *call, struct published *published, enum caching caching,
                 struct refusal *reterr)
{
    char had[DEFINITION_ETAG_BYTES_MAX];

    if (!has_figures(published, reterr))
        return false;
    etag_had(call, published, had);
    give(call->exchange, call->loop, published, call_language(call, published), caching, had);
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
