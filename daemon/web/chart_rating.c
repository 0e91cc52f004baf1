/*
 * web/chart_rating.c - the stars of a rating, and how they were given.
 *
 * Threads: any; nothing is shared.
 */
#include <math.h>

#include "web/chart_parts.h"
#include "web/star.h"

#define STAR_SIZE 34.0
#define STAR_STEP 1.16 /* from star to star, in sizes */
#define ROW_HEIGHT 26.0
#define ROW_HEIGHT_LEAST 14.0
#define GAP 10.0

static void draw_star(struct drawing *drawing, enum ink ink, double x, double y, double size,
                      double part)
{
    struct point points[STAR_POINTS_MAX];
    size_t n = star_outline(x, y, size, part, points);

    if (n > 0)
        draw_area(drawing, ink, points, n);
}

/* The mean to its hundredth: 1.5 is one star and a half. */
static void draw_stars(struct sketch *sketch)
{
    double n = (double)sketch->tally.n_options;
    double size = fmin(STAR_SIZE, sketch->width / (n * STAR_STEP));
    double mean = (double)sketch->tally.rating_hundredths / 100;

    for (size_t i = 0; i < sketch->tally.n_options; i++) {
        double x = sketch->margin + (double)i * size * STAR_STEP;
        double part = fmin(mean - (double)i, 1);

        if (part < 1)
            draw_star(sketch->drawing, INK_HOLLOW, x, sketch->y, size, 1);
        draw_star(sketch->drawing, INK_STAR, x, sketch->y, size, part);
    }
    sketch->y += size + 6;
}

static void draw_summary(struct sketch *sketch)
{
    const struct words *words = sketch->chart->words;
    AUTO_BUF text = { 0 };
    AUTO_BUF votes = { 0 };
    AUTO_BUF rating = { 0 };
    struct word_value values[2];
    struct block block;

    words_number(words, sketch->tally.votes, &votes);
    words_hundredths(words, sketch->tally.rating_hundredths, &rating);
    values[0] = (struct word_value){ "votes", buf_str(&votes) };
    values[1] = (struct word_value){ "rating", buf_str(&rating) };
    words_fill(words_text(words, sketch->tally.rated ? WORD_RATED : WORD_NO_VOTES), values, 2, NULL,
               &text);
    if (!buf_ok(&text) || !buf_ok(&votes) || !buf_ok(&rating))
        sketch->drawing->texts.failed = true;
    block_wrap(&block, buf_str(&text), LETTERING_LABEL, sketch->width, 2);
    block_draw(&block, sketch->drawing, INK_TEXT, sketch->margin, sketch->y);
    sketch->y += block_height(&block) + GAP;
}

static void draw_row(struct sketch *sketch, size_t i, double height, double figure_width)
{
    struct drawing *drawing = sketch->drawing;
    struct lettering lettering = { fmin(LETTERING_LABEL.size, height * 0.8), false };
    struct lettering bold = { lettering.size, true };
    double label_width = letters_width(STR("10 ★"), lettering);
    double track_x = sketch->margin + label_width + GAP;
    double track = sketch->width - label_width - figure_width - 2 * GAP;
    double bar = height * 0.5;
    double middle = sketch->y + height / 2;
    double baseline = middle + lettering.size * 0.36;
    AUTO_BUF figure = { 0 };
    char scratch[24];

    draw_text(drawing, INK_MUTED, sketch->margin + label_width, baseline, ALIGN_RIGHT, lettering,
              sketch_label(sketch, i, scratch), label_width);
    draw_rect(drawing, INK_TRACK, track_x, middle - bar / 2, track, bar, 3);
    if (sketch->tally.options[i].votes > 0)
        draw_rect(drawing, INK_STAR, track_x, middle - bar / 2,
                  track * sketch->tally.options[i].share_millionths / 1000000, bar, 3);
    sketch_figure(sketch, i, &figure);
    buf_heed(&drawing->texts, &figure);
    draw_text(drawing, INK_TEXT, track_x + track + GAP, baseline, ALIGN_LEFT,
              lettering_fitting(bold, buf_str(&figure), figure_width), buf_str(&figure),
              figure_width);
    sketch->y += height;
}

static double figures_width(const struct sketch *sketch)
{
    double widest = sketch->width * 0.2;

    for (size_t i = 0; i < sketch->tally.n_options; i++) {
        AUTO_BUF figure = { 0 };

        sketch_figure(sketch, i, &figure);
        buf_heed(&sketch->drawing->texts, &figure);
        widest = fmax(widest, letters_width(buf_str(&figure), LETTERING_FIGURE));
    }
    return fmin(widest, sketch->width * 0.55);
}

/* Of ratings that were carried over as a count and a sum, nobody knows the stars. */
static bool stars_are_known(const struct sketch *sketch)
{
    for (size_t i = 0; i < sketch->tally.n_options; i++) {
        if (sketch->tally.options[i].votes > 0)
            return true;
    }
    return !sketch->tally.rated;
}

void sketch_rating(struct sketch *sketch)
{
    double height = ROW_HEIGHT;

    draw_stars(sketch);
    draw_summary(sketch);
    if (!stars_are_known(sketch))
        return;
    if (sketch->height > 0)
        height = fmin(fmax(sketch_left(sketch) / (double)sketch->tally.n_options, ROW_HEIGHT_LEAST),
                      ROW_HEIGHT * 1.3);
    for (size_t i = sketch->tally.n_options; i > 0; i--)
        draw_row(sketch, i - 1, height, figures_width(sketch));
}
