/*
 * web/choice.c - the options of a choice poll: buttons, figures and bars in one list.
 *
 * Threads: any; nothing is shared.
 */
#include <stdio.h>

#include "web/parts.h"

enum tie { TIE_NONE, TIE_FIRST, TIE_LATER };

/* Percents of a tie may differ by one, since they sum to 100: so it is said in words. */
static enum tie tie_of(const struct tally *tally, size_t i)
{
    uint64_t votes = tally->options[i].votes;
    bool shared = false;
    bool first = true;

    for (size_t j = 0; j < tally->n_options; j++) {
        shared = shared || (j != i && tally->options[j].votes == votes);
        first = first && tally->options[j].votes <= votes;
    }
    if (votes == 0 || !shared)
        return TIE_NONE;
    return first ? TIE_FIRST : TIE_LATER;
}

static void tie_write(const struct poll_view *view, size_t i, struct buf *out)
{
    enum tie tie = tie_of(&view->tally, i);

    if (tie == TIE_NONE)
        return;
    buf_text(out, " <small class=\"tie\">");
    html_word(out, view->words, tie == TIE_FIRST ? WORD_TIED_FIRST : WORD_TIED);
    buf_text(out, "</small>");
}

static void label_write(const struct poll_view *view, size_t i, struct buf *out)
{
    const struct poll *poll = view->poll;
    char suffix[32];

    (void)snprintf(suffix, sizeof suffix, ":%zu", i + 1);
    if (view->takes_votes)
        buf_format(out, "<label class=\"name\"><input type=\"%s\" name=\"option\" value=\"%zu\"%s>",
                   poll->max_choices > 1 ? "checkbox" : "radio", i + 1,
                   poll->max_choices > 1 ? "" : " required");
    else
        buf_text(out, "<span class=\"name\">");
    buf_text(out, "<span>");
    html_foreign(out, poll->id, suffix, view->language,
                 text_value(&poll->labels[i], view->language));
    if (view->shown->visible)
        tie_write(view, i, out);
    buf_text(out, view->takes_votes ? "</span></label>" : "</span></span>");
    if (view->shown->visible)
        bar_write(view, i, suffix, out);
}

void choice_write(const struct poll_view *view, struct buf *out)
{
    buf_text(out, "<ul class=\"rows\">");
    for (size_t i = 0; i < view->poll->n_options; i++) {
        buf_text(out, "<li>");
        label_write(view, i, out);
        buf_text(out, "</li>");
    }
    buf_text(out, "</ul>");
}
