/*
 * web/chart.c - the frame of every chart: sheet, heading, and the words for screen readers.
 *
 * Threads: any; nothing is shared.
 */
#include "web/chart.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "web/chart_parts.h"

/* A sheet is laid out 640 units wide and then made larger or smaller, so that a picture of 2,000
 * pixels has letters of that size too. Narrow ones are a column of their own. */
#define UNITS_WIDE 640.0
#define SCALE_MIN 0.75
/* A long list is not made larger beyond this: it would be ten thousand pixels high. */
#define TALL_PX 4000

#define CARD_UNITS_CUT 720.0 /* the width of a card that cannot hold everything */

#define MARGIN 24.0
#define MARGIN_NARROW 14.0
#define LINE_HEIGHT 1.3
#define ASCENT 0.95 /* from the top of a line to its baseline, in sizes */
#define TITLE_LINES 8
#define TITLE_LINES_CARD 2

/* What a label holds stays within it, also an override of direction: U+2068 FIRST STRONG ISOLATE
 * and U+2069 POP DIRECTIONAL ISOLATE (UAX 9). */
static const unsigned char isolate[] = { 0xe2, 0x81, 0xa8 };
static const unsigned char isolate_end[] = { 0xe2, 0x81, 0xa9 };

void chart_history_free(struct chart_history *history)
{
    buf_free(&history->at_ms);
    buf_free(&history->votes);
}

size_t chart_history_n(const struct chart_history *history)
{
    return history->at_ms.len / sizeof(int64_t);
}

void block_wrap(struct block *block, struct str text, struct lettering lettering, double room,
                size_t lines_max)
{
    if (lines_max > LABEL_LINES_MAX)
        lines_max = LABEL_LINES_MAX;
    block->lettering = lettering;
    block->room = room;
    block->n = letters_wrap(text, lettering, room, block->lines, lines_max);
}

void sketch_note_cut(struct sketch *sketch, const struct block *block)
{
    if (block->n > 0 && block->lines[block->n - 1].cut)
        sketch->is_cut = true;
}

double block_height(const struct block *block)
{
    return (double)block->n * block->lettering.size * LINE_HEIGHT;
}

static void draw_cut(struct drawing *drawing, enum ink ink, double x, double y, enum align align,
                     struct lettering lettering, const struct line *line, double room)
{
    AUTO_BUF text = { 0 };

    buf_str_add(&text, line->text);
    if (line->cut)
        buf_text(&text, ELLIPSIS);
    buf_heed(&drawing->texts, &text);
    draw_text(drawing, ink, x, y, align, lettering, buf_str(&text), room);
}

void block_draw(const struct block *block, struct drawing *drawing, enum ink ink, double x,
                double y)
{
    for (size_t i = 0; i < block->n; i++) {
        double top = y + (double)i * block->lettering.size * LINE_HEIGHT;

        draw_cut(drawing, ink, x, top + block->lettering.size * ASCENT, ALIGN_LEFT,
                 block->lettering, &block->lines[i], block->room);
    }
}

void sketch_line(struct sketch *sketch, enum ink ink, double x, double baseline, enum align align,
                 struct lettering lettering, struct str text, double room)
{
    struct line line;

    if (letters_wrap(text, lettering, room, &line, 1) == 1)
        draw_cut(sketch->drawing, ink, x, baseline, align, lettering, &line, room);
}

struct str sketch_label(const struct sketch *sketch, size_t i, char *scratch)
{
    if (sketch->poll->kind == POLL_CHOICE)
        return str_of(text_value(&sketch->poll->labels[i], sketch->language));
    (void)snprintf(scratch, 24, "%zu ★", i + 1);
    return str_of(scratch);
}

void sketch_figure(const struct sketch *sketch, size_t i, struct buf *out)
{
    const struct tally_option *option = &sketch->tally.options[i];
    const struct words *words = sketch->chart->words;
    AUTO_BUF votes = { 0 };
    struct word_value values[2];

    words_number(words, option->votes, &votes);
    buf_heed(out, &votes);
    values[0] = (struct word_value){ "votes", buf_str(&votes) };
    values[1] = (struct word_value){ "shown", str_of(option->shown) };
    words_fill(words_text(words, WORD_FIGURE), values, 2, NULL, out);
}

