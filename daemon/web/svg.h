/*
 * web/svg.h - a drawing as SVG: nothing in it runs, and nothing is fetched.
 *
 * Pure; any thread.
 */
#ifndef TALLYD_WEB_SVG_H
#define TALLYD_WEB_SVG_H

#include "base/buf.h"
#include "web/drawing.h"

/* Whoever opens one by its own address gets this with it: should something in it ever look like a
 * script or an address, it stays a text. */
#define SVG_POLICY "default-src 'none'; style-src 'unsafe-inline'"

/* Writes a well-formed XML document, whatever the texts hold. */
void svg_render(const struct drawing *drawing, struct buf *out);

#endif
