/*
 * web/letters.h - how wide a text is, and where its lines break, without a font.
 *
 * The reader's fonts are not known here, so widths are those of DejaVu Sans, one of the widest in
 * use: with most others a text ends a little earlier than reckoned. Pure; any thread.
 */
#ifndef TALLYD_WEB_LETTERS_H
#define TALLYD_WEB_LETTERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "web/drawing.h"

#define ELLIPSIS "…"

/* In units, of UTF-8; what is not well-formed counts byte by byte. */
double letters_width(struct str text, struct lettering lettering);

/* Whether the first letter that runs one way runs from right to left; `otherwise` where none
 * does (Unicode Bidirectional Algorithm, P2 and P3). */
bool letters_rtl(struct str text, bool otherwise);

struct line {
    struct str text; /* a piece of what was wrapped, without spaces at its end */
    bool cut;        /* the last line, and not all: ELLIPSIS belongs behind it */
};

/*
 * Breaks a text into lines that are no wider than `room`: behind spaces and hyphens, between
 * ideographs, and inside a word only where it alone is wider than a line. Never inside what is
 * read as one character (a letter and its accents, an emoji made of several).
 *
 *   max      at least 1; text that needs more lines is cut
 *   returns  how many lines; 0 for a text without anything but spaces
 */
size_t letters_wrap(struct str text, struct lettering lettering, double room,
                    struct line *ret_lines, size_t max);

#endif
