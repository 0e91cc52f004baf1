/*
 * web/svg.c - a drawing as SVG.
 *
 * Attributes and elements only: no style sheet, no script, no reference that leaves the document.
 * Ids begin with the poll's own, so that several pictures may stand in one page.
 *
 * Threads: any; nothing is shared.
 */
#include "web/svg.h"

#include <math.h>
#include <stdint.h>

#include "base/utf8.h"

#define FONTS                                                                                      \
    "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue','Noto Sans',Arial,'DejaVu Sans',"  \
    "sans-serif"

/* U+FFFE and U+FFFF are no characters of XML (§2.2), controls are in no text of ours. */
static void escaped(struct buf *out, struct str text)
{
    while (text.len > 0) {
        uint32_t character;
        size_t len = utf8_char(text, &character);

        if (len == 0 || character == 0xfffe || character == 0xffff || utf8_is_control(character))
            buf_text(out, "\xef\xbf\xbd");
        else if (character == '&')
            buf_text(out, "&amp;");
        else if (character == '<')
            buf_text(out, "&lt;");
        else if (character == '>')
            buf_text(out, "&gt;");
        else if (character == '"')
            buf_text(out, "&quot;");
        else if (character == '\'')
            buf_text(out, "&#39;");
        else
            buf_add(out, text.at, len);
        text = str_from(text, len > 0 ? len : 1);
    }
}

/* At most two decimals, whatever the locale. */
static void number(struct buf *out, double value)
{
    int64_t hundredths = llround(value * 100);
    uint64_t rest;

    if (hundredths < 0)
        buf_char(out, '-');
    rest = (uint64_t)(hundredths < 0 ? -hundredths : hundredths);
    buf_uint(out, rest / 100);
    rest %= 100;
    if (rest == 0)
        return;
    buf_char(out, '.');
    buf_char(out, (char)('0' + rest / 10));
    if (rest % 10 > 0)
        buf_char(out, (char)('0' + rest % 10));
}

static void attribute(struct buf *out, const char *name, double value)
{
    buf_char(out, ' ');
    buf_text(out, name);
    buf_text(out, "=\"");
    number(out, value);
    buf_char(out, '"');
}

static void color(struct buf *out, const struct drawing *drawing, const char *name, enum ink ink)
{
    buf_format(out, " %s=\"#%06x\"", name, ink_color(drawing->theme, ink));
}

static void points(struct buf *out, const struct drawing *drawing, const struct shape *shape)
{
    const struct point *at = drawing_points(drawing, shape);

    buf_text(out, " points=\"");
    for (size_t i = 0; i < shape->path.n; i++) {
        if (i > 0)
            buf_char(out, ' ');
        number(out, at[i].x);
        buf_char(out, ',');
        number(out, at[i].y);
    }
    buf_char(out, '"');
}

static void rect(struct buf *out, const struct drawing *drawing, const struct shape *shape)
{
    buf_text(out, "<rect");
    attribute(out, "x", shape->x);
    attribute(out, "y", shape->y);
    attribute(out, "width", shape->rect.width);
    attribute(out, "height", shape->rect.height);
    if (shape->rect.radius > 0)
        attribute(out, "rx", shape->rect.radius);
    color(out, drawing, "fill", shape->ink);
    buf_text(out, "/>\n");
}

static void circle(struct buf *out, const struct drawing *drawing, const struct shape *shape)
{
    buf_text(out, "<circle");
    attribute(out, "cx", shape->x);
    attribute(out, "cy", shape->y);
    attribute(out, "r", shape->radius);
    color(out, drawing, "fill", shape->ink);
    buf_text(out, "/>\n");
}

static void area(struct buf *out, const struct drawing *drawing, const struct shape *shape)
{
    buf_text(out, "<polygon");
    points(out, drawing, shape);
    color(out, drawing, "fill", shape->ink);
    buf_text(out, "/>\n");
}

