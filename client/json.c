/*
 * json.c - looks into a JSON text without copying it.
 *
 * Threads: any; nothing is shared.
 */
#include "json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "json_own.h"

#define NUMBER_BYTES_MAX 63

/* What is still to be read. Every reader below moves it behind what it took. */
struct reader {
    struct str rest;
    unsigned depth;
};

bool json_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void skip_space(struct str *rest)
{
    while (rest->len > 0 && json_is_space(rest->at[0]))
        *rest = str_from(*rest, 1);
}

static bool take_char(struct str *rest, char c)
{
    if (rest->len == 0 || rest->at[0] != c)
        return false;
    *rest = str_from(*rest, 1);
    return true;
}

static bool take_word(struct str *rest, struct str word)
{
    if (!str_starts(*rest, word))
        return false;
    *rest = str_from(*rest, word.len);
    return true;
}

static bool hex4(struct str s, uint32_t *ret_n)
{
    uint32_t n = 0;

    if (s.len < 4)
        return false;
    for (size_t i = 0; i < 4; i++) {
        char c = s.at[i];
        uint32_t digit;

        if (is_digit(c))
            digit = (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            digit = (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return false;
        n = n << 4 | digit;
    }
    *ret_n = n;
    return true;
}

static bool take_escape(struct str *rest)
{
    const struct str short_forms = STR("\"\\/bfnrt");
    uint32_t unused;

    if (rest->len == 0)
        return false;
    if (rest->at[0] == 'u') {
        if (!hex4(str_from(*rest, 1), &unused))
            return false;
        *rest = str_from(*rest, 5);
        return true;
    }
    if (str_find(short_forms, rest->at[0]) == short_forms.len)
        return false;
    *rest = str_from(*rest, 1);
    return true;
}

bool json_take_string(struct str *rest)
{
    if (!take_char(rest, '"'))
        return false;
    while (rest->len > 0) {
        unsigned char c = (unsigned char)rest->at[0];

        *rest = str_from(*rest, 1);
        if (c == '"')
            return true;
        if (c < ' ' || (c == '\\' && !take_escape(rest)))
            return false;
    }
    return false;
}

static bool take_digits(struct str *rest)
{
    size_t n = 0;

    while (n < rest->len && is_digit(rest->at[n]))
        n++;
    *rest = str_from(*rest, n);
    return n > 0;
}

static bool take_number(struct str *rest)
{
    (void)take_char(rest, '-');
    if (!take_char(rest, '0') && !take_digits(rest))
        return false;
    if (take_char(rest, '.') && !take_digits(rest))
        return false;
    if (take_char(rest, 'e') || take_char(rest, 'E')) {
        if (!take_char(rest, '+'))
            (void)take_char(rest, '-');
        return take_digits(rest);
    }
    return true;
}

static bool take_scalar(struct str *rest)
{
    if (rest->at[0] == '"')
        return json_take_string(rest);
    return take_word(rest, STR("null")) || take_word(rest, STR("true")) ||
           take_word(rest, STR("false")) || take_number(rest);
}

/* The name in front of a member's value, quotes left out, and the colon behind it taken. */
static bool take_name(struct str *rest, struct str *ret_name)
{
    struct str name;

    skip_space(rest);
    name = *rest;
    if (!json_take_string(rest))
        return false;
    *ret_name = (struct str){ name.at + 1, name.len - rest->len - 2 };
    skip_space(rest);
    return take_char(rest, ':');
}

/* One value and the white space on both sides of it; calls itself at most JSON_DEPTH_MAX deep. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static bool take_value(struct reader *reader)
{
    struct str *rest = &reader->rest;
    struct str name;
    bool named;

    skip_space(rest);
    if (rest->len == 0 || reader->depth == JSON_DEPTH_MAX)
        return false;
    named = take_char(rest, '{');
    if (!named && !take_char(rest, '[')) {
        bool fine = take_scalar(rest);

        skip_space(rest);
        return fine;
    }
    skip_space(rest);
    if (!take_char(rest, named ? '}' : ']')) {
        reader->depth++;
        do {
            if ((named && !take_name(rest, &name)) || !take_value(reader))
                return false;
        } while (take_char(rest, ','));
        reader->depth--;
        if (!take_char(rest, named ? '}' : ']'))
            return false;
    }
    skip_space(rest);
    return true;
}

/* The value that *rest starts with, white space left out. */
static bool piece_next(struct str *rest, struct str *ret_piece)
{
    struct reader reader = { *rest, 0 };
    struct str piece;

    skip_space(&reader.rest);
    piece = reader.rest;
    if (!take_value(&reader))
        return false;
    piece.len -= reader.rest.len;
    while (json_is_space(piece.at[piece.len - 1]))
        piece.len--;
    *rest = reader.rest;
    *ret_piece = piece;
    return true;
}

bool json_read(struct str text, struct str *ret_value)
{
    struct str value;

    if (!utf8_valid(text) || !piece_next(&text, &value) || text.len > 0)
        return false;
    *ret_value = value;
    return true;
}

bool json_is_object(struct str value)
{
    return value.len > 0 && value.at[0] == '{';
}

bool json_is_array(struct str value)
{
    return value.len > 0 && value.at[0] == '[';
}

bool json_is_string(struct str value)
{
    return value.len > 0 && value.at[0] == '"';
}

bool json_is_number(struct str value)
{
    return value.len > 0 && (is_digit(value.at[0]) || value.at[0] == '-');
}

bool json_is(struct str value, const char *literal)
{
    return str_eq(value, str_of(literal));
}

struct str json_inside(struct str container)
{
    if (!json_is_object(container) && !json_is_array(container))
        return (struct str){ NULL, 0 };
    return (struct str){ container.at + 1, container.len - 2 };
}

static bool member_next(struct str *rest, struct str *ret_name, struct str *ret_value)
{
    if (!take_name(rest, ret_name) || !piece_next(rest, ret_value))
        return false;
    (void)take_char(rest, ',');
    return true;
}

struct str json_member(struct str object, const char *name)
{
    struct str rest = json_inside(object);
    struct str member;
    struct str value;

    while (json_is_object(object) && member_next(&rest, &member, &value)) {
        if (str_eq(member, str_of(name)))
            return value;
    }
    return (struct str){ NULL, 0 };
}

bool json_next(struct str *rest, struct str *ret_element)
{
    struct str start = *rest;
    struct str name;

    /* A string with a colon behind it can only be the name of a member. */
    if (!take_name(rest, &name))
        *rest = start;
    if (!piece_next(rest, ret_element))
        return false;
    (void)take_char(rest, ',');
    return true;
}

static void char_add(struct buf *out, uint32_t c)
{
    if (c < 0x80) {
        buf_char(out, (char)c);
        return;
    }
    if (c < 0x800) {
        buf_char(out, (char)(0xC0 | c >> 6));
    } else if (c < 0x10000) {
        buf_char(out, (char)(0xE0 | c >> 12));
        buf_char(out, (char)(0x80 | (c >> 6 & 0x3F)));
    } else {
        buf_char(out, (char)(0xF0 | c >> 18));
        buf_char(out, (char)(0x80 | (c >> 12 & 0x3F)));
        buf_char(out, (char)(0x80 | (c >> 6 & 0x3F)));
    }
    buf_char(out, (char)(0x80 | (c & 0x3F)));
}

/* An escape without its backslash; a surrogate that stands alone becomes U+FFFD. */
static void escape_add(struct buf *out, struct str *rest)
{
    static const char short_forms[] = "b\bf\fn\nr\rt\t";
    uint32_t c = (unsigned char)rest->at[0];
    uint32_t low;

    *rest = str_from(*rest, 1);
    for (size_t i = 0; i + 1 < sizeof short_forms - 1; i += 2) {
        if ((unsigned char)short_forms[i] == c) {
            buf_char(out, short_forms[i + 1]);
            return;
        }
    }
    if (c != 'u' || !hex4(*rest, &c)) {
        buf_char(out, (char)c); /* the quote, the backslash or the slash itself */
        return;
    }
    *rest = str_from(*rest, 4);
    if (c >= 0xD800 && c < 0xDC00 && str_starts(*rest, STR("\\u")) &&
        hex4(str_from(*rest, 2), &low) && low >= 0xDC00 && low < 0xE000) {
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        *rest = str_from(*rest, 6);
    }
    char_add(out, c >= 0xD800 && c < 0xE000 ? 0xFFFD : c);
}

void json_text(struct buf *out, struct str value)
{
    struct str rest;

    if (!json_is_string(value) || value.len < 2)
        return;
    rest = (struct str){ value.at + 1, value.len - 2 };
    while (rest.len > 0) {
        size_t plain = str_find(rest, '\\');

        buf_add(out, rest.at, plain);
        rest = str_from(rest, plain);
        if (rest.len < 2)
            return;
        rest = str_from(rest, 1);
        escape_add(out, &rest);
    }
}

double json_double(struct str value)
{
    char digits[NUMBER_BYTES_MAX + 1];

    if (!json_is_number(value) || value.len > NUMBER_BYTES_MAX)
        return 0;
    memcpy(digits, value.at, value.len);
    digits[value.len] = '\0';
    return strtod(digits, NULL); /* LC_NUMERIC is never set: the point is a point */
}
