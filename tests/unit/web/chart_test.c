/*
 * chart_test.c - what charts show, and that it stays on the sheet.
 *
 * Where CHART_TEST_DIR is set, the pictures are left there to look at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/definition.h"
#include "web/chart.h"
#include "web/letters.h"
#include "web/svg.h"

#define HOUR_MS INT64_C(3600000)
#define CREATED_MS INT64_C(1790000000000)

static struct published *make(const char *definition)
{
    struct edit edit = { .kind = EDIT_PUT, .id = "p" };
    struct counts counts = { .version = 1 };
    AUTO(published) published = NULL;
    AUTO(json) json = NULL;
    AUTO(poll) poll = NULL;
    struct refusal refusal;
    struct why why;
    bool seen;

    assert_int_equal(json_parse(str_of(definition), &json, &why), JSON_OK);
    edit.body = json;
    if (edit_apply(&edit, NULL, NULL, CREATED_MS, &poll, &seen, &refusal) != EDIT_CREATED)
        fail_msg("%s: %s", definition, refusal.detail);
    published = published_new(poll, &counts, PHASE_OPEN, 1);
    assert_non_null(published);
    return TAKE(published);
}

static struct chart chart_of(const struct published *published, unsigned width_px,
                             unsigned height_px)
{
    return (struct chart){ .published = published,
                           .words = words_find(STR("en")),
                           .width_px = width_px,
                           .height_px = height_px };
}

static void leave(const struct drawing *drawing, const char *name)
{
    const char *folder = getenv("CHART_TEST_DIR");
    AUTO_BUF svg = { 0 };
    char path[512];
    FILE *file;

    if (!folder)
        return;
    svg_render(drawing, &svg);
    (void)snprintf(path, sizeof path, "%s/%s.svg", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(svg.bytes, 1, svg.len, file), svg.len);
    assert_int_equal(fclose(file), 0);
}

/* How many texts say just this. */
static size_t says(const struct drawing *drawing, const char *text)
{
    size_t n = 0;

    for (size_t i = 0; i < drawing_n_shapes(drawing); i++) {
        const struct shape *shape = drawing_shape(drawing, i);

        if (shape->kind == SHAPE_TEXT && str_eq(drawing_text_of(drawing, shape), str_of(text)))
            n++;
    }
    return n;
}

static void expect(const struct drawing *drawing, const char *text)
{
    if (says(drawing, text) != 1)
        fail_msg("\"%s\" stands %zu times", text, says(drawing, text));
}

/* The rectangles of an ink, in order; returns how many. */
static size_t rects(const struct drawing *drawing, enum ink ink, struct shape *ret_rects)
{
    size_t n = 0;

    for (size_t i = 0; i < drawing_n_shapes(drawing); i++) {
        const struct shape *shape = drawing_shape(drawing, i);

        if (shape->kind == SHAPE_RECT && shape->ink == ink)
            ret_rects[n++] = *shape;
    }
    return n;
}

static void text_is_inside(const struct drawing *drawing, const struct shape *shape)
{
    struct str text = drawing_text_of(drawing, shape);
    double width = letters_width(text, shape->text.lettering);
    double left = shape->x;

    if (shape->text.align != ALIGN_LEFT)
        left -= shape->text.align == ALIGN_MIDDLE ? width / 2 : width;
    if (left < -0.001 || left + width > drawing->width + 0.001 || shape->y > drawing->height)
        fail_msg("outside: %.*s at %f..%f, %f of %f x %f", (int)text.len, text.at, left,
                 left + width, shape->y, drawing->width, drawing->height);
}

static bool has_points(const struct shape *shape)
{
    return shape->kind == SHAPE_LINE || shape->kind == SHAPE_AREA;
}

static void points_are_inside(const struct drawing *drawing, const struct shape *shape)
{
    const struct point *points = drawing_points(drawing, shape);

    for (size_t i = 0; i < shape->path.n; i++)
        assert_true(points[i].x >= 0 && points[i].x <= drawing->width && points[i].y >= 0 &&
                    points[i].y <= drawing->height);
}

static void all_is_inside(const struct drawing *drawing)
{
    assert_true(drawing_ok(drawing));
    for (size_t i = 0; i < drawing_n_shapes(drawing); i++) {
        const struct shape *shape = drawing_shape(drawing, i);

        if (shape->kind == SHAPE_TEXT)
            text_is_inside(drawing, shape);
        if (has_points(shape))
            points_are_inside(drawing, shape);
        if (shape->kind == SHAPE_RECT)
            assert_true(shape->x >= 0 && shape->y >= 0 &&
                        shape->x + shape->rect.width <= drawing->width &&
                        shape->y + shape->rect.height <= drawing->height + 0.001);
    }
}

