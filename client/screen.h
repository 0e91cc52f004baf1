/*
 * screen.h - where the output goes: how wide it is, what it can draw, how text is written on it.
 */
#ifndef TALLY_SCREEN_H
#define TALLY_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

struct screen {
    size_t cells; /* in a line */
    bool terminal;
    bool color;
    bool utf8; /* blocks and stars; else # and * */
};

enum color_when { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/* Looks at stdout, the locale (set before) and the environment. */
struct screen screen_of_stdout(enum color_when when);

/* Looks at the width again. */
void screen_measure(struct screen *screen);

enum style { STYLE_TITLE, STYLE_BAR, STYLE_NOTE };

/* Adds the escape that begins a style, or ends all; nothing where there is no colour. */
void screen_style(struct buf *out, const struct screen *screen, enum style style);
void screen_plain(struct buf *out, const struct screen *screen);

/* Adds text that came from elsewhere: what a terminal might obey (controls, line separators) and
 * what is no UTF-8 becomes a question mark, a byte each. */
void screen_text(struct buf *out, struct str text);

/* The cells that screen_text() fills with it. */
size_t screen_cells(struct str text);

void screen_spaces(struct buf *out, size_t cells);

/* The text, and spaces up to `cells`. */
void screen_padded(struct buf *out, struct str text, size_t cells);

/*
 * Splits off what fits into a line: *rest moves behind it.
 *
 *   rest     another one than ret_line
 *   cells    at least 2; a line breaks at a space, a longer word anywhere
 *   returns  false at the end
 */
bool screen_line(struct str *rest, size_t cells, struct str *ret_line);

#endif
