/*
 * The page of a poll: what stands in it for each kind, and what never does.
 */
#include "web/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct text text_of(const char *value)
{
    struct text text = { 1, calloc(1, sizeof *text.in) };

    assert_non_null(text.in);
    text.in[0].value = strdup(value);
    return text;
}

static struct published *choice(const char *title, const uint64_t votes[3])
{
    static const char *const labels[] = { "A&B", "C", "D" };
    struct counts counts = { .version = 7 };
    AUTO(poll) poll = poll_new();
    struct published *published;

    assert_non_null(poll);
    (void)snprintf(poll->id, sizeof poll->id, "p");
    poll->title = text_of(title);
    poll->n_options = 3;
    for (size_t i = 0; i < 3; i++) {
        poll->labels[i] = text_of(labels[i]);
        counts.marks[i] = votes[i];
        counts.voters += votes[i];
    }
    published = published_new(poll, &counts, PHASE_OPEN, 1);
    assert_non_null(published);
    return published;
}

/* votes  for 1 star, for 2, … */
static struct published *rating(const uint64_t votes[5])
{
    struct counts counts = { .version = 7 };
    AUTO(poll) poll = poll_new();
    struct published *published;

    assert_non_null(poll);
    (void)snprintf(poll->id, sizeof poll->id, "r");
    poll->title = text_of("Rate");
    poll->kind = POLL_RATING;
    poll->n_options = 5;
    for (size_t i = 0; i < 5; i++) {
        counts.marks[i] = votes[i];
        counts.voters += votes[i];
    }
    published = published_new(poll, &counts, PHASE_OPEN, 1);
    assert_non_null(published);
    return published;
}

/* Takes the publication. Returns the document, NUL-terminated. */
static const char *document(struct published *published, struct page *page, struct buf *out)
{
    page->look.words = page->look.words ? page->look.words : words_find(STR("en"));
    page->ids = published->poll->id;
    page->n = 1;
    page->polls[0].published = published;
    page_write(page, out);
    buf_char(out, '\0');
    assert_true(buf_ok(out));
    published_free(published);
    return out->bytes;
}

static void has(const char *html, const char *piece)
{
    if (!strstr(html, piece))
        fail_msg("%s is not in %s", piece, html);
}

static void lacks(const char *html, const char *piece)
{
    if (strstr(html, piece))
        fail_msg("%s is in %s", piece, html);
}

static const uint64_t some[3] = { 3, 3, 0 };

static void a_row_has_button_label_figure_and_meter(void **state)
{
    struct page page = { .polls = { { .visible = true } } };
    AUTO_BUF out = { 0 };
    const char *html = document(choice("T", some), &page, &out);

    (void)state;
    has(html, "<input type=\"radio\" name=\"option\" value=\"1\" required>");
    has(html, "<bdi id=\"p:1\">A&amp;B</bdi> <small class=\"tie\">tied for first place</small>");
    has(html, "<span class=\"figure\">3 (50%)</span>");
    has(html, "aria-valuenow=\"0.5\" aria-valuetext=\"3 (50%)\">");
    has(html, "<rect width=\"50%\" height=\"100%\"/>");
    has(html, "6 votes");
}

static void hidden_figures_leave_no_trace(void **state)
{
    struct page page = { .look.base = "https://x.example", .polls = { { .visible = false } } };
    AUTO_BUF out = { 0 };
    const char *html = document(choice("T", some), &page, &out);

    (void)state;
    lacks(html, "meter");
    lacks(html, "class=\"tie\"");
    lacks(html, "chart.png");
    lacks(html, "6 votes");
    lacks(html, "data-version");
}

static void who_has_voted_sees_no_form_unless_votes_may_change(void **state)
{
    struct page page = { .polls = { { .visible = true, .voted = true } },
                         .news = { .there = true, .word = WORD_COUNTED } };
    AUTO_BUF out = { 0 };
    const char *html = document(choice("T", some), &page, &out);

    (void)state;
    lacks(html, "<form");
    has(html, "<p class=\"news\" role=\"status\" tabindex=\"-1\" autofocus>");
}

static void a_base_makes_addresses_whole_and_is_escaped(void **state)
{
    struct page page = { .look.base = "https://x.example/a&b", .polls = { { .visible = true } } };
    AUTO_BUF out = { 0 };
    const char *html = document(choice("</title>", some), &page, &out);

    (void)state;
    has(html, "<title>&lt;/title&gt;</title>");
    has(html, "<link rel=\"canonical\" href=\"https://x.example/a&amp;b/p/p\">");
    has(html, "content=\"https://x.example/a&amp;b/v1/polls/p/chart.png?");
}

/* Five stars of 24 units each; a star's own ink is from 2.1 to 21.9. */
static void stars_are_filled_to_the_hundredth_of_a_star(void **state)
{
    static const struct {
        uint64_t votes[5];
        const char *width;
    } rows[] = {
        { { 0, 0, 0, 0, 2 }, "<svg class=\"on\" width=\"120\"" },
        { { 0, 0, 2, 0, 0 }, "<svg class=\"on\" width=\"72\"" },
        { { 0, 0, 0, 1, 1 }, "<svg class=\"on\" width=\"108\"" },   /* 4.5: 96 + 2.1 + 9.9 */
        { { 0, 0, 1, 2, 0 }, "<svg class=\"on\" width=\"87.36\"" }, /* 3.67: 72 + 2.1 + 13.26 */
        { { 0, 0, 0, 0, 0 }, "<svg class=\"on\" width=\"0\"" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct page page = { .polls = { { .visible = true } } };
        AUTO_BUF out = { 0 };

        has(document(rating(rows[i].votes), &page, &out), rows[i].width);
    }
}

static const uint64_t fives[5] = { [4] = 2 };

static void a_rating_says_count_and_mean_in_the_language(void **state)
{
    struct page page = { .look.words = words_find(STR("ru")), .polls = { { .visible = true } } };
    AUTO_BUF out = { 0 };
    const char *html = document(rating(fives), &page, &out);

    (void)state;
    has(html, "<html lang=\"ru\" dir=\"ltr\">");
    has(html, "(голосов: 2, рейтинг: 5)");
    has(html, "<input type=\"radio\" name=\"rating\" value=\"5\" required>");
    has(html, "5 звёзд");
}

static void a_message_is_a_whole_page(void **state)
{
    struct page_look look = { .words = words_find(STR("en")) };
    AUTO_BUF out = { 0 };

    (void)state;
    page_message_write(&look, WORD_NO_SUCH_POLL, WORD_NO_SUCH_POLL_MORE, &out);
    buf_char(&out, '\0');
    has(out.bytes, "<h1>There is no such poll</h1>");
    has(out.bytes, "</html>\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_has_button_label_figure_and_meter),
        cmocka_unit_test(hidden_figures_leave_no_trace),
        cmocka_unit_test(who_has_voted_sees_no_form_unless_votes_may_change),
        cmocka_unit_test(a_base_makes_addresses_whole_and_is_escaped),
        cmocka_unit_test(stars_are_filled_to_the_hundredth_of_a_star),
        cmocka_unit_test(a_rating_says_count_and_mean_in_the_language),
        cmocka_unit_test(a_message_is_a_whole_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
