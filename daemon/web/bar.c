/*
 * web/bar.c - figures with their bars, and stars.
 *
 * Lengths are attributes of SVG, not styles: a strict Content-Security-Policy has no inline style,
 * and a printer that leaves backgrounds out prints them all the same.
 *
 * Threads: any; nothing is shared.
 */
#include "web/parts.h"

/* A star in a cell of 24 by 24. Drawn once a page, so that a list of ratings stays small; no poll's
 * id begins with a hyphen. */
#define STAR_PATH "M12 2.1l2.9 6.4 7 .8-5.2 4.7 1.4 6.9-6.1-3.5-6.1 3.5 1.4-6.9L2.1 9.3l7-.8z"
#define STAR_ID "-star"
#define CELL 24
#define GLYPH_FROM 210 /* hundredths: the star's left end in its cell … */
#define GLYPH_LEN 1980 /* … and its width */

static void figure_write(const struct poll_view *view, const struct tally_option *counted,
                         struct buf *out)
{
    AUTO_BUF votes = { 0 };
    AUTO_BUF shown = { 0 };
    struct word_value values[] = { { "votes", { NULL, 0 } }, { "shown", { NULL, 0 } } };

    words_number(view->words, counted->votes, &votes);
    html_text(&shown, str_of(counted->shown));
    buf_heed(out, &votes);
    buf_heed(out, &shown);
    values[0].text = buf_str(&votes);
    values[1].text = buf_str(&shown);
    html_fill(out, words_text(view->words, WORD_FIGURE), values, 2);
}

void bar_write(const struct poll_view *view, size_t i, const char *label_suffix, struct buf *out)
{
    const struct tally_option *counted = &view->tally.options[i];
    char share[24];
    char percent[24];

    tally_decimal(counted->share_millionths, 6, share);
    tally_decimal(counted->share_millionths, 4, percent);
    buf_text(out, "<span class=\"figure\">");
    figure_write(view, counted, out);
    buf_text(out, "</span><span class=\"bar\" role=\"meter\" aria-labelledby=\"");
    buf_text(out, view->poll->id);
    buf_text(out, label_suffix);
    buf_text(out, "\" aria-valuemin=\"0\" aria-valuemax=\"1\" aria-valuenow=\"");
    buf_text(out, share);
    buf_text(out, "\" aria-valuetext=\"");
    figure_write(view, counted, out);
    buf_text(out, "\"><svg aria-hidden=\"true\"><rect width=\"");
    buf_text(out, percent);
    buf_text(out, "%\" height=\"100%\"/></svg></span>");
}

static void row_of_stars(size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++)
        buf_format(out, "<use href=\"#" STAR_ID "\" x=\"%zu\"/>", i * CELL);
}

/* Where the filling ends, in hundredths of a unit: a fraction is one of the star, not of its cell.
 */
static uint64_t filled_to(uint64_t rating_hundredths)
{
    uint64_t whole = rating_hundredths / 100 * CELL * 100;
    uint64_t part = rating_hundredths % 100;

    return part == 0 ? whole : whole + GLYPH_FROM + GLYPH_LEN * part / 100;
}

void stars_write(uint64_t rating_hundredths, size_t scale, struct buf *out)
{
    char width[24];

    tally_decimal(filled_to(rating_hundredths), 2, width);
    buf_format(out,
               "<svg class=\"stars\" aria-hidden=\"true\" viewBox=\"0 0 %zu %d\"><g class=\"off\">",
               scale * CELL, CELL);
    row_of_stars(scale, out);
    buf_format(out, "</g><svg class=\"on\" width=\"%s\" height=\"%d\">", width, CELL);
    row_of_stars(scale, out);
    buf_text(out, "</svg></svg>");
}

void star_write(struct buf *out)
{
    buf_text(out,
             "<svg aria-hidden=\"true\" viewBox=\"0 0 24 24\"><use href=\"#" STAR_ID "\"/></svg>");
}

void star_define(struct buf *out)
{
    buf_text(out, "<svg class=\"unseen\" aria-hidden=\"true\"><path id=\"" STAR_ID
                  "\" d=\"" STAR_PATH "\"/></svg>\n");
}
