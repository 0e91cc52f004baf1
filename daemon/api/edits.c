/*
 * api/edits.c - PUT, PATCH and DELETE of polls, and PUT …/carried: what admins change.
 *
 * The writer applies each edit to the poll as it is then, and it is as durable as a vote.
 *
 * Threads: the loop of the call.
 */
#include <stdio.h>
#include <stdlib.h>

#include "api/definitions.h"
#include "api/pending.h"
#include "api/routes.h"

static void answer_edited(struct pending *pending, const struct job *job)
{
    struct published *published = job->published;
    size_t language = pending_language(pending, published);
    struct buf *out = &pending->loop->out;
    char location[POLL_ID_BYTES_MAX + 16];
    struct answer reply = { .status = 200,
                            .caching = CACHE_PRIVATE,
                            .language = published->languages[language],
                            .varies = true };

    buf_clear(out);
    if (job->edit->kind == EDIT_CARRIED) {
        const struct rendered *tally = published_json(published, language);

        if (tally)
            buf_add(out, tally->json, tally->len);
        else
            out->failed = true;
    } else {
        definition_answer(published, true, language, out);
    }
    if (job->result == JOB_CREATED) {
        (void)snprintf(location, sizeof location, "/v1/polls/%s", published->poll->id);
        reply.status = 201;
        reply.location = location;
    }
    answer_out(pending->exchange, pending->loop, &reply);
}

static const char *done_word(const struct job *job)
{
    if (job->result == JOB_DELETED)
        return "deleted it";
    if (job->result == JOB_CREATED)
        return "created it";
    switch (job->edit->kind) {
    case EDIT_PUT:
        return "replaced its definition";
    case EDIT_PATCH:
        return "changed its definition";
    case EDIT_CARRIED:
        return "set its carried counts";
    }
    return "";
}

static void edit_done(struct pending *pending)
{
    const struct job *job = &pending->jobs[0].job;

    if (job->result != JOB_REFUSED)
        change_log(&pending->who, done_word(job), job->id);
    if (job->result == JOB_REFUSED)
        answer_refusal(pending->exchange, pending->loop, &pending->refusal,
                       (struct str){ NULL, 0 });
    else if (job->result == JOB_DELETED)
        answer(pending->exchange, pending->loop,
               &(struct answer){ .status = 204, .caching = CACHE_NOT });
    else
        answer_edited(pending, job);
}

static bool id_ok(const struct call *call, struct refusal *reterr)
{
    if (poll_id_ok(call->id))
        return true;
    return refuse_member(reterr, "/id",
                         "an id is a letter or digit, then up to 127 of letters, digits, . _ ~ -");
}

/* Of a poll that is not there yet the first language is as good as any. */
static void remember_language(struct pending *pending, const struct call *call)
{
    AUTO(published) published = board_get(call->api->board, call->id);

    if (published)
        pending_remember_language(pending, call, published);
}

/* Takes over `json`, which may be NULL with JOB_DELETE. */
static bool submit(struct call *call, enum job_kind kind, enum edit_kind edit_kind,
                   struct json *json, struct refusal *reterr)
{
    AUTO(pending) pending = pending_new(call, 1, edit_done);
    struct str only = http1_field(call->request, STR("If-None-Match"));
    struct job *job;

    if (pending && kind == JOB_EDIT)
        pending->jobs[0].job.edit = calloc(1, sizeof(struct edit));
    if (!pending || (kind == JOB_EDIT && !pending->jobs[0].job.edit)) {
        json_free(json);
        return refuse(reterr, PROBLEM_BUSY, "no memory for this request; send it again");
    }
    job = &pending->jobs[0].job;
    job->kind = kind;
    (void)snprintf(job->id, sizeof job->id, "%.*s", (int)call->id.len, call->id.at);
    if (kind == JOB_EDIT) {
        job->edit->kind = edit_kind;
        job->edit->create_only = edit_kind == EDIT_PUT && str_eq(str_trim(only), STR("*"));
        job->edit->body = json;
        (void)snprintf(job->edit->id, sizeof job->edit->id, "%s", job->id);
    }
    remember_language(pending, call);
    pending_submit(TAKE(pending));
    return true;
}

static void edit_call(struct call *call, enum edit_kind kind, const char *types)
{
    struct refusal *refusal = &call->loop->refusal;
    struct json *json;

    if (!id_ok(call, refusal) || !call_json(call, types, BODY_NEEDED, &json, refusal) ||
        !submit(call, JOB_EDIT, kind, json, refusal))
        answer_refusal(call->exchange, call->loop, refusal, (struct str){ NULL, 0 });
}

void poll_put(struct call *call)
{
    edit_call(call, EDIT_PUT, "application/json");
}

void poll_patch(struct call *call)
{
    edit_call(call, EDIT_PATCH, "application/json application/merge-patch+json");
}

void carried_put(struct call *call)
{
    edit_call(call, EDIT_CARRIED, "application/json");
}

void poll_delete(struct call *call)
{
    struct refusal *refusal = &call->loop->refusal;

    if (!poll_id_ok(call->id)) {
        refuse(refusal, PROBLEM_NO_SUCH_POLL, "there is no poll of this id");
        answer_refusal(call->exchange, call->loop, refusal, (struct str){ NULL, 0 });
        return;
    }
    if (!submit(call, JOB_DELETE, EDIT_PUT, NULL, refusal))
        answer_refusal(call->exchange, call->loop, refusal, (struct str){ NULL, 0 });
}
