/*
 * web/page.c - the page of one poll or several.
 *
 * Threads: any; nothing is shared.
 */
#include "web/page.h"

#include <inttypes.h>

#include "web/parts.h"

static void view_of(const struct page *page, size_t i, struct poll_view *ret_view)
{
    const struct page_poll *shown = &page->polls[i];
    const struct published *published = shown->published;
    const struct poll *poll = published->poll;

    *ret_view = (struct poll_view){ .page = page,
                                    .shown = shown,
                                    .poll = poll,
                                    .words = page->look.words,
                                    .language = published->languages[shown->language] };
    ret_view->takes_votes = published->phase == PHASE_OPEN && !poll->forgotten &&
                            (poll->voters != VOTERS_ACCOUNT || shown->named) &&
                            (!shown->voted || poll->revote);
    if (shown->visible)
        tally_work_out(poll, &published->counts, &ret_view->tally);
}

/* The language of a title is that of its text, which may lack the page's. */
static void title_write(const struct poll_view *view, struct buf *out)
{
    const char *element = view->page->n > 1 ? "h2" : "h1";

    buf_format(out, "<%s>", element);
    html_foreign(out, view->poll->id, ":title", view->language,
                 text_value(&view->poll->title, view->language));
    buf_format(out, "</%s>", element);
}

static void standing_write(const struct poll_view *view, uint64_t marks, struct buf *out)
{
    AUTO_BUF names = { 0 };
    struct word_value value = { .name = "options" };

    for (size_t i = 0; i < view->poll->n_options; i++) {
        if (!(marks >> i & 1))
            continue;
        if (names.len > 0)
            buf_text(&names, "; ");
        if (view->poll->kind == POLL_RATING)
            html_count(&names, view->words, WORD_STARS, i + 1);
        else
            html_foreign(&names, NULL, NULL, view->language,
                         text_value(&view->poll->labels[i], view->language));
    }
    buf_heed(out, &names);
    value.text = buf_str(&names);
    buf_char(out, ' ');
    html_fill(out, words_text(view->words, WORD_STANDING), &value, 1);
}

static void choose_write(const struct poll_view *view, struct buf *out);

/* The sentence about the reader's vote. A screen reader says it; the focus goes there, since the
 * page is a new one where no script runs. */
static void news_write(const struct poll_view *view, struct buf *out)
{
    const struct page_news *news = &view->page->news;
    struct word_value hint = { .name = "hint" };
    AUTO_BUF text = { 0 };

    if (!news->there || &view->page->polls[news->poll] != view->shown)
        return;
    buf_format(out, "<p class=\"news%s\" role=\"%s\" tabindex=\"-1\" autofocus>",
               news->alert ? " alert" : "", news->alert ? "alert" : "status");
    choose_write(view, &text);
    buf_heed(out, &text);
    hint.text = buf_str(&text);
    html_fill(out, words_text(view->words, news->word), &hint, 1);
    if (news->standing != 0)
        standing_write(view, news->standing, out);
    buf_text(out, "</p>");
}

static void choose_range(const struct poll_view *view, struct buf *out)
{
    AUTO_BUF least = { 0 };
    AUTO_BUF most = { 0 };
    struct word_value values[] = { { "least", { NULL, 0 } }, { "most", { NULL, 0 } } };

    words_number(view->words, view->poll->min_choices, &least);
    words_number(view->words, view->poll->max_choices, &most);
    buf_heed(out, &least);
    buf_heed(out, &most);
    values[0].text = buf_str(&least);
    values[1].text = buf_str(&most);
    html_fill(out, words_text(view->words, WORD_CHOOSE_RANGE), values, 2);
}

/* How many answers a vote has, in words. */
static void choose_write(const struct poll_view *view, struct buf *out)
{
    const struct poll *poll = view->poll;

    if (poll->min_choices == poll->max_choices)
        html_count(out, view->words, WORD_CHOOSE_EXACTLY, poll->max_choices);
    else if (poll->min_choices == 1)
        html_count(out, view->words, WORD_CHOOSE_MOST, poll->max_choices);
    else
        choose_range(view, out);
}

