/*
 * api/votes.c - POST and DELETE …/votes, GET …/votes/mine: a voter's own vote.
 *
 * Threads: the loop of the call.
 */
#include <string.h>

#include "api/ballots.h"
#include "api/pending.h"
#include "api/routes.h"

static const char *result_word(enum job_result result)
{
    switch (result) {
    case JOB_COUNTED:
        return "counted";
    case JOB_CHANGED:
        return "changed";
    case JOB_ALREADY:
        return "already";
    case JOB_RETRACTED:
        return "retracted";
    case JOB_FOUND:
    case JOB_NOT_FOUND:
    case JOB_CREATED:
    case JOB_REPLACED:
    case JOB_DELETED:
    case JOB_READ:
    case JOB_BACKED_UP:
    case JOB_REFUSED:
        break; /* no answer to a vote */
    }
    return "";
}

/* A seq tells how many voted, so it is hidden with the results. */
static void seq_render(uint32_t seq, bool hidden, struct buf *out)
{
    if (hidden)
        buf_text(out, "null");
    else
        buf_uint(out, seq);
}

static bool hides(const struct pending *pending, const struct published *published, bool voted)
{
    enum viewer viewer = role_is_trusted(pending->role) ? VIEWER_TRUSTED
                         : voted                        ? VIEWER_VOTED
                                                        : VIEWER_STRANGER;

    return poll_hides_results(published->poll, published->phase, viewer);
}

/* Neighbours share an address: what one of them chose is not told to the next. */
static bool names_a_person(const struct ballot *ballot)
{
    return ballot->kind != VOTER_ADDRESS;
}

static void refused(struct pending *pending, const struct job *job)
{
    AUTO_BUF standing = { 0 };
    const struct published *published = job->published;

    if (pending->refusal.problem == PROBLEM_ALREADY_VOTED && job->has_standing &&
        names_a_person(&job->ballot)) {
        buf_text(&standing, "{\"options\":[");
        options_render(job->standing.marks, ',', &standing);
        buf_text(&standing, "],\"seq\":");
        seq_render(job->standing.seq, !published || hides(pending, published, true), &standing);
        buf_char(&standing, '}');
    }
    if (!buf_ok(&standing))
        refuse(&pending->refusal, PROBLEM_BUSY, "no memory for the answer; send it again");
    answer_refusal(pending->exchange, pending->loop, &pending->refusal,
                   buf_ok(&standing) ? buf_str(&standing) : (struct str){ NULL, 0 });
}

/* {"result":…,"receipt":{…},"tally":…}: the tally is the board's own bytes. */
static void answer_vote(struct pending *pending, const struct job *job)
{
    struct published *published = job->published;
    struct buf *out = &pending->loop->out;
    bool hidden = hides(pending, published, job->result != JOB_RETRACTED);
    size_t language = pending_language(pending, published);
    const struct rendered *tally = hidden ? NULL : published_json(published, language);
    struct answer reply = { .status = job->result == JOB_COUNTED ? 201 : 200,
                            .caching = CACHE_PRIVATE,
                            .varies = true };

    if (!hidden && !tally) {
        /* The vote is durable; only this answer to it finds no memory. Sent again it is already. */
        refuse(&pending->refusal, PROBLEM_OUTCOME_UNKNOWN,
               "no memory to say what came of it; send it again");
        answer_refusal(pending->exchange, pending->loop, &pending->refusal,
                       (struct str){ NULL, 0 });
        return;
    }
    buf_clear(out);
    buf_text(out, "{\"result\":\"");
    buf_text(out, result_word(job->result));
    buf_text(out, "\",\"receipt\":{\"poll\":\"");
    buf_text(out, published->poll->id); /* an id has no character that JSON escapes */
    buf_text(out, "\",\"seq\":");
    seq_render(job->seq, hidden, out);
    buf_text(out, "},\"tally\":");
    reply.body[1] = tally ? (struct str){ tally->json, tally->len } : STR("null");
    reply.body[2] = STR("}");
    if (tally)
        reply.language = tally->language;
    answer_out(pending->exchange, pending->loop, &reply);
}

