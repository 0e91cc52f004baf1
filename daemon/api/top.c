/*
 * api/top.c - GET /v1/top: the best polls, from the board alone.
 *
 * Threads: the loop of the call.
 */
#include "core/top.h"

#include <string.h>

#include "api/filter.h"
#include "api/routes.h"

#define TOP_LIMIT_DEFAULT 10
#define TOP_PAGE 64 /* how many polls are looked at under one lock */

struct query {
    enum top_sort sort;
    uint64_t limit;
    uint64_t votes_min;
    struct filter filter;
    struct str prefix;
};

/* A choice has no stars: of choices alone, the one with the most votes is the best. */
static bool sort_read(struct str word, struct query *query, struct refusal *reterr)
{
    static const char *const words[] = { "score", "rating", "votes" };

    query->sort =
        query->filter.has_kind && query->filter.kind == POLL_CHOICE ? TOP_VOTES : TOP_SCORE;
    for (enum top_sort sort = TOP_SCORE; word.at && sort <= TOP_VOTES; sort++) {
        query->sort = sort;
        if (str_eq(word, str_of(words[sort])))
            return true;
    }
    return !word.at || refuse_parameter(reterr, "sort", "must be score, rating or votes");
}

static bool query_read(const struct url *url, struct query *ret_query, struct refusal *reterr)
{
    if (!filter_read(url, &ret_query->filter, reterr) ||
        !sort_read(url_parameter(url, "sort"), ret_query, reterr) ||
        !url_number(url, "limit", 1, TOP_LIMIT_MAX, TOP_LIMIT_DEFAULT, &ret_query->limit, reterr) ||
        !url_number(url, "min_votes", 0, INT64_MAX, 1, &ret_query->votes_min, reterr))
        return false;
    ret_query->prefix = url_parameter(url, "prefix");
    if (ret_query->sort != TOP_VOTES && !ret_query->filter.has_kind) {
        ret_query->filter.has_kind = true;
        ret_query->filter.kind = POLL_RATING;
    }
    return true;
}

/* Who might see a poll after voting is not asked for here: that would be one question to the writer
 * for each poll there is. */
static bool is_visible(const struct call *call, const struct published *published)
{
    enum viewer viewer = role_is_trusted(call->caller.role) ? VIEWER_TRUSTED : VIEWER_STRANGER;

    return !poll_hides_results(published->poll, published->phase, viewer);
}

enum pass { PASS_WEIGH, PASS_OFFER };

static void look(const struct query *query, struct published *published, enum pass pass,
                 struct top *top)
{
    switch (pass) {
    case PASS_WEIGH:
        top_weigh(top, published);
        return;
    case PASS_OFFER:
        if (filter_takes(&query->filter, published) &&
            str_starts(str_of(published->poll->id), query->prefix))
            top_offer(top, published, query->votes_min);
        return;
    }
}

/* Looks at all polls that this caller may see: what is hidden shows in no mean either. */
static void walk(const struct call *call, const struct query *query, enum pass pass,
                 struct top *top)
{
    char last[POLL_ID_BYTES_MAX + 1] = "";
    struct published *page[TOP_PAGE];
    size_t n;

    do {
        n = board_list(call->api->board, str_of(last), page, TOP_PAGE);
        for (size_t i = 0; i < n; i++) {
            if (is_visible(call, page[i]))
                look(query, page[i], pass, top);
            if (i + 1 == n)
                memcpy(last, page[i]->poll->id, sizeof last);
            published_free(page[i]);
        }
    } while (n == TOP_PAGE);
}

/* The tally as it is rendered for all readers, with one more member at its end. */
static void row_render(const struct call *call, const struct top_row *row,
                       struct languages *languages, struct buf *out)
{
    struct published *published = row->published;
    const struct rendered *tally = published_json(published, call_language(call, published));
    char score[24] = "null";

    if (!tally) {
        out->failed = true;
        return;
    }
    languages_add(languages, tally->language);
    if (row->scored)
        tally_decimal(row->score_hundredths, 2, score);
    buf_add(out, tally->json, tally->len - strlen("}"));
    buf_text(out, ",\"score\":");
    buf_text(out, score);
    buf_char(out, '}');
}

void top_get(struct call *call)
{
    struct refusal *refusal = &call->loop->refusal;
    struct buf *out = &call->loop->out;
    struct query query = { 0 };
    struct languages languages = { .any = false };
    AUTO(top) top = NULL;

    if (query_read(&call->loop->url, &query, refusal)) {
        top = top_new(query.sort, (size_t)query.limit);
        if (!top)
            refuse(refusal, PROBLEM_BUSY, "no memory for this request; send it again");
    }
    if (!top) {
        answer_refusal(call->exchange, call->loop, refusal, (struct str){ NULL, 0 });
        return;
    }
    walk(call, &query, PASS_WEIGH, top);
    walk(call, &query, PASS_OFFER, top);
    buf_clear(out);
    buf_text(out, "{\"top\":[");
    for (size_t i = 0; i < top_count(top); i++) {
        if (i > 0)
            buf_char(out, ',');
        row_render(call, top_row(top, i), &languages, out);
    }
    buf_text(out, "]}");
    answer_out(call->exchange, call->loop,
               &(struct answer){ .status = 200,
                                 .caching = role_is_trusted(call->caller.role) ? CACHE_PRIVATE
                                                                               : CACHE_TALLY,
                                 .language = languages_one(&languages),
                                 .varies = true });
}
