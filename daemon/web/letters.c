/*
 * web/letters.c - how wide a text is, and where its lines break, without a font.
 *
 * Threads: any; nothing is shared.
 */
#include "web/letters.h"

#include <assert.h>
#include <stdint.h>

#include "base/utf8.h"

#define BOLD_WIDER 1.13
#define ZWJ 0x200D      /* joins two emoji into one */
#define CLUSTER_MAX 32U /* characters that are kept together at most, whatever they are */

/* Hundredths of the size. */
static const unsigned char ascii[] = {
    32,  40, 46, 84, 64, 95, 78, 28, 39, 39, 50, 84, 32, 36, 32, 34, /* space … slash */
    64,  64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34, 84, 84, 84, 53, /* 0 … ? */
    100, 68, 69, 70, 77, 63, 58, 77, 75, 30, 30, 66, 56, 86, 75, 79, /* @ … O */
    60,  79, 69, 63, 61, 73, 68, 99, 69, 61, 69, 39, 34, 39, 84, 50, /* P … _ */
    50,  61, 63, 55, 63, 62, 35, 63, 63, 28, 28, 58, 28, 97, 63, 61, /* ` … o */
    63,  63, 41, 52, 39, 63, 59, 82, 59, 59, 52, 64, 34, 64, 84,     /* p … ~ */
};
static const unsigned char cyrillic[] = {
    68, 69, 69, 61, 78, 63, 108, 64, 75,  75,  71, 75, 86, 75, 79,  75, /* А … П */
    60, 70, 61, 61, 86, 69, 78,  69, 107, 109, 83, 88, 69, 70, 108, 69, /* Р … Я */
    61, 62, 59, 53, 69, 62, 90,  53, 65,  65,  60, 64, 75, 65, 61,  65, /* а … п */
    63, 55, 58, 59, 86, 59, 68,  59, 92,  94,  71, 79, 59, 55, 84,  60, /* р … я */
};

enum way { WAY_NONE, WAY_LEFT, WAY_RIGHT }; /* which way a letter runs: from the left, … */

struct range {
    uint32_t last;
    enum way way;
    unsigned char width;
    bool breaks; /* a line may break on both sides of it */
};

/* Each row is from the row before it on; the average of its letters, on the wide side. */
static const struct range ranges[] = {
    { 0x001f, WAY_NONE, 0, false },     { 0x007e, WAY_LEFT, 64, false },
    { 0x009f, WAY_NONE, 0, false },     { 0x00bf, WAY_NONE, 64, false },
    { 0x00de, WAY_LEFT, 72, false },    { 0x02af, WAY_LEFT, 66, false },
    { 0x02ff, WAY_NONE, 50, false },    { 0x036f, WAY_NONE, 0, false },
    { 0x03ff, WAY_LEFT, 68, false },    { 0x0482, WAY_LEFT, 76, false },
    { 0x0489, WAY_NONE, 0, false },     { 0x0590, WAY_LEFT, 76, false },
    { 0x05bd, WAY_NONE, 0, false },     { 0x07ff, WAY_RIGHT, 70, false },
    { 0x08ff, WAY_RIGHT, 70, false },   { 0x10ff, WAY_LEFT, 80, false },
    { 0x11ff, WAY_LEFT, 100, false },   { 0x1aaf, WAY_LEFT, 90, false },
    { 0x1aff, WAY_NONE, 0, false },     { 0x1dbf, WAY_LEFT, 76, false },
    { 0x1dff, WAY_NONE, 0, false },     { 0x1fff, WAY_LEFT, 76, false },
    { 0x200a, WAY_NONE, 50, false },    { 0x200d, WAY_NONE, 0, false },
    { 0x200e, WAY_LEFT, 0, false },     { 0x200f, WAY_RIGHT, 0, false },
    { 0x2027, WAY_NONE, 100, false },   { 0x202e, WAY_NONE, 0, false },
    { 0x205f, WAY_NONE, 75, false },    { 0x206f, WAY_NONE, 0, false },
    { 0x20cf, WAY_NONE, 66, false },    { 0x20ff, WAY_NONE, 0, false },
    { 0x214f, WAY_NONE, 110, false },   { 0x2bff, WAY_NONE, 105, false },
    { 0x2e7f, WAY_LEFT, 80, false },    { 0x3000, WAY_NONE, 100, true },
    { 0xa4cf, WAY_LEFT, 100, true },    { 0xabff, WAY_LEFT, 85, false },
    { 0xd7ff, WAY_LEFT, 100, true },    { 0xf8ff, WAY_LEFT, 100, false },
    { 0xfaff, WAY_LEFT, 100, true },    { 0xfb1c, WAY_LEFT, 66, false },
    { 0xfdff, WAY_RIGHT, 75, false },   { 0xfe0f, WAY_NONE, 0, false },
    { 0xfe1f, WAY_NONE, 100, true },    { 0xfe2f, WAY_NONE, 0, false },
    { 0xfe6f, WAY_NONE, 100, true },    { 0xfefe, WAY_RIGHT, 75, false },
    { 0xfeff, WAY_NONE, 0, false },     { 0xffef, WAY_LEFT, 100, true },
    { 0x107ff, WAY_LEFT, 100, false },  { 0x10fff, WAY_RIGHT, 80, false },
    { 0x1afff, WAY_LEFT, 100, true },   { 0x1e7ff, WAY_LEFT, 100, false },
    { 0x1efff, WAY_RIGHT, 80, false },  { 0x1f1e5, WAY_NONE, 137, true },
    { 0x1f1ff, WAY_NONE, 80, true },    { 0x1f3fa, WAY_NONE, 137, true },
    { 0x1f3ff, WAY_NONE, 0, false },    { 0x1ffff, WAY_NONE, 137, true },
    { 0x3ffff, WAY_LEFT, 100, true },   { 0xe0fff, WAY_NONE, 0, false },
    { 0x10ffff, WAY_NONE, 100, false },
};

