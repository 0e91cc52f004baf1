/*
 * net/http1_chunked.c - a chunked body, piece by piece (RFC 9112 §7.1).
 *
 * One byte at a time through a small machine, but for the data itself, which is handed on in runs.
 *
 * Threads: any; the state is the caller's.
 */
#include "net/http1.h"

#include "base/ckd.h"

#define LINE_BYTES_MAX (4 * 1024)
#define TRAILER_BYTES_MAX (8 * 1024)

enum state {
    SIZE_FIRST = 0,  /* the first digit of a chunk's size */
    SIZE,            /* more digits */
    EXTENSION,       /* white space behind the size or a value: a ';' must follow */
    EXTENSION_START, /* behind ';' */
    EXTENSION_NAME,
    EXTENSION_NAMED,  /* white space behind a name */
    EXTENSION_EQUALS, /* behind '=' */
    EXTENSION_VALUE,
    EXTENSION_QUOTED,
    EXTENSION_ESCAPE,
    EXTENSION_UNQUOTED, /* behind the closing quote */
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_START, /* the start of a trailer line, or of the last empty one */
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    END_LF,
    DONE,
    BAD
};

static bool is_token(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           str_find(STR("!#$%&'*+-.^_`|~"), c) < 15;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_value(char c)
{
    return c == '\t' || ((unsigned char)c >= ' ' && (unsigned char)c != 0x7F);
}

static enum state size_digit(struct http1_chunked *chunked, char c)
{
    int digit = hex_digit(c);

    if (digit < 0)
        return BAD;
    if (ckd_mul(&chunked->left, chunked->left, 16U) ||
        ckd_add(&chunked->left, chunked->left, (unsigned)digit) || chunked->left > INT64_MAX)
        return BAD;
    return SIZE;
}

static enum state in_size(struct http1_chunked *chunked, char c)
{
    if (c == '\r')
        return SIZE_LF;
    if (c == ';')
        return EXTENSION_START;
    return is_blank(c) ? EXTENSION : size_digit(chunked, c);
}

/* *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS ( token / quoted-string ) ] ), RFC 9112 §7.1.1. What
 * is laxer here is a body that another reader ends elsewhere. */
static enum state in_extension(enum state state, char c)
{
    bool may_end =
        state == EXTENSION_NAME || state == EXTENSION_VALUE || state == EXTENSION_UNQUOTED;
    bool named = state == EXTENSION_NAME || state == EXTENSION_NAMED;

    if (c == '\r')
        return may_end ? SIZE_LF : BAD;
    if (c == ';')
        return may_end || named || state == EXTENSION ? EXTENSION_START : BAD;
    if (c == '=')
        return named ? EXTENSION_EQUALS : BAD;
    if (is_blank(c))
        return named ? EXTENSION_NAMED : may_end ? EXTENSION : state;
    if (c == '"')
        return state == EXTENSION_EQUALS ? EXTENSION_QUOTED : BAD;
    if (!is_token(c))
        return BAD;
    if (state == EXTENSION_START || state == EXTENSION_NAME)
        return EXTENSION_NAME;
    return state == EXTENSION_EQUALS || state == EXTENSION_VALUE ? EXTENSION_VALUE : BAD;
}

static enum state in_quoted(char c)
{
    if (c == '"')
        return EXTENSION_UNQUOTED;
    if (c == '\\')
        return EXTENSION_ESCAPE;
    return is_value(c) ? EXTENSION_QUOTED : BAD;
}

static enum state in_trailer(enum state state, char c)
{
    if (state == TRAILER_START)
        return c == '\r' ? END_LF : is_token(c) ? TRAILER_NAME : BAD;
    if (state == TRAILER_NAME)
        return c == ':' ? TRAILER_VALUE : is_token(c) ? TRAILER_NAME : BAD;
    return c == '\r' ? TRAILER_LF : is_value(c) ? TRAILER_VALUE : BAD;
}

static enum state size_ends(struct http1_chunked *chunked, char c)
{
    if (c != '\n')
        return BAD;
    chunked->line_bytes = 0;
    return chunked->left > 0 ? DATA : TRAILER_START;
}

/* Where one byte of framing leads to. */
static enum state step(struct http1_chunked *chunked, char c)
{
    enum state state = (enum state)chunked->state;

    switch (state) {
    case SIZE_FIRST:
        chunked->left = 0;
        return size_digit(chunked, c);
    case SIZE:
        return in_size(chunked, c);
    case EXTENSION:
    case EXTENSION_START:
    case EXTENSION_NAME:
    case EXTENSION_NAMED:
    case EXTENSION_EQUALS:
    case EXTENSION_VALUE:
    case EXTENSION_UNQUOTED:
        return in_extension(state, c);
    case EXTENSION_QUOTED:
        return in_quoted(c);
    case EXTENSION_ESCAPE:
        return is_value(c) ? EXTENSION_QUOTED : BAD;
    case SIZE_LF:
        return size_ends(chunked, c);
    case DATA_CR:
        return c == '\r' ? DATA_LF : BAD;
    case DATA_LF:
        return c == '\n' ? SIZE_FIRST : BAD;
    case TRAILER_START:
    case TRAILER_NAME:
    case TRAILER_VALUE:
        return in_trailer(state, c);
    case TRAILER_LF:
        return c == '\n' ? TRAILER_START : BAD;
    case END_LF:
        return c == '\n' ? DONE : BAD;
    case DATA:
    case DONE:
    case BAD:
        break; /* no framing */
    }
    return BAD;
}

static bool too_long(const struct http1_chunked *chunked)
{
    bool trailer = chunked->state >= TRAILER_START;

    return chunked->line_bytes > (trailer ? TRAILER_BYTES_MAX : LINE_BYTES_MAX);
}

static void eat_data(struct http1_chunked *chunked, struct str bytes, size_t *used,
                     struct str *ret_data)
{
    size_t len = bytes.len - *used;

    if (len > chunked->left)
        len = (size_t)chunked->left;
    *ret_data = (struct str){ bytes.at + *used, len };
    chunked->left -= len;
    *used += len;
    if (chunked->left == 0)
        chunked->state = DATA_CR;
}

enum http1_chunk_result http1_chunked(struct http1_chunked *chunked, struct str bytes,
                                      size_t *ret_used, struct str *ret_data)
{
    size_t used = 0;

    *ret_used = 0;
    while (used < bytes.len && chunked->state != DONE && chunked->state != BAD) {
        if (chunked->state == DATA) {
            eat_data(chunked, bytes, &used, ret_data);
            *ret_used = used;
            return CHUNK_DATA;
        }
        chunked->line_bytes++;
        chunked->state = (int)step(chunked, bytes.at[used++]);
        if (chunked->state == SIZE_FIRST)
            chunked->line_bytes = 0;
        if (too_long(chunked))
            chunked->state = BAD;
    }
    *ret_used = used;
    if (chunked->state == BAD)
        return CHUNK_BAD;
    return chunked->state == DONE ? CHUNK_DONE : CHUNK_MORE;
}
