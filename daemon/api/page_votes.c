/*
 * api/page_votes.c - POST /p/{id}: a vote by a browser's form, also where no script runs.
 *
 * In a poll that counts tokens, a form without the cookie is not yet a vote: it is answered 307 to
 * itself with a fresh cookie, and the browser sends it again with that. So the page need hold
 * nothing of its reader, and a double tap is one vote: a browser sends the second form either with
 * the cookie that the first has brought, or instead of the first.
 *
 * Threads: the loop of the call.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/cookies.h"
#include "api/form.h"
#include "api/pages.h"
#include "api/routes.h"
#include "ledger/token.h"

#define FORM_TYPE "application/x-www-form-urlencoded"

/* What became of it, or why not, in the page's words. */
static enum word word_of(enum problem problem, const struct poll *poll)
{
    switch (problem) {
    case PROBLEM_ALREADY_VOTED:
    case PROBLEM_REVOTE_NOT_ALLOWED:
        return WORD_REFUSED_ALREADY;
    case PROBLEM_POLL_CLOSED:
    case PROBLEM_POLL_FORGOTTEN:
        return WORD_REFUSED_CLOSED;
    case PROBLEM_NOT_YET_OPEN:
        return WORD_REFUSED_EARLY;
    case PROBLEM_ADDRESS_LIMIT:
        return WORD_REFUSED_LIMIT;
    case PROBLEM_VOTE_VOIDED:
        return WORD_REFUSED_VOIDED;
    case PROBLEM_INVALID:
        return poll->max_choices > 1 ? WORD_REFUSED_NUMBER : WORD_REFUSED_CHOICE;
    case PROBLEM_RATE_LIMITED:
        return WORD_REFUSED_OFTEN;
    case PROBLEM_BUSY:
    case PROBLEM_STORE_UNAVAILABLE:
    case PROBLEM_OUTCOME_UNKNOWN:
        return WORD_REFUSED_BUSY;
    default:
        return poll->voters == VOTERS_ACCOUNT ? WORD_NEEDS_ACCOUNT : WORD_REFUSED;
    }
}

struct refused {
    enum word word;
    unsigned status;
    uint64_t retry_s;
    uint64_t standing; /* marks that may be named, or 0 */
};

static void answer_refused(struct exchange *exchange, struct api_loop *loop, struct view *view,
                           size_t i, const struct refused *refused)
{
    struct view_answer how = { .status = refused->status,
                               .caching = CACHE_PRIVATE,
                               .retry_s = refused->retry_s };

    if (how.retry_s == 0 && (how.status == 503 || how.status == 429))
        how.retry_s = 1;
    view_say(view, &(struct page_news){ .there = true,
                                        .alert = true,
                                        .poll = i,
                                        .word = refused->word,
                                        .standing = refused->standing });
    view_answer(exchange, loop, view, &how);
}

/* A redirect within the pages. `query` begins with '?'; what is wrong with memory is 503. */
static void answer_redirect(struct exchange *exchange, struct api_loop *loop, unsigned status,
                            struct str id, struct str query, struct str cookie)
{
    AUTO_BUF location = { 0 };

    buf_str_add(&location, rules_base_path(loop->rules));
    buf_text(&location, "/p/");
    buf_str_add(&location, id);
    buf_str_add(&location, query);
    buf_char(&location, '\0');
    buf_clear(&loop->out);
    buf_heed(&loop->out, &location);
    answer_out(exchange, loop,
               &(struct answer){ .status = status,
                                 .caching = CACHE_PRIVATE,
                                 .location = buf_ok(&location) ? location.bytes : NULL,
                                 .more = cookie });
}

static const char *done_word(enum job_result result)
{
    return result == JOB_COUNTED ? "counted" : result == JOB_CHANGED ? "changed" : "already";
}

/* An address that no cache has seen: the version is a new one, or was there when this voter's vote
 * stood already. Where it would tell how many have voted, chance takes its place. */
static void version_write(const struct api *api, const struct published *published, bool hidden,
                          struct buf *out)
{
    uint32_t chance;

    if (!hidden) {
        buf_uint(out, published->counts.version);
        return;
    }
    api->random(&chance, sizeof chance);
    buf_format(out, "%08" PRIx32, chance);
}

static void answer_done(struct pending *pending, const struct view *view, const struct job *job)
{
    const struct poll *poll = job->published->poll;
    AUTO_BUF query = { 0 };

    buf_format(&query, "?done=%s", done_word(job->result));
    if (strcmp(view_ids(view), poll->id) != 0)
        buf_format(&query, "&poll=%s", poll->id);
    buf_text(&query, "&v=");
    version_write(pending->api, job->published,
                  poll_hides_results(poll, job->published->phase, VIEWER_STRANGER), &query);
    view_lang_write(view, '&', &query);
    if (!buf_ok(&query)) {
        answer_redirect(pending->exchange, pending->loop, 303, str_of(poll->id), STR(""),
                        (struct str){ NULL, 0 });
        return;
    }
    answer_redirect(pending->exchange, pending->loop, 303, str_of(view_ids(view)), buf_str(&query),
                    (struct str){ NULL, 0 });
}

