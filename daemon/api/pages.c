/*
 * api/pages.c - GET /p/{id} and /embed/{id}: polls as a page.
 *
 * Threads: the loop of the call.
 */
#include "api/pages.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/cookies.h"
#include "api/routes.h"
#include "api/viewing.h"
#include "base/siphash.h"

#define POLICY                                                                                     \
    "Content-Security-Policy: default-src 'none'; style-src 'self'; script-src 'self'; "           \
    "connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors "

struct view {
    struct page page; /* its polls' references are the view's */
    struct published *held[PAGE_POLLS_MAX];
    char languages[PAGE_POLLS_MAX][LANGUAGE_TAG_BYTES_MAX + 1];
    size_t jobs[PAGE_POLLS_MAX]; /* of a page that asks: 1 + the number of the job, or 0 */
    char *ids;                   /* owned */
};

void view_free(struct view *view)
{
    if (!view)
        return;
    for (size_t i = 0; i < view->page.n; i++)
        published_free(view->held[i]);
    free(view->ids);
    free(view);
}

static void view_drop(void *detail)
{
    view_free(detail);
}

size_t view_count(const struct view *view)
{
    return view->page.n;
}

size_t view_find(const struct view *view, struct str id)
{
    size_t i = 0;

    while (i < view->page.n && !str_eq(str_of(view->held[i]->poll->id), id))
        i++;
    return i;
}

struct published *view_poll(const struct view *view, size_t i)
{
    return view->held[i];
}

const char *view_ids(const struct view *view)
{
    return view->ids;
}

void view_lang_write(const struct view *view, char first, struct buf *out)
{
    if (view->page.look.lang_asked)
        buf_format(out, "%clang=%s", first, view->page.look.words->tag);
}

void view_renew(struct view *view, size_t i, struct published *published)
{
    published_free(view->held[i]);
    view->held[i] = published_ref(published);
    view->page.polls[i].published = published;
    view->page.polls[i].language = language_find(published, view->languages[i]);
}

void view_show(struct view *view, size_t i, bool visible)
{
    view->page.polls[i].visible = visible;
}

void view_voted(struct view *view, size_t i)
{
    view->page.polls[i].voted = true;
}

void view_say(struct view *view, const struct page_news *news)
{
    view->page.news = *news;
}

struct page_look page_look_of(const struct call *call, enum page_frame frame, struct str shown)
{
    struct str wanted = url_parameter(&call->loop->url, "lang");

    return (struct page_look){
        .words = words_choose(wanted, http1_field(call->request, STR("Accept-Language")), shown),
        .lang_asked = wanted.at != NULL,
        .base = call->loop->rules->base,
        .frame = frame
    };
}

static void add(const struct call *call, struct view *view, struct published *published)
{
    size_t i = view->page.n++;
    size_t language = call_language(call, published);

    view->held[i] = published;
    view->page.polls[i] =
        (struct page_poll){ .published = published,
                            .language = language,
                            .visible = !poll_hides_results(published->poll, published->phase,
                                                           VIEWER_STRANGER) };
    language_keep(published, language, view->languages[i]);
}

struct view *view_new(const struct call *call, struct str ids, enum page_frame frame,
                      struct refusal *reterr)
{
    AUTO(view) view = calloc(1, sizeof *view);
    AUTO_BUF shown = { 0 }; /* never the request's own bytes: they go into headers and addresses */
    struct str rest = ids;
    struct str id;

    if (!view) {
        refuse(reterr, PROBLEM_BUSY, "no memory for this page; ask again");
        return NULL;
    }
    while (str_next(&rest, ',', &id)) {
        struct published *published;

        if (view_find(view, id) < view->page.n)
            continue;
        published = board_get(call->api->board, id);
        if (!published)
            continue;
        if (view->page.n == PAGE_POLLS_MAX) {
            published_free(published);
            refuse(reterr, PROBLEM_INVALID, "at most %d polls on a page", PAGE_POLLS_MAX);
            return NULL;
        }
        buf_text(&shown, view->page.n > 0 ? "," : "");
        buf_text(&shown, published->poll->id);
        add(call, view, published);
    }
    if (view->page.n == 0) {
        refuse(reterr, PROBLEM_NO_SUCH_POLL, "there is no poll of this id");
        return NULL;
    }
    if (!buf_ok(&shown) || !(view->ids = str_copy(buf_str(&shown)))) {
        refuse(reterr, PROBLEM_BUSY, "no memory for this page; ask again");
        return NULL;
    }
    view->page.ids = view->ids;
    view->page.look = page_look_of(call, frame, str_of(view->languages[0]));
    return TAKE(view);
}

