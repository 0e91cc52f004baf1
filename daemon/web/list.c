/*
 * web/list.c - the list of polls: open ones, the archive, the best rated.
 *
 * Threads: any; nothing is shared.
 */
#include "web/parts.h"

static void rated_write(const struct page_look *look, const struct page_listed *listed,
                        struct buf *out)
{
    AUTO_BUF votes = { 0 };
    AUTO_BUF mean = { 0 };
    struct word_value values[] = { { "votes", { NULL, 0 } }, { "rating", { NULL, 0 } } };

    words_number(look->words, listed->votes, &votes);
    words_hundredths(look->words, listed->rating_hundredths, &mean);
    buf_heed(out, &votes);
    buf_heed(out, &mean);
    values[0].text = buf_str(&votes);
    values[1].text = buf_str(&mean);
    stars_write(listed->rating_hundredths, listed->scale, out);
    buf_text(out, " ");
    html_fill(out, words_text(look->words, WORD_RATED), values, 2);
}

static void figures_write(const struct page_look *look, const struct page_listed *listed,
                          struct buf *out)
{
    if (!listed->visible)
        html_word(out, look->words, WORD_RESULTS_HIDDEN);
    else if (listed->votes == 0)
        html_word(out, look->words, WORD_NO_VOTES);
    else if (listed->rated)
        rated_write(look, listed, out);
    else
        html_count(out, look->words, listed->several ? WORD_VOTERS : WORD_VOTES, listed->votes);
}

static void listed_write(const struct page_look *look, const struct page_listed *listed,
                         struct buf *out)
{
    buf_text(out, "<li><a href=\"");
    buf_text(out, listed->id);
    frame_lang(look, '?', out);
    buf_text(out, "\">");
    html_foreign(out, NULL, NULL, listed->language, listed->title);
    buf_text(out, "</a><ul class=\"line notes\"><li>");
    figures_write(look, listed, out);
    buf_text(out, "</li>");
    if (listed->phase == PHASE_OPEN && listed->closes_at_ms != WHEN_NEVER) {
        buf_text(out, "<li>");
        html_moment(out, look->words, WORD_CLOSES, listed->closes_at_ms);
        buf_text(out, "</li>");
    }
    buf_text(out, "</ul></li>\n");
}

static void section_write(const struct page_look *look, const struct page_section *section,
                          struct buf *out)
{
    buf_text(out, "<section>");
    if (section->title != WORDS_COUNT) {
        buf_text(out, "<h2>");
        html_word(out, look->words, section->title);
        buf_text(out, "</h2>");
    }
    buf_text(out, "<ul class=\"list\">\n");
    for (size_t i = 0; i < section->n; i++)
        listed_write(look, &section->listed[i], out);
    buf_text(out, "</ul>");
    if (section->more) {
        buf_text(out, "<p><a href=\"./?");
        html_text(out, str_of(section->more));
        frame_lang(look, '&', out);
        buf_text(out, "\">");
        html_word(out, look->words, WORD_POLLS_MORE);
        buf_text(out, "</a></p>");
    }
    buf_text(out, "</section>\n");
}

static void sort_write(const struct page_look *look, enum page_sort sort, struct buf *out)
{
    bool by_score = sort == PAGE_SORT_SCORE;

    buf_text(out, by_score ? "<p><a href=\"./" : "<p><a href=\"./?sort=score");
    frame_lang(look, by_score ? '?' : '&', out);
    buf_text(out, "\">");
    html_word(out, look->words, by_score ? WORD_BY_NAME : WORD_BEST_RATED);
    buf_text(out, "</a></p>\n");
}

void page_list_write(const struct page_look *look, enum page_sort sort,
                     const struct page_section *sections, size_t n, struct buf *out)
{
    enum word title = sort == PAGE_SORT_SCORE ? WORD_BEST_RATED : WORD_POLLS;
    struct page_head head = { .title = words_text(look->words, title), .path = "p/" };
    bool empty = true;

    frame_open(look, &head, out);
    buf_text(out, "<article><h1>");
    html_word(out, look->words, title);
    buf_text(out, "</h1>\n");
    sort_write(look, sort, out);
    for (size_t i = 0; i < n; i++) {
        if (sections[i].n == 0 && !sections[i].more)
            continue;
        section_write(look, &sections[i], out);
        empty = false;
    }
    if (empty) {
        buf_text(out, "<p>");
        html_word(out, look->words, WORD_POLLS_NONE);
        buf_text(out, "</p>");
    }
    buf_text(out, "</article>\n");
    frame_close(look, &head, out);
}
