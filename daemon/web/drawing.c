/*
 * web/drawing.c - a picture as a list of shapes.
 *
 * Threads: one at a time.
 */
#include "web/drawing.h"

#include <assert.h>

#include "web/letters.h"

/* Text on paper has a contrast of 4.5 at least, bars and lines of 3 (WCAG 2.2, 1.4.3, 1.4.11). */
static const unsigned colors[][INKS] = {
    [THEME_LIGHT] = { [INK_PAPER] = 0xffffff,
                      [INK_TEXT] = 0x1b1f24,
                      [INK_MUTED] = 0x59636e,
                      [INK_TRACK] = 0xe7ebf0,
                      [INK_BAR] = 0x2563c9,
                      [INK_STAR] = 0xb87503,
                      [INK_HOLLOW] = 0xd9dee4,
                      [INK_GRID] = 0xdfe3e8,
                      [INK_OTHERS] = 0x8b949e,
                      [INK_SERIES] = 0x2563c9,
                      0xc2410c,
                      0x15803d,
                      0x9333ea,
                      0x0e7490,
                      0xbe185d,
                      0x7c6a05,
                      0x475569 },
    [THEME_DARK] = { [INK_PAPER] = 0x14181d,
                     [INK_TEXT] = 0xe9edf1,
                     [INK_MUTED] = 0x9fabb7,
                     [INK_TRACK] = 0x2a313a,
                     [INK_BAR] = 0x62a0f8,
                     [INK_STAR] = 0xf2b92f,
                     [INK_HOLLOW] = 0x3d4650,
                     [INK_GRID] = 0x2f3740,
                     [INK_OTHERS] = 0x6b7785,
                     [INK_SERIES] = 0x62a0f8,
                     0xf4894f,
                     0x4ecb7c,
                     0xc08cf5,
                     0x3fc3d9,
                     0xf47bb0,
                     0xd8c34a,
                     0xa9b6c6 },
};

unsigned ink_color(enum theme theme, enum ink ink)
{
    return colors[theme][ink];
}

void drawing_free(struct drawing *drawing)
{
    buf_free(&drawing->title);
    buf_free(&drawing->words);
    buf_free(&drawing->shapes);
    buf_free(&drawing->points);
    buf_free(&drawing->texts);
}

bool drawing_ok(const struct drawing *drawing)
{
    return buf_ok(&drawing->title) && buf_ok(&drawing->words) && buf_ok(&drawing->shapes) &&
           buf_ok(&drawing->points) && buf_ok(&drawing->texts);
}

size_t drawing_n_shapes(const struct drawing *drawing)
{
    return drawing->shapes.len / sizeof(struct shape);
}

/* A buf's memory comes from malloc() and holds nothing but these, so they are aligned. */
const struct shape *drawing_shape(const struct drawing *drawing, size_t i)
{
    return (const struct shape *)(const void *)drawing->shapes.bytes + i;
}

const struct point *drawing_points(const struct drawing *drawing, const struct shape *shape)
{
    return (const struct point *)(const void *)drawing->points.bytes + shape->path.first;
}

struct str drawing_text_of(const struct drawing *drawing, const struct shape *shape)
{
    return (struct str){ drawing->texts.bytes + shape->text.first, shape->text.n };
}

static double mirror(const struct drawing *drawing, double x)
{
    return drawing->mirrored ? drawing->width - x : x;
}

static void add(struct drawing *drawing, const struct shape *shape)
{
    buf_add(&drawing->shapes, shape, sizeof *shape);
}

void draw_rect(struct drawing *drawing, enum ink ink, double x, double y, double width,
               double height, double radius)
{
    struct shape shape = { .kind = SHAPE_RECT, .ink = ink, .x = x, .y = y };

    if (drawing->mirrored)
        shape.x = drawing->width - x - width;
    shape.rect.width = width;
    shape.rect.height = height;
    shape.rect.radius = radius;
    add(drawing, &shape);
}

void draw_circle(struct drawing *drawing, enum ink ink, double x, double y, double radius)
{
    struct shape shape = { .kind = SHAPE_CIRCLE, .ink = ink, .x = mirror(drawing, x), .y = y };

    shape.radius = radius;
    add(drawing, &shape);
}

static void add_points(struct drawing *drawing, struct shape *shape, const struct point *points,
                       size_t n)
{
    shape->path.first = drawing->points.len / sizeof *points;
    shape->path.n = n;
    for (size_t i = 0; i < n; i++) {
        struct point point = { mirror(drawing, points[i].x), points[i].y };

        buf_add(&drawing->points, &point, sizeof point);
    }
    add(drawing, shape);
}

void draw_area(struct drawing *drawing, enum ink ink, const struct point *points, size_t n)
{
    struct shape shape = { .kind = SHAPE_AREA, .ink = ink };

    add_points(drawing, &shape, points, n);
}

void draw_line(struct drawing *drawing, enum ink ink, const struct point *points, size_t n,
               double thickness, bool dashed)
{
    struct shape shape = { .kind = SHAPE_LINE, .ink = ink };

    shape.path.thickness = thickness;
    shape.path.dashed = dashed;
    add_points(drawing, &shape, points, n);
}

static enum align mirror_align(const struct drawing *drawing, enum align align)
{
    if (!drawing->mirrored || align == ALIGN_MIDDLE)
        return align;
    return align == ALIGN_LEFT ? ALIGN_RIGHT : ALIGN_LEFT;
}

void draw_text(struct drawing *drawing, enum ink ink, double x, double y, enum align align,
               struct lettering lettering, struct str text, double room)
{
    struct shape shape = { .kind = SHAPE_TEXT, .ink = ink, .x = mirror(drawing, x), .y = y };

    if (text.len == 0)
        return;
    shape.text.first = drawing->texts.len;
    shape.text.n = text.len;
    shape.text.lettering = lettering;
    shape.text.align = mirror_align(drawing, align);
    shape.text.rtl = letters_rtl(text, drawing->mirrored);
    shape.text.room = room;
    buf_str_add(&drawing->texts, text);
    add(drawing, &shape);
}

void drawing_begin(struct drawing *drawing)
{
    draw_rect(drawing, INK_PAPER, 0, 0, drawing->width, 0, 0);
}

void drawing_end(struct drawing *drawing, double height, unsigned height_px)
{
    double px_per_unit = drawing->width_px / drawing->width;

    drawing->height_px = height_px > 0 ? height_px : (unsigned)(height * px_per_unit + 0.5);
    drawing->height = drawing->height_px / px_per_unit;
    if (!drawing_ok(drawing))
        return;
    assert(drawing_n_shapes(drawing) > 0);
    ((struct shape *)(void *)drawing->shapes.bytes)->rect.height = drawing->height;
}

void drawing_restart(struct drawing *drawing, double width)
{
    bool ok = drawing_ok(drawing); /* what was measured decides on what is drawn next */

    buf_clear(&drawing->shapes);
    buf_clear(&drawing->points);
    buf_clear(&drawing->texts);
    drawing->texts.failed = !ok;
    drawing->width = width;
    drawing_begin(drawing);
}
