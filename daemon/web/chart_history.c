/*
 * web/chart_history.c - how the votes came in: a stepped line for each option.
 *
 * Threads: any; nothing is shared.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "web/chart_parts.h"

#define PLOT_SHARE 0.42 /* of the width, where nothing else says how high */
#define PLOT_LEAST 80.0
#define ROW_GAP 6.0
#define SWATCH 22.0
#define SWATCH_GAP 8.0
#define TICK_ROOM 92.0
#define TICKS_MAX 8
#define LINES_CARD 4 /* of the legend on a card */
#define DAY_MS (INT64_C(24) * 3600 * 1000)

struct plot {
    struct sketch *sketch;
    double left;
    double top;
    double width;
    double height;
    uint64_t most; /* at the top */
};

static int64_t moment(const struct chart_history *history, size_t i)
{
    int64_t at_ms;

    memcpy(&at_ms, history->at_ms.bytes + i * sizeof at_ms, sizeof at_ms);
    return at_ms;
}

static uint64_t votes_at(const struct sketch *sketch, size_t i, size_t option)
{
    uint64_t votes;
    size_t place = i * sketch->tally.n_options + option;

    memcpy(&votes, sketch->history->votes.bytes + place * sizeof votes, sizeof votes);
    return votes;
}

static uint64_t most_votes(const struct sketch *sketch)
{
    uint64_t most = 0;

    for (size_t i = 0; i < chart_history_n(sketch->history); i++) {
        for (size_t option = 0; option < sketch->tally.n_options; option++) {
            if (votes_at(sketch, i, option) > most)
                most = votes_at(sketch, i, option);
        }
    }
    return most;
}

/* 1, 2 or 5 times a power of ten, so that at most five of it reach `most`. */
static uint64_t nice_step(uint64_t most)
{
    uint64_t step = 1;

    for (unsigned i = 0; most / step > 5; i++)
        step = i % 3 == 1 ? step / 2 * 5 : step * 2;
    return step;
}

static double x_of(const struct plot *plot, int64_t at_ms)
{
    const struct chart_history *history = plot->sketch->history;

    return plot->left + plot->width * (double)(at_ms - history->from_ms) /
                            (double)(history->to_ms - history->from_ms);
}

static double y_of(const struct plot *plot, uint64_t votes)
{
    return plot->top + plot->height * (1 - (double)votes / (double)plot->most);
}

static void draw_levels(struct plot *plot, uint64_t step)
{
    struct sketch *sketch = plot->sketch;
    double room = plot->left - 6 - sketch->margin;

    for (uint64_t votes = 0;; votes += step) {
        struct point ends[2] = { { plot->left, y_of(plot, votes) },
                                 { plot->left + plot->width, y_of(plot, votes) } };
        AUTO_BUF text = { 0 };

        words_number(sketch->chart->words, votes, &text);
        buf_heed(&sketch->drawing->texts, &text);
        draw_line(sketch->drawing, INK_GRID, ends, 2, 1, false);
        draw_text(sketch->drawing, INK_MUTED, plot->left - 6, ends[0].y + 4, ALIGN_RIGHT,
                  lettering_fitting(LETTERING_NOTE, buf_str(&text), room), buf_str(&text), room);
        if (votes >= plot->most)
            return;
    }
}

/* The label of a tick in UTC: the day, or the time where all is within two days. */
static void tick_text(int64_t at_ms, bool days, char *ret_text, size_t room)
{
    time_t at_s = (time_t)(at_ms / 1000);
    struct tm tm;

    ret_text[0] = '\0';
    if (gmtime_r(&at_s, &tm))
        (void)strftime(ret_text, room, days ? "%Y-%m-%d" : "%H:%M", &tm);
}