static void total_write(const struct poll_view *view, struct buf *out)
{
    if (!view->shown->visible)
        html_word(out, view->words,
                  view->poll->results == RESULTS_AFTER_VOTE ? WORD_HIDDEN_AFTER_VOTE
                                                            : WORD_HIDDEN_AFTER_CLOSE);
    else if (view->tally.votes == 0)
        html_word(out, view->words, WORD_NO_VOTES);
    else if (view->poll->max_choices > 1)
        html_count(out, view->words, WORD_SEVERAL, view->tally.voters);
    else
        html_count(out, view->words, WORD_VOTES, view->tally.votes);
}

static void phase_write(const struct poll_view *view, struct buf *out)
{
    const struct poll *poll = view->poll;

    switch (view->shown->published->phase) {
    case PHASE_SCHEDULED:
        if (poll->opens_at_ms != WHEN_NEVER)
            html_moment(out, view->words, WORD_OPENS, poll->opens_at_ms);
        else
            html_word(out, view->words, WORD_SCHEDULED);
        break;
    case PHASE_OPEN:
        html_moment(out, view->words, WORD_CLOSES, poll->closes_at_ms);
        break;
    case PHASE_CLOSED:
        if (poll_closed_since_ms(poll, WHEN_NEVER - 1) != WHEN_NEVER)
            html_moment(out, view->words, WORD_CLOSED_ON,
                        poll_closed_since_ms(poll, WHEN_NEVER - 1));
        else
            html_word(out, view->words, WORD_CLOSED);
        break;
    }
}

/* How many have voted, until when: one line below the figures. A rating says its count beside its
 * stars. */
static void notes_write(const struct poll_view *view, struct buf *out)
{
    bool total = view->poll->kind == POLL_CHOICE || !view->shown->visible;
    bool phase =
        view->shown->published->phase != PHASE_OPEN || view->poll->closes_at_ms != WHEN_NEVER;

    if (!total && !phase)
        return;
    buf_text(out, "<ul class=\"line notes\">");
    if (total) {
        buf_format(out, "<li class=\"total\" data-word=\"%s\">",
                   word_keys[view->poll->max_choices > 1 ? WORD_SEVERAL : WORD_VOTES]);
        total_write(view, out);
        buf_text(out, "</li>");
    }
    if (phase) {
        buf_text(out, "<li>");
        phase_write(view, out);
        buf_text(out, "</li>");
    }
    buf_text(out, "</ul>");
}

static void about_write(const struct poll_view *view, struct buf *out)
{
    const struct about *about = &view->poll->about;
    const char *name = about->name ? about->name : about->url;

    if (!about->url) /* http or https: the definition was checked */
        return;
    buf_text(out, "<p class=\"about\"><a rel=\"nofollow\"");
    if (view->page->look.frame == PAGE_EMBEDDED)
        buf_text(out, " target=\"_top\"");
    html_attribute(out, "href", about->url);
    buf_char(out, '>');
    html_foreign(out, NULL, NULL, NULL, name);
    buf_text(out, "</a></p>");
}

static void body_write(const struct poll_view *view, struct buf *out)
{
    if (view->poll->kind == POLL_RATING)
        rating_write(view, out);
    else
        choice_write(view, out);
}

/* In a site's page a vote goes to a window of its own: a browser sends no cookie of ours, or none
 * at all, from inside somebody else's page. */
static void form_open(const struct poll_view *view, struct buf *out)
{
    const struct page *page = view->page;

    buf_text(out, "<form method=\"post\" action=\"");
    if (page->look.frame == PAGE_EMBEDDED)
        buf_text(out, "../p/");
    buf_text(out, view->poll->id);
    frame_lang(&page->look, '?', out);
    buf_text(out, page->look.frame == PAGE_EMBEDDED ? "\" target=\"_blank\">" : "\">");
    if (page->n > 1) {
        buf_text(out, "<input type=\"hidden\" name=\"page\"");
        html_attribute(out, "value", page->ids);
        buf_char(out, '>');
    }
}

