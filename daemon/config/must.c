/*
 * config/must.c - strings that must be there.
 *
 * Threads: main.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "config/inside.h"

char *must_copy(struct str s)
{
    char *copy = must_alloc(s.len + 1);

    if (s.len > 0)
        memcpy(copy, s.at, s.len);
    return copy;
}

char *must_format(const char *format, ...)
{
    char *text;
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    text = must_alloc((size_t)(len > 0 ? len : 0) + 1);
    va_start(args, format);
    (void)vsnprintf(text, (size_t)(len > 0 ? len : 0) + 1, format, args);
    va_end(args);
    return text;
}
