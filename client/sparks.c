/*
 * sparks.c - how votes grew, as a line of little bars for each option.
 *
 * Threads: any; nothing is shared.
 */
#include "sparks.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "json.h"
#include "screen.h"

#define BARS_MAX 60
#define GAP_CELLS 2

struct sparks {
    size_t options;
    size_t bars;
    int64_t first_s;
    int64_t last_s;
    double most;                                /* votes of any option at any time */
    double now[SPARKS_OPTIONS_MAX];             /* votes at the point that was read last */
    double votes[SPARKS_OPTIONS_MAX][BARS_MAX]; /* when each bar's time had come */
};

/* 2026-11-23T08:40:12Z; false: it is none. */
static bool time_read(struct str value, int64_t *ret_s)
{
    AUTO_BUF text = { 0 };
    struct tm utc = { 0 };
    const char *end;

    json_text(&text, value);
    buf_char(&text, '\0');
    if (!buf_ok(&text))
        return false;
    end = strptime(text.bytes, "%Y-%m-%dT%H:%M:%SZ", &utc);
    if (!end || *end != '\0')
        return false;
    *ret_s = timegm(&utc);
    return true;
}

/* As many bars as there are steps, as far as they fit. */
static void bars_measure(struct sparks *sparks, struct str history, size_t cells)
{
    struct str rest = json_inside(json_member(history, "points"));
    double step = json_double(json_member(history, "step"));
    struct str point;
    bool any = false;
    double bars;

    while (json_next(&rest, &point)) {
        int64_t at_s;

        if (!time_read(json_member(point, "at"), &at_s))
            continue;
        sparks->first_s = any ? sparks->first_s : at_s;
        sparks->last_s = at_s;
        any = true;
    }
    bars = any ? (double)(sparks->last_s - sparks->first_s) / (step >= 1 ? step : 1) + 1.999 : 0;
    cells = cells < BARS_MAX ? cells : BARS_MAX;
    sparks->bars = bars > (double)cells ? cells : bars > 0 ? (size_t)bars : 0;
}

/* When the time of a bar has come; the last one's is that of the last point. */
static int64_t bar_time(const struct sparks *sparks, size_t bar)
{
    double part = sparks->bars > 1 ? (double)bar / (double)(sparks->bars - 1) : 1;

    return sparks->first_s + (int64_t)((double)(sparks->last_s - sparks->first_s) * part);
}

static void bar_fill(struct sparks *sparks, size_t bar)
{
    for (size_t i = 0; i < sparks->options; i++) {
        sparks->votes[i][bar] = sparks->now[i];
        sparks->most = sparks->now[i] > sparks->most ? sparks->now[i] : sparks->most;
    }
}

static void bars_fill(struct sparks *sparks, struct str history)
{
    struct str rest = json_inside(json_member(history, "points"));
    struct str point;
    size_t bar = 0;

    while (json_next(&rest, &point)) {
        struct str votes = json_inside(json_member(point, "votes"));
        struct str number;
        int64_t at_s;

        if (!time_read(json_member(point, "at"), &at_s))
            continue;
        while (bar < sparks->bars && bar_time(sparks, bar) < at_s)
            bar_fill(sparks, bar++);
        for (size_t i = 0; i < sparks->options && json_next(&votes, &number); i++)
            sparks->now[i] = json_double(number);
    }
    while (bar < sparks->bars)
        bar_fill(sparks, bar++);
}

void sparks_bars(struct buf *out, const double *values, size_t n, double most)
{
    static const char *const heights[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };

    for (size_t i = 0; i < n; i++) {
        double part = most > 0 ? values[i] / most : 0;

        buf_text(out, heights[part > 0 ? (size_t)(part * 7 + 0.5) : 0]);
    }
}

void sparks_add(struct buf *out, struct str history, const struct buf *labels, size_t n,
                size_t cells)
{
    struct sparks sparks = { .options = n < SPARKS_OPTIONS_MAX ? n : SPARKS_OPTIONS_MAX };
    size_t label_cells = 0;

    for (size_t i = 0; i < sparks.options; i++) {
        size_t taken = screen_cells(buf_str(&labels[i]));

        label_cells = taken > label_cells ? taken : label_cells;
    }
    bars_measure(&sparks, history,
                 cells > label_cells + GAP_CELLS ? cells - label_cells - GAP_CELLS : 1);
    bars_fill(&sparks, history);
    for (size_t i = 0; i < sparks.options && sparks.bars > 0; i++) {
        screen_padded(out, buf_str(&labels[i]), label_cells);
        screen_spaces(out, GAP_CELLS);
        sparks_bars(out, sparks.votes[i], sparks.bars, sparks.most);
        buf_char(out, '\n');
    }
}
