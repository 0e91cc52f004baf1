/*
 * core/when.c - times on the way in: RFC 3339 with any offset.
 *
 * Threads: any; nothing is shared.
 */
#include "core/when.h"

#include <stddef.h>

#define SECONDS_A_DAY 86400
/* 0000-01-01T00:00:00Z: with WHEN_LAST_S, what four digits of a year can say in UTC. */
#define FIRST_SECOND INT64_C(-62167219200)

struct fields {
    unsigned year;
    unsigned month;
    unsigned day;
    unsigned hour;
    unsigned minute;
    unsigned second;
};

/* Takes exactly `n` digits off the front of *rest. */
static bool take_digits(struct str *rest, unsigned n, unsigned *ret_value)
{
    uint64_t value;

    if (rest->len < n || !str_uint64((struct str){ rest->at, n }, 9999, &value))
        return false;
    *rest = str_from(*rest, n);
    *ret_value = (unsigned)value;
    return true;
}

/* Takes one byte: `c`, or its lower-case form where it is a letter (RFC 3339 §5.6, NOTE). */
static bool take_char(struct str *rest, char c)
{
    if (rest->len == 0)
        return false;
    if (rest->at[0] != c && !(c >= 'A' && c <= 'Z' && rest->at[0] == c + ('a' - 'A')))
        return false;
    *rest = str_from(*rest, 1);
    return true;
}

static bool take_date_and_time(struct str *rest, struct fields *ret_fields)
{
    struct fields *f = ret_fields;

    return take_digits(rest, 4, &f->year) && take_char(rest, '-') &&
           take_digits(rest, 2, &f->month) && take_char(rest, '-') &&
           take_digits(rest, 2, &f->day) && take_char(rest, 'T') &&
           take_digits(rest, 2, &f->hour) && take_char(rest, ':') &&
           take_digits(rest, 2, &f->minute) && take_char(rest, ':') &&
           take_digits(rest, 2, &f->second);
}

static bool take_fraction(struct str *rest)
{
    unsigned digit;

    if (!take_char(rest, '.'))
        return true;
    if (!take_digits(rest, 1, &digit))
        return false;
    while (take_digits(rest, 1, &digit))
        continue;
    return true;
}

static bool take_offset(struct str *rest, int64_t *ret_seconds)
{
    bool east;
    unsigned hours;
    unsigned minutes;

    if (take_char(rest, 'Z')) {
        *ret_seconds = 0;
        return true;
    }
    east = take_char(rest, '+');
    if (!east && !take_char(rest, '-'))
        return false;
    if (!take_digits(rest, 2, &hours) || !take_char(rest, ':') || !take_digits(rest, 2, &minutes))
        return false;
    if (hours > 23 || minutes > 59)
        return false;
    *ret_seconds = (int64_t)(hours * 60 + minutes) * (east ? 60 : -60);
    return true;
}

static bool is_leap_year(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool are_real(const struct fields *f)
{
    static const unsigned days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    unsigned days_in_month;

    if (f->month < 1 || f->month > 12 || f->hour > 23 || f->minute > 59 || f->second > 60)
        return false;
    days_in_month = days[f->month - 1] + (f->month == 2 && is_leap_year(f->year) ? 1 : 0);
    return f->day >= 1 && f->day <= days_in_month;
}

/* Days from 1970-01-01: whole years with their leap days, then the days of this year, which is
 * counted from March so that the leap day is its last. */
static int64_t day_number(const struct fields *f)
{
    int64_t year = (int64_t)f->year - (f->month <= 2 ? 1 : 0) + 400; /* never negative */
    int64_t month = f->month <= 2 ? f->month + 9 : f->month - 3;     /* March is 0 */
    int64_t days = year * 365 + year / 4 - year / 100 + year / 400;

    days += (month * 153 + 2) / 5 + f->day - 1;
    return days - 719468 - 146097; /* 0000-03-01 to 1970-01-01; the 400 years added above */
}

bool when_parse(struct str text, int64_t *ret_ms)
{
    struct fields f;
    int64_t offset;
    int64_t at;

    if (!take_date_and_time(&text, &f) || !take_fraction(&text) || !take_offset(&text, &offset))
        return false;
    if (text.len > 0 || !are_real(&f))
        return false;
    at = day_number(&f) * SECONDS_A_DAY + f.hour * 3600 + f.minute * 60 + f.second - offset;
    /* A leap second comes before midnight in UTC and at no other time (RFC 3339 §5.7). */
    if (f.second == 60 && at % SECONDS_A_DAY != 0)
        return false;
    if (at < FIRST_SECOND || at > WHEN_LAST_S)
        return false;
    *ret_ms = at * 1000;
    return true;
}
