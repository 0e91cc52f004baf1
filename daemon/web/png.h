/*
 * web/png.h - a drawing as PNG, by a module that is loaded when the first one is drawn.
 *
 * The module holds cairo and Pango. Where they were not there at build time there is none; it may
 * also be missing on the disk, or not fit. A large picture takes tens of milliseconds, so it is no
 * work for a loop.
 *
 * Threads: png_new() and png_free() main's; png_render() any one.
 */
#ifndef TALLYD_WEB_PNG_H
#define TALLYD_WEB_PNG_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/why.h"
#include "web/drawing.h"

struct png; /* opaque: web/png.c */

enum png_rendered {
    PNG_RENDERED,
    PNG_NO_MEMORY, /* for the picture */
    PNG_NO_MODULE  /* it cannot be loaded: *reterr_why says which file and why */
};

/* There is a module, as far as the build knows. */
bool png_is_built_in(void);

/*
 *   module   where it lies: an absolute path, copied; it is opened by the first png_render(), and
 *            by the next ones until one succeeds
 *   returns  NULL: no memory
 */
MUST_USE struct png *png_new(const char *module);
/* The module stays loaded: GLib, behind Pango, cannot be unloaded. */
void png_free(struct png *png);
AUTO_FREE(png);

/* Adds the picture to *out, which is of no use unless it is PNG_RENDERED. Says once in the log that
 * the module cannot be loaded. */
MUST_USE enum png_rendered png_render(struct png *png, const struct drawing *drawing,
                                      struct buf *out, struct why *reterr_why);

#endif
