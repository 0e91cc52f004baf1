/*
 * core/refusal.c - a refusal with what people need to mend it.
 *
 * Threads: any; nothing is shared.
 */
#include "core/refusal.h"

#include <stdarg.h>
#include <stdio.h>

bool refuse(struct refusal *refusal, enum problem problem, const char *format, ...)
{
    va_list args;

    if (!refusal)
        return false;
    refusal->problem = problem;
    refusal->n_errors = 0;
    va_start(args, format);
    (void)vsnprintf(refusal->detail, sizeof refusal->detail, format, args);
    va_end(args);
    return false;
}

__attribute__((format(printf, 4, 0))) static void add_error(struct refusal *refusal, bool parameter,
                                                            const char *where, const char *format,
                                                            va_list args)
{
    struct refusal_error *error;

    if (refusal->problem != PROBLEM_INVALID) {
        refusal->problem = PROBLEM_INVALID;
        refusal->n_errors = 0;
    }
    if (refusal->n_errors == REFUSAL_ERRORS_MAX)
        return;
    error = &refusal->errors[refusal->n_errors++];
    error->parameter = parameter;
    (void)snprintf(error->where, sizeof error->where, "%s", where);
    (void)vsnprintf(error->detail, sizeof error->detail, format, args);
    if (refusal->n_errors == 1)
        (void)snprintf(refusal->detail, sizeof refusal->detail, "%s", error->detail);
}

bool refuse_member(struct refusal *refusal, const char *pointer, const char *format, ...)
{
    va_list args;

    if (!refusal)
        return false;
    va_start(args, format);
    add_error(refusal, false, pointer, format, args);
    va_end(args);
    return false;
}

bool refuse_parameter(struct refusal *refusal, const char *parameter, const char *format, ...)
{
    va_list args;

    if (!refusal)
        return false;
    va_start(args, format);
    add_error(refusal, true, parameter, format, args);
    va_end(args);
    return false;
}
