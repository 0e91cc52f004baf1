/*
 * web/html.c - text into HTML.
 *
 * Threads: any; nothing is shared.
 */
#include "web/html.h"

static const char *escape_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void html_text(struct buf *out, struct str text)
{
    size_t start = 0;

    for (size_t i = 0; i < text.len; i++) {
        const char *escape = escape_of(text.at[i]);

        if (!escape)
            continue;
        buf_add(out, text.at + start, i - start);
        buf_text(out, escape);
        start = i + 1;
    }
    if (start < text.len)
        buf_add(out, text.at + start, text.len - start);
}

void html_attribute(struct buf *out, const char *name, const char *value)
{
    buf_char(out, ' ');
    buf_text(out, name);
    buf_text(out, "=\"");
    html_text(out, str_of(value));
    buf_char(out, '"');
}

void html_foreign(struct buf *out, const char *poll_id, const char *id_suffix, const char *language,
                  const char *text)
{
    buf_text(out, "<bdi");
    if (poll_id) {
        buf_text(out, " id=\"");
        buf_text(out, poll_id); /* an id has no character that HTML escapes */
        buf_text(out, id_suffix);
        buf_char(out, '"');
    }
    if (language)
        html_attribute(out, "lang", language);
    buf_char(out, '>');
    html_text(out, str_of(text));
    buf_text(out, "</bdi>");
}

void html_word(struct buf *out, const struct words *words, enum word word)
{
    html_text(out, str_of(words_text(words, word)));
}

void html_fill(struct buf *out, const char *text, const struct word_value *values, size_t n)
{
    words_fill(text, values, n, html_text, out);
}

void html_count(struct buf *out, const struct words *words, enum word word, uint64_t n)
{
    AUTO_BUF text = { 0 };

    words_count(words, word, n, &text);
    buf_heed(out, &text);
    html_text(out, buf_str(&text));
}

void html_moment(struct buf *out, const struct words *words, enum word word, int64_t at_ms)
{
    AUTO_BUF time = { 0 };
    struct word_value value = { .name = "moment" };

    buf_text(&time, "<time datetime=\"");
    buf_time(&time, at_ms);
    buf_text(&time, "\">");
    words_moment(words, at_ms, &time); /* letters, digits and separators: nothing to escape */
    buf_text(&time, "</time>");
    buf_heed(out, &time);
    value.text = buf_str(&time);
    html_fill(out, words_text(words, word), &value, 1);
}