static void bars_are_as_long_as_their_shares(void **state)
{
    AUTO(published) published = make("{\"title\":\"T\",\"options\":[{\"label\":\"A\"},"
                                     "{\"label\":\"B\"},{\"label\":\"C\"},{\"label\":\"D\"}],"
                                     "\"carried\":[33,30,24,21]}");
    static const double shares[] = { 0.305556, 0.277778, 0.222222, 0.194444 };
    struct chart chart = chart_of(published, 640, 0);
    AUTO_DRAWING drawing = { 0 };
    struct shape tracks[8];
    struct shape bars[8];

    (void)state;
    chart_draw_tally(&chart, &drawing);
    all_is_inside(&drawing);
    expect(&drawing, "T");
    expect(&drawing, "108 votes");
    expect(&drawing, "33 (31%)");
    expect(&drawing, "30 (28%)");
    expect(&drawing, "24 (22%)");
    expect(&drawing, "21 (19%)");
    assert_int_equal(rects(&drawing, INK_TRACK, tracks), 4);
    assert_int_equal(rects(&drawing, INK_BAR, bars), 4);
    for (size_t i = 0; i < 4; i++) {
        double off = bars[i].rect.width - tracks[i].rect.width * shares[i];

        assert_true(off > -0.001 && off < 0.001);
        assert_true(bars[i].x == tracks[i].x && bars[i].y == tracks[i].y);
    }
}

