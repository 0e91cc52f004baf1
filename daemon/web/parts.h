/*
 * web/parts.h - what the pages are made of; for web/ alone.
 */
#ifndef TALLYD_WEB_PARTS_H
#define TALLYD_WEB_PARTS_H

#include "core/tally.h"
#include "web/html.h"
#include "web/page.h"

/* What each poll of a page is written from. */
struct poll_view {
    const struct page *page;
    const struct page_poll *shown;
    const struct poll *poll;
    const struct words *words;
    struct tally tally;   /* worked out only where the figures are visible */
    const char *language; /* of its texts: a tag or NULL */
    bool takes_votes;     /* a form is shown */
};

/* frame.c: from <!doctype> to <main>, and from </main> to the end. */
struct page_head {
    const char *title; /* plain text */
    const char *title_language;
    const struct poll_view *social; /* what a link to this page shows elsewhere, or NULL */
    const char *path;               /* behind the base: "p/us-goals" */
};
void frame_open(const struct page_look *look, const struct page_head *head, struct buf *out);
void frame_close(const struct page_look *look, const struct page_head *head, struct buf *out);

/* Writes `?lang=ru` where the reader asked for it, after `first` ('?' or '&'). */
void frame_lang(const struct page_look *look, char first, struct buf *out);

/* live_words.c: an attribute of <main> with the words that the script needs. */
void live_words_write(const struct words *words, struct buf *out);

/* choice.c, rating.c: what stands inside the form, or in its place. */
void choice_write(const struct poll_view *view, struct buf *out);
void rating_write(const struct poll_view *view, struct buf *out);
/* How many gave how many stars: below the form. */
void rating_rows_write(const struct poll_view *view, struct buf *out);

/* bar.c: `33 (31%)` and a bar as long as the share. label_suffix: of the id that names it. */
void bar_write(const struct poll_view *view, size_t i, const char *label_suffix, struct buf *out);
/* `scale` stars, filled up to the mean to the hundredth of a star. */
void stars_write(uint64_t rating_hundredths, size_t scale, struct buf *out);
/* Once a page, before all others: what they are made of. */
void star_define(struct buf *out);
/* One star, empty or full by the state of its radio button. */
void star_write(struct buf *out);

#endif
