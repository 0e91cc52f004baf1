/*
 * web/page.h - the page of one poll or several, as HTML.
 *
 * Holds nothing of its reader: whoever asks in the same language gets the same bytes, so any cache
 * may keep them, and a page of yesterday votes today. Works without a script, and loads nothing but
 * tallyd's own style. Pure; any thread.
 */
#ifndef TALLYD_WEB_PAGE_H
#define TALLYD_WEB_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "core/board.h"
#include "web/words.h"

#define PAGE_POLLS_MAX 20

enum page_frame {
    PAGE_ALONE,   /* with the way to other polls, the other languages and a link to share */
    PAGE_EMBEDDED /* in a site's own page: the poll and nothing else */
};

/* What all pages have in common. */
struct page_look {
    const struct words *words;
    bool lang_asked;  /* by ?lang=: links and forms keep it */
    const char *base; /* public_url without a slash at its end, or NULL: not configured */
    enum page_frame frame;
};

struct page_poll {
    const struct published *published;
    size_t language; /* of published->languages */
    bool visible;    /* the figures may be shown */
    bool named;      /* the reader's token names somebody: a form where only names may vote */
    bool voted;      /* the reader has just voted here: no form where a vote cannot be changed */
};

/* One sentence about what became of a vote. */
struct page_news {
    bool there;
    bool alert;  /* something went wrong */
    size_t poll; /* which of the page's polls it is about */
    enum word word;
    uint64_t standing; /* the reader's vote that stands, to be named; 0: not to be named */
};

struct page {
    struct page_look look;
    const char *ids; /* as in the address: "a" or "a,b" */
    size_t n;        /* 1..PAGE_POLLS_MAX */
    struct page_poll polls[PAGE_POLLS_MAX];
    struct page_news news;
};

/* Writes the whole document. */
void page_write(const struct page *page, struct buf *out);

/*
 * Writes a document that only says something: that there is no such poll, or why not.
 *
 *   title  a word without placeholders; more: one more sentence
 */
void page_message_write(const struct page_look *look, enum word title, enum word more,
                        struct buf *out);

struct page_listed {
    const char *id;
    const char *title;
    const char *language; /* of the title, or NULL */
    enum poll_phase phase;
    bool visible;   /* the figures below may be shown */
    bool several;   /* answers are possible … */
    uint64_t votes; /* … then these are voters */
    bool rated;     /* a rating with votes */
    uint64_t rating_hundredths;
    size_t scale;
    int64_t closes_at_ms; /* or WHEN_NEVER */
};

struct page_section {
    enum word title; /* WORDS_COUNT: none */
    size_t n;
    const struct page_listed *listed;
    const char *more; /* the query that shows what follows, without '?', or NULL */
};

enum page_sort { PAGE_SORT_NAME, PAGE_SORT_SCORE };

/* Writes the list of polls; empty sections are left out. */
void page_list_write(const struct page_look *look, enum page_sort sort,
                     const struct page_section *sections, size_t n, struct buf *out);

#endif
