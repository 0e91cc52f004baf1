/*
 * web/chart.h - pictures of a tally and of how it came to be.
 *
 * Percent, mean and share are core's; here they only get a place. Bars are as long as `share`,
 * texts show `shown`.
 *
 * Threads: any; what is drawn from is only read.
 */
#ifndef TALLYD_WEB_CHART_H
#define TALLYD_WEB_CHART_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/board.h"
#include "web/drawing.h"
#include "web/words.h"

#define CHART_WIDTH_MIN 200
#define CHART_WIDTH_MAX 2000
#define CHART_WIDTH_DEFAULT 640
/* What sites that show a link want its picture to be. */
#define CARD_WIDTH 1200
#define CARD_HEIGHT 630

struct chart {
    const struct published *published;
    size_t language; /* of published->languages */
    const struct words *words;
    enum theme theme;
    unsigned width_px;  /* CHART_WIDTH_MIN..CHART_WIDTH_MAX */
    unsigned height_px; /* 0: as high as it becomes; else at least half of the width, and what does
                           not fit is left out */
};

/* How a tally came to be: what each option stood at, at some moments. */
struct chart_history {
    int64_t from_ms;
    int64_t to_ms;    /* greater than from_ms */
    struct buf at_ms; /* of int64_t, ascending, within the two */
    struct buf votes; /* of uint64_t: for each moment one for each option */
};

void chart_history_free(struct chart_history *history); /* what it holds */
size_t chart_history_n(const struct chart_history *history);

/* Both into a zeroed drawing; drawing_ok() says whether there was memory for it. */
void chart_draw_tally(const struct chart *chart, struct drawing *drawing);
void chart_draw_history(const struct chart *chart, const struct chart_history *history,
                        struct drawing *drawing);

#endif
