/*
 * base/str.c - pieces of bytes: comparing, splitting, reading numbers.
 *
 * Threads: any; nothing is shared.
 */
#include "base/str.h"

#include <string.h>

#include "base/ckd.h"

struct str str_of(const char *text)
{
    return (struct str){ text, text ? strlen(text) : 0 };
}

bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.at[i]) != lower(b.at[i]))
            return false;
    }
    return true;
}

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq((struct str){ s.at, prefix.len }, prefix);
}

size_t str_find(struct str s, char c)
{
    const char *hit = s.len > 0 ? memchr(s.at, c, s.len) : NULL;

    return hit ? (size_t)(hit - s.at) : s.len;
}

struct str str_from(struct str s, size_t n)
{
    if (n == 0)
        return s; /* also for {NULL, 0}: adding 0 to NULL is undefined in C11 */
    return (struct str){ s.at + n, s.len - n };
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
    while (s.len > 0 && is_blank(s.at[0]))
        s = str_from(s, 1);
    while (s.len > 0 && is_blank(s.at[s.len - 1]))
        s.len--;
    return s;
}

bool str_next(struct str *rest, char by, struct str *ret_piece)
{
    size_t end;

    if (!rest->at || rest->len == 0)
        return false;
    end = str_find(*rest, by);
    *ret_piece = (struct str){ rest->at, end };
    *rest = end < rest->len ? str_from(*rest, end + 1) : (struct str){ NULL, 0 };
    return true;
}

bool str_is_one_of(struct str s, const char *words)
{
    struct str rest = str_of(words);
    struct str piece;

    while (str_next(&rest, ' ', &piece)) {
        if (str_eq(piece, s))
            return true;
    }
    return false;
}

int hex_digit(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool str_uint64(struct str s, uint64_t max, uint64_t *ret_n)
{
    uint64_t n = 0;

    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        uint64_t digit;

        if (s.at[i] < '0' || s.at[i] > '9')
            return false;
        digit = (uint64_t)(s.at[i] - '0');
        if (ckd_mul(&n, n, 10U) || ckd_add(&n, n, digit) || n > max)
            return false; /* 18446744073709551617 is no option number */
    }
    *ret_n = n;
    return true;
}

char *str_copy(struct str s)
{
    char *copy = malloc(s.len + 1);

    if (!copy)
        return NULL;
    if (s.len > 0)
        memcpy(copy, s.at, s.len);
    copy[s.len] = '\0';
    return copy;
}
