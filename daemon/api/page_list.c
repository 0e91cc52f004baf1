/*
 * api/page_list.c - GET /p/: the polls that are open, to come and closed.
 *
 * Threads: the loop of the call.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/pages.h"
#include "api/routes.h"
#include "core/tally.h"

#define SECTION_POLLS_MAX 100
#define LOOK_AT_ONCE 64    /* how many polls are looked at under one lock */
#define LOOK_AT_MOST 20000 /* polls of one request: what follows is behind `more` */
#define SECTIONS 3

struct section {
    size_t n;
    bool more;
    struct published *held[SECTION_POLLS_MAX];
    struct page_listed listed[SECTION_POLLS_MAX];
    char query[64 + 3 * POLL_ID_BYTES_MAX]; /* for `more` */
};

/* In the order of the page. */
static const struct {
    enum poll_phase phase;
    enum word title;
} kinds[SECTIONS] = { { PHASE_OPEN, WORD_POLLS_OPEN },
                      { PHASE_SCHEDULED, WORD_POLLS_SCHEDULED },
                      { PHASE_CLOSED, WORD_POLLS_CLOSED } };

struct overview {
    bool wanted[SECTIONS];
    struct section sections[SECTIONS];
};

static void overview_free(struct overview *overview)
{
    if (!overview)
        return;
    for (size_t k = 0; k < SECTIONS; k++) {
        for (size_t i = 0; i < overview->sections[k].n; i++)
            published_free(overview->sections[k].held[i]);
    }
    free(overview);
}
AUTO_FREE(overview);

void page_listed_fill(const struct call *call, const struct published *published,
                      struct page_listed *ret_listed)
{
    const struct poll *poll = published->poll;
    const char *language = published->languages[call_language(call, published)];
    struct tally tally;

    *ret_listed = (struct page_listed){ .id = poll->id,
                                        .title = text_value(&poll->title, language),
                                        .language = language,
                                        .phase = published->phase,
                                        .visible = !poll_hides_results(poll, published->phase,
                                                                       VIEWER_STRANGER),
                                        .scale = poll->n_options,
                                        .closes_at_ms = poll->closes_at_ms };
    if (!ret_listed->visible)
        return;
    tally_work_out(poll, &published->counts, &tally);
    ret_listed->several = poll->max_choices > 1;
    ret_listed->votes = ret_listed->several ? tally.voters : tally.votes;
    ret_listed->rated = poll->kind == POLL_RATING && tally.rated;
    ret_listed->rating_hundredths = tally.rating_hundredths;
}

/* Takes the reference. */
static void put(const struct call *call, struct overview *overview, struct published *published)
{
    for (size_t k = 0; k < SECTIONS; k++) {
        struct section *section = &overview->sections[k];

        if (kinds[k].phase != published->phase || !overview->wanted[k])
            continue;
        if (section->n == SECTION_POLLS_MAX) {
            section->more = true;
            break;
        }
        page_listed_fill(call, published, &section->listed[section->n]);
        section->held[section->n++] = published;
        return;
    }
    published_free(published);
}

/* Where a section that did not fit goes on. seen: the last poll that was looked at. */
static void note_more(struct overview *overview, const char *seen, bool all_seen)
{
    for (size_t k = 0; k < SECTIONS; k++) {
        struct section *section = &overview->sections[k];
        const char *last = section->more ? section->held[section->n - 1]->poll->id : seen;

        section->more = section->more || (overview->wanted[k] && !all_seen);
        (void)snprintf(section->query, sizeof section->query, "state=%s&after=%s",
                       poll_phase_word(kinds[k].phase), last);
    }
}

static void gather(const struct call *call, struct str after, struct overview *overview)
{
    char seen[POLL_ID_BYTES_MAX + 1] = "";
    size_t looked_at = 0;
    size_t n;

    do {
        struct published *page[LOOK_AT_ONCE];

        n = board_list(call->api->board, after, page, LOOK_AT_ONCE);
        looked_at += n;
        if (n > 0)
            memcpy(seen, page[n - 1]->poll->id, sizeof seen);
        for (size_t i = 0; i < n; i++)
            put(call, overview, page[i]);
        after = str_of(seen);
    } while (n == LOOK_AT_ONCE && looked_at < LOOK_AT_MOST);
    note_more(overview, seen, n < LOOK_AT_ONCE);
}

/* ?state= names one section, anything else all of them. */
static void read_state(struct str state, struct overview *overview)
{
    bool any = false;

    for (size_t k = 0; k < SECTIONS; k++) {
        overview->wanted[k] = str_eq(state, str_of(poll_phase_word(kinds[k].phase)));
        any = any || overview->wanted[k];
    }
    for (size_t k = 0; k < SECTIONS && !any; k++)
        overview->wanted[k] = true;
}

static void list_answer(const struct call *call, const struct overview *overview)
{
    struct page_section sections[SECTIONS];
    struct page_look look = page_look_of(call, PAGE_ALONE, (struct str){ NULL, 0 });

    for (size_t k = 0; k < SECTIONS; k++) {
        const struct section *section = &overview->sections[k];

        sections[k] = (struct page_section){ .title = kinds[k].title,
                                             .n = section->n,
                                             .listed = section->listed,
                                             .more = section->more ? section->query : NULL };
    }
    buf_clear(&call->loop->out);
    page_list_write(&look, PAGE_SORT_NAME, sections, SECTIONS, &call->loop->out);
    page_answer(
        call->exchange, call->loop, PAGE_ALONE, look.words->tag,
        &(struct view_answer){ .status = 200, .caching = CACHE_TALLY, .request = call->request });
}

void page_list(struct call *call)
{
    AUTO(overview) overview = NULL;

    if (str_eq(url_parameter(&call->loop->url, "sort"), STR("score"))) {
        page_best(call);
        return;
    }
    overview = calloc(1, sizeof *overview);
    if (!overview) {
        refuse(&call->loop->refusal, PROBLEM_BUSY, "no memory for this page; ask again");
        page_refuse(call, &call->loop->refusal, 0);
        return;
    }
    read_state(url_parameter(&call->loop->url, "state"), overview);
    gather(call, url_parameter(&call->loop->url, "after"), overview);
    list_answer(call, overview);
}
