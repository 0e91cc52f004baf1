/*
 * core/problem.c - what each refusal is called and answered with.
 *
 * Threads: any; nothing is shared.
 */
#include "core/problem.h"

#include <assert.h>
#include <stddef.h>

struct row {
    unsigned status;
    const char *slug;
    const char *title;
};

static const struct row rows[] = { { 0, NULL, NULL }, /* PROBLEM_NONE */
#define PROBLEM_ROW(name, status, slug, title) { status, slug, title },
                                   PROBLEMS(PROBLEM_ROW)
#undef PROBLEM_ROW
};

static const struct row *row_of(enum problem problem)
{
    assert(problem > PROBLEM_NONE && (size_t)problem < sizeof rows / sizeof rows[0]);
    return &rows[problem];
}

unsigned problem_status(enum problem problem)
{
    return row_of(problem)->status;
}

const char *problem_slug(enum problem problem)
{
    return row_of(problem)->slug;
}

const char *problem_title(enum problem problem)
{
    return row_of(problem)->title;
}