static void what_is_said_follows_the_poll(void **state)
{
    static const struct {
        const char *definition;
        const char *text;
    } rows[] = {
        { "{\"title\":\"T\",\"options\":[{\"label\":\"A\"},{\"label\":\"B\"}]}", "(no votes yet)" },
        { "{\"title\":\"T\",\"options\":[{\"label\":\"A\"},{\"label\":\"B\"}],\"carried\":[1,0]}",
          "1 vote" },
        { "{\"title\":\"T\",\"options\":[{\"label\":\"A\"},{\"label\":\"B\"}],\"carried\":[1,999]}",
          "999 (>99%)" },
        { "{\"title\":\"T\",\"options\":[{\"label\":\"A\"},{\"label\":\"B\"}],\"max_choices\":2,"
          "\"carried\":[3,1],\"carried_voters\":3}",
          "Several answers possible, shares of 3 voters" },
        { "{\"title\":\"T\",\"kind\":\"rating\"}", "(no votes yet)" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"carried\":[0,0,0,0,2]}",
          "(votes: 2, rating: 5)" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"carried\":[1,2,0,0,0]}", "2 (67%)" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"carried\":{\"count\":2,\"sum\":3}}",
          "(votes: 2, rating: 1.5)" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO(published) published = make(rows[i].definition);
        struct chart chart = chart_of(published, 300 + 100 * (unsigned)i, 0);
        AUTO_DRAWING drawing = { 0 };

        chart_draw_tally(&chart, &drawing);
        all_is_inside(&drawing);
        expect(&drawing, rows[i].text);
    }
}

/* A definition whose title and labels are 500 of `letter`. */
static void long_one(const char *letter, size_t n_options, struct buf *out)
{
    buf_text(out, "{\"title\":\"");
    for (size_t i = 0; i < 500; i++)
        buf_text(out, letter);
    buf_text(out, "\",\"options\":[");
    for (size_t option = 0; option < n_options; option++) {
        buf_text(out, option > 0 ? ",{\"label\":\"" : "{\"label\":\"");
        for (size_t i = 0; i < 500; i++)
            buf_text(out, letter);
        buf_text(out, "\"}");
    }
    buf_text(out, "],\"carried\":[");
    for (size_t option = 0; option < n_options; option++)
        buf_format(out, option > 0 ? ",%zu" : "%zu", option * 1000000007);
    buf_text(out, "]}");
}

static void history_of(const struct published *published, size_t n, struct chart_history *ret)
{
    *ret =
        (struct chart_history){ .from_ms = CREATED_MS, .to_ms = CREATED_MS + (int64_t)n * HOUR_MS };
    for (size_t i = 0; i < n; i++) {
        int64_t at_ms = CREATED_MS + (int64_t)(i + 1) * HOUR_MS;

        buf_add(&ret->at_ms, &at_ms, sizeof at_ms);
        for (size_t option = 0; option < published->poll->n_options; option++) {
            uint64_t votes = published->poll->carried.marks[option] * (i + 1) / n;

            buf_add(&ret->votes, &votes, sizeof votes);
        }
    }
}

static void long_texts_and_long_lists_stay_inside(void **state)
{
    static const char *const letters[] = { "W", "ж", "ש", "i " };
    static const unsigned sizes[][2] = {
        { 200, 0 }, { 640, 0 }, { 1200, CARD_HEIGHT }, { 2000, 0 }
    };
    static const size_t options[] = { 2, 5, 64 };

    (void)state;
    for (size_t i = 0; i < 4 * 4 * 3; i++) {
        AUTO_BUF definition = { 0 };
        AUTO(published) published = NULL;
        AUTO_DRAWING drawing = { 0 };
        AUTO_DRAWING line = { 0 };
        struct chart_history history;
        struct chart chart;

        long_one(letters[i % 4], options[i / 16], &definition);
        buf_char(&definition, '\0');
        published = make(definition.bytes);
        chart = chart_of(published, sizes[i / 4 % 4][0], sizes[i / 4 % 4][1]);
        chart_draw_tally(&chart, &drawing);
        all_is_inside(&drawing);
        assert_true(drawing.height_px < 6000);
        if (chart.height_px > 0)
            assert_int_equal(drawing.height_px, CARD_HEIGHT);
        history_of(published, 50, &history);
        chart_draw_history(&chart, &history, &line);
        all_is_inside(&line);
        chart_history_free(&history);
    }
}

static void a_card_shows_the_leaders_of_a_long_list_and_how_many_more(void **state)
{
    AUTO_BUF definition = { 0 };
    AUTO(published) published = NULL;
    AUTO_DRAWING drawing = { 0 };
    struct shape bars[OPTIONS_MAX];
    struct chart chart;
    char more[32];
    size_t n;

    (void)state;
    long_one("W", 64, &definition);
    buf_char(&definition, '\0');
    published = make(definition.bytes);
    chart = chart_of(published, CARD_WIDTH, CARD_HEIGHT);
    chart_draw_tally(&chart, &drawing);
    n = rects(&drawing, INK_BAR, bars);
    assert_true(n >= 3 && n < 10);
    expect(&drawing, "63,000,000,441 (3%)");
    (void)snprintf(more, sizeof more, "and %zu more", 64 - n);
    expect(&drawing, more);
}

static void a_history_is_a_line_for_each_option_that_ends_at_the_tally(void **state)
{
    AUTO(published) published = make("{\"title\":\"T\",\"options\":[{\"label\":\"A\"},"
                                     "{\"label\":\"B\"}],\"carried\":[100,50]}");
    struct chart chart = chart_of(published, 640, 0);
    AUTO_DRAWING drawing = { 0 };
    struct chart_history history;
    size_t lines = 0;

    (void)state;
    history_of(published, 200, &history);
    chart_draw_history(&chart, &history, &drawing);
    all_is_inside(&drawing);
    leave(&drawing, "history");
    for (size_t i = 0; i < drawing_n_shapes(&drawing); i++) {
        const struct shape *shape = drawing_shape(&drawing, i);
        const struct point *points;

        if (shape->kind != SHAPE_LINE || shape->ink < INK_SERIES || shape->path.n == 2)
            continue;
        points = drawing_points(&drawing, shape);
        lines++;
        for (size_t j = 1; j < shape->path.n; j++) /* stepped, and votes only grow here */
            assert_true((points[j].x == points[j - 1].x || points[j].y == points[j - 1].y) &&
                        points[j].x >= points[j - 1].x && points[j].y <= points[j - 1].y);
    }
    assert_int_equal(lines, 2);
    expect(&drawing, "100 (67%)");
    expect(&drawing, "50 (33%)");
    expect(&drawing, "2026-09-24");
    expect(&drawing, "21 September 2026, 14:13 UTC – 29 September 2026, 22:13 UTC");
    assert_true(says(&drawing, "0") == 1 && says(&drawing, "100") == 1);
    chart_history_free(&history);
}

static void counts_to_the_limit_have_levels_and_places(void **state)
{
    AUTO(published) published = make("{\"title\":\"T\",\"options\":[{\"label\":\"A\"},{\"label\":"
                                     "\"B\"}],\"carried\":[9223372036854775806,1]}");
    struct chart chart = chart_of(published, 200, 0);
    AUTO_DRAWING drawing = { 0 };
    AUTO_DRAWING bars = { 0 };
    struct chart_history history;

    (void)state;
    history_of(published, 1, &history);
    chart_draw_history(&chart, &history, &drawing);
    chart_draw_tally(&chart, &bars);
    all_is_inside(&drawing);
    all_is_inside(&bars);
    expect(&bars, "9,223,372,036,854,775,806 (>99%)");
    chart_history_free(&history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bars_are_as_long_as_their_shares),
        cmocka_unit_test(what_is_said_follows_the_poll),
        cmocka_unit_test(long_texts_and_long_lists_stay_inside),
        cmocka_unit_test(a_card_shows_the_leaders_of_a_long_list_and_how_many_more),
        cmocka_unit_test(a_history_is_a_line_for_each_option_that_ends_at_the_tally),
        cmocka_unit_test(counts_to_the_limit_have_levels_and_places),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
