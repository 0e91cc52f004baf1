/*
 * cells.c - what a cell says: a number, a text, a time.
 *
 * Threads: main.
 */
#include "cells.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/ckd.h"

static const char look[] = "is this the dump of that system, and whole?";

static bool unexpected(const struct row *row, size_t cell, const char *expected,
                       struct fault *reterr_fault)
{
    struct str text = row->cells[cell].text;

    if (row->cells[cell].null)
        return row_fault(row, reterr_fault, look, "%s: %s was expected, and no value found",
                         row->table->columns[cell], expected);
    return row_fault(row, reterr_fault, look, "%s: %s was expected, and \"%.*s\" found",
                     row->table->columns[cell], expected, (int)(text.len < 40 ? text.len : 40),
                     text.at ? text.at : "");
}

bool cell_int(const struct row *row, size_t cell, int64_t *ret_n, struct fault *reterr_fault)
{
    struct str text = str_trim(row->cells[cell].text);
    bool negative = text.len > 1 && text.at[0] == '-';
    uint64_t n = 0;

    if (text.len > 0 && !str_uint64(negative ? str_from(text, 1) : text, INT64_MAX, &n))
        return unexpected(row, cell, "a whole number", reterr_fault);
    *ret_n = negative ? -(int64_t)n : (int64_t)n;
    return true;
}

bool cell_count_if(const struct row *row, size_t cell, uint64_t *ret_n, struct fault *reterr_fault)
{
    int64_t n = 0;

    if (!cell_int(row, cell, &n, reterr_fault))
        return false;
    *ret_n = n < 0 ? 0 : (uint64_t)n;
    return true;
}

bool cell_count(const struct row *row, size_t cell, uint64_t *ret_n, struct fault *reterr_fault)
{
    if (str_uint64(str_trim(row->cells[cell].text), INT64_MAX, ret_n))
        return true;
    return unexpected(row, cell, "a count", reterr_fault);
}

/* The digits behind the point, as thousandths. */
static bool fraction_read(struct str digits, int64_t *ret_milli)
{
    int64_t milli = 0;

    for (size_t i = 0; i < digits.len; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9')
            return false;
        if (i < 3)
            milli = milli * 10 + (digits.at[i] - '0');
    }
    for (size_t i = digits.len; i < 3; i++)
        milli *= 10;
    *ret_milli = milli;
    return true;
}

bool cell_milli(const struct row *row, size_t cell, int64_t *ret_milli, struct fault *reterr_fault)
{
    struct str text = str_trim(row->cells[cell].text);
    bool negative = text.len > 1 && text.at[0] == '-';
    struct str whole = negative ? str_from(text, 1) : text;
    size_t point = str_find(whole, '.');
    int64_t fraction = 0;
    uint64_t n = 0;
    int64_t milli;

    if (point < whole.len && !fraction_read(str_from(whole, point + 1), &fraction))
        return unexpected(row, cell, "a number", reterr_fault);
    whole.len = point;
    if (text.len > 0 && !(whole.len == 0 && point + 1 < text.len) &&
        !str_uint64(whole, INT64_MAX, &n))
        return unexpected(row, cell, "a number", reterr_fault);
    if (ckd_mul(&milli, (int64_t)n, 1000) || ckd_add(&milli, milli, fraction))
        return unexpected(row, cell, "a smaller number", reterr_fault);
    *ret_milli = negative ? -milli : milli;
    return true;
}

bool cell_moment(const struct row *row, size_t cell, int64_t *ret_ms, struct fault *reterr_fault)
{
    struct str text = str_trim(row->cells[cell].text);
    struct tm at = { 0 };
    char copy[32];
    int taken = 0;

    *ret_ms = 0;
    if (text.len == 0 || str_starts(text, STR("0000-00-00")))
        return true;
    (void)snprintf(copy, sizeof copy, "%.*s", (int)(text.len < 31 ? text.len : 31), text.at);
    if (strlen(copy) > 10 && copy[10] == 'T')
        copy[10] = ' ';
    /* NOLINTNEXTLINE(cert-err34-c): the widths leave no number that does not fit */
    if (sscanf(copy, "%4d-%2d-%2d%n %2d:%2d:%2d%n", &at.tm_year, &at.tm_mon, &at.tm_mday, &taken,
               &at.tm_hour, &at.tm_min, &at.tm_sec, &taken) < 3 ||
        (copy[taken] != '\0' && copy[taken] != '.') || at.tm_year < 1970)
        return unexpected(row, cell, "a time as 2026-11-23 08:40:12", reterr_fault);
    at.tm_year -= 1900;
    at.tm_mon -= 1;
    *ret_ms = (int64_t)timegm(&at) * 1000;
    return true;
}

bool cell_is(const struct row *row, size_t cell, const char *text)
{
    return str_eq_nocase(row->cells[cell].text, str_of(text));
}