/* The least step of whole minutes, hours or days that leaves each tick its room. */
static int64_t tick_step(int64_t span_ms, size_t most)
{
    static const int minutes[] = { 1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720 };
    int64_t least = span_ms / (int64_t)most;

    for (size_t i = 0; i < sizeof minutes / sizeof minutes[0]; i++) {
        if (minutes[i] * INT64_C(60000) >= least)
            return minutes[i] * INT64_C(60000);
    }
    return (least / DAY_MS + 1) * DAY_MS;
}

static void draw_times(struct plot *plot)
{
    struct sketch *sketch = plot->sketch;
    const struct chart_history *history = sketch->history;
    int64_t span_ms = history->to_ms - history->from_ms;
    size_t most = (size_t)fmin(fmax(plot->width / TICK_ROOM, 1), TICKS_MAX);
    int64_t step = tick_step(span_ms, most);
    int64_t first = (history->from_ms + step - 1) / step * step;
    double baseline = plot->top + plot->height + LETTERING_NOTE.size + 5;

    for (int64_t at = first; at <= history->to_ms; at += step) {
        struct point ends[2] = { { x_of(plot, at), plot->top + plot->height },
                                 { x_of(plot, at), plot->top + plot->height + 4 } };
        char text[24];
        double half;

        tick_text(at, step >= DAY_MS, text, sizeof text);
        half = letters_width(str_of(text), LETTERING_NOTE) / 2;
        draw_line(sketch->drawing, INK_MUTED, ends, 2, 1, false);
        if (ends[0].x + half <= sketch->margin + sketch->width)
            draw_text(sketch->drawing, INK_MUTED, ends[0].x, baseline, ALIGN_MIDDLE, LETTERING_NOTE,
                      str_of(text), TICK_ROOM);
    }
    sketch->y = baseline + 5;
}

/* From when to when, in words: ticks have no room for a year, or for a day. */
static void draw_span(struct sketch *sketch)
{
    AUTO_BUF text = { 0 };

    words_moment(sketch->chart->words, sketch->history->from_ms, &text);
    buf_text(&text, " – ");
    words_moment(sketch->chart->words, sketch->history->to_ms, &text);
    buf_heed(&sketch->drawing->texts, &text);
    sketch_note(sketch, buf_str(&text));
    sketch->y += 2 * ROW_GAP;
}

/* Before the first moment nothing is known but what was carried over, and that not all of it may
 * have been there. */
static uint64_t votes_at_start(const struct sketch *sketch, size_t option)
{
    uint64_t carried = sketch->poll->carried.marks[option];
    uint64_t first = votes_at(sketch, 0, option);

    return carried < first ? carried : first;
}

static void add_point(struct buf *points, double x, double y)
{
    struct point point = { x, y };

    buf_add(points, &point, sizeof point);
}

static void draw_option(struct plot *plot, size_t option, enum ink ink, double thickness,
                        bool dashed)
{
    struct sketch *sketch = plot->sketch;
    size_t n = chart_history_n(sketch->history);
    double y = y_of(plot, votes_at_start(sketch, option));
    AUTO_BUF points = { 0 };

    add_point(&points, plot->left, y);
    for (size_t i = 0; i < n; i++) {
        double x = x_of(plot, moment(sketch->history, i));

        if (i > 0 && i + 1 < n && votes_at(sketch, i, option) == votes_at(sketch, i - 1, option))
            continue;
        add_point(&points, x, y);
        y = y_of(plot, votes_at(sketch, i, option));
        add_point(&points, x, y);
    }
    if (!buf_ok(&points)) {
        sketch->drawing->points.failed = true;
        return;
    }
    draw_line(sketch->drawing, ink, (const struct point *)(const void *)points.bytes,
              points.len / sizeof(struct point), thickness, dashed);
    draw_circle(sketch->drawing, ink, plot->left + plot->width, y, thickness * 1.5);
}

static enum ink series_ink(size_t place)
{
    return place < SERIES_INKS ? (enum ink)(INK_SERIES + place) : INK_OTHERS;
}

