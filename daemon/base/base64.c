/*
 * base/base64.c - base64url without padding, read strictly.
 *
 * Threads: any; nothing is shared.
 */
#include "base/base64.h"

#include <stdint.h>

#define BAD 0x80U /* above all six bits */

/* 'A'..'Z' 0..25, 'a'..'z' 26..51, '0'..'9' 52..61, '-' 62, '_' 63: by the low seven bits. */
/* clang-format off */
static const unsigned char digits[128] = {
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,  62, BAD, BAD,
     52,  53,  54,  55,  56,  57,  58,  59,  60,  61, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD,   0,   1,   2,   3,   4,   5,   6,   7,   8,   9,  10,  11,  12,  13,  14,
     15,  16,  17,  18,  19,  20,  21,  22,  23,  24,  25, BAD, BAD, BAD, BAD,  63,
    BAD,  26,  27,  28,  29,  30,  31,  32,  33,  34,  35,  36,  37,  38,  39,  40,
     41,  42,  43,  44,  45,  46,  47,  48,  49,  50,  51, BAD, BAD, BAD, BAD, BAD,
};
/* clang-format on */

static uint32_t digit(char c)
{
    unsigned char byte = (unsigned char)c;

    return byte < sizeof digits ? digits[byte] : BAD;
}

bool base64url_decode(struct str text, unsigned char *ret_bytes, size_t bytes_max, size_t *ret_len)
{
    size_t left = text.len % 4;
    size_t len = text.len / 4 * 3 + (left > 0 ? left - 1 : 0);
    unsigned char *to = ret_bytes;
    const char *at = text.at;
    uint32_t seen = 0; /* all digits together: BAD in it if it was in one */
    uint32_t last;

    if (left == 1 || len > bytes_max)
        return false;
    for (size_t n = text.len / 4; n > 0; n--, at += 4, to += 3) {
        uint32_t a = digit(at[0]);
        uint32_t b = digit(at[1]);
        uint32_t c = digit(at[2]);
        uint32_t d = digit(at[3]);

        seen |= a | b | c | d;
        to[0] = (unsigned char)(a << 2 | b >> 4);
        to[1] = (unsigned char)(b << 4 | c >> 2);
        to[2] = (unsigned char)(c << 6 | d);
    }
    if (left > 0) {
        last = digit(at[0]) << 12 | digit(at[1]) << 6 | (left > 2 ? digit(at[2]) : 0);
        seen |= digit(at[0]) | digit(at[1]) | (left > 2 ? digit(at[2]) : 0);
        if ((last & (left > 2 ? 0x3U : 0x3FFU)) != 0)
            return false; /* bits behind the last byte */
        to[0] = (unsigned char)(last >> 10);
        if (left > 2)
            to[1] = (unsigned char)(last >> 2);
    }
    if ((seen & BAD) != 0)
        return false;
    *ret_len = len;
    return true;
}
