/*
 * web/png.h - a drawing as PNG, by cairo and Pango; where they were not there at build time, never.
 *
 * A large one takes tens of milliseconds, so it is no work for a loop. Any one thread.
 */
#ifndef TALLYD_WEB_PNG_H
#define TALLYD_WEB_PNG_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/buf.h"
#include "web/drawing.h"

bool png_is_built_in(void);

/* false: no memory for the picture (or none is built in); *out is of no use then. */
MUST_USE bool png_render(const struct drawing *drawing, struct buf *out);

#endif
