/*
 * web/png_module.h - what the daemon and the module that draws PNG know of each other.
 *
 * Two files on a disk, so they may be of different builds, while an upgrade runs for instance: the
 * daemon looks at version and sizes before it hands over a drawing.
 */
#ifndef TALLYD_WEB_PNG_MODULE_H
#define TALLYD_WEB_PNG_MODULE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "web/drawing.h"

#define PNG_MODULE_SYMBOL "tallyd_png"

struct png_module {
    const char *version; /* TALLYD_VERSION */
    size_t drawing_size; /* of struct drawing */
    size_t shape_size;   /* of struct shape */
    /* false: no memory for the picture, and *out is of no use. Any one thread. */
    bool (*render)(const struct drawing *drawing, struct buf *out);
};

extern const struct png_module tallyd_png; /* the module's only name */

#endif
