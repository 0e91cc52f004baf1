/*
 * api/lines.c - lines out of a stream of pieces.
 *
 * A line that lies whole in one piece is given where it lies; only one that is cut is copied.
 *
 * Threads: one at a time.
 */
#include "api/lines.h"

/* Keeps the beginning of a line, and a CR that may turn out to end it. false: no memory. */
static bool keep(struct lines *lines, struct str piece)
{
    if (lines->skips)
        return true;
    if (piece.len > LINE_BYTES_MAX + 1 - lines->rest.len) {
        lines->skips = true;
        buf_free(&lines->rest);
        return true;
    }
    buf_str_add(&lines->rest, piece);
    return buf_ok(&lines->rest);
}

static struct str without_cr(struct str line)
{
    if (line.at && line.len > 0 && line.at[line.len - 1] == '\r')
        line.len--;
    return line;
}

static enum line finish(struct lines *lines, struct str piece, struct str *ret_line)
{
    lines->number++;
    if (lines->rest.len > 0 || lines->skips) {
        if (!keep(lines, piece))
            return LINE_NO_MEMORY;
        piece = buf_str(&lines->rest);
        lines->given = true;
    }
    piece = without_cr(piece);
    if (lines->skips || piece.len > LINE_BYTES_MAX) {
        lines->skips = false;
        return LINE_TOO_LONG;
    }
    *ret_line = piece;
    return LINE_WHOLE;
}

enum line lines_next(struct lines *lines, struct str *bytes, bool last, struct str *ret_line)
{
    size_t end = str_find(*bytes, '\n');
    struct str piece = { bytes->at, end };

    if (lines->given)
        buf_clear(&lines->rest);
    lines->given = false;
    if (end < bytes->len) {
        *bytes = str_from(*bytes, end + 1);
        return finish(lines, piece, ret_line);
    }
    *bytes = str_from(*bytes, end);
    if (last)
        return piece.len > 0 || lines->rest.len > 0 || lines->skips ? finish(lines, piece, ret_line)
                                                                    : LINE_MORE;
    return keep(lines, piece) ? LINE_MORE : LINE_NO_MEMORY;
}

void lines_clear(struct lines *lines)
{
    buf_free(&lines->rest);
    *lines = (struct lines){ 0 };
}