/* The leaders come last, on top. Every second line is dashed: colour alone is not for everybody. */
static void draw_options(struct plot *plot, const size_t *options)
{
    size_t n = plot->sketch->tally.n_options;

    for (size_t place = n; place > 0; place--) {
        bool leads = place - 1 < SERIES_INKS;

        draw_option(plot, options[place - 1], series_ink(place - 1), leads ? 2.2 : 1.2,
                    leads && place % 2 == 0);
    }
}

static size_t legend_rows(const struct sketch *sketch)
{
    size_t most = sketch->height > 0 ? LINES_CARD : SERIES_INKS;

    return sketch->tally.n_options < most ? sketch->tally.n_options : most;
}

static void draw_legend_row(struct sketch *sketch, size_t option, size_t place)
{
    double x = sketch->margin + SWATCH + SWATCH_GAP;
    double middle = sketch->y + LETTERING_LABEL.size * 0.62;
    struct point ends[2] = { { sketch->margin, middle }, { sketch->margin + SWATCH, middle } };
    AUTO_BUF figure = { 0 };
    double figure_width;
    struct block block;
    char scratch[24];

    sketch_figure(sketch, option, &figure);
    buf_heed(&sketch->drawing->texts, &figure);
    figure_width = fmin(letters_width(buf_str(&figure), LETTERING_FIGURE), sketch->width * 0.5);
    block_wrap(&block, sketch_label(sketch, option, scratch), LETTERING_LABEL,
               sketch->width - SWATCH - 2 * SWATCH_GAP - figure_width, sketch->height > 0 ? 1 : 3);
    draw_line(sketch->drawing, series_ink(place), ends, 2, 3, place % 2 == 1);
    block_draw(&block, sketch->drawing, INK_TEXT, x, sketch->y);
    draw_text(sketch->drawing, INK_TEXT, sketch->margin + sketch->width,
              sketch->y + LETTERING_LABEL.size * 0.95, ALIGN_RIGHT,
              lettering_fitting(LETTERING_FIGURE, buf_str(&figure), figure_width), buf_str(&figure),
              figure_width);
    sketch->y += block_height(&block) + ROW_GAP;
}

static void draw_legend(struct sketch *sketch, const size_t *options)
{
    size_t n = legend_rows(sketch);

    for (size_t place = 0; place < n; place++)
        draw_legend_row(sketch, options[place], place);
    if (n < sketch->tally.n_options)
        sketch_more(sketch, sketch->tally.n_options - n);
    else
        sketch->y -= ROW_GAP;
}

/* What the legend and the times leave of a picture whose height is given. */
static double plot_height(const struct sketch *sketch)
{
    double rows = (double)legend_rows(sketch);
    double below = rows * (LETTERING_LABEL.size * 1.3 + ROW_GAP) + LETTERING_NOTE.size * 4.4 + 22;

    if (sketch->height == 0)
        return fmax(sketch->width * PLOT_SHARE, PLOT_LEAST);
    return fmax(sketch_left(sketch) - below, PLOT_LEAST);
}

void sketch_history(struct sketch *sketch)
{
    uint64_t most = most_votes(sketch);
    uint64_t step = nice_step(most);
    size_t options[OPTIONS_MAX];
    struct plot plot = { .sketch = sketch, .top = sketch->y + 6 };
    AUTO_BUF widest = { 0 };

    plot.most = most > 0 ? (most - 1) / step * step + step : step;
    words_number(sketch->chart->words, plot.most, &widest);
    buf_heed(&sketch->drawing->texts, &widest);
    plot.left = sketch->margin + 8 +
                fmin(letters_width(buf_str(&widest), LETTERING_NOTE), sketch->width / 3);
    plot.width = sketch->margin + sketch->width - plot.left - 4;
    plot.height = plot_height(sketch);
    sketch_leaders(sketch, sketch->tally.n_options, options);
    draw_levels(&plot, step);
    draw_times(&plot);
    draw_options(&plot, options);
    draw_span(sketch);
    draw_legend(sketch, options);
}
