/*
 * dump_text.c - what stands between the values of a dump: space, comments, names, strings to skip.
 *
 * Threads: main.
 */
#include <string.h>

#include "dump_own.h"

static bool is_space(int c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int upper(int c)
{
    return c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c;
}

static bool is_word(int c)
{
    int u = upper(c);

    return (u >= 'A' && u <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' || c >= 0x80;
}

static bool starts(const char *text, const char *begin)
{
    return strncmp(text, begin, strlen(begin)) == 0;
}

/* The lines by which the programs say who they are, and that they came to their end. */
static void comment_note(struct dump *dump, const char *text)
{
    while (*text == ' ')
        text++;
    if (starts(text, "PostgreSQL database dump complete") || starts(text, "Dump completed")) {
        dump->complete++;
    } else if (strcmp(text, "PostgreSQL database dump") == 0) {
        dump->begun++;
        dump->postgres = true;
        dump->backslashes = false;
    } else if (starts(text, "MySQL dump ") || starts(text, "MariaDB dump ")) {
        dump->begun++;
    }
}

static void line_comment(struct dump *dump)
{
    char text[TEXT_BYTES_MAX];
    size_t len = 0;

    while (source_peek(dump->source) != SOURCE_END && source_peek(dump->source) != '\n') {
        int c = source_next(dump->source);

        if (len + 1 < sizeof text && c != '\r')
            text[len++] = (char)c;
    }
    text[len] = '\0';
    comment_note(dump, text);
}

/* What MySQL runs, as !40101 SET NAMES utf8mb4, is looked at. */
static bool block_comment(struct dump *dump)
{
    char text[TEXT_BYTES_MAX];
    size_t len = 0;
    const char *set;

    while (source_peek(dump->source) != '*' || source_ahead(dump->source, 1) != '/') {
        int c = source_next(dump->source);

        if (c == SOURCE_END)
            return dump_cut(dump, "a comment");
        if (len + 1 < sizeof text)
            text[len++] = (char)upper(c);
    }
    (void)source_next(dump->source);
    (void)source_next(dump->source);
    text[len] = '\0';
    set = text[0] == '!' ? strstr(text, "SET ") : NULL;
    return !set || dump_setting(dump, set + strlen("SET "));
}

bool dump_space(struct dump *dump)
{
    struct source *source = dump->source;

    for (;;) {
        int c = source_peek(source);

        if (is_space(c)) {
            (void)source_next(source);
        } else if (c == '-' && source_ahead(source, 1) == '-') {
            (void)source_next(source);
            (void)source_next(source);
            line_comment(dump);
        } else if (c == '#' && !dump->postgres) {
            (void)source_next(source);
            line_comment(dump);
        } else if (c == '/' && source_ahead(source, 1) == '*') {
            (void)source_next(source);
            (void)source_next(source);
            if (!block_comment(dump))
                return false;
        } else {
            return true;
        }
    }
}

void dump_word(struct dump *dump, char ret_word[WORD_BYTES_MAX])
{
    size_t len = 0;

    while (is_word(source_peek(dump->source))) {
        int c = source_next(dump->source);

        if (len + 1 < WORD_BYTES_MAX)
            ret_word[len++] = (char)upper(c);
    }
    ret_word[len] = '\0';
}

static void name_byte(struct name *name, int c)
{
    if (name->len < sizeof name->bytes)
        name->bytes[name->len++] = (char)c;
}

static bool name_part(struct dump *dump, struct name *ret_name)
{
    int quote = source_peek(dump->source);
    uint64_t bytes = 0;

    *ret_name = (struct name){ .quoted = quote == '`' || quote == '"' };
    if (!ret_name->quoted) {
        while (is_word(source_peek(dump->source))) {
            name_byte(ret_name, source_next(dump->source));
            bytes++;
        }
        return bytes > 0 ? true : dump_expected(dump, "a name");
    }
    (void)source_next(dump->source);
    for (;;) {
        int c = source_next(dump->source);

        if (c == SOURCE_END)
            return dump_cut(dump, "a name");
        if (c == quote && source_peek(dump->source) != quote)
            return true;
        if (c == quote)
            (void)source_next(dump->source);
        name_byte(ret_name, c);
    }
}

bool dump_name(struct dump *dump, struct name *ret_name)
{
    if (!dump_space(dump) || !name_part(dump, ret_name))
        return false;
    while (source_peek(dump->source) == '.') {
        (void)source_next(dump->source);
        if (!name_part(dump, ret_name))
            return false;
    }
    return true;
}

bool dump_take(struct dump *dump, int c, const char *expected)
{
    if (!dump_space(dump))
        return false;
    if (source_peek(dump->source) != c)
        return dump_expected(dump, expected);
    (void)source_next(dump->source);
    return true;
}

/* In PostgreSQL also in E'', whatever they mean elsewhere. */
static bool has_escapes(const struct dump *dump, int quote)
{
    if (quote == '`')
        return false;
    return dump->backslashes || (quote == '\'' && upper(source_before(dump->source)) == 'E');
}

bool dump_quoted_skip(struct dump *dump)
{
    struct source *source = dump->source;
    bool backslashes = has_escapes(dump, source_peek(source));
    int quote = source_next(source);
    bool stops[256] = { ['\\'] = backslashes };

    stops[(unsigned char)quote] = true;
    for (;;) {
        int c;

        source_skip_until(source, stops);
        c = source_next(source);
        if (c == SOURCE_END)
            return dump_cut(dump, "a text in quotes");
        if (c == '\\' && backslashes)
            (void)source_next(source);
        else if (c == quote)
            return true; /* a doubled one begins the next text */
    }
}

/* $$ … $$ and $body$ … $body$, in which pg_dump writes functions. */
static bool dollar_skip(struct dump *dump)
{
    char tag[SOURCE_AHEAD_MAX] = "$";
    size_t len = 1;

    while (len + 2 < sizeof tag && is_word(source_ahead(dump->source, len)) &&
           source_ahead(dump->source, len) != '$') {
        tag[len] = (char)source_ahead(dump->source, len);
        len++;
    }
    (void)source_next(dump->source);
    if (source_ahead(dump->source, len - 1) != '$')
        return true; /* only a dollar sign */
    tag[len++] = '$';
    for (size_t i = 1; i < len; i++)
        (void)source_next(dump->source);
    for (;;) {
        size_t same = 0;

        while (same < len && source_ahead(dump->source, same) == (unsigned char)tag[same])
            same++;
        if (source_next(dump->source) == SOURCE_END)
            return dump_cut(dump, "a text in dollar quotes");
        if (same == len) {
            for (size_t i = 1; i < len; i++)
                (void)source_next(dump->source);
            return true;
        }
    }
}

static bool delimiter_take(struct dump *dump)
{
    size_t len = strlen(dump->delimiter);

    for (size_t i = 0; i < len; i++) {
        if (source_ahead(dump->source, i) != (unsigned char)dump->delimiter[i])
            return false;
    }
    while (len-- > 0)
        (void)source_next(dump->source);
    return true;
}

/* Bytes of a statement that mean nothing, in one go: most of a dump is of other tables. */
static void plain_skip(struct dump *dump)
{
    bool stops[256] = { ['\''] = true, ['"'] = true, ['`'] = true, ['-'] = true,
                        ['/'] = true,  ['#'] = true, ['$'] = true };

    stops[(unsigned char)dump->delimiter[0]] = true;
    source_skip_until(dump->source, stops);
}

/* A byte, a text or a comment of a statement. */
static bool piece_skip(struct dump *dump, char *text, size_t *len)
{
    int c = source_peek(dump->source);
    int after = source_ahead(dump->source, 1);

    if (c == '\'' || c == '"' || c == '`') {
        if (*len + 1 < TEXT_BYTES_MAX)
            text[(*len)++] = (char)c;
        /* What SET gives a name to stands in quotes in pg_dump's: 'UTF8'. */
        for (size_t i = 1; c == '\'' && i < SOURCE_AHEAD_MAX && *len + 1 < TEXT_BYTES_MAX; i++) {
            int inside = source_ahead(dump->source, i);

            if (inside == c || inside == SOURCE_END)
                break;
            text[(*len)++] = (char)upper(inside);
        }
        return dump_quoted_skip(dump);
    }
    if ((c == '-' && after == '-' && (dump->postgres || is_space(source_ahead(dump->source, 2)))) ||
        (c == '/' && after == '*') || (c == '#' && !dump->postgres))
        return dump_space(dump);
    if (c == '$' && dump->postgres)
        return dollar_skip(dump);
    (void)source_next(dump->source);
    if (*len + 1 < TEXT_BYTES_MAX)
        text[(*len)++] = (char)upper(c);
    else
        plain_skip(dump);
    return true;
}

bool dump_statement_skip(struct dump *dump, char ret_text[TEXT_BYTES_MAX])
{
    size_t len = 0;

    while (!delimiter_take(dump)) {
        if (source_peek(dump->source) == SOURCE_END)
            return dump_cut(dump, "a statement");
        if (!piece_skip(dump, ret_text, &len))
            return false;
    }
    ret_text[len] = '\0';
    return true;
}
