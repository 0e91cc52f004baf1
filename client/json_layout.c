/*
 * json_layout.c - a JSON text with other white space between its tokens.
 *
 * Threads: any; nothing is shared.
 */
#include "json.h"

#include <stdint.h>

#include "base/utf8.h"
#include "json_own.h"

#define INDENT_CELLS 2

void json_compact(struct buf *out, struct str text)
{
    while (text.len > 0) {
        struct str start = text;

        if (!json_take_string(&text)) {
            text = str_from(start, 1);
            if (json_is_space(start.at[0]))
                continue;
        }
        buf_add(out, start.at, start.len - text.len);
    }
}

static void line_add(struct buf *out, unsigned depth)
{
    buf_char(out, '\n');
    for (unsigned i = 0; i < depth * INDENT_CELLS; i++)
        buf_char(out, ' ');
}

/* A string with its quotes; DEL and C1 are allowed raw in JSON, but not on a terminal. */
static void string_add(struct buf *out, struct str string)
{
    while (string.len > 0) {
        uint32_t c;
        size_t len = utf8_char(string, &c);

        if (len == 0)
            return;
        if (utf8_is_control(c))
            buf_format(out, "\\u%04x", (unsigned)c);
        else
            buf_add(out, string.at, len);
        string = str_from(string, len);
    }
}

void json_indent(struct buf *out, struct str text)
{
    unsigned depth = 0;
    char before = '\0';

    while (text.len > 0) {
        struct str start = text;
        char c = text.at[0];

        if (json_is_space(c)) {
            text = str_from(text, 1);
            continue;
        }
        if (c == '}' || c == ']')
            depth--;
        if (before == '{' || before == '[' || before == ',' || c == '}' || c == ']') {
            if (!((before == '{' && c == '}') || (before == '[' && c == ']')))
                line_add(out, depth);
        }
        if (json_take_string(&text)) {
            string_add(out, (struct str){ start.at, start.len - text.len });
        } else {
            buf_char(out, c);
            text = str_from(start, 1);
        }
        if (c == ':')
            buf_char(out, ' ');
        if (c == '{' || c == '[')
            depth++;
        before = c;
    }
}
