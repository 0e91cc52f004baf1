/*
 * svg_test.c - what a drawing is as SVG.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "web/star.h"
#include "web/svg.h"

static void begin(struct drawing *drawing, bool mirrored)
{
    drawing->width = 200;
    drawing->width_px = 400;
    drawing->mirrored = mirrored;
    (void)snprintf(drawing->name, sizeof drawing->name, "p");
    buf_text(&drawing->title, "T");
    buf_text(&drawing->words, "W");
    drawing_begin(drawing);
}

static bool holds(const struct buf *svg, const char *piece)
{
    return memmem(svg->bytes, svg->len, piece, strlen(piece)) != NULL;
}

static void expect(const struct buf *svg, const char *piece)
{
    if (!holds(svg, piece))
        fail_msg("not there: %s in %.*s", piece, (int)svg->len, svg->bytes);
}

static void every_shape_becomes_one_element(void **state)
{
    static const struct point points[] = { { 1, 2 }, { 3.256, -4 }, { 0.1, 0 } };
    AUTO_DRAWING drawing = { 0 };
    AUTO_BUF svg = { 0 };

    (void)state;
    begin(&drawing, false);
    draw_rect(&drawing, INK_BAR, 10, 20, 30.5, 5, 3);
    draw_circle(&drawing, INK_STAR, 1, 2, 3);
    draw_area(&drawing, INK_STAR, points, 3);
    draw_line(&drawing, INK_GRID, points, 3, 1.5, true);
    draw_text(&drawing, INK_TEXT, 10, 20, ALIGN_RIGHT, (struct lettering){ 15, true }, STR("hi"),
              100);
    drawing_end(&drawing, 50, 0);
    svg_render(&drawing, &svg);
    assert_true(buf_ok(&svg));
    expect(&svg, "width=\"400\" height=\"100\" viewBox=\"0 0 200 50\" role=\"img\" "
                 "aria-labelledby=\"p-title p-desc\"");
    expect(&svg, "<title id=\"p-title\">T</title>\n<desc id=\"p-desc\">W</desc>\n"
                 "<rect x=\"0\" y=\"0\" width=\"200\" height=\"50\" fill=\"#ffffff\"/>\n"
                 "<rect x=\"10\" y=\"20\" width=\"30.5\" height=\"5\" rx=\"3\" fill=\"#2563c9\"/>\n"
                 "<circle cx=\"1\" cy=\"2\" r=\"3\" fill=\"#b87503\"/>\n"
                 "<polygon points=\"1,2 3.26,-4 0.1,0\" fill=\"#b87503\"/>\n"
                 "<polyline points=\"1,2 3.26,-4 0.1,0\" fill=\"none\" stroke=\"#dfe3e8\" "
                 "stroke-width=\"1.5\" stroke-dasharray=\"6 3\" stroke-linejoin=\"round\"/>\n"
                 "<text x=\"10\" y=\"20\" font-size=\"15\" font-weight=\"700\" "
                 "text-anchor=\"end\" fill=\"#1b1f24\">hi</text>\n</svg>\n");
}

static void a_text_is_only_ever_a_text(void **state)
{
    AUTO_DRAWING drawing = { 0 };
    AUTO_BUF svg = { 0 };

    (void)state;
    begin(&drawing, false);
    buf_text(&drawing.title, "</title><script>&");
    buf_text(&drawing.words, "]]>\"'\xef\xbf\xbe\xef\xbf\xbf");
    draw_text(&drawing, INK_TEXT, 1, 2, ALIGN_LEFT, (struct lettering){ 15, false },
              STR("<script>\"a\" & 'b'</script>\x01"), 100);
    drawing_end(&drawing, 50, 0);
    svg_render(&drawing, &svg);
    expect(&svg, ">T&lt;/title&gt;&lt;script&gt;&amp;</title>");
    expect(&svg, ">W]]&gt;&quot;&#39;\xef\xbf\xbd\xef\xbf\xbd</desc>");
    expect(&svg,
           ">&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;\xef\xbf\xbd</text>");
    assert_false(holds(&svg, "<script"));
}

static void what_runs_from_the_right_begins_on_the_right(void **state)
{
    static const struct lettering letters = { 15, false };
    AUTO_DRAWING drawing = { 0 };
    AUTO_BUF svg = { 0 };

    (void)state;
    begin(&drawing, true);
    draw_rect(&drawing, INK_BAR, 10, 20, 30, 5, 0);
    draw_text(&drawing, INK_TEXT, 10, 1, ALIGN_LEFT, letters, STR("שלום"), 100);
    draw_text(&drawing, INK_TEXT, 10, 2, ALIGN_LEFT, letters, STR("hello"), 100);
    draw_text(&drawing, INK_TEXT, 10, 3, ALIGN_RIGHT, letters, STR("33"), 100);
    drawing_end(&drawing, 50, 0);
    svg_render(&drawing, &svg);
    expect(&svg, " direction=\"rtl\">\n<title");
    expect(&svg, "<rect x=\"160\" y=\"20\" width=\"30\"");
    expect(&svg, "<text x=\"190\" y=\"1\" font-size=\"15\" fill");
    expect(&svg, "<text x=\"190\" y=\"2\" font-size=\"15\" direction=\"ltr\" text-anchor=\"end\"");
    expect(&svg, "<text x=\"190\" y=\"3\" font-size=\"15\" text-anchor=\"end\"");
}

/* Twice the area inside, by the shoelace formula. */
static double area_of(const struct point *points, size_t n)
{
    double twice = 0;

    for (size_t i = 0; i < n; i++) {
        const struct point *next = &points[(i + 1) % n];

        twice += points[i].x * next->y - next->x * points[i].y;
    }
    return twice;
}

static void half_a_star_is_half_of_it(void **state)
{
    struct point points[STAR_POINTS_MAX];
    double whole = area_of(points, star_outline(10, 10, 20, 1, points));

    (void)state;
    assert_int_equal(star_outline(10, 10, 20, 0, points), 0);
    assert_int_equal(star_outline(10, 10, 20, 1, points), 10);
    assert_true(area_of(points, star_outline(10, 10, 20, 0.5, points)) > whole * 0.4999);
    assert_true(area_of(points, star_outline(10, 10, 20, 0.5, points)) < whole * 0.5001);
    for (int i = 1; i < 100; i++) {
        size_t n = star_outline(10, 10, 20, i / 100.0, points);

        assert_true(n > 2 && n <= STAR_POINTS_MAX);
        for (size_t j = 0; j < n; j++)
            assert_true(points[j].x >= 9.999 && points[j].x <= 10.001 + 20 * i / 100.0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_becomes_one_element),
        cmocka_unit_test(a_text_is_only_ever_a_text),
        cmocka_unit_test(what_runs_from_the_right_begins_on_the_right),
        cmocka_unit_test(half_a_star_is_half_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
