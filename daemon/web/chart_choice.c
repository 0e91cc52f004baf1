/*
 * web/chart_choice.c - the bars of a choice.
 *
 * Threads: any; nothing is shared.
 */
#include "web/chart_parts.h"

#define BAR_HEIGHT 14.0
#define BAR_HEIGHT_CARD 11.0
#define BAR_BELOW_LABEL 4.0
#define FIGURE_BELOW_BAR 18.0
#define ROW_GAP 14.0
#define ROW_GAP_LEAST 7.0
#define ROW_GAP_MOST 30.0
#define FIGURE_GAP 10.0
#define FIGURE_MOST 0.45 /* of the width; longer ones stand below their bars */

struct row {
    size_t option;
    struct block label;
};

struct rows {
    struct sketch *sketch;
    size_t n;
    double bar_height;
    double track; /* the length of a whole bar */
    bool stacked; /* figures stand below the bars */
    double gap;
    struct row at[OPTIONS_MAX];
};

/* A long list stays readable by shorter labels; all of them are in the words for screen readers. */
static size_t lines_for(size_t n_options)
{
    return n_options <= 8 ? LABEL_LINES_MAX : n_options <= 24 ? 4 : 2;
}

static void rows_wrap(struct rows *rows, size_t lines_max)
{
    struct sketch *sketch = rows->sketch;
    char scratch[24];

    for (size_t i = 0; i < rows->n; i++)
        block_wrap(&rows->at[i].label, sketch_label(sketch, rows->at[i].option, scratch),
                   LETTERING_LABEL, sketch->width, lines_max);
}

static double row_height(const struct rows *rows, const struct row *row)
{
    return block_height(&row->label) + BAR_BELOW_LABEL + rows->bar_height +
           (rows->stacked ? FIGURE_BELOW_BAR : 0);
}

static double rows_height(const struct rows *rows)
{
    double height = 0;

    for (size_t i = 0; i < rows->n; i++)
        height += row_height(rows, &rows->at[i]) + (i > 0 ? rows->gap : 0);
    return height;
}

/* The bars end where the widest figure begins. */
static void place_figures(struct rows *rows)
{
    const struct sketch *sketch = rows->sketch;

    double widest = 0;

    for (size_t i = 0; i < sketch->tally.n_options; i++) {
        AUTO_BUF figure = { 0 };
        double width;

        sketch_figure(sketch, i, &figure);
        buf_heed(&sketch->drawing->texts, &figure);
        width = letters_width(buf_str(&figure), LETTERING_FIGURE);
        if (width > widest)
            widest = width;
    }
    rows->stacked = widest > sketch->width * FIGURE_MOST;
    rows->track = rows->stacked ? sketch->width : sketch->width - widest - FIGURE_GAP;
}

static void draw_figure(const struct rows *rows, const struct row *row, double bar_top)
{
    const struct sketch *sketch = rows->sketch;
    double x = rows->stacked ? sketch->margin : sketch->margin + rows->track + FIGURE_GAP;
    double room = sketch->margin + sketch->width - x;
    double middle = rows->stacked ? bar_top + rows->bar_height + FIGURE_BELOW_BAR / 2 + 1
                                  : bar_top + rows->bar_height / 2;
    AUTO_BUF figure = { 0 };

    sketch_figure(sketch, row->option, &figure);
    buf_heed(&sketch->drawing->texts, &figure);
    draw_text(sketch->drawing, INK_TEXT, x, middle + LETTERING_FIGURE.size * 0.36, ALIGN_LEFT,
              lettering_fitting(LETTERING_FIGURE, buf_str(&figure), room), buf_str(&figure), room);
}

static void draw_row(struct rows *rows, const struct row *row)
{
    struct sketch *sketch = rows->sketch;
    struct drawing *drawing = sketch->drawing;
    const struct tally_option *option = &sketch->tally.options[row->option];
    double top = sketch->y + block_height(&row->label) + BAR_BELOW_LABEL;
    double length = rows->track * option->share_millionths / 1000000;

    block_draw(&row->label, drawing, INK_TEXT, sketch->margin, sketch->y);
    draw_rect(drawing, INK_TRACK, sketch->margin, top, rows->track, rows->bar_height, 3);
    if (option->votes > 0)
        draw_rect(drawing, INK_BAR, sketch->margin, top, length, rows->bar_height, 3);
    draw_figure(rows, row, top);
    sketch->y += row_height(rows, row);
}

static void draw_rows(struct rows *rows)
{
    for (size_t i = 0; i < rows->n; i++) {
        if (i > 0)
            rows->sketch->y += rows->gap;
        draw_row(rows, &rows->at[i]);
    }
}

/* As many lines a label as there is room for; where one each is too much, the leaders only. */
static void fit(struct rows *rows)
{
    struct sketch *sketch = rows->sketch;
    double left = sketch_left(sketch);
    double one = LETTERING_LABEL.size * 1.3 + BAR_BELOW_LABEL + rows->bar_height + ROW_GAP_LEAST +
                 (rows->stacked ? FIGURE_BELOW_BAR : 0);
    size_t fitting = (size_t)((left + ROW_GAP_LEAST) / one);
    size_t leaders[OPTIONS_MAX];

    rows->gap = ROW_GAP_LEAST;
    if (fitting < rows->n) {
        fitting = (size_t)((left - LETTERING_NOTE.size * 1.6 + ROW_GAP_LEAST) / one);
        rows->n = fitting > 0 ? fitting : 1;
        sketch_leaders(sketch, rows->n, leaders);
        for (size_t i = 0; i < rows->n; i++)
            rows->at[i].option = leaders[i];
        rows_wrap(rows, 1);
        sketch->is_cut = true;
        return;
    }
    for (size_t lines = 4; lines > 0; lines--) {
        rows_wrap(rows, lines);
        if (rows_height(rows) <= left)
            break;
    }
    for (size_t i = 0; i < rows->n; i++)
        sketch_note_cut(sketch, &rows->at[i].label);
    rows->gap += (left - rows_height(rows)) / (double)rows->n;
    if (rows->gap > ROW_GAP_MOST)
        rows->gap = ROW_GAP_MOST;
}

void sketch_choice(struct sketch *sketch)
{
    struct rows rows = { .sketch = sketch,
                         .n = sketch->tally.n_options,
                         .bar_height = sketch->height > 0 ? BAR_HEIGHT_CARD : BAR_HEIGHT,
                         .gap = ROW_GAP };

    place_figures(&rows);
    for (size_t i = 0; i < rows.n; i++)
        rows.at[i].option = i;
    if (sketch->height > 0)
        fit(&rows);
    else
        rows_wrap(&rows, lines_for(rows.n));
    draw_rows(&rows);
    if (rows.n < sketch->tally.n_options) {
        sketch->y += LETTERING_NOTE.size * 0.4;
        sketch_more(sketch, sketch->tally.n_options - rows.n);
    }
}
