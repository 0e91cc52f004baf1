/*
 * nearest.c - which of some names was meant.
 *
 * Threads: main.
 */
#include "nearest.h"

#include <stdint.h>
#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many letters must be put in, left out, changed or swapped with their neighbour. */
static size_t distance(const char *from, const char *to)
{
    size_t from_len = strlen(from);
    size_t to_len = strlen(to);
    size_t d[NEAREST_BYTES_MAX + 1][NEAREST_BYTES_MAX + 1];

    if (from_len > NEAREST_BYTES_MAX || to_len > NEAREST_BYTES_MAX)
        return SIZE_MAX;
    for (size_t i = 0; i <= from_len; i++) {
        for (size_t j = 0; j <= to_len; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1,
                            d[i - 1][j - 1] + (from[i - 1] != to[j - 1]));
            if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
        }
    }
    return d[from_len][to_len];
}

const char *nearest_name(const char *name, const char *(*name_at)(size_t i))
{
    const char *nearest = NULL;
    size_t best = strlen(name) < 4 ? 1 : 2; /* what is further off is another word */
    const char *other;

    for (size_t i = 0; (other = name_at(i)) != NULL; i++) {
        size_t far = distance(name, other);

        if (far < best || (far == best && !nearest)) {
            nearest = other;
            best = far;
        }
    }
    return nearest;
}