static void button_write(const struct poll_view *view, struct buf *out)
{
    enum word word = view->shown->voted                ? WORD_CHANGE
                     : view->poll->kind == POLL_RATING ? WORD_RATE
                                                       : WORD_VOTE;

    buf_text(out, "<p class=\"send\"><button>");
    html_word(out, view->words, word);
    buf_text(out, "</button>");
    if (view->poll->revote) {
        buf_text(out, " <small>");
        html_word(out, view->words, WORD_MAY_CHANGE);
        buf_text(out, "</small>");
    }
    buf_text(out, "</p>");
}

static void form_write(const struct poll_view *view, struct buf *out)
{
    bool hint = view->poll->max_choices > 1;

    form_open(view, out);
    buf_text(out, "<fieldset");
    if (hint)
        buf_format(out, " aria-describedby=\"%s:hint\"", view->poll->id);
    buf_text(out, "><legend>");
    title_write(view, out);
    buf_text(out, "</legend>");
    about_write(view, out);
    news_write(view, out);
    if (hint) {
        buf_format(out, "<p class=\"hint\" id=\"%s:hint\">", view->poll->id);
        choose_write(view, out);
        buf_text(out, "</p>");
    }
    body_write(view, out);
    button_write(view, out);
    buf_text(out, "</fieldset></form>");
}

/* With what the script has to know; a version tells of votes, so it is hidden with them. */
static void article_open(const struct poll_view *view, struct buf *out)
{
    const struct published *published = view->shown->published;

    buf_format(out, "<article id=\"%s\" aria-labelledby=\"%s:title\" data-state=\"%s\"",
               view->poll->id, view->poll->id, poll_phase_word(published->phase));
    if (view->shown->visible)
        buf_format(out, " data-version=\"%" PRIu64 "\"", published->counts.version);
    if (view->poll->voters == VOTERS_ADDRESS)
        buf_text(out, " data-voters=\"address\"");
    if (view->poll->results == RESULTS_AFTER_VOTE && published->phase != PHASE_CLOSED)
        buf_text(out, " data-results=\"after_vote\"");
    buf_text(out, ">\n");
}

static void poll_write(const struct poll_view *view, struct buf *out)
{
    article_open(view, out);
    if (view->takes_votes) {
        form_write(view, out);
    } else {
        title_write(view, out);
        about_write(view, out);
        news_write(view, out);
        body_write(view, out);
    }
    if (view->poll->kind == POLL_RATING)
        rating_rows_write(view, out);
    if (view->poll->voters == VOTERS_ACCOUNT && !view->shown->named &&
        view->shown->published->phase == PHASE_OPEN) {
        buf_text(out, "<p class=\"hint\">");
        html_word(out, view->words, WORD_NEEDS_ACCOUNT);
        buf_text(out, "</p>");
    }
    notes_write(view, out);
    buf_text(out, "\n</article>\n");
}

void page_write(const struct page *page, struct buf *out)
{
    struct poll_view view;
    struct page_head head;
    AUTO_BUF path = { 0 };

    view_of(page, 0, &view);
    buf_text(&path, "p/");
    buf_text(&path, page->ids);
    buf_char(&path, '\0');
    if (!buf_ok(&path)) {
        out->failed = true;
        return;
    }
    head = (struct page_head){ .title = text_value(&view.poll->title, view.language),
                               .title_language = view.language,
                               .social = &view,
                               .path = path.bytes };
    if (page->n > 1)
        head.title = words_text(page->look.words, WORD_POLLS);
    frame_open(&page->look, &head, out);
    if (page->n > 1) {
        buf_text(out, "<h1 class=\"unseen\">");
        html_word(out, page->look.words, WORD_POLLS);
        buf_text(out, "</h1>");
    }
    for (size_t i = 0; i < page->n; i++) {
        struct poll_view each;

        view_of(page, i, &each);
        poll_write(&each, out);
    }
    frame_close(&page->look, &head, out);
}

void page_message_write(const struct page_look *look, enum word title, enum word more,
                        struct buf *out)
{
    struct page_head head = { .title = words_text(look->words, title), .path = "p/" };

    frame_open(look, &head, out);
    buf_text(out, "<article><h1>");
    html_word(out, look->words, title);
    buf_text(out, "</h1><p>");
    html_word(out, look->words, more);
    buf_text(out, "</p></article>\n");
    frame_close(look, &head, out);
}
