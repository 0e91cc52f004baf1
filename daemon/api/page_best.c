/*
 * api/page_best.c - GET /p/?sort=score: the best rated polls, as GET /v1/top has them.
 *
 * Threads: the loop of the call.
 */
#include <string.h>

#include "api/pages.h"
#include "api/routes.h"
#include "core/top.h"

#define LOOK_AT_ONCE 64 /* how many polls are looked at under one lock */

enum pass { PASS_WEIGH, PASS_OFFER };

/* What is hidden shows in no mean either. */
static void walk(const struct call *call, enum pass pass, struct top *top)
{
    char last[POLL_ID_BYTES_MAX + 1] = "";
    struct published *page[LOOK_AT_ONCE];
    size_t n;

    do {
        n = board_list(call->api->board, str_of(last), page, LOOK_AT_ONCE);
        for (size_t i = 0; i < n; i++) {
            bool rates = page[i]->poll->kind == POLL_RATING &&
                         !poll_hides_results(page[i]->poll, page[i]->phase, VIEWER_STRANGER);

            if (rates && pass == PASS_WEIGH)
                top_weigh(top, page[i]);
            if (rates && pass == PASS_OFFER)
                top_offer(top, page[i], 1);
            if (i + 1 == n)
                memcpy(last, page[i]->poll->id, sizeof last);
            published_free(page[i]);
        }
    } while (n == LOOK_AT_ONCE);
}

void page_best(struct call *call)
{
    AUTO(top) top = top_new(TOP_SCORE, TOP_LIMIT_MAX);
    struct page_look look = page_look_of(call, PAGE_ALONE, (struct str){ NULL, 0 });
    struct page_listed listed[TOP_LIMIT_MAX];
    struct page_section section = { .title = WORDS_COUNT, .listed = listed };

    if (!top) {
        refuse(&call->loop->refusal, PROBLEM_BUSY, "no memory for this page; ask again");
        page_refuse(call, &call->loop->refusal, 0);
        return;
    }
    walk(call, PASS_WEIGH, top);
    walk(call, PASS_OFFER, top);
    section.n = top_count(top);
    for (size_t i = 0; i < section.n; i++)
        page_listed_fill(call, top_row(top, i)->published, &listed[i]);
    buf_clear(&call->loop->out);
    page_list_write(&look, PAGE_SORT_SCORE, &section, 1, &call->loop->out);
    page_answer(
        call->exchange, call->loop, PAGE_ALONE, look.words->tag,
        &(struct view_answer){ .status = 200, .caching = CACHE_TALLY, .request = call->request });
}
