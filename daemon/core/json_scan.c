/*
 * core/json_scan.c - whether bytes are JSON, by the grammar of RFC 8259, in one pass.
 *
 * Threads: any; nothing is shared.
 */
#include "core/json_scan.h"

#include <string.h>

#include "base/utf8.h"
#include "core/json.h"

/* cJSON 1.7.15 reads a number through a buffer of 64 bytes and takes longer ones for two. */
#define NUMBER_BYTES_MAX 63

struct scan {
    struct str bytes;
    size_t at;
    unsigned depth;
    char closers[JSON_DEPTH_MAX]; /* what ends each container that is open */
    struct buf *numbers;
    struct why *why;
};

static bool bad(const struct scan *scan, const char *what)
{
    (void)why_set(scan->why, "%s at byte %zu", what, scan->at);
    return false;
}

/* The byte at the scan's place, or -1 at the end. */
static int peek(const struct scan *scan)
{
    return scan->at < scan->bytes.len ? (unsigned char)scan->bytes.at[scan->at] : -1;
}

static int peek_past_blanks(struct scan *scan)
{
    int c = peek(scan);

    while (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        scan->at++;
        c = peek(scan);
    }
    return c;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool scan_digits(struct scan *scan)
{
    if (!is_digit(peek(scan)))
        return bad(scan, "a digit is missing");
    while (is_digit(peek(scan)))
        scan->at++;
    return true;
}

static bool scan_number(struct scan *scan)
{
    size_t start = scan->at;

    if (peek(scan) == '-')
        scan->at++;
    if (peek(scan) == '0')
        scan->at++;
    else if (!scan_digits(scan))
        return false;
    if (peek(scan) == '.') {
        scan->at++;
        if (!scan_digits(scan))
            return false;
    }
    if (peek(scan) == 'e' || peek(scan) == 'E') {
        scan->at++;
        if (peek(scan) == '+' || peek(scan) == '-')
            scan->at++;
        if (!scan_digits(scan))
            return false;
    }
    if (scan->at - start > NUMBER_BYTES_MAX)
        return bad(scan, "a number is longer than 63 characters");
    buf_add(scan->numbers, scan->bytes.at + start, scan->at - start);
    buf_char(scan->numbers, '\0');
    return true;
}

/* The four digits behind `\u`. */
static bool scan_hex(struct scan *scan, unsigned *ret_unit)
{
    unsigned unit = 0;

    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(peek(scan));

        if (digit < 0)
            return bad(scan, "\\u needs four hexadecimal digits");
        unit = unit << 4 | (unsigned)digit;
        scan->at++;
    }
    *ret_unit = unit;
    return true;
}

static bool scan_unicode_escape(struct scan *scan)
{
    unsigned unit;
    unsigned low;

    if (!scan_hex(scan, &unit))
        return false;
    if (unit == 0)
        return bad(scan, "\\u0000 is not taken");
    if (unit < 0xD800 || unit > 0xDFFF)
        return true;
    if (unit > 0xDBFF || peek(scan) != '\\')
        return bad(scan, "a surrogate stands alone");
    scan->at++;
    if (peek(scan) != 'u')
        return bad(scan, "a surrogate stands alone");
    scan->at++;
    if (!scan_hex(scan, &low))
        return false;
    return (low >= 0xDC00 && low <= 0xDFFF) || bad(scan, "a surrogate stands alone");
}

static bool scan_escape(struct scan *scan)
{
    int c;

    scan->at++;
    c = peek(scan);
    if (c <= 0 || !strchr("\"\\/bfnrtu", c))
        return bad(scan, "an unknown escape in a string");
    scan->at++;
    return c != 'u' || scan_unicode_escape(scan);
}

static bool scan_string(struct scan *scan)
{
    scan->at++;
    for (;;) {
        int c = peek(scan);
        size_t len;

        if (c == '"') {
            scan->at++;
            return true;
        }
        if (c < 0)
            return bad(scan, "a string has no end");
        if (c < ' ')
            return bad(scan, "a control character in a string");
        if (c == '\\') {
            if (!scan_escape(scan))
                return false;
            continue;
        }
        len = c < 0x80 ? 1 : utf8_char(str_from(scan->bytes, scan->at), NULL);
        if (len == 0)
            return bad(scan, "bytes that are not UTF-8");
        scan->at += len;
    }
}

static bool scan_word(struct scan *scan, struct str word)
{
    if (!str_starts(str_from(scan->bytes, scan->at), word))
        return bad(scan, "a value is missing");
    scan->at += word.len;
    return true;
}

static bool scan_scalar(struct scan *scan, int first)
{
    if (first == '"')
        return scan_string(scan);
    if (first == '-' || is_digit(first))
        return scan_number(scan);
    if (first == 't')
        return scan_word(scan, STR("true"));
    if (first == 'f')
        return scan_word(scan, STR("false"));
    return scan_word(scan, STR("null"));
}

/* A member's name with its colon, where the innermost container is an object. */
static bool scan_name(struct scan *scan)
{
    if (scan->closers[scan->depth - 1] != '}')
        return true;
    if (peek_past_blanks(scan) != '"')
        return bad(scan, "a member's name is missing");
    if (!scan_string(scan))
        return false;
    if (peek_past_blanks(scan) != ':')
        return bad(scan, "a colon is missing");
    scan->at++;
    return true;
}

/*
 * One value, or the start of one: a container that is not empty is left open.
 *
 *   ret_inside  the next thing is the first value in a container
 */
static bool scan_value(struct scan *scan, bool *ret_inside)
{
    int first = peek_past_blanks(scan);
    char closer = first == '{' ? '}' : ']';

    *ret_inside = false;
    if (first != '{' && first != '[')
        return scan_scalar(scan, first);
    if (scan->depth == JSON_DEPTH_MAX)
        return bad(scan, "more than 16 levels of nesting");
    scan->at++;
    if (peek_past_blanks(scan) == closer) {
        scan->at++;
        return true;
    }
    scan->closers[scan->depth++] = closer;
    *ret_inside = true;
    return scan_name(scan);
}

/* Behind a value: closes what ends here. At depth 0 the document is whole; else a next value
 * follows. */
static bool scan_behind_value(struct scan *scan)
{
    while (scan->depth > 0) {
        int c = peek_past_blanks(scan);

        if (c == ',') {
            scan->at++;
            return scan_name(scan);
        }
        if (c != scan->closers[scan->depth - 1])
            return bad(scan, "a comma or an end is missing");
        scan->at++;
        scan->depth--;
    }
    return true;
}

bool json_scan(struct str bytes, struct buf *numbers, struct why *reterr_why)
{
    struct scan scan = { .bytes = bytes, .numbers = numbers, .why = reterr_why };
    bool inside;

    do {
        if (!scan_value(&scan, &inside))
            return false;
        if (!inside && !scan_behind_value(&scan))
            return false;
    } while (scan.depth > 0);
    return peek_past_blanks(&scan) < 0 || bad(&scan, "more behind the end");
}
