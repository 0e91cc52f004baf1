/*
 * web/frame.c - what stands around: head, links to other pages, languages.
 *
 * Threads: any; nothing is shared.
 */
#include <string.h>

#include "core/language.h"
#include "web/assets.h"
#include "web/parts.h"

void frame_lang(const struct page_look *look, char first, struct buf *out)
{
    if (!look->lang_asked)
        return;
    buf_char(out, first);
    buf_text(out, "lang=");
    buf_text(out, look->words->tag);
}

/* Every page lies one folder deep, so this is right under any path that a proxy puts in front. */
static void link_asset(const char *rel_and_type, const char *name, struct buf *out)
{
    buf_format(out, "<link %s href=\"../assets/", rel_and_type);
    asset_name_write(name, out);
    buf_text(out, "\">\n");
}

/* A module waits until the page has been read. */
static void script_write(struct buf *out)
{
    buf_text(out, "<script type=\"module\" src=\"../assets/");
    asset_name_write("widget.js", out);
    buf_text(out, "\"></script>\n");
}

static void meta(struct buf *out, const char *property, struct str content)
{
    buf_format(out, "<meta property=\"%s\" content=\"", property);
    html_text(out, content);
    buf_text(out, "\">\n");
}

static void description(const struct poll_view *view, struct buf *out)
{
    words_count(view->words, view->poll->max_choices > 1 ? WORD_VOTERS : WORD_VOTES,
                view->poll->max_choices > 1 ? view->tally.voters : view->tally.votes, out);
}

/* What a link to this page looks like where people share it (ogp.me). Addresses there are whole
 * ones, so there must be a base. */
static void social_write(const struct page_look *look, const struct page_head *head,
                         struct buf *out)
{
    const struct poll_view *view = head->social;
    AUTO_BUF text = { 0 };

    meta(out, "og:title", str_of(head->title));
    meta(out, "og:type", STR("website"));
    if (view->shown->visible) {
        description(view, &text);
        buf_heed(out, &text);
        meta(out, "og:description", buf_str(&text));
    }
    if (!look->base)
        return;
    buf_clear(&text);
    buf_format(&text, "%s/%s", look->base, head->path);
    buf_heed(out, &text);
    meta(out, "og:url", buf_str(&text));
    if (!view->shown->visible)
        return;
    buf_clear(&text);
    buf_format(&text, "%s/v1/polls/%s/chart.png?width=1200&lang=%s", look->base, view->poll->id,
               look->words->tag);
    buf_heed(out, &text);
    meta(out, "og:image", buf_str(&text));
    buf_text(out, "<meta name=\"twitter:card\" content=\"summary_large_image\">\n");
}

static void canonical(const struct page_look *look, const struct page_head *head, struct buf *out)
{
    if (!look->base)
        return;
    buf_text(out, "<link rel=\"canonical\" href=\"");
    html_text(out, str_of(look->base));
    buf_char(out, '/');
    html_text(out, str_of(head->path));
    buf_text(out, "\">\n");
}

static void top_write(const struct page_look *look, struct buf *out)
{
    if (look->frame == PAGE_EMBEDDED)
        return;
    buf_text(out, "<header><nav><a href=\"./");
    frame_lang(look, '?', out);
    buf_text(out, "\">");
    html_word(out, look->words, WORD_ALL_POLLS);
    buf_text(out, "</a></nav></header>\n");
}

void frame_open(const struct page_look *look, const struct page_head *head, struct buf *out)
{
    buf_text(out, "<!doctype html>\n<html");
    html_attribute(out, "lang", look->words->tag);
    html_attribute(out, "dir", words_text(look->words, WORD_DIRECTION));
    buf_text(out, look->frame == PAGE_EMBEDDED ? " class=\"embedded\">\n" : ">\n");
    buf_text(out, "<head>\n<meta charset=\"utf-8\">\n<title>");
    html_text(out, str_of(head->title));
    buf_text(out, "</title>\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<meta name=\"color-scheme\" content=\"light dark\">\n");
    link_asset("rel=\"stylesheet\"", "poll.css", out);
    link_asset("rel=\"stylesheet\"", "page.css", out);
    link_asset("rel=\"icon\" type=\"image/svg+xml\"", "icon.svg", out);
    canonical(look, head, out);
    if (head->social) {
        script_write(out);
        social_write(look, head, out);
    }
    buf_text(out, "</head>\n<body>\n");
    star_define(out);
    top_write(look, out);
    buf_text(out, "<main");
    if (head->social)
        live_words_write(look->words, out);
    buf_text(out, ">\n");
}

static void share_write(const struct page_look *look, const struct page_head *head, struct buf *out)
{
    AUTO_BUF address = { 0 };

    if (look->base)
        buf_format(&address, "%s/%s", look->base, head->path);
    else
        buf_text(&address, strchr(head->path, '/') + 1); /* from /p/ on */
    buf_text(out, "<p>");
    html_word(out, look->words, WORD_SHARE);
    buf_text(out, ": <a class=\"address\" href=\"");
    html_text(out, buf_str(&address));
    buf_text(out, "\">");
    if (!look->base)
        buf_text(out, "/p/");
    html_text(out, buf_str(&address));
    buf_text(out, "</a></p>");
    buf_heed(out, &address);
}

static void languages_write(const struct page_look *look, struct buf *out)
{
    buf_text(out, "<nav");
    html_attribute(out, "aria-label", words_text(look->words, WORD_LANGUAGES));
    buf_text(out, "><ul class=\"line\">");
    for (size_t i = 0; i < words_all_count; i++) {
        const struct words *other = words_all[i];

        buf_text(out, "<li>");
        if (other == look->words)
            buf_format(out, "<span lang=\"%s\" aria-current=\"true\">", other->tag);
        else
            buf_format(out, "<a href=\"?lang=%s\" hreflang=\"%s\" lang=\"%s\">", other->tag,
                       other->tag, other->tag);
        html_word(out, other, WORD_NAME);
        buf_text(out, other == look->words ? "</span></li>" : "</a></li>");
    }
    buf_text(out, "</ul></nav>");
}

void frame_close(const struct page_look *look, const struct page_head *head, struct buf *out)
{
    buf_text(out, "</main>\n");
    if (look->frame == PAGE_ALONE) {
        buf_text(out, "<footer>");
        if (head->social)
            share_write(look, head, out);
        languages_write(look, out);
        buf_text(out, "</footer>\n");
    }
    buf_text(out, "</body>\n</html>\n");
}