struct lettering lettering_fitting(struct lettering lettering, struct str text, double room)
{
    double width = letters_width(text, lettering);

    if (width > room)
        lettering.size *= room / width;
    return lettering;
}

double sketch_left(const struct sketch *sketch)
{
    return sketch->height - sketch->margin - sketch->y;
}

void sketch_note(struct sketch *sketch, struct str text)
{
    struct block block;

    block_wrap(&block, text, LETTERING_NOTE, sketch->width, sketch->height > 0 ? 1 : 3);
    block_draw(&block, sketch->drawing, INK_MUTED, sketch->margin, sketch->y);
    sketch->y += block_height(&block);
}

void sketch_more(struct sketch *sketch, size_t n)
{
    AUTO_BUF text = { 0 };

    words_count(sketch->chart->words, WORD_MORE_OPTIONS, n, &text);
    buf_heed(&sketch->drawing->texts, &text);
    sketch_note(sketch, buf_str(&text));
}

void sketch_leaders(const struct sketch *sketch, size_t n, size_t *ret_options)
{
    bool taken[OPTIONS_MAX] = { false };

    assert(n <= sketch->tally.n_options);
    for (size_t place = 0; place < n; place++) {
        size_t best = OPTIONS_MAX;

        for (size_t i = 0; i < sketch->tally.n_options; i++) {
            if (!taken[i] && (best == OPTIONS_MAX ||
                              sketch->tally.options[i].votes > sketch->tally.options[best].votes))
                best = i;
        }
        taken[best] = true;
        ret_options[place] = best;
    }
}

/* "(votes: 2, rating: 5)", "108 votes", "Several answers possible, …", "(no votes yet)". */
static void sum_up(const struct sketch *sketch, struct buf *out)
{
    const struct words *words = sketch->chart->words;
    const struct tally *tally = &sketch->tally;
    AUTO_BUF votes = { 0 };
    AUTO_BUF rating = { 0 };
    struct word_value values[2];

    if (tally->votes == 0 && tally->voters == 0) {
        buf_text(out, words_text(words, WORD_NO_VOTES));
    } else if (tally->rated) {
        words_number(words, tally->votes, &votes);
        words_hundredths(words, tally->rating_hundredths, &rating);
        values[0] = (struct word_value){ "votes", buf_str(&votes) };
        values[1] = (struct word_value){ "rating", buf_str(&rating) };
        words_fill(words_text(words, WORD_RATED), values, 2, NULL, out);
    } else if (sketch->poll->max_choices > 1) {
        words_count(words, WORD_SEVERAL, tally->voters, out);
    } else {
        words_count(words, WORD_VOTES, tally->votes, out);
    }
    buf_heed(out, &votes);
    buf_heed(out, &rating);
}

static void sum_up_and_phase(const struct sketch *sketch, struct buf *out)
{
    const struct words *words = sketch->chart->words;

    sum_up(sketch, out);
    switch (sketch->chart->published->phase) {
    case PHASE_OPEN:
        break;
    case PHASE_SCHEDULED:
        buf_text(out, " · ");
        buf_text(out, words_text(words, WORD_SCHEDULED));
        break;
    case PHASE_CLOSED:
        buf_text(out, " · ");
        buf_text(out, words_text(words, WORD_CLOSED));
        break;
    }
}

/* All that the picture says, also what was cut, for those who do not see it. */
static void describe(struct sketch *sketch)
{
    struct buf *title = &sketch->drawing->title;
    struct buf *out = &sketch->drawing->words;
    char scratch[24];

    buf_text(title, text_value(&sketch->poll->title, sketch->language));
    if (sketch->history) {
        words_moment(sketch->chart->words, sketch->history->from_ms, out);
        buf_text(out, " – ");
        words_moment(sketch->chart->words, sketch->history->to_ms, out);
        buf_text(out, ". ");
    }
    sum_up_and_phase(sketch, out);
    buf_text(out, ".");
    for (size_t i = 0; i < sketch->tally.n_options; i++) {
        buf_text(out, i > 0 ? "; " : " ");
        buf_add(out, isolate, sizeof isolate);
        buf_str_add(out, sketch_label(sketch, i, scratch));
        buf_add(out, isolate_end, sizeof isolate_end);
        buf_text(out, ": ");
        sketch_figure(sketch, i, out);
    }
    buf_char(out, '.');
}