static const struct range *range_of(uint32_t character)
{
    size_t low = 0;
    size_t high = sizeof ranges / sizeof ranges[0] - 1;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (ranges[middle].last < character)
            low = middle + 1;
        else
            high = middle;
    }
    return &ranges[low];
}

static unsigned hundredths(uint32_t character)
{
    if (character >= ' ' && character <= '~')
        return ascii[character - ' '];
    if (character >= 0x0410 && character <= 0x044f)
        return cyrillic[character - 0x0410];
    if (character == 0x00a0 || character == 0x202f)
        return ascii[0];
    return range_of(character)->width;
}

static bool is_space(uint32_t character)
{
    return character == ' ' || character == 0x3000 || character == 0x200b ||
           (character >= 0x2000 && character <= 0x200a && character != 0x2007);
}

static bool breaks_behind(uint32_t character)
{
    return character == '-' || character == '/' || character == 0x00ad || character == 0x2010 ||
           character == 0x2013 || character == 0x2014;
}

static bool is_flag_half(uint32_t character)
{
    return character >= 0x1f1e6 && character <= 0x1f1ff;
}

/* The next character, and its length: 1 where it is not well-formed. */
static size_t take(struct str text, uint32_t *ret_character)
{
    size_t len = utf8_char(text, ret_character);

    if (len > 0)
        return len;
    *ret_character = 0xfffd;
    return 1;
}

/* What is read as one character: its first, and how far it goes. */
struct cluster {
    uint32_t first;
    size_t len;
    unsigned width; /* hundredths */
};

static struct cluster cluster_at(struct str text)
{
    struct cluster cluster;
    uint32_t before;
    uint32_t next;

    cluster.len = take(text, &cluster.first);
    cluster.width = hundredths(cluster.first);
    before = cluster.first;
    for (unsigned n = 1; n < CLUSTER_MAX && cluster.len < text.len; n++) {
        size_t len = take(str_from(text, cluster.len), &next);
        bool is_second_half = n == 1 && is_flag_half(before) && is_flag_half(next);

        if (before != ZWJ && !is_second_half && (hundredths(next) > 0 || is_space(next)))
            break;
        if (is_second_half)
            cluster.width = 137;
        cluster.len += len;
        before = next;
    }
    return cluster;
}

static double units(unsigned width, struct lettering lettering)
{
    return width * lettering.size * (lettering.bold ? BOLD_WIDER : 1) / 100;
}

double letters_width(struct str text, struct lettering lettering)
{
    unsigned width = 0;

    while (text.len > 0) {
        struct cluster cluster = cluster_at(text);

        width += cluster.width;
        text = str_from(text, cluster.len);
    }
    return units(width, lettering);
}

bool letters_rtl(struct str text, bool otherwise)
{
    while (text.len > 0) {
        uint32_t character;
        size_t len = take(text, &character);
        enum way way = range_of(character)->way;
        bool is_letter = character > '~' || (character >= 'A' && character <= 'Z') ||
                         (character >= 'a' && character <= 'z');

        if (way != WAY_NONE && is_letter)
            return way == WAY_RIGHT;
        text = str_from(text, len);
    }
    return otherwise;
}

static struct str without_spaces(struct str text)
{
    while (text.len > 0 && text.at[text.len - 1] == ' ')
        text.len--;
    return text;
}

static size_t skip_spaces(struct str text)
{
    size_t at = 0;

    while (at < text.len && text.at[at] == ' ')
        at++;
    return at;
}

/* How many bytes of `text` go into one line; at least one cluster. */
static size_t line_len(struct str text, struct lettering lettering, double room)
{
    unsigned width = 0;
    size_t break_at = 0;
    size_t at = 0;

    while (at < text.len) {
        struct cluster cluster = cluster_at(str_from(text, at));

        if (at > 0 && range_of(cluster.first)->breaks)
            break_at = at;
        if (at > 0 && !is_space(cluster.first) && units(width + cluster.width, lettering) > room)
            return break_at > 0 ? break_at : at;
        width += cluster.width;
        at += cluster.len;
        if (is_space(cluster.first) || breaks_behind(cluster.first) ||
            range_of(cluster.first)->breaks)
            break_at = at;
    }
    return at;
}

/* As much as fits with the ellipsis behind it. */
static size_t cut_len(struct str text, struct lettering lettering, double room)
{
    unsigned width = hundredths(0x2026);
    size_t at = 0;

    while (at < text.len) {
        struct cluster cluster = cluster_at(str_from(text, at));

        if (units(width + cluster.width, lettering) > room)
            break;
        width += cluster.width;
        at += cluster.len;
    }
    return at;
}

size_t letters_wrap(struct str text, struct lettering lettering, double room,
                    struct line *ret_lines, size_t max)
{
    size_t n = 0;

    assert(max >= 1);
    text = without_spaces(str_from(text, skip_spaces(text)));
    while (text.len > 0) {
        size_t len = line_len(text, lettering, room);
        bool cut = n + 1 == max && len < text.len;

        if (cut)
            len = cut_len(text, lettering, room);
        ret_lines[n++] = (struct line){ without_spaces((struct str){ text.at, len }), cut };
        if (cut)
            break;
        text = str_from(text, len);
        text = str_from(text, skip_spaces(text));
    }
    return n;
}
