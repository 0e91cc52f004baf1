/*
 * base/utf8.c - UTF-8 as RFC 3629 has it.
 *
 * Threads: any; nothing is shared.
 */
#include "base/utf8.h"

static bool is_tail(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

size_t utf8_char(struct str s, uint32_t *ret_char)
{
    /* The smallest code point that needs this many bytes; below it the form is overlong. */
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned char first;
    size_t len;
    uint32_t c;

    if (s.len == 0)
        return 0;
    first = (unsigned char)s.at[0];
    len = first < 0x80   ? 1
          : first < 0xC2 ? 0
          : first < 0xE0 ? 2
          : first < 0xF0 ? 3
          : first < 0xF5 ? 4
                         : 0;
    if (len == 0 || len > s.len)
        return 0;
    c = len == 1 ? first : first & (0xFFU >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if (!is_tail(s.at[i]))
            return 0;
        c = c << 6 | ((unsigned char)s.at[i] & 0x3FU);
    }
    if (c < least[len] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return 0;
    if (ret_char)
        *ret_char = c;
    return len;
}

bool utf8_valid(struct str s)
{
    while (s.len > 0) {
        size_t len = utf8_char(s, NULL);

        if (len == 0)
            return false;
        s = str_from(s, len);
    }
    return true;
}

bool utf8_is_control(uint32_t character)
{
    return character < 0x20 || (character >= 0x7F && character < 0xA0);
}

bool utf8_is_text(struct str s)
{
    while (s.len > 0) {
        uint32_t c;
        size_t len = utf8_char(s, &c);

        if (len == 0 || utf8_is_control(c))
            return false;
        s = str_from(s, len);
    }
    return true;
}
