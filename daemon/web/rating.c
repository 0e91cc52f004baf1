/*
 * web/rating.c - a rating: its mean in stars, stars to choose from, who gave how many.
 *
 * Threads: any; nothing is shared.
 */
#include <stdio.h>

#include "web/parts.h"

static void mean_write(const struct poll_view *view, struct buf *out)
{
    AUTO_BUF votes = { 0 };
    AUTO_BUF mean = { 0 };
    struct word_value values[] = { { "votes", { NULL, 0 } }, { "rating", { NULL, 0 } } };

    buf_text(out, "<p class=\"mean\">");
    stars_write(view->tally.rated ? view->tally.rating_hundredths : 0, view->poll->n_options, out);
    buf_text(out, " <span class=\"figure\">");
    if (view->tally.rated) {
        words_number(view->words, view->tally.votes, &votes);
        words_hundredths(view->words, view->tally.rating_hundredths, &mean);
        buf_heed(out, &votes);
        buf_heed(out, &mean);
        values[0].text = buf_str(&votes);
        values[1].text = buf_str(&mean);
        html_fill(out, words_text(view->words, WORD_RATED), values, 2);
    } else {
        html_word(out, view->words, WORD_NO_VOTES);
    }
    buf_text(out, "</span></p>");
}

static void choose_write(const struct poll_view *view, struct buf *out)
{
    buf_text(out, "<div class=\"choose\">");
    for (size_t stars = 1; stars <= view->poll->n_options; stars++) {
        buf_format(out, "<label><input type=\"radio\" name=\"rating\" value=\"%zu\" required>",
                   stars);
        star_write(out);
        buf_format(out, "<span aria-hidden=\"true\">%zu</span><span class=\"unseen\">", stars);
        html_count(out, view->words, WORD_STARS, stars);
        buf_text(out, "</span></label>");
    }
    buf_text(out, "</div>");
}

static void row_write(const struct poll_view *view, size_t i, struct buf *out)
{
    char suffix[32];

    (void)snprintf(suffix, sizeof suffix, ":%zu", i + 1);
    buf_text(out, "<li><span class=\"name\" id=\"");
    buf_text(out, view->poll->id);
    buf_text(out, suffix);
    buf_text(out, "\">");
    html_count(out, view->words, WORD_STARS, i + 1);
    buf_text(out, "</span>");
    bar_write(view, i, suffix, out);
    buf_text(out, "</li>");
}

/* Of carried votes that came as a count and a sum nobody knows the stars. */
static bool stars_are_known(const struct tally *tally)
{
    for (size_t i = 0; i < tally->n_options; i++) {
        if (tally->options[i].votes > 0)
            return true;
    }
    return false;
}

void rating_write(const struct poll_view *view, struct buf *out)
{
    if (view->shown->visible)
        mean_write(view, out);
    if (view->takes_votes)
        choose_write(view, out);
}

void rating_rows_write(const struct poll_view *view, struct buf *out)
{
    if (!view->shown->visible || !stars_are_known(&view->tally))
        return;
    buf_text(out, "<ul class=\"rows few\">");
    for (size_t i = view->poll->n_options; i-- > 0;)
        row_write(view, i, out);
    buf_text(out, "</ul>");
}
