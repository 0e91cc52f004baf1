/*
 * api/polls.c - GET /v1/polls and GET /v1/polls/{id}: lists and definitions.
 *
 * Threads: the loop of the call.
 */
#include <string.h>

#include "api/definitions.h"
#include "api/filter.h"
#include "api/pending.h"
#include "api/routes.h"
#include "api/viewing.h"

#define LIST_LIMIT_DEFAULT 100
#define LIST_LIMIT_MAX 1000
#define LIST_PAGE 64 /* how many polls are looked at under one lock */

static void answer_definition(struct call *call, struct published *published, bool visible,
                              enum caching caching)
{
    size_t language = call_language(call, published);
    char etag[DEFINITION_ETAG_BYTES_MAX];
    struct answer reply = { .status = 200,
                            .caching = caching,
                            .etag = etag,
                            .language = visible ? published->languages[language] : NULL,
                            .varies = true };

    buf_clear(&call->loop->out);
    if (!definition_etag(published, visible, language, etag)) {
        call->loop->out.failed = true;
    } else if (etag_matches(call->request, str_of(etag))) {
        reply.status = 304;
    } else {
        definition_answer(published, visible, language, &call->loop->out);
    }
    answer_out(call->exchange, call->loop, &reply);
}

static void definition_asked(struct pending *pending)
{
    const struct job *job = &pending->jobs[0].job;
    bool visible = viewing_allowed(job);
    size_t language;

    if (job->result == JOB_REFUSED || !job->published) {
        if (job->result != JOB_REFUSED)
            refuse(&pending->refusal, PROBLEM_NO_SUCH_POLL, "there is no poll of this id");
        answer_refusal(pending->exchange, pending->loop, &pending->refusal,
                       (struct str){ NULL, 0 });
        return;
    }
    language = pending_language(pending, job->published);
    buf_clear(&pending->loop->out);
    definition_answer(job->published, visible, language, &pending->loop->out);
    answer_out(pending->exchange, pending->loop,
               &(struct answer){ .status = 200,
                                 .caching = CACHE_PRIVATE,
                                 .language = visible ? job->published->languages[language] : NULL,
                                 .varies = true });
}

static bool ask_for_definition(const struct call *call, const struct published *published,
                               const struct ballot *ballot, struct refusal *reterr)
{
    struct pending *pending = viewing_pending(call, published, ballot, definition_asked, reterr);

    if (!pending)
        return false;
    pending_submit(pending);
    return true;
}

void poll_get(struct call *call)
{
    struct refusal *refusal = &call->loop->refusal;
    AUTO(published) published = call_poll(call, refusal);
    struct ballot ballot;

    if (!published) {
        answer_refusal(call->exchange, call->loop, refusal, (struct str){ NULL, 0 });
        return;
    }
    switch (viewing_of(call, published, &ballot)) {
    case VIEW_PUBLIC:
        answer_definition(call, published, true, CACHE_TALLY);
        return;
    case VIEW_PRIVATE:
        answer_definition(call, published, true, CACHE_PRIVATE);
        return;
    case VIEW_HIDDEN:
        answer_definition(call, published, false, CACHE_TALLY);
        return;
    case VIEW_ASK:
        if (!ask_for_definition(call, published, &ballot, refusal))
            answer_refusal(call->exchange, call->loop, refusal, (struct str){ NULL, 0 });
        return;
    }
}

struct page {
    size_t limit;
    struct filter filter;
    struct str after;
};

static bool page_read(const struct url *url, struct page *ret_page, struct refusal *reterr)
{
    uint64_t limit;

    if (!url_number(url, "limit", 1, LIST_LIMIT_MAX, LIST_LIMIT_DEFAULT, &limit, reterr) ||
        !filter_read(url, &ret_page->filter, reterr))
        return false;
    ret_page->limit = (size_t)limit;
    ret_page->after = url_parameter(url, "after");
    return true;
}

static void row_render(const struct call *call, const struct published *published,
                       struct languages *languages, struct buf *out)
{
    const char *language = published->languages[call_language(call, published)];
    enum viewer viewer = role_is_trusted(call->caller.role) ? VIEWER_TRUSTED : VIEWER_STRANGER;
    struct tally tally;

    languages_add(languages, language);
    buf_text(out, "{\"id\":\"");
    buf_text(out, published->poll->id);
    buf_text(out, "\",\"kind\":\"");
    buf_text(out, poll_kind_word(published->poll->kind));
    buf_text(out, "\",\"title\":");
    buf_json_string(out, str_of(text_value(&published->poll->title, language)));
    buf_text(out, ",\"state\":\"");
    buf_text(out, poll_phase_word(published->phase));
    buf_text(out, "\",\"votes\":");
    if (poll_hides_results(published->poll, published->phase, viewer)) {
        buf_text(out, "null}");
        return;
    }
    tally_work_out(published->poll, &published->counts, &tally);
    buf_uint(out, tally.votes);
    buf_char(out, '}');
}

/* Renders up to `limit` rows behind `after`.
 *   last     room for an id: of the last row that was rendered
 *   returns  whether there are more                                                         */
static bool rows_render(const struct call *call, const struct page *asked,
                        char last[POLL_ID_BYTES_MAX + 1], struct languages *languages,
                        struct buf *out)
{
    char seen[POLL_ID_BYTES_MAX + 1] = "";
    struct str after = asked->after;
    size_t rows = 0;

    for (;;) {
        struct published *page[LIST_PAGE];
        size_t n = board_list(call->api->board, after, page, LIST_PAGE);
        bool more = false;

        for (size_t i = 0; i < n; i++) {
            if (!more && filter_takes(&asked->filter, page[i])) {
                more = rows == asked->limit;
                if (!more) {
                    if (rows++ > 0)
                        buf_char(out, ',');
                    row_render(call, page[i], languages, out);
                    memcpy(last, page[i]->poll->id, sizeof page[i]->poll->id);
                }
            }
            memcpy(seen, page[i]->poll->id, sizeof seen);
            published_free(page[i]);
        }
        if (more || n < LIST_PAGE)
            return more;
        after = str_of(seen);
    }
}

void polls_list(struct call *call)
{
    struct refusal *refusal = &call->loop->refusal;
    struct buf *out = &call->loop->out;
    char last[POLL_ID_BYTES_MAX + 1] = "";
    struct page page = { 0 };
    struct languages languages = { .any = false };
    bool trusted = role_is_trusted(call->caller.role);

    if (!page_read(&call->loop->url, &page, refusal)) {
        answer_refusal(call->exchange, call->loop, refusal, (struct str){ NULL, 0 });
        return;
    }
    buf_clear(out);
    buf_text(out, "{\"polls\":[");
    if (rows_render(call, &page, last, &languages, out)) {
        buf_text(out, "],\"next\":");
        buf_json_string(out, str_of(last));
        buf_char(out, '}');
    } else {
        buf_text(out, "],\"next\":null}");
    }
    answer_out(call->exchange, call->loop,
               &(struct answer){ .status = 200,
                                 .caching = trusted ? CACHE_PRIVATE : CACHE_TALLY,
                                 .language = languages_one(&languages),
                                 .varies = true });
}
