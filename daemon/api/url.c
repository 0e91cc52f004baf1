/*
 * api/url.c - a path and a query, percent-decoded once.
 *
 * Threads: any; nothing is shared.
 */
#include "api/url.h"

#include <inttypes.h>
#include <string.h>

/* Decodes `raw` into url->bytes; false at a broken escape. */
static bool decode(struct url *url, struct str raw, struct str *ret_text)
{
    char *start = url->bytes + url->used;
    char *end = start;

    if (raw.len > sizeof url->bytes - url->used)
        return false;
    for (size_t i = 0; i < raw.len; i++) {
        int high;
        int low;

        if (raw.at[i] != '%') {
            *end++ = raw.at[i];
            continue;
        }
        high = i + 1 < raw.len ? hex_digit(raw.at[i + 1]) : -1;
        low = i + 2 < raw.len ? hex_digit(raw.at[i + 2]) : -1;
        if (high < 0 || low < 0)
            return false;
        *end++ = (char)(high << 4 | low);
        i += 2;
    }
    *ret_text = (struct str){ start, (size_t)(end - start) };
    url->used += ret_text->len;
    return true;
}

bool url_path_is(struct str raw, const char *path)
{
    size_t at = 0;

    for (; *path; path++) {
        char c = at < raw.len ? raw.at[at] : '\0';

        if (c == '%') {
            int high = at + 1 < raw.len ? hex_digit(raw.at[at + 1]) : -1;
            int low = at + 2 < raw.len ? hex_digit(raw.at[at + 2]) : -1;

            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            at += 2;
        }
        if (c != *path)
            return false;
        at++;
    }
    return at == raw.len;
}

static bool read_path(struct url *url, struct str path, struct refusal *reterr)
{
    struct str rest = path;

    while (rest.len > 0) {
        size_t end;

        rest = str_from(rest, 1); /* the slash; the parser saw to it that there is one */
        end = str_find(rest, '/');
        if (url->n_segments == URL_SEGMENTS_MAX) {
            url->too_deep = true;
            return true;
        }
        if (!decode(url, (struct str){ rest.at, end }, &url->segments[url->n_segments]))
            return refuse(reterr, PROBLEM_MALFORMED, "the path has a broken percent escape");
        url->n_segments++;
        rest = str_from(rest, end);
    }
    return true;
}

static bool read_query(struct url *url, struct str query, struct refusal *reterr)
{
    struct str piece;

    while (str_next(&query, '&', &piece)) {
        size_t equals = str_find(piece, '=');
        struct url_parameter *parameter = &url->parameters[url->n_parameters];
        struct str value = equals < piece.len ? str_from(piece, equals + 1) : STR("");

        if (piece.len == 0)
            continue;
        if (url->n_parameters == URL_PARAMETERS_MAX)
            return refuse(reterr, PROBLEM_INVALID, "more than %d query parameters",
                          URL_PARAMETERS_MAX);
        if (!decode(url, (struct str){ piece.at, equals }, &parameter->name) ||
            !decode(url, value, &parameter->value))
            return refuse(reterr, PROBLEM_MALFORMED, "the query has a broken percent escape");
        url->n_parameters++;
    }
    return true;
}

bool url_read(const struct http1_request *request, struct url *ret_url, struct refusal *reterr)
{
    ret_url->too_deep = false;
    ret_url->n_segments = 0;
    ret_url->n_parameters = 0;
    ret_url->used = 0;
    if (request->path.len == 0 || request->path.at[0] != '/')
        return true; /* OPTIONS *: no segments, no route */
    return read_path(ret_url, request->path, reterr) && read_query(ret_url, request->query, reterr);
}

struct str url_parameter(const struct url *url, const char *name)
{
    for (size_t i = 0; i < url->n_parameters; i++) {
        if (str_eq(url->parameters[i].name, str_of(name)))
            return url->parameters[i].value;
    }
    return (struct str){ NULL, 0 };
}

static bool refuse_unknown(struct str name, const char *names, struct refusal *reterr)
{
    char text[64];
    size_t len = name.len < sizeof text - 1 ? name.len : sizeof text - 1;

    for (size_t i = 0; i < len; i++) {
        bool plain = name.at[i] > ' ' && name.at[i] < 0x7F;

        text[i] = plain ? name.at[i] : '?'; /* a problem document is UTF-8, whatever was sent */
    }
    text[len] = '\0';
    if (names[0] == '\0')
        return refuse_parameter(reterr, text, "there is no such parameter here, nor any other");
    return refuse_parameter(reterr, text, "there is no such parameter here; known: %s", names);
}

bool url_parameters_ok(const struct url *url, const char *names, struct refusal *reterr)
{
    for (size_t i = 0; i < url->n_parameters; i++) {
        struct str name = url->parameters[i].name;

        if (!str_is_one_of(name, names))
            return refuse_unknown(name, names, reterr);
        for (size_t j = 0; j < i; j++) {
            if (str_eq(url->parameters[j].name, name)) {
                char text[64] = "";

                memcpy(text, name.at, name.len < sizeof text ? name.len : sizeof text - 1);
                return refuse_parameter(reterr, text, "stands twice");
            }
        }
    }
    return true;
}

bool url_number(const struct url *url, const char *name, uint64_t least, uint64_t most,
                uint64_t otherwise, uint64_t *ret_n, struct refusal *reterr)
{
    struct str text = url_parameter(url, name);
    uint64_t n;

    if (!text.at) {
        *ret_n = otherwise;
        return true;
    }
    if (!str_uint64(text, most, &n) || n < least)
        return refuse_parameter(reterr, name, "must be a whole number of %" PRIu64 " to %" PRIu64,
                                least, most);
    *ret_n = n;
    return true;
}
