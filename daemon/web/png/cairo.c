/*
 * web/png/cairo.c - a drawing as PNG, by cairo and Pango: the module that web/png.c loads.
 *
 * A library of its own, for these two bring thirty others along: linked into the daemon they took
 * 4.5 MiB of every process, of those that never draw a picture too.
 *
 * cairo alone has no letters but the ones of a single font, put side by side from left to right:
 * no Arabic, no Hebrew, no emoji. Pango puts each text in order and finds it a font.
 *
 * Threads: the painter's.
 */
#include "web/png_module.h"

#include <math.h>
#include <stdlib.h>

#include <pango/pangocairo.h>

/* 64 MiB; the highest that charts ask for has ten million. */
#define PIXELS_MAX (16 * 1024 * 1024)
#define LETTERS_BYTES (16 * 1024 * 1024) /* fonts: 64 labels of four scripts kept 12 MiB */

static void context_autofree(cairo_t **held)
{
    if (*held)
        cairo_destroy(*held);
}

static void surface_autofree(cairo_surface_t **held)
{
    if (*held)
        cairo_surface_destroy(*held);
}

#define AUTO_CONTEXT __attribute__((cleanup(context_autofree))) cairo_t
#define AUTO_SURFACE __attribute__((cleanup(surface_autofree))) cairo_surface_t

static void set_ink(cairo_t *cr, const struct drawing *drawing, enum ink ink)
{
    unsigned color = ink_color(drawing->theme, ink);

    cairo_set_source_rgb(cr, (color >> 16) / 255.0, (color >> 8 & 0xff) / 255.0,
                         (color & 0xff) / 255.0);
}

static void rect(cairo_t *cr, const struct shape *shape)
{
    double radius = fmin(shape->rect.radius, fmin(shape->rect.width, shape->rect.height) / 2);
    double right = shape->x + shape->rect.width;
    double bottom = shape->y + shape->rect.height;

    cairo_new_sub_path(cr);
    if (radius <= 0) {
        cairo_rectangle(cr, shape->x, shape->y, shape->rect.width, shape->rect.height);
    } else {
        cairo_arc(cr, right - radius, shape->y + radius, radius, -M_PI / 2, 0);
        cairo_arc(cr, right - radius, bottom - radius, radius, 0, M_PI / 2);
        cairo_arc(cr, shape->x + radius, bottom - radius, radius, M_PI / 2, M_PI);
        cairo_arc(cr, shape->x + radius, shape->y + radius, radius, M_PI, 3 * M_PI / 2);
        cairo_close_path(cr);
    }
    cairo_fill(cr);
}

static void path(cairo_t *cr, const struct drawing *drawing, const struct shape *shape)
{
    const struct point *points = drawing_points(drawing, shape);

    for (size_t i = 0; i < shape->path.n; i++)
        cairo_line_to(cr, points[i].x, points[i].y);
}

static void line(cairo_t *cr, const struct drawing *drawing, const struct shape *shape)
{
    static const double dashes[] = { 6, 3 };

    path(cr, drawing, shape);
    cairo_set_line_width(cr, shape->path.thickness);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    cairo_set_dash(cr, dashes, shape->path.dashed ? 2 : 0, 0);
    cairo_stroke(cr);
}

static double left_of(const struct shape *shape, double width)
{
    switch (shape->text.align) {
    case ALIGN_LEFT:
        break;
    case ALIGN_MIDDLE:
        return shape->x - width / 2;
    case ALIGN_RIGHT:
        return shape->x - width;
    }
    return shape->x;
}

