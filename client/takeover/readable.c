/*
 * readable.c - text as readers saw it, out of what a system stored: HTML, slashes, entities.
 *
 * Threads: any; nothing is shared.
 */
#include "readable.h"

#include "base/utf8.h"

#define ENTITY_BYTES_MAX 12

/* Tags that begin or end a line or a block, so that words on both sides are two. */
static const char breaking[] =
    "br p div li ul ol tr td th table h1 h2 h3 h4 h5 h6 hr blockquote dt dd option";

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void character_add(struct buf *out, uint32_t c)
{
    if (c < 0x80) {
        buf_char(out, (char)c);
        return;
    }
    if (c < 0x800) {
        buf_char(out, (char)(0xC0 | (c >> 6)));
    } else {
        if (c < 0x10000) {
            buf_char(out, (char)(0xE0 | (c >> 12)));
        } else {
            buf_char(out, (char)(0xF0 | (c >> 18)));
            buf_char(out, (char)(0x80 | ((c >> 12) & 0x3F)));
        }
        buf_char(out, (char)(0x80 | ((c >> 6) & 0x3F)));
    }
    buf_char(out, (char)(0x80 | (c & 0x3F)));
}

/* PHP's stripslashes(). */
static void slashes_strip(struct buf *out, struct str stored)
{
    for (size_t i = 0; i < stored.len; i++) {
        if (stored.at[i] == '\\' && ++i == stored.len)
            return;
        buf_char(out, stored.at[i]);
    }
}

/* The entity that `at` begins with, or nothing taken. */
static size_t entity_add(struct buf *out, struct str at)
{
    struct str name = str_from(at, 1);
    uint32_t c;

    if (name.len > ENTITY_BYTES_MAX)
        name.len = ENTITY_BYTES_MAX;
    name.len = str_find(name, ';');
    if (1 + name.len >= at.len || at.at[1 + name.len] != ';')
        return 0;
    c = entity_character(name);
    if (c == 0)
        return 0;
    character_add(out, c);
    return name.len + 2;
}

static void entities_resolve(struct buf *out, struct str text)
{
    while (text.len > 0) {
        size_t taken = text.at[0] == '&' ? entity_add(out, text) : 0;

        if (taken == 0) {
            buf_char(out, text.at[0]);
            taken = 1;
        }
        text = str_from(text, taken);
    }
}

/* Where the tag ends that `text` begins with: behind its >, quotes minded; 0: it has none. */
static size_t tag_end(struct str text)
{
    char quote = 0;

    for (size_t i = 1; i < text.len; i++) {
        char c = text.at[i];

        if (quote) {
            if (c == quote)
                quote = 0;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '>') {
            return i + 1;
        }
    }
    return 0;
}

static struct str tag_name(struct str tag)
{
    size_t from = tag.len > 1 && tag.at[1] == '/' ? 2 : 1;
    size_t len = 0;

    while (from + len < tag.len && (is_letter(tag.at[from + len]) ||
                                    (tag.at[from + len] >= '0' && tag.at[from + len] <= '9')))
        len++;
    return (struct str){ tag.at + from, len };
}

static bool name_is_one_of(struct str name, const char *words)
{
    struct str rest = str_of(words);
    struct str word;

    while (str_next(&rest, ' ', &word)) {
        if (str_eq_nocase(word, name))
            return true;
    }
    return false;
}

/* What stands behind alt= in quotes. */
static struct str alternative(struct str tag)
{
    for (size_t i = 0; i + 5 < tag.len; i++) {
        char quote = tag.at[i + 4];
        struct str value = { tag.at + i + 5, tag.len - i - 5 };

        if (!str_eq_nocase((struct str){ tag.at + i, 4 }, STR("alt=")) ||
            (quote != '"' && quote != '\''))
            continue;
        value.len = str_find(value, quote);
        return value;
    }
    return (struct str){ NULL, 0 };
}

/* Where a script or style ends, of which the first tag is taken. */
static size_t hidden_len(struct str rest, struct str name)
{
    for (size_t i = 0; i + 2 + name.len <= rest.len; i++) {
        if (rest.at[i] == '<' && rest.at[i + 1] == '/' &&
            str_eq_nocase((struct str){ rest.at + i + 2, name.len }, name))
            return i;
    }
    return rest.len;
}

/* Takes the tag that `text` begins with; 0: it is only a <. */
static size_t tag_take(struct buf *out, struct str text)
{
    size_t len = tag_end(text);
    struct str tag = { text.at, len };
    struct str name;

    if (text.len > 3 && str_starts(text, STR("<!--"))) {
        struct str rest = str_from(text, 4);

        for (size_t i = 0; i + 3 <= rest.len; i++) {
            if (str_starts(str_from(rest, i), STR("-->")))
                return 4 + i + 3;
        }
        return text.len;
    }
    if (len == 0 || !(is_letter(text.at[1]) || text.at[1] == '/' || text.at[1] == '!'))
        return 0;
    name = tag_name(tag);
    if (name_is_one_of(name, breaking))
        buf_char(out, ' ');
    if (name_is_one_of(name, "img"))
        entities_resolve(out, alternative(tag));
    if (text.at[1] != '/' && name_is_one_of(name, "script style"))
        return len + hidden_len(str_from(text, len), name);
    return len;
}

static void tags_strip(struct buf *out, struct str text)
{
    while (text.len > 0) {
        size_t taken = 0;

        if (text.at[0] == '<')
            taken = tag_take(out, text);
        else if (text.at[0] == '&')
            taken = entity_add(out, text);
        if (taken == 0) {
            buf_char(out, text.at[0]);
            taken = 1;
        }
        text = str_from(text, taken);
    }
}

/* One space where there are several, or a no-break one, or a control; none at the ends. */
static void spaces_join(struct buf *out, struct str text)
{
    bool space = false;

    while (text.len > 0) {
        uint32_t c = 0;
        size_t len = utf8_char(text, &c);

        if (len == 0 || c == ' ' || c == 0xA0 || utf8_is_control(c)) {
            space = true;
        } else {
            if (space && out->len > 0)
                buf_char(out, ' ');
            space = false;
            buf_add(out, text.at, len);
        }
        text = str_from(text, len > 0 ? len : 1);
    }
}

static struct str held(const struct buf *buf)
{
    return buf->bytes ? buf_str(buf) : STR("");
}

char *readable(struct str stored, enum stored_as as)
{
    AUTO_BUF bare = { 0 };
    AUTO_BUF shown = { 0 };
    AUTO_BUF joined = { 0 };

    if (as == STORED_SLASHED_HTML)
        slashes_strip(&bare, stored);
    else
        buf_str_add(&bare, stored);
    if (as == STORED_PLAIN)
        buf_str_add(&shown, held(&bare));
    else
        tags_strip(&shown, held(&bare));
    spaces_join(&joined, held(&shown));
    if (!buf_ok(&bare) || !buf_ok(&shown) || !buf_ok(&joined))
        return NULL;
    return str_copy(held(&joined));
}
