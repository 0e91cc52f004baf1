/*
 * web/star.c - a star with five points, or the left part of one.
 *
 * A true fraction needs no clipping by whoever paints it: the outline is cut here, by Sutherland
 * and Hodgman's way with one edge. A star is not convex, so edges may lie on the cut; they cover
 * nothing.
 *
 * Threads: any; nothing is shared.
 */
#include "web/star.h"

#include <math.h>

#define CORNERS 10
#define INNER 0.42 /* of the outer radius: a little fuller than the pentagram's 0.38 */

/* The corners of a star of size 1, its width from 0 to 1. */
static struct point corner(size_t i)
{
    double angle = -M_PI / 2 + (double)i * 2 * M_PI / CORNERS;
    double radius = (i % 2 == 0 ? 1 : INNER) / (2 * cos(M_PI / 10));

    return (struct point){ 0.5 + radius * cos(angle), 0.5257 + radius * sin(angle) };
}

static struct point at_cut(struct point a, struct point b, double cut)
{
    return (struct point){ cut, a.y + (b.y - a.y) * (cut - a.x) / (b.x - a.x) };
}

size_t star_outline(double x, double y, double size, double part, struct point *ret_points)
{
    size_t n = 0;

    if (part <= 0)
        return 0;
    for (size_t i = 0; i < CORNERS; i++) {
        struct point a = corner(i);
        struct point b = corner((i + 1) % CORNERS);

        if (a.x <= part)
            ret_points[n++] = a;
        if ((a.x < part && b.x > part) || (a.x > part && b.x < part))
            ret_points[n++] = at_cut(a, b, part);
    }
    for (size_t i = 0; i < n; i++)
        ret_points[i] = (struct point){ x + ret_points[i].x * size, y + ret_points[i].y * size };
    return n;
}
