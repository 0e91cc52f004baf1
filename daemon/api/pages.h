/*
 * api/pages.h - pages as answers: which polls, in which words, and how they may be kept.
 *
 * A struct view is a page on its way: it outlives the call, so that a page may wait for the writer.
 * Threads: the loop of the call.
 */
#ifndef TALLYD_API_PAGES_H
#define TALLYD_API_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/call.h"
#include "api/pending.h"
#include "web/page.h"

struct view; /* opaque: api/pages.c */

/*
 * A view of these polls, `ids` separated by commas; those that are not there are left out. What
 * strangers may not see is hidden in it.
 *
 *   returns  NULL: 404 where none is there, 422 for too many, 503, in *reterr
 */
MUST_USE struct view *view_new(const struct call *call, struct str ids, enum page_frame frame,
                               struct refusal *reterr);
void view_free(struct view *view);
AUTO_FREE(view);

size_t view_count(const struct view *view);
/* Which of its polls has this id; view_count() where none has. */
size_t view_find(const struct view *view, struct str id);
struct published *view_poll(const struct view *view, size_t i); /* the view's reference */
/* The ids as they were asked for; NUL-terminated. */
const char *view_ids(const struct view *view);
/* `?lang=ru` where that was asked for, after `first`. */
void view_lang_write(const struct view *view, char first, struct buf *out);

/* Shows a newer publication of poll number `i`; a reference is taken. */
void view_renew(struct view *view, size_t i, struct published *published);
/* Whether the figures of poll number `i` are shown. */
void view_show(struct view *view, size_t i, bool visible);
/* The reader has voted in poll number `i`. */
void view_voted(struct view *view, size_t i);
/* Says what became of a vote. */
void view_say(struct view *view, const struct page_news *news);

struct view_answer {
    unsigned status;
    enum caching caching; /* CACHE_TALLY: with an ETag, and 304 where it matches `request` */
    const struct http1_request *request; /* CACHE_TALLY only */
    uint64_t retry_s;                    /* Retry-After; 0: none */
};

void view_answer(struct exchange *exchange, struct api_loop *loop, struct view *view,
                 const struct view_answer *how);

/* A page that only says why not. `call` may be one whose address could not be read. */
void page_refuse(const struct call *call, const struct refusal *refusal, uint64_t retry_s);

/* Whether this address is one of a page: refusals there are pages too. */
bool page_is_asked(const struct http1_request *request);

/* What the pages of this call have in common. shown: the language of what is shown, or empty. */
struct page_look page_look_of(const struct call *call, enum page_frame frame, struct str shown);

/* A poll as a list shows it to strangers; what *ret_listed points at lives as long as `published`.
 */
void page_listed_fill(const struct call *call, const struct published *published,
                      struct page_listed *ret_listed);

/* Answers with the document in loop->out. */
void page_answer(struct exchange *exchange, struct api_loop *loop, enum page_frame frame,
                 const char *language, const struct view_answer *how);

#endif
