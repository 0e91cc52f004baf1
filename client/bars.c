/*
 * bars.c - bars and stars.
 *
 * Threads: any; nothing is shared.
 */
#include "bars.h"

#include "screen.h"

#define STARS_MAX 10

/* How many of `parts` a share fills. */
static size_t filled(double share, size_t parts)
{
    size_t n = share >= 1 ? parts : share > 0 ? (size_t)(share * (double)parts + 0.5) : 0;

    return n == 0 && share > 0 ? 1 : n;
}

void bar_add(struct buf *out, double share, size_t cells, bool utf8)
{
    static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
    size_t per_cell = utf8 ? 8 : 1;
    size_t parts = filled(share, cells * per_cell);
    size_t whole = parts / per_cell;
    size_t rest = parts % per_cell;

    for (size_t i = 0; i < whole; i++)
        buf_text(out, utf8 ? "█" : "#");
    buf_text(out, eighths[rest]);
    screen_spaces(out, cells - whole - (rest > 0));
}

void stars_add(struct buf *out, double rating, size_t scale, bool utf8)
{
    size_t full = rating > 0 ? (size_t)(rating + 0.5) : 0;

    for (size_t i = 0; i < scale && i < STARS_MAX; i++) {
        if (i < full)
            buf_text(out, utf8 ? "★" : "*");
        else
            buf_text(out, utf8 ? "☆" : "-");
    }
}
