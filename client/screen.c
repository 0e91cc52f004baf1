/*
 * screen.c - where the output goes: how wide it is, what it can draw, how text is written on it.
 *
 * Threads: main.
 */
#include "screen.h"

#include <langinfo.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/utf8.h"

#define CELLS_DEFAULT 80
#define CELLS_MIN 20
#define CELLS_MAX 500

static size_t cells_of_stdout(void)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    uint64_t cells = CELLS_DEFAULT;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        cells = size.ws_col;
    else if (!columns || !str_uint64(str_of(columns), UINT32_MAX, &cells))
        cells = CELLS_DEFAULT;
    return cells < CELLS_MIN ? CELLS_MIN : cells > CELLS_MAX ? CELLS_MAX : (size_t)cells;
}

static bool color_wanted(enum color_when when, bool terminal)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    switch (when) {
    case COLOR_ALWAYS:
        return true;
    case COLOR_NEVER:
        return false;
    case COLOR_AUTO:
        return terminal && !(no_color && no_color[0]) && !(term && strcmp(term, "dumb") == 0);
    }
    return false;
}

struct screen screen_of_stdout(enum color_when when)
{
    struct screen screen = {
        .cells = cells_of_stdout(),
        .terminal = isatty(STDOUT_FILENO) == 1,
        .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
    };

    screen.color = color_wanted(when, screen.terminal);
    return screen;
}

void screen_measure(struct screen *screen)
{
    screen->cells = cells_of_stdout();
}

void screen_style(struct buf *out, const struct screen *screen, enum style style)
{
    if (!screen->color)
        return;
    switch (style) {
    case STYLE_TITLE:
        buf_text(out, "\033[1m");
        return;
    case STYLE_BAR:
        buf_text(out, "\033[36m");
        return;
    case STYLE_NOTE:
        buf_text(out, "\033[2m");
        return;
    }
}

void screen_plain(struct buf *out, const struct screen *screen)
{
    if (screen->color)
        buf_text(out, "\033[0m");
}

/* The next character, never a control: what is one, and what is no UTF-8, is a question mark. */
static struct str char_next(struct str *rest, size_t *ret_cells)
{
    uint32_t c;
    size_t len = utf8_char(*rest, &c);
    struct str piece = { rest->at, len };
    int cells;

    if (len == 0 || utf8_is_control(c) || c == 0x2028 || c == 0x2029) {
        *rest = str_from(*rest, len == 0 ? 1 : len);
        *ret_cells = 1;
        return STR("?");
    }
    *rest = str_from(*rest, len);
    cells = wcwidth((wchar_t)c); /* glibc's wchar_t is the code point; -1: not in this locale */
    *ret_cells = cells < 0 ? 1 : (size_t)cells;
    return piece;
}

void screen_text(struct buf *out, struct str text)
{
    size_t cells;

    while (text.len > 0)
        buf_str_add(out, char_next(&text, &cells));
}

size_t screen_cells(struct str text)
{
    size_t sum = 0;

    while (text.len > 0) {
        size_t cells;

        (void)char_next(&text, &cells);
        sum += cells;
    }
    return sum;
}

void screen_spaces(struct buf *out, size_t cells)
{
    while (cells-- > 0)
        buf_char(out, ' ');
}

void screen_padded(struct buf *out, struct str text, size_t cells)
{
    size_t taken = screen_cells(text);

    screen_text(out, text);
    screen_spaces(out, taken < cells ? cells - taken : 0);
}

bool screen_line(struct str *rest, size_t cells, struct str *ret_line)
{
    struct str left = *rest;
    size_t sum = 0;
    size_t space = 0; /* where the last space was, if there was one */
    size_t taken = 0;

    if (rest->len == 0)
        return false;
    while (left.len > 0) {
        size_t more;

        if (left.at[0] == ' ')
            space = taken;
        (void)char_next(&left, &more);
        if (sum + more > cells)
            break;
        sum += more;
        taken = rest->len - left.len;
    }
    if (taken < rest->len && space > 0)
        taken = space;
    *ret_line = (struct str){ rest->at, taken };
    *rest = str_from(*rest, taken);
    while (rest->len > 0 && rest->at[0] == ' ')
        *rest = str_from(*rest, 1);
    return true;
}