/* Of the bytes themselves: whatever changes them changes it. */
static void etag_write(struct str body, char ret_etag[24])
{
    static const unsigned char no_key[SIPHASH_KEY_BYTES];

    (void)snprintf(ret_etag, 24, "\"p%016" PRIx64 "\"", siphash(no_key, body.at, body.len));
}

void page_answer(struct exchange *exchange, struct api_loop *loop, enum page_frame frame,
                 const char *language, const struct view_answer *how)
{
    AUTO_BUF fields = { 0 };
    char etag[24];
    struct answer reply = { .status = how->status,
                            .content_type = "text/html; charset=utf-8",
                            .caching = how->caching,
                            .language = language,
                            .varies = true };

    buf_text(&fields, POLICY);
    buf_text(&fields, frame == PAGE_EMBEDDED ? loop->rules->frame_ancestors : "'none'");
    buf_text(&fields, "\r\n");
    if (how->retry_s > 0)
        buf_format(&fields, "Retry-After: %" PRIu64 "\r\n", how->retry_s);
    buf_heed(&loop->out, &fields);
    reply.more = buf_str(&fields);
    if (how->caching == CACHE_TALLY && buf_ok(&loop->out)) {
        etag_write(buf_str(&loop->out), etag);
        reply.etag = etag;
        if (etag_matches(how->request, str_of(etag))) {
            reply.status = 304;
            buf_clear(&loop->out);
        }
    }
    answer_out(exchange, loop, &reply);
}

void view_answer(struct exchange *exchange, struct api_loop *loop, struct view *view,
                 const struct view_answer *how)
{
    view->page.look.base = loop->rules->base;
    buf_clear(&loop->out);
    page_write(&view->page, &loop->out);
    page_answer(exchange, loop, view->page.look.frame, view->page.look.words->tag, how);
}

bool page_is_asked(const struct http1_request *request)
{
    return str_starts(request->path, STR("/p/")) || str_starts(request->path, STR("/embed/"));
}

static enum word sentence_of(enum problem problem)
{
    switch (problem_status(problem)) {
    case 404:
        return WORD_NO_SUCH_POLL_MORE;
    case 429:
        return WORD_REFUSED_OFTEN;
    case 503:
        return WORD_REFUSED_BUSY;
    default:
        return problem == PROBLEM_FORBIDDEN ? WORD_REFUSED_ORIGIN : WORD_REFUSED;
    }
}

void page_refuse(const struct call *call, const struct refusal *refusal, uint64_t retry_s)
{
    unsigned status = problem_status(refusal->problem);
    struct page_look look = {
        .words = words_choose((struct str){ NULL, 0 },
                              http1_field(call->request, STR("Accept-Language")),
                              (struct str){ NULL, 0 }),
        .frame = str_starts(call->request->path, STR("/embed/")) ? PAGE_EMBEDDED : PAGE_ALONE
    };
    struct view_answer how = { .status = status, .caching = CACHE_NOT, .retry_s = retry_s };

    if (how.retry_s == 0 && (status == 503 || status == 429))
        how.retry_s = 1;
    tell_add(&call->loop->refused[refusal->problem], 1);
    buf_clear(&call->loop->out);
    page_message_write(&look, status == 404 ? WORD_NO_SUCH_POLL : WORD_WENT_WRONG,
                       sentence_of(refusal->problem), &call->loop->out);
    page_answer(call->exchange, call->loop, look.frame, look.words->tag, &how);
}

/* The sentence that a redirect behind a vote asks for. Who writes such an address by hand sees the
 * sentence, and nothing else changes. */
