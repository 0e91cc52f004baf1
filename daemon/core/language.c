/*
 * core/language.c - texts in several languages, and which one a reader gets.
 *
 * Threads: any; nothing is shared.
 */
#include "core/language.h"

#include <stdlib.h>
#include <string.h>

#define TAG_BYTES_MAX 35
#define SUBTAG_BYTES_MAX 8
/* Ranges read from one Accept-Language; browsers send a handful. */
#define RANGES_MAX 32

struct range {
    struct str tag;  /* or "*" */
    unsigned weight; /* thousandths */
};

void text_clear(struct text *text)
{
    for (size_t i = 0; i < text->n; i++) {
        free(text->in[i].language);
        free(text->in[i].value);
    }
    free(text->in);
    *text = (struct text){ 0 };
}

static bool same_or_both_absent(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool text_eq(const struct text *a, const struct text *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        if (!same_or_both_absent(a->in[i].language, b->in[i].language) ||
            strcmp(a->in[i].value, b->in[i].value) != 0)
            return false;
    }
    return true;
}

const char *text_value(const struct text *text, const char *language)
{
    const char *tags[TEXT_LANGUAGES_MAX];

    for (size_t i = 0; i < text->n; i++)
        tags[i] = text->in[i].language;
    return text->in[language_choose(tags, text->n, str_of(language), STR(""))].value;
}

static bool is_alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool language_tag_ok(struct str tag)
{
    size_t run = 0;

    if (tag.len == 0 || tag.len > TAG_BYTES_MAX)
        return false;
    for (size_t i = 0; i < tag.len; i++) {
        if (tag.at[i] == '-' && run > 0) {
            run = 0;
            continue;
        }
        if (!is_alphanumeric(tag.at[i]) || ++run > SUBTAG_BYTES_MAX)
            return false;
    }
    return run > 0;
}

/* Without its last subtag, and without a single letter that would then be last (RFC 4647 §3.4:
 * zh-Hant-x-private goes to zh-Hant). Empty at the end. */
static struct str range_shorten(struct str range)
{
    while (range.len > 0 && range.at[range.len - 1] != '-')
        range.len--;
    if (range.len > 0)
        range.len--;
    if (range.len >= 2 && range.at[range.len - 2] == '-')
        range.len -= 2;
    return range;
}

static bool is_refused_by_name(struct str tag, const struct range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (ranges[i].weight == 0 && str_eq_nocase(ranges[i].tag, tag))
            return true;
    }
    return false;
}

/* By name, by the start of its name (`en;q=0` means en-GB too), or by `*;q=0`. */
static bool is_refused(struct str tag, const struct range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct str range = ranges[i].tag;

        if (ranges[i].weight > 0 || range.len > tag.len)
            continue;
        if (str_eq(range, STR("*")))
            return true;
        if (str_eq_nocase((struct str){ tag.at, range.len }, range) &&
            (range.len == tag.len || tag.at[range.len] == '-'))
            return true;
    }
    return false;
}

/* RFC 4647 §3.4: the range itself, then ever shorter. Returns `n_tags` where nothing matches. */
static size_t lookup(const char *const *tags, size_t n_tags, struct str range,
                     const struct range *ranges, size_t n_ranges)
{
    for (; range.len > 0; range = range_shorten(range)) {
        for (size_t i = 0; i < n_tags; i++) {
            if (tags[i] && str_eq_nocase(str_of(tags[i]), range) &&
                !is_refused_by_name(range, ranges, n_ranges))
                return i;
        }
    }
    return n_tags;
}

/* qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ), RFC 9110 §12.4.2. */
static bool weight_read(struct str text, unsigned *ret_weight)
{
    unsigned weight;
    unsigned unit = 100;

    if (text.len == 0 || text.len > 5 || (text.at[0] != '0' && text.at[0] != '1'))
        return false;
    if (text.len > 1 && text.at[1] != '.')
        return false;
    weight = text.at[0] == '1' ? 1000 : 0;
    for (size_t i = 2; i < text.len; i++, unit /= 10) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        weight += (unsigned)(text.at[i] - '0') * unit;
    }
    if (weight > 1000)
        return false;
    *ret_weight = weight;
    return true;
}

static bool range_read(struct str piece, struct range *ret_range)
{
    size_t semicolon = str_find(piece, ';');
    struct range range = { str_trim((struct str){ piece.at, semicolon }), 1000 };

    if (!str_eq(range.tag, STR("*")) && !language_tag_ok(range.tag))
        return false;
    if (semicolon < piece.len) {
        struct str weight = str_trim(str_from(piece, semicolon + 1));

        if (weight.len < 2 || !str_eq_nocase((struct str){ weight.at, 2 }, STR("q=")) ||
            !weight_read(str_from(weight, 2), &range.weight))
            return false;
    }
    *ret_range = range;
    return true;
}

/* The ranges of a field, the heaviest first, equals in the field's order. */
static size_t ranges_read(struct str accept, struct range *ret_ranges)
{
    struct str piece;
    struct range range;
    size_t n = 0;

    while (n < RANGES_MAX && str_next(&accept, ',', &piece)) {
        size_t at = n;

        if (!range_read(piece, &range))
            continue;
        for (; at > 0 && ret_ranges[at - 1].weight < range.weight; at--)
            ret_ranges[at] = ret_ranges[at - 1];
        ret_ranges[at] = range;
        n++;
    }
    return n;
}

size_t language_choose(const char *const *tags, size_t n, struct str wanted, struct str accept)
{
    struct range ranges[RANGES_MAX];
    size_t n_ranges;
    size_t found = language_tag_ok(wanted) ? lookup(tags, n, wanted, NULL, 0) : n;

    if (found < n)
        return found;
    n_ranges = ranges_read(accept, ranges);
    for (size_t i = 0; i < n_ranges && ranges[i].weight > 0; i++) {
        /* `*` tells a lookup nothing: what follows it is tried, and then comes the default. */
        found = lookup(tags, n, ranges[i].tag, ranges, n_ranges);
        if (found < n)
            return found;
    }
    for (size_t i = 0; i < n; i++) {
        if (!is_refused(str_of(tags[i]), ranges, n_ranges))
            return i;
    }
    return 0;
}
