/*
 * api/forget.c - POST …/forget: who voted in a closed poll is gone for good.
 *
 * A whole poll is one job. For a single voter the rows are looked through for the voter's hash
 * first, since votes that could be given again are not tied to each other.
 *
 * Threads: the loop of the call; a job while it is asked for the writer's.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/ballots.h"
#include "api/routes.h"
#include "api/rows.h"

struct forget_call {
    struct rows rows; /* first: rows are their call's */
    struct job job;
    struct api_loop *loop;
    struct exchange *exchange;
    struct published *published;
    char language[LANGUAGE_TAG_BYTES_MAX + 1];
    struct who who;
    struct voter_hash voter; /* whom to forget; not with `all` */
    bool found;
    struct refusal refusal;
    struct forgetting forgetting;
};

static void forget_call_free(struct forget_call *call)
{
    if (!call)
        return;
    published_free(call->job.published);
    published_free(call->published);
    rows_clear(&call->rows);
    free(call);
}
AUTO_FREE(forget_call);

static void end(struct forget_call *call, const struct refusal *refusal)
{
    answer_refusal(call->exchange, call->loop, refusal, (struct str){ NULL, 0 });
    forget_call_free(call);
}

static void answer_forgotten(struct forget_call *call)
{
    struct published *published = call->job.published;
    const struct rendered *tally =
        published ? published_json(published, language_find(published, call->language)) : NULL;
    struct buf *out = &call->loop->out;

    change_log(&call->who, call->forgetting.all ? "forgot who voted" : "forgot one voter",
               call->published->poll->id);
    buf_clear(out);
    buf_text(out, "{\"forgotten\":true,\"tally\":");
    if (tally)
        buf_add(out, tally->json, tally->len);
    else
        buf_text(out, "null");
    buf_char(out, '}');
    answer_out(call->exchange, call->loop,
               &(struct answer){ .status = 200,
                                 .caching = CACHE_PRIVATE,
                                 .language = tally ? tally->language : NULL,
                                 .varies = true });
    forget_call_free(call);
}

static void hand_over(struct forget_call *call)
{
    queue_list_add(&call->loop->submissions, &call->job.node);
}

static void forgotten(struct job *job)
{
    struct forget_call *call =
        (struct forget_call *)((char *)job - offsetof(struct forget_call, job));

    if (job->result == JOB_REFUSED) {
        end(call, &call->refusal);
        return;
    }
    if (call->forgetting.all || call->rows.scan.done) {
        answer_forgotten(call);
        return;
    }
    published_free(job->published);
    job->published = NULL;
    rows_ask(&call->rows);
}

static void failed(struct rows *rows)
{
    end((struct forget_call *)rows, &rows->refusal);
}

static void slice(struct rows *rows)
{
    struct forget_call *call = (struct forget_call *)rows;
    struct forgetting *forgetting = &call->forgetting;

    forgetting->end = rows->scan.end;
    forgetting->n = 0;
    for (size_t i = 0; i < rows->scan.n; i++) {
        const struct scanned *row = &rows->scan.rows[i];

        if (memcmp(row->voter.bytes, call->voter.bytes, sizeof row->voter.bytes) == 0)
            forgetting->seqs[forgetting->n++] = row->seq;
    }
    call->found |= forgetting->n > 0;
    if (forgetting->n > 0) {
        hand_over(call);
    } else if (!rows->scan.done) {
        rows_ask(rows);
    } else if (call->found) {
        call->job.published = published_ref(call->published);
        answer_forgotten(call);
    } else {
        refuse(&rows->refusal, PROBLEM_NO_SUCH_VOTE, "this voter has no vote in this poll");
        failed(rows);
    }
}

static_assert(SEQS_MAX >= SCAN_ROWS_MAX, "the rows of one slice go into one job");

static bool voter_read(const struct call *call, struct forget_call *mine, struct refusal *reterr)
{
    AUTO(json) json = NULL;
    struct naming naming = { { NULL, 0 }, { NULL, 0 } };
    struct ballot ballot;

    if (!call_json(call, "application/json", BODY_OPTIONAL, &json, reterr))
        return false;
    if (json && (!json_members_ok(json_root(json), "voter", reterr) ||
                 !naming_read(json_root(json), NULL, &naming, reterr)))
        return false;
    mine->forgetting.all = !naming.voter.at;
    if (mine->forgetting.all)
        return true;
    if (!call_voter(call, &naming, mine->published->poll, &ballot, reterr))
        return false;
    mine->voter = ballot.voter;
    return true;
}

static bool start(const struct call *call, struct refusal *reterr)
{
    AUTO(forget_call) mine = calloc(1, sizeof *mine);

    if (!mine)
        return refuse(reterr, PROBLEM_BUSY, "no memory for this request; send it again");
    mine->published = call_poll(call, reterr);
    if (!mine->published || !voter_read(call, mine, reterr))
        return false;
    if (mine->published->phase != PHASE_CLOSED)
        return refuse(reterr, PROBLEM_POLL_OPEN, "close the poll first");
    mine->loop = call->loop;
    mine->exchange = call->exchange;
    mine->who = caller_who(&call->caller);
    language_keep(mine->published, call_language(call, mine->published), mine->language);
    call->api->random(mine->forgetting.random.bytes, sizeof mine->forgetting.random.bytes);
    mine->forgetting.poll = mine->published->poll->number;
    mine->job = (struct job){ .home = &call->loop->answers,
                              .back = forgotten,
                              .kind = JOB_FORGET,
                              .forgetting = &mine->forgetting,
                              .refusal = &mine->refusal };
    mine->rows.slice = slice;
    mine->rows.failed = failed;
    rows_begin(&mine->rows, call->loop, mine->published->poll->number);
    if (mine->forgetting.all)
        hand_over(TAKE(mine));
    else
        rows_ask(&TAKE(mine)->rows);
    return true;
}

void forget_post(struct call *call)
{
    if (!start(call, &call->loop->refusal))
        answer_refusal(call->exchange, call->loop, &call->loop->refusal, (struct str){ NULL, 0 });
}