/* Neighbours share an address: what one of them chose is not shown to the next. */
static uint64_t standing_of(const struct job *job)
{
    return job->has_standing && job->ballot.kind != VOTER_ADDRESS ? job->standing.marks : 0;
}

static void vote_done(struct pending *pending)
{
    struct view *view = pending->detail;
    const struct job *job = &pending->jobs[0].job;
    const struct poll *poll;
    size_t i = 0;

    while (i < view_count(view) && view_poll(view, i)->poll->number != job->ballot.poll)
        i++;
    if (i == view_count(view))
        i = 0; /* not reached: the view was made with this poll in it */
    if (job->result != JOB_REFUSED && job->published) {
        answer_done(pending, view, job);
        return;
    }
    if (job->published)
        view_renew(view, i, job->published);
    poll = view_poll(view, i)->poll;
    if (pending->refusal.problem == PROBLEM_ALREADY_VOTED) {
        view_show(view, i, !poll_hides_results(poll, view_poll(view, i)->phase, VIEWER_VOTED));
        view_voted(view, i);
    }
    tell_add(&pending->loop->refused[pending->refusal.problem], 1);
    answer_refused(pending->exchange, pending->loop, view, i,
                   &(struct refused){ .word = word_of(pending->refusal.problem, poll),
                                      .status = problem_status(pending->refusal.problem),
                                      .standing = standing_of(job) });
}

static void view_drop(void *detail)
{
    view_free(detail);
}

/* A cookie is a token as POST /v1/voters gives it, and comes out of the same bucket. */
static bool limit_ok(const struct call *call, uint64_t *ret_retry_s, struct refusal *reterr)
{
    enum limiter_by by;
    struct address group;
    struct str who;

    if (!caller_bucket(&call->caller, &by, &group, &who))
        return true;
    *ret_retry_s = limiter_take(call->api->limiter, LIMIT_TOKENS, by, who,
                                loop_mono_ms(exchange_loop(call->exchange)));
    return *ret_retry_s == 0 ||
           refuse(reterr, PROBLEM_RATE_LIMITED, "too many voters from one address");
}

/* Signs a fresh anonymous token into Set-Cookie. */
static bool mint(const struct call *call, struct buf *cookie, struct refusal *reterr)
{
    const struct token_keys *tokens = call->loop->tokens;
    int64_t longest_s = tokens ? token_keys_longest_s(tokens) : 0;
    struct token_claims claims = { .anonymous = true,
                                   .lifetime_s = call->loop->rules->token_lifetime_s };
    char sub[TOKEN_ANONYMOUS_BYTES];
    int64_t exp_s;
    AUTO_BUF token = { 0 };
    enum token_signed done;

    if (longest_s > 0 && claims.lifetime_s > longest_s)
        claims.lifetime_s = longest_s;
    token_make_anonymous(sub);
    claims.sub = (struct str){ sub, sizeof sub };
    done = tokens ? token_sign(tokens, &claims, loop_wall_ms(exchange_loop(call->exchange)) / 1000,
                               &token, &exp_s)
                  : TOKEN_NO_SIGNER;
    if (done == TOKEN_SIGNED) {
        cookie_write(call->loop->rules, buf_str(&token), claims.lifetime_s, cookie);
        return true;
    }
    return refuse(reterr, done == TOKEN_NO_SIGNER ? PROBLEM_NOT_IMPLEMENTED : PROBLEM_BUSY,
                  "there is no token to vote by now");
}

/* Answers 307 to the same address, with a cookie. false: *reterr, *ret_retry_s. */
static bool give_cookie(struct call *call, const struct view *view, uint64_t *ret_retry_s,
                        struct refusal *reterr)
{
    AUTO_BUF cookie = { 0 };
    AUTO_BUF query = { 0 };

    if (!limit_ok(call, ret_retry_s, reterr) || !mint(call, &cookie, reterr))
        return false;
    buf_text(&query, "?c=1");
    view_lang_write(view, '&', &query);
    if (!buf_ok(&cookie) || !buf_ok(&query))
        return refuse(reterr, PROBLEM_BUSY, "no memory for the cookie; send it again");
    answer_redirect(call->exchange, call->loop, 307, call->id, buf_str(&query), buf_str(&cookie));
    return true;
}

enum cookie_state { COOKIE_NOT_NEEDED, COOKIE_GOOD, COOKIE_MISSING, COOKIE_NO_MEMORY };

/* A cookie that has run out, or whose key is gone, is as good as none; one that cannot be read for
 * want of memory is not: a fresh one in its place would let its owner vote twice. */
