/*
 * base/why.c - the sentence for people that travels beside an error.
 *
 * Threads: any; nothing is shared.
 */
#include "base/why.h"

#include <stdio.h>

void *why_set(struct why *why, const char *format, ...)
{
    va_list args;

    if (!why)
        return NULL;
    va_start(args, format);
    (void)vsnprintf(why->text, sizeof why->text, format, args);
    va_end(args);
    return NULL;
}
