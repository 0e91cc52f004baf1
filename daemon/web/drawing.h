/*
 * web/drawing.h - a picture as a list of shapes, before it is SVG or PNG.
 *
 * Whoever draws works in units; `scale` says how many pixels one has. A drawing in a language that
 * is written from right to left is mirrored as it is drawn, so that nobody else thinks of it.
 * Texts are copied. A failed allocation is remembered, and drawing_ok() says so at the end.
 *
 * Threads: one at a time.
 */
#ifndef TALLYD_WEB_DRAWING_H
#define TALLYD_WEB_DRAWING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/str.h"

enum theme { THEME_LIGHT, THEME_DARK };

#define SERIES_INKS 8

/* What a shape is for; the theme makes a colour of it. */
enum ink {
    INK_PAPER,
    INK_TEXT,
    INK_MUTED, /* text that matters less, and stars nobody gave */
    INK_TRACK, /* what a bar could reach */
    INK_BAR,
    INK_STAR,
    INK_HOLLOW, /* the part of a star that was not reached */
    INK_GRID,
    INK_OTHERS, /* lines behind the first SERIES_INKS */
    INK_SERIES, /* the first of SERIES_INKS */
    INKS = INK_SERIES + SERIES_INKS
};

/* 0xRRGGBB. */
unsigned ink_color(enum theme theme, enum ink ink);

struct point {
    double x;
    double y;
};

enum align { ALIGN_LEFT, ALIGN_MIDDLE, ALIGN_RIGHT }; /* of the text at its x */

/* How a text looks; its colour is the shape's ink. */
struct lettering {
    double size;
    bool bold;
};

enum shape_kind { SHAPE_RECT, SHAPE_CIRCLE, SHAPE_AREA, SHAPE_LINE, SHAPE_TEXT };

struct shape {
    enum shape_kind kind;
    enum ink ink;
    double x; /* RECT: left; CIRCLE: centre; TEXT: where `align` says */
    double y; /* RECT: top; CIRCLE: centre; TEXT: baseline */
    union {
        struct {
            double width;
            double height;
            double radius; /* of the corners */
        } rect;
        double radius; /* CIRCLE */
        struct {
            size_t first; /* of `n` in the drawing's points */
            size_t n;
            double thickness; /* LINE */
            bool dashed;      /* LINE */
        } path;
        struct {
            size_t first; /* of `n` in the drawing's texts */
            size_t n;
            struct lettering lettering;
            enum align align; /* on the page, whichever way the text runs */
            bool rtl;         /* the text runs from right to left */
            double room;      /* no wider than this: squeezed where a backend can measure */
        } text;
    };
};

struct drawing {
    double width; /* in units */
    double height;
    unsigned width_px;
    unsigned height_px;
    enum theme theme;
    bool mirrored;
    char language[40]; /* a tag, or "" */
    char name[160];    /* that ids in the picture begin with */
    struct buf title;  /* for screen readers: what it is, … */
    struct buf words;  /* … and all that it says */
    struct buf shapes; /* of struct shape */
    struct buf points; /* of struct point */
    struct buf texts;
};

void drawing_free(struct drawing *drawing); /* what it holds; the struct is the caller's */

static inline void drawing_autofree(struct drawing *drawing)
{
    drawing_free(drawing);
}

#define AUTO_DRAWING __attribute__((cleanup(drawing_autofree))) struct drawing

bool drawing_ok(const struct drawing *drawing);

size_t drawing_n_shapes(const struct drawing *drawing);
const struct shape *drawing_shape(const struct drawing *drawing, size_t i);
const struct point *drawing_points(const struct drawing *drawing, const struct shape *shape);
struct str drawing_text_of(const struct drawing *drawing, const struct shape *shape);

/*
 * Begins with a sheet of paper. What is known by now: theme, width and width_px, mirrored, language
 * and name. drawing_end() says how high it has become: as many units, or where
 * `height_px` is not 0, exactly so many pixels.
 */
void drawing_begin(struct drawing *drawing);
void drawing_end(struct drawing *drawing, double height, unsigned height_px);
/* Nothing is drawn any more: the same sheet again, of another width. */
void drawing_restart(struct drawing *drawing, double width);

/* `x` is the left edge as if nothing were mirrored; so everywhere below. */
void draw_rect(struct drawing *drawing, enum ink ink, double x, double y, double width,
               double height, double radius);
void draw_circle(struct drawing *drawing, enum ink ink, double x, double y, double radius);
/* A filled polygon. */
void draw_area(struct drawing *drawing, enum ink ink, const struct point *points, size_t n);
void draw_line(struct drawing *drawing, enum ink ink, const struct point *points, size_t n,
               double thickness, bool dashed);

/* One line of text. Which way it runs its first letter says, else the picture does. */
void draw_text(struct drawing *drawing, enum ink ink, double x, double y, enum align align,
               struct lettering lettering, struct str text, double room);

#endif