static enum cookie_state cookie_read(const struct call *call, const struct poll *poll,
                                     struct naming *ret_naming)
{
    struct str cookie = cookie_find(call->request, STR(COOKIE_VOTER));
    int64_t now_s = loop_wall_ms(exchange_loop(call->exchange)) / 1000;
    enum token_verdict verdict = TOKEN_GOOD;
    struct token_voter voter;

    *ret_naming = (struct naming){ { NULL, 0 }, { NULL, 0 } };
    if (poll->voters == VOTERS_ADDRESS || call->caller.bearer.at || call->caller.has_uid ||
        role_is_trusted(call->caller.role))
        return COOKIE_NOT_NEEDED;
    if (cookie.at && call->loop->tokens)
        verdict = token_check(call->loop->tokens, cookie, str_of(poll->id), now_s, &voter);
    if (verdict == TOKEN_NO_MEMORY)
        return COOKIE_NO_MEMORY;
    if (!cookie.at || !call->loop->tokens || verdict != TOKEN_GOOD)
        return poll->voters == VOTERS_ACCOUNT ? COOKIE_NOT_NEEDED : COOKIE_MISSING;
    ret_naming->token = cookie;
    return COOKIE_GOOD;
}

/* Takes over the view where it returns true. */
static bool submit(const struct call *call, struct view *view, size_t i,
                   const struct naming *naming, uint64_t marks, struct refusal *reterr)
{
    AUTO(pending) pending = pending_new(call, 1, vote_done);
    const struct poll *poll = view_poll(view, i)->poll;
    struct job *job;

    if (!pending)
        return refuse(reterr, PROBLEM_BUSY, "no memory for this request; send it again");
    job = &pending->jobs[0].job;
    job->kind = JOB_VOTE;
    if (!call_voter(call, naming, poll, &job->ballot, reterr) ||
        !ballot_voter_ok(poll, job->ballot.kind, reterr))
        return false;
    job->ballot.marks = marks;
    pending->detail = view;
    pending->drop = view_drop;
    pending_submit(TAKE(pending));
    return true;
}

/* The page that the form stood in, which may show other polls too. */
static struct view *view_of(const struct call *call, const struct form *form, size_t *ret_i,
                            struct refusal *reterr)
{
    struct str page = { form->page, form->page_len };
    AUTO(view) view = view_new(call, page.len > 0 ? page : call->id, PAGE_ALONE, reterr);

    if (!view)
        return NULL;
    *ret_i = view_find(view, call->id);
    if (*ret_i < view_count(view))
        return TAKE(view);
    refuse(reterr, PROBLEM_INVALID, "the form's page does not show its poll");
    return NULL;
}

/* The form is read: votes, or asks for the cookie. false: *reterr, to be said in the view. */
static bool vote(struct call *call, struct view **view, size_t i, const struct form *form,
                 struct refused *reterr_refused, struct refusal *reterr)
{
    const struct poll *poll = view_poll(*view, i)->poll;
    struct naming naming;
    enum cookie_state cookie = cookie_read(call, poll, &naming);

    if (cookie == COOKIE_NO_MEMORY)
        return refuse(reterr, PROBLEM_BUSY, "no memory for the cookie; send it again");
    if (cookie == COOKIE_MISSING) {
        if (!url_parameter(&call->loop->url, "c").at)
            return give_cookie(call, *view, &reterr_refused->retry_s, reterr);
        reterr_refused->word = WORD_NEEDS_COOKIES;
        return refuse(reterr, PROBLEM_FORBIDDEN, "cookies are needed");
    }
    if (!submit(call, *view, i, &naming, form->marks, reterr))
        return false;
    *view = NULL; /* the pending's now */
    return true;
}

/* false: a page without the poll says *reterr. */
static bool post(struct call *call, struct refusal *reterr)
{
    AUTO(published) published = call_poll(call, reterr);
    AUTO(view) view = NULL;
    struct form form = { .marks = 0, .page_len = 0 };
    struct refused refused = { .word = WORDS_COUNT };
    size_t i;
    bool read;

    if (!published || !call_type_ok(call, FORM_TYPE, reterr))
        return false;
    read = form_read(exchange_body(call->exchange), published->poll, &form, reterr);
    if (!read && reterr->problem != PROBLEM_INVALID)
        return false;
    view = view_of(call, &form, &i, &call->loop->refusal);
    if (!view)
        return false;
    if (read && vote(call, &view, i, &form, &refused, reterr))
        return true;
    tell_add(&call->loop->refused[reterr->problem], 1);
    refused.status = problem_status(reterr->problem);
    if (refused.status == 401)
        refused.status = 403; /* a browser would ask for a password */
    if (refused.word == WORDS_COUNT)
        refused.word = word_of(reterr->problem, published->poll);
    answer_refused(call->exchange, call->loop, view, i, &refused);
    return true;
}

void page_post(struct call *call)
{
    if (!post(call, &call->loop->refusal))
        page_refuse(call, &call->loop->refusal, 0);
}
