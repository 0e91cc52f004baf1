/*
 * web/star.h - a star with five points, or the left part of one.
 *
 * Pure; any thread.
 */
#ifndef TALLYD_WEB_STAR_H
#define TALLYD_WEB_STAR_H

#include <stddef.h>

#include "web/drawing.h"

#define STAR_POINTS_MAX 20

/* The outline of what a star of this size shows left of `part` (0..1) of its width, as one polygon
 * whose left edge is at x and whose top is at y. Returns how many points; 0 where nothing is left.
 */
size_t star_outline(double x, double y, double size, double part, struct point *ret_points);

#endif