static void heading(struct sketch *sketch)
{
    bool card = sketch->height > 0;
    AUTO_BUF summary = { 0 };
    struct block block;

    block_wrap(&block, str_of(text_value(&sketch->poll->title, sketch->language)), LETTERING_TITLE,
               sketch->width, card ? TITLE_LINES_CARD : TITLE_LINES);
    block_draw(&block, sketch->drawing, INK_TEXT, sketch->margin, sketch->y);
    sketch_note_cut(sketch, &block);
    sketch->y += block_height(&block) + 4;
    sum_up_and_phase(sketch, &summary);
    buf_heed(&sketch->drawing->texts, &summary);
    if (sketch->poll->kind == POLL_CHOICE || sketch->history)
        sketch_note(sketch, buf_str(&summary));
    sketch->y += card ? 8 : 14;
}

static void lay_out(struct sketch *sketch)
{
    sketch->margin = sketch->drawing->width < 400 ? MARGIN_NARROW : MARGIN;
    sketch->width = sketch->drawing->width - 2 * sketch->margin;
    sketch->y = sketch->margin;
    sketch->height =
        sketch->chart->height_px > 0
            ? sketch->drawing->width * sketch->chart->height_px / sketch->chart->width_px
            : 0;
    heading(sketch);
    if (sketch->history)
        sketch_history(sketch);
    else if (sketch->poll->kind == POLL_RATING)
        sketch_rating(sketch);
    else
        sketch_choice(sketch);
    if (sketch->height > 0 && sketch->y > sketch->height - sketch->margin / 2)
        sketch->is_cut = true;
    drawing_end(sketch->drawing, sketch->y + sketch->margin, sketch->chart->height_px);
}

/* As large as it can be with nothing left out. */
static void lay_out_card(struct sketch *sketch)
{
    static const double widths[] = { 400, 440, 480, 520, 560, 600, 640, 680, 720, 780 };
    size_t n = sizeof widths / sizeof widths[0];

    for (size_t i = 0; i < n; i++) {
        sketch->is_cut = false;
        drawing_restart(sketch->drawing, widths[i]);
        lay_out(sketch);
        if (!sketch->is_cut)
            return;
    }
    drawing_restart(sketch->drawing, CARD_UNITS_CUT);
    lay_out(sketch);
}

static void name_it(const struct sketch *sketch)
{
    struct drawing *drawing = sketch->drawing;

    (void)snprintf(drawing->language, sizeof drawing->language, "%s",
                   sketch->language ? sketch->language : "");
    (void)snprintf(drawing->name, sizeof drawing->name, "%s%s", sketch->poll->id,
                   sketch->history ? "-history" : "");
}

static void draw(const struct chart *chart, const struct chart_history *history,
                 struct drawing *drawing)
{
    struct sketch sketch = { .chart = chart,
                             .history = history,
                             .poll = chart->published->poll,
                             .language = chart->published->languages[chart->language],
                             .drawing = drawing };
    double scale = fmax(chart->width_px / UNITS_WIDE, SCALE_MIN);

    assert(chart->width_px >= CHART_WIDTH_MIN && chart->width_px <= CHART_WIDTH_MAX);
    tally_work_out(sketch.poll, &chart->published->counts, &sketch.tally);
    drawing->theme = chart->theme;
    drawing->width_px = chart->width_px;
    drawing->width = chart->width_px / scale;
    drawing->mirrored =
        letters_rtl(str_of(text_value(&sketch.poll->title, sketch.language)), false);
    name_it(&sketch);
    describe(&sketch);
    drawing_begin(drawing);
    if (chart->height_px > 0) {
        lay_out_card(&sketch);
        return;
    }
    lay_out(&sketch);
    if (scale > 1 && drawing->height_px > TALL_PX) {
        drawing_restart(drawing, chart->width_px);
        lay_out(&sketch);
    }
}

void chart_draw_tally(const struct chart *chart, struct drawing *drawing)
{
    draw(chart, NULL, drawing);
}

void chart_draw_history(const struct chart *chart, const struct chart_history *history,
                        struct drawing *drawing)
{
    draw(chart, history, drawing);
}
