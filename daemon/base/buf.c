/*
 * base/buf.c - bytes that are being written.
 *
 * Threads: one at a time for each buf.
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/ckd.h"

#define DAY_S 86400
#define DAYS_OF_400_YEARS 146097
#define DAYS_FROM_0000_03_01 719468 /* to 1970-01-01 */
#define ROOM_BYTES_MIN 256

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

void buf_free(struct buf *buf)
{
    free(buf->bytes);
    *buf = (struct buf){ 0 };
}

char *buf_reserve(struct buf *buf, size_t more)
{
    size_t need;
    size_t room = buf->room < ROOM_BYTES_MIN ? ROOM_BYTES_MIN : buf->room;
    char *bytes;

    if (buf->failed)
        return NULL;
    if (ckd_add(&need, buf->len, more)) {
        buf->failed = true;
        return NULL;
    }
    if (need <= buf->room)
        return buf->bytes + buf->len;
    while (room < need) {
        if (ckd_mul(&room, room, 2U))
            room = need;
    }
    bytes = realloc(buf->bytes, room);
    if (!bytes) {
        buf->failed = true;
        return NULL;
    }
    buf->bytes = bytes;
    buf->room = room;
    return bytes + buf->len;
}

void buf_uint(struct buf *buf, uint64_t n)
{
    char digits[20]; /* UINT64_MAX has 20 */
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    buf_add(buf, digits + at, sizeof digits - at);
}

void buf_int(struct buf *buf, int64_t n)
{
    if (n < 0)
        buf_char(buf, '-');
    buf_uint(buf, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

void buf_format(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_list again;
    int len;
    char *at;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    at = len >= 0 ? buf_reserve(buf, (size_t)len + 1) : NULL;
    if (at) {
        (void)vsnprintf(at, (size_t)len + 1, format, again);
        buf->len += (size_t)len;
    }
    va_end(again);
}

/* U+2028 and U+2029 end a line in older JavaScript: E2 80 A8 and E2 80 A9 in UTF-8. */
static bool is_line_separator(struct str s, size_t i)
{
    return i + 2 < s.len && (unsigned char)s.at[i] == 0xE2 && (unsigned char)s.at[i + 1] == 0x80 &&
           ((unsigned char)s.at[i + 2] & 0xFE) == 0xA8;
}

void buf_json_string(struct buf *buf, struct str s)
{
    size_t done = 0;

    buf_char(buf, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.at[i];
        bool separator = c == 0xE2 && is_line_separator(s, i);

        if (c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' && !separator)
            continue;
        buf_add(buf, s.at + done, i - done);
        if (separator) {
            buf_text(buf, (unsigned char)s.at[i + 2] == 0xA8 ? "\\u2028" : "\\u2029");
            i += 2;
        } else if (c == '"' || c == '\\') {
            buf_char(buf, '\\');
            buf_char(buf, (char)c);
        } else {
            buf_format(buf, "\\u%04x", c);
        }
        done = i + 1;
    }
    if (done < s.len)
        buf_add(buf, s.at + done, s.len - done);
    buf_char(buf, '"');
}

/* Two digits at `at`. */
static void put_two(char *at, unsigned n)
{
    at[0] = (char)('0' + n / 10 % 10);
    at[1] = (char)('0' + n % 10);
}

/* By hand, since an export writes one for each row: gmtime_r() and printf() were two fifths of its
 * time. The date is that of the proleptic Gregorian calendar, counted in years from 1 March, so
 * that the leap day is a year's last. */
void buf_time(struct buf *buf, int64_t at_ms)
{
    int64_t seconds = at_ms / 1000 - (at_ms % 1000 < 0 ? 1 : 0);
    int64_t days = seconds / DAY_S - (seconds % DAY_S < 0 ? 1 : 0) + DAYS_FROM_0000_03_01;
    unsigned of_day = (unsigned)(seconds - (days - DAYS_FROM_0000_03_01) * DAY_S);
    int64_t era = (days >= 0 ? days : days - (DAYS_OF_400_YEARS - 1)) / DAYS_OF_400_YEARS;
    unsigned of_era = (unsigned)(days - era * DAYS_OF_400_YEARS);
    unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned month = (5 * of_year + 2) / 153; /* from March */
    int64_t year = (int64_t)year_of_era + era * 400 + (month >= 10);
    char text[] = "0000-00-00T00:00:00Z";

    if (year < 0 || year > 9999) {
        buf->failed = true; /* no time that the contract lets in */
        return;
    }
    put_two(text, (unsigned)year / 100);
    put_two(text + 2, (unsigned)year % 100);
    put_two(text + 5, month < 10 ? month + 3 : month - 9);
    put_two(text + 8, of_year - (153 * month + 2) / 5 + 1);
    put_two(text + 11, of_day / 3600);
    put_two(text + 14, of_day / 60 % 60);
    put_two(text + 17, of_day % 60);
    buf_add(buf, text, sizeof text - 1);
}