static void text(cairo_t *cr, const struct drawing *drawing, const struct shape *shape,
                 PangoLayout *layout, PangoFontDescription *font)
{
    struct str text = drawing_text_of(drawing, shape);
    double squeeze = 1;
    double width;
    int units;

    pango_font_description_set_absolute_size(font, shape->text.lettering.size * PANGO_SCALE);
    pango_font_description_set_weight(font, shape->text.lettering.bold ? PANGO_WEIGHT_BOLD
                                                                       : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(layout, font);
    pango_context_set_base_dir(pango_layout_get_context(layout),
                               shape->text.rtl ? PANGO_DIRECTION_RTL : PANGO_DIRECTION_LTR);
    pango_layout_context_changed(layout);
    pango_layout_set_text(layout, text.at, (int)text.len);
    pango_layout_get_size(layout, &units, NULL);
    width = (double)units / PANGO_SCALE;
    if (width > shape->text.room && shape->text.room > 0)
        squeeze = shape->text.room / width;
    cairo_save(cr);
    cairo_translate(cr, left_of(shape, width * squeeze), shape->y);
    cairo_scale(cr, squeeze, 1);
    cairo_move_to(cr, 0, 0);
    pango_cairo_show_layout_line(cr, pango_layout_get_line_readonly(layout, 0));
    cairo_restore(cr);
}

static void paint(cairo_t *cr, const struct drawing *drawing, PangoLayout *layout,
                  PangoFontDescription *font)
{
    for (size_t i = 0; i < drawing_n_shapes(drawing); i++) {
        const struct shape *shape = drawing_shape(drawing, i);

        set_ink(cr, drawing, shape->ink);
        cairo_new_path(cr); /* a text leaves its end behind */
        switch (shape->kind) {
        case SHAPE_RECT:
            rect(cr, shape);
            break;
        case SHAPE_CIRCLE:
            cairo_arc(cr, shape->x, shape->y, shape->radius, 0, 2 * M_PI);
            cairo_fill(cr);
            break;
        case SHAPE_AREA:
            path(cr, drawing, shape);
            cairo_close_path(cr);
            cairo_fill(cr);
            break;
        case SHAPE_LINE:
            line(cr, drawing, shape);
            break;
        case SHAPE_TEXT:
            text(cr, drawing, shape, layout, font);
            break;
        }
    }
}

static cairo_status_t write_out(void *out, const unsigned char *bytes, unsigned len)
{
    buf_add(out, bytes, len);
    return buf_ok(out) ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_NO_MEMORY;
}

/* GLib and Pango end the process where they find no memory, and nothing can be put in their place.
 * So what a picture needs is asked for first: where there is no room for it, it is not begun. */
static bool has_room(const struct drawing *drawing)
{
    size_t pixels = (size_t)drawing->width_px * drawing->height_px;
    void *volatile room = malloc(pixels * 4 + LETTERS_BYTES); /* volatile: not to be left out */
    bool there = room != NULL;

    free(room);
    return there;
}

static bool render(const struct drawing *drawing, struct buf *out)
{
    double px_per_unit = drawing->width_px / drawing->width;
    AUTO_SURFACE *surface = NULL;
    AUTO_CONTEXT *cr = NULL;
    PangoFontDescription *font;
    PangoLayout *layout;

    if (!drawing_ok(drawing) || drawing->width_px == 0 ||
        drawing->height_px > PIXELS_MAX / drawing->width_px || !has_room(drawing))
        return false;
    surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)drawing->width_px,
                                         (int)drawing->height_px);
    cr = cairo_create(surface);
    if (cairo_status(cr) != CAIRO_STATUS_SUCCESS)
        return false;
    cairo_scale(cr, px_per_unit, px_per_unit);
    font = pango_font_description_from_string("sans-serif");
    layout = pango_cairo_create_layout(cr);
    pango_layout_set_auto_dir(layout, FALSE);
    pango_layout_set_single_paragraph_mode(layout, TRUE);
    paint(cr, drawing, layout, font);
    g_object_unref(layout);
    pango_font_description_free(font);
    return cairo_status(cr) == CAIRO_STATUS_SUCCESS &&
           cairo_surface_write_to_png_stream(surface, write_out, out) == CAIRO_STATUS_SUCCESS;
}

__attribute__((visibility("default"))) const struct png_module tallyd_png = {
    .version = TALLYD_VERSION,
    .drawing_size = sizeof(struct drawing),
    .shape_size = sizeof(struct shape),
    .render = render,
};
