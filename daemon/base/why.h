/*
 * base/why.h - the sentence for people that travels beside an error.
 *
 * One line, no full stop: what went wrong, with the name of the thing, and where there is one the
 * remedy. It never holds a secret, a voter or an address.
 */
#ifndef TALLYD_BASE_WHY_H
#define TALLYD_BASE_WHY_H

#include <stdarg.h>

struct why {
    char text[512];
};

/* Writes the sentence (cut at 511 bytes; `why` may be NULL) and returns NULL, so that a
 * constructor can `return why_set(…)`. */
void *why_set(struct why *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