static void vote_done(struct pending *pending)
{
    const struct job *job = &pending->jobs[0].job;

    if (job->result == JOB_REFUSED)
        refused(pending, job);
    else
        answer_vote(pending, job);
}

static void mine_done(struct pending *pending)
{
    const struct job *job = &pending->jobs[0].job;
    struct buf *out = &pending->loop->out;

    if (job->result == JOB_REFUSED) {
        refused(pending, job);
        return;
    }
    buf_clear(out);
    buf_text(out, job->result == JOB_FOUND ? "{\"voted\":true" : "{\"voted\":false");
    if (job->result == JOB_FOUND) {
        if (names_a_person(&job->ballot)) {
            buf_text(out, ",\"options\":[");
            options_render(job->standing.marks, ',', out);
            buf_text(out, "],\"seq\":");
            /* One that was voided stands no more. */
            seq_render(job->standing.seq,
                       !job->published || hides(pending, job->published, job->standing.marks != 0),
                       out);
        }
        buf_text(out, ",\"at\":\"");
        buf_time(out, job->standing.at_ms);
        buf_char(out, '"');
    }
    buf_char(out, '}');
    answer_out(pending->exchange, pending->loop,
               &(struct answer){ .status = 200, .caching = CACHE_PRIVATE });
}

/* Hands one job about the caller's own vote to the writer. false: *reterr. */
static bool submit(const struct call *call, struct published *published, enum job_kind kind,
                   const struct naming *naming, uint64_t marks, struct refusal *reterr)
{
    void (*finish)(struct pending *) = kind == JOB_ASK ? mine_done : vote_done;
    AUTO(pending) pending = pending_new(call, 1, finish);
    struct job *job;

    if (!pending)
        return refuse(reterr, PROBLEM_BUSY, "no memory for this request; send it again");
    job = &pending->jobs[0].job;
    job->kind = kind;
    if (!call_voter(call, naming, published->poll, &job->ballot, reterr) ||
        !ballot_voter_ok(published->poll, job->ballot.kind, reterr))
        return false;
    job->ballot.marks = marks;
    pending_remember_language(pending, call, published);
    pending_submit(TAKE(pending));
    return true;
}

static bool vote(const struct call *call, struct refusal *reterr)
{
    AUTO(published) published = call_poll(call, reterr);
    AUTO(json) json = NULL;
    struct naming naming;
    uint64_t marks;

    return published && call_json(call, "application/json", BODY_NEEDED, &json, reterr) &&
           naming_read(json_root(json), ballot_member, &naming, reterr) &&
           choice_read(json_root(json), published->poll, &marks, reterr) &&
           submit(call, published, JOB_VOTE, &naming, marks, reterr);
}

static bool retract(const struct call *call, struct refusal *reterr)
{
    AUTO(published) published = call_poll(call, reterr);
    AUTO(json) json = NULL;
    struct naming naming = { { NULL, 0 }, { NULL, 0 } };

    return published && call_json(call, "application/json", BODY_OPTIONAL, &json, reterr) &&
           (!json || naming_read(json_root(json), NULL, &naming, reterr)) &&
           submit(call, published, JOB_RETRACT, &naming, 0, reterr);
}

static bool mine(const struct call *call, struct refusal *reterr)
{
    AUTO(published) published = call_poll(call, reterr);

    return published && submit(call, published, JOB_ASK, NULL, 0, reterr);
}

static void answer_unless(struct call *call, bool submitted)
{
    if (!submitted)
        answer_refusal(call->exchange, call->loop, &call->loop->refusal, (struct str){ NULL, 0 });
}

void vote_post(struct call *call)
{
    answer_unless(call, vote(call, &call->loop->refusal));
}

void vote_delete(struct call *call)
{
    answer_unless(call, retract(call, &call->loop->refusal));
}

void vote_mine(struct call *call)
{
    answer_unless(call, mine(call, &call->loop->refusal));
}