static void line(struct buf *out, const struct drawing *drawing, const struct shape *shape)
{
    buf_text(out, "<polyline");
    points(out, drawing, shape);
    buf_text(out, " fill=\"none\"");
    color(out, drawing, "stroke", shape->ink);
    attribute(out, "stroke-width", shape->path.thickness);
    if (shape->path.dashed)
        buf_text(out, " stroke-dasharray=\"6 3\"");
    buf_text(out, " stroke-linejoin=\"round\"/>\n");
}

/* `start` is where the text begins: on the right where it runs from right to left. */
static const char *anchor(const struct shape *shape)
{
    switch (shape->text.align) {
    case ALIGN_LEFT:
        return shape->text.rtl ? " text-anchor=\"end\"" : "";
    case ALIGN_MIDDLE:
        return " text-anchor=\"middle\"";
    case ALIGN_RIGHT:
        return shape->text.rtl ? "" : " text-anchor=\"end\"";
    }
    return "";
}

static void text(struct buf *out, const struct drawing *drawing, const struct shape *shape)
{
    buf_text(out, "<text");
    attribute(out, "x", shape->x);
    attribute(out, "y", shape->y);
    attribute(out, "font-size", shape->text.lettering.size);
    if (shape->text.lettering.bold)
        buf_text(out, " font-weight=\"700\"");
    if (shape->text.rtl != drawing->mirrored) /* the picture says the other */
        buf_text(out, shape->text.rtl ? " direction=\"rtl\"" : " direction=\"ltr\"");
    buf_text(out, anchor(shape));
    color(out, drawing, "fill", shape->ink);
    buf_char(out, '>');
    escaped(out, drawing_text_of(drawing, shape));
    buf_text(out, "</text>\n");
}

static void shape_render(struct buf *out, const struct drawing *drawing, const struct shape *shape)
{
    switch (shape->kind) {
    case SHAPE_RECT:
        rect(out, drawing, shape);
        break;
    case SHAPE_CIRCLE:
        circle(out, drawing, shape);
        break;
    case SHAPE_AREA:
        area(out, drawing, shape);
        break;
    case SHAPE_LINE:
        line(out, drawing, shape);
        break;
    case SHAPE_TEXT:
        text(out, drawing, shape);
        break;
    }
}

static void head(struct buf *out, const struct drawing *drawing)
{
    struct str name = str_of(drawing->name);

    buf_format(
        out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" viewBox=\"0 0 ",
        drawing->width_px, drawing->height_px);
    number(out, drawing->width);
    buf_char(out, ' ');
    number(out, drawing->height);
    buf_text(out, "\" role=\"img\" aria-labelledby=\"");
    escaped(out, name);
    buf_text(out, "-title ");
    escaped(out, name);
    buf_text(out, "-desc\" font-family=\"" FONTS "\"");
    if (drawing->language[0] != '\0') {
        buf_text(out, " xml:lang=\"");
        escaped(out, str_of(drawing->language));
        buf_char(out, '"');
    }
    if (drawing->mirrored)
        buf_text(out, " direction=\"rtl\"");
    buf_text(out, ">\n");
}

static void described(struct buf *out, const struct drawing *drawing, const char *element,
                      const struct buf *words)
{
    buf_format(out, "<%s id=\"", element);
    escaped(out, str_of(drawing->name));
    buf_format(out, "-%s\">", element);
    escaped(out, buf_str(words));
    buf_format(out, "</%s>\n", element);
}

void svg_render(const struct drawing *drawing, struct buf *out)
{
    if (!drawing_ok(drawing)) {
        out->failed = true; /* shapes may speak of texts and points that are not there */
        return;
    }
    buf_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    head(out, drawing);
    described(out, drawing, "title", &drawing->title);
    described(out, drawing, "desc", &drawing->words);
    for (size_t i = 0; i < drawing_n_shapes(drawing); i++)
        shape_render(out, drawing, drawing_shape(drawing, i));
    buf_text(out, "</svg>\n");
}