static void take_news(const struct call *call, struct view *view)
{
    struct str done = url_parameter(&call->loop->url, "done");
    struct str id = url_parameter(&call->loop->url, "poll");
    size_t i = id.at ? view_find(view, id) : 0;
    struct page_news news = { .there = true, .poll = i };

    if (str_eq(done, STR("counted")))
        news.word = WORD_COUNTED;
    else if (str_eq(done, STR("changed")))
        news.word = WORD_CHANGED;
    else if (str_eq(done, STR("already")))
        news.word = WORD_ALREADY;
    else
        return;
    if (i == view->page.n)
        return;
    view_voted(view, i);
    view_say(view, &news);
}

static void view_asked(struct pending *pending)
{
    struct view *view = pending->detail;

    for (size_t i = 0; i < view->page.n; i++) {
        struct job *job = view->jobs[i] > 0 ? &pending->jobs[view->jobs[i] - 1].job : NULL;

        if (!job || !viewing_allowed(job))
            continue;
        view_renew(view, i, job->published);
        view_show(view, i, true);
    }
    view_answer(pending->exchange, pending->loop, view,
                &(struct view_answer){ .status = 200, .caching = CACHE_PRIVATE });
}

/* Takes over the view where it returns true. */
static bool ask(const struct call *call, struct view *view, const struct ballot *ballots,
                size_t asks)
{
    struct pending *pending = pending_new(call, asks, view_asked);

    if (!pending)
        return false;
    for (size_t i = 0; i < asks; i++)
        viewing_ask(&pending->jobs[i].job, &ballots[i]);
    pending->detail = view;
    pending->drop = view_drop;
    pending_submit(pending);
    return true;
}

/* A site's own token names its reader; the cookie never does. */
static bool is_named(const struct call *call, const struct poll *poll)
{
    struct ballot ballot;

    return poll->voters == VOTERS_ACCOUNT && call->caller.bearer.at &&
           call_voter(call, NULL, poll, &ballot, NULL) && ballot_voter_ok(poll, ballot.kind, NULL);
}

/* Works out who sees what. Returns how many polls the writer has to be asked about. */
static size_t look_at(const struct call *call, struct view *view, struct ballot *ballots,
                      enum caching *ret_caching)
{
    size_t asks = 0;

    *ret_caching = CACHE_TALLY;
    for (size_t i = 0; i < view->page.n; i++) {
        if (is_named(call, view->held[i]->poll)) {
            view->page.polls[i].named = true;
            *ret_caching = CACHE_PRIVATE;
        }
        switch (viewing_of(call, view->held[i], &ballots[asks])) {
        case VIEW_PUBLIC:
        case VIEW_HIDDEN:
            break;
        case VIEW_PRIVATE:
            view_show(view, i, true);
            *ret_caching = CACHE_PRIVATE;
            break;
        case VIEW_ASK:
            view->jobs[i] = ++asks;
            break;
        }
    }
    return asks;
}

static bool show(struct call *call, enum page_frame frame, struct refusal *reterr)
{
    AUTO(view) view = view_new(call, call->id, frame, reterr);
    struct ballot ballots[PAGE_POLLS_MAX];
    enum caching caching;
    size_t asks;

    if (!view)
        return false;
    take_news(call, view);
    if (!call->caller.bearer.at && !call->caller.has_uid)
        call->caller.bearer = cookie_find(call->request, STR(COOKIE_VOTER));
    asks = look_at(call, view, ballots, &caching);
    if (asks > 0 && ask(call, view, ballots, asks)) {
        (void)TAKE(view);
        return true;
    }
    if (asks > 0)
        return refuse(reterr, PROBLEM_BUSY, "no memory for this page; ask again");
    view_answer(
        call->exchange, call->loop, view,
        &(struct view_answer){ .status = 200, .caching = caching, .request = call->request });
    return true;
}

void page_get(struct call *call)
{
    if (!show(call, PAGE_ALONE, &call->loop->refusal))
        page_refuse(call, &call->loop->refusal, 0);
}

void embed_get(struct call *call)
{
    if (!show(call, PAGE_EMBEDDED, &call->loop->refusal))
        page_refuse(call, &call->loop->refusal, 0);
}
