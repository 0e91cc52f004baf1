/*
 * core/refusal.h - a refusal with what people need to mend it: what, where, and how.
 *
 * Fixed in size, so that refusing never needs memory. Cut where it is too long.
 */
#ifndef TALLYD_CORE_REFUSAL_H
#define TALLYD_CORE_REFUSAL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/problem.h"

#define REFUSAL_ERRORS_MAX 8

struct refusal_error {
    bool parameter; /* `where` names a query parameter, else it is a JSON pointer (RFC 6901) */
    char where[128];
    char detail[160];
};

struct refusal {
    enum problem problem;
    char detail[256];
    size_t n_errors; /* of a 422: the first REFUSAL_ERRORS_MAX */
    struct refusal_error errors[REFUSAL_ERRORS_MAX];
};

/* Sets problem and detail, without errors. Returns false, so that a reader can
 * `return refuse(…)`. `refusal` may be NULL. */
bool refuse(struct refusal *refusal, enum problem problem, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds one error of a 422 and makes it the refusal's problem; the first one is its detail too.
 * `pointer` such as "/options/3/label" ("" is the whole body). Returns false. */
bool refuse_member(struct refusal *refusal, const char *pointer, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool refuse_parameter(struct refusal *refusal, const char *parameter, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
