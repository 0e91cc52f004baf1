/*
 * web/chart_parts.h - what the charts' files share; nobody else includes it.
 */
#ifndef TALLYD_WEB_CHART_PARTS_H
#define TALLYD_WEB_CHART_PARTS_H

#include "core/tally.h"
#include "web/chart.h"
#include "web/letters.h"

#define LABEL_LINES_MAX 12

#define LETTERING_TITLE ((struct lettering){ 21, true })
#define LETTERING_LABEL ((struct lettering){ 15, false })
#define LETTERING_FIGURE ((struct lettering){ 15, true })
#define LETTERING_NOTE ((struct lettering){ 13, false })

/* A chart under construction. */
struct sketch {
    const struct chart *chart;
    const struct chart_history *history; /* NULL: of the tally */
    const struct poll *poll;
    const char *language; /* a tag, or NULL */
    struct tally tally;
    struct drawing *drawing;
    double margin;
    double width;  /* within the margins */
    double height; /* of the whole, where it is given; else 0 */
    double y;      /* what is above is done */
    bool is_cut;   /* something was shortened or left out */
};

/* A text broken into lines, before it is drawn. */
struct block {
    struct line lines[LABEL_LINES_MAX];
    size_t n;
    struct lettering lettering;
    double room;
};

void block_wrap(struct block *block, struct str text, struct lettering lettering, double room,
                size_t lines_max);
/* Remembers whether something of it was shortened. */
void sketch_note_cut(struct sketch *sketch, const struct block *block);
double block_height(const struct block *block);
/* Below `y`, from `x` on. */
void block_draw(const struct block *block, struct drawing *drawing, enum ink ink, double x,
                double y);

/* One line, cut where it does not fit. */
void sketch_line(struct sketch *sketch, enum ink ink, double x, double baseline, enum align align,
                 struct lettering lettering, struct str text, double room);

/* The label of option number i (from 0); a rating's, "4 ★". `scratch` has room for 24. */
struct str sketch_label(const struct sketch *sketch, size_t i, char *scratch);

/* "33 (31%)". */
void sketch_figure(const struct sketch *sketch, size_t i, struct buf *out);

/* The same letters, smaller where the text would be wider than its room: nine quintillion votes on
 * a picture 200 pixels wide. */
struct lettering lettering_fitting(struct lettering lettering, struct str text, double room);

/* How much is left above the lower margin, where the height is given. */
double sketch_left(const struct sketch *sketch);

/* A quiet line of text below what is there. */
void sketch_note(struct sketch *sketch, struct str text);
/* "and 12 more". */
void sketch_more(struct sketch *sketch, size_t n);

/* The n options with the most votes, the lower of equals first. */
void sketch_leaders(const struct sketch *sketch, size_t n, size_t *ret_options);

/* Below the heading. */
void sketch_choice(struct sketch *sketch);
void sketch_rating(struct sketch *sketch);
void sketch_history(struct sketch *sketch);

#endif
