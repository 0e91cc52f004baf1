/*
 * net/http1.c - bytes in, request head or error out (RFC 9112).
 *
 * The head is cut into lines at CRLF first; request line, target and fields are then read each from
 * its own line, and the framing is worked out from the fields at the end.
 *
 * Threads: any; nothing is shared.
 */
#include "net/http1.h"

#include <string.h>

/* What a byte may be part of. */
enum { TOKEN = 1, TARGET = 2, VALUE = 4 };

#define T (TOKEN | TARGET | VALUE)
#define V (TARGET | VALUE)
#define S VALUE
static const unsigned char classes[256] = {
    ['\t'] = S, [' '] = S,           ['!'] = T,         ['"'] = V,  ['#'] = T, ['$'] = T,
    ['%'] = T,  ['&'] = T,           ['\''] = T,        ['('] = V,  [')'] = V, ['*'] = T,
    ['+'] = T,  [','] = V,           ['-'] = T,         ['.'] = T,  ['/'] = V, ['0' ... '9'] = T,
    [':'] = V,  [';'] = V,           ['<'] = V,         ['='] = V,  ['>'] = V, ['?'] = V,
    ['@'] = V,  ['A' ... 'Z'] = T,   ['['] = V,         ['\\'] = V, [']'] = V, ['^'] = T,
    ['_'] = T,  ['`'] = T,           ['a' ... 'z'] = T, ['{'] = V,  ['|'] = T, ['}'] = V,
    ['~'] = T,  [0x80 ... 0xFF] = S, /* obs-text, RFC 9110 §5.5 */
};
#undef T
#undef V
#undef S

static bool all_of(struct str s, unsigned char class)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!(classes[(unsigned char)s.at[i]] & class))
            return false;
    }
    return true;
}

static enum http1_result malformed(const char **reterr_what, const char *what)
{
    *reterr_what = what;
    return HTTP1_MALFORMED;
}

/* The next line without its CRLF. false: there is no whole line, or *reterr_what says what is
 * wrong with it. */
static bool next_line(struct str *rest, struct str *ret_line, const char **reterr_what)
{
    size_t end = str_find(*rest, '\n');
    size_t cr = str_find((struct str){ rest->at, end }, '\r');

    if (end == rest->len) {
        /* A CR may be the last byte so far, but nothing other than LF may follow it. */
        if (cr + 1 < end)
            *reterr_what = "a carriage return without a line feed";
        return false;
    }
    if (cr + 1 != end) {
        *reterr_what =
            cr < end ? "a carriage return within a line" : "a line feed without a carriage return";
        return false;
    }
    *ret_line = (struct str){ rest->at, cr };
    *rest = str_from(*rest, end + 1);
    return true;
}

static enum http1_method method_of(struct str name)
{
    static const struct {
        struct str name;
        enum http1_method method;
    } known[] = {
        { { "GET", 3 }, METHOD_GET },         { { "POST", 4 }, METHOD_POST },
        { { "HEAD", 4 }, METHOD_HEAD },       { { "PUT", 3 }, METHOD_PUT },
        { { "PATCH", 5 }, METHOD_PATCH },     { { "DELETE", 6 }, METHOD_DELETE },
        { { "OPTIONS", 7 }, METHOD_OPTIONS },
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (str_eq(known[i].name, name))
            return known[i].method;
    }
    return METHOD_OTHER;
}

static bool is_host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~%!$&'()*+,;=", c) != NULL);
}

/* uri-host [ ":" port ], RFC 9110 §7.2; empty is allowed. */
static bool host_ok(struct str host)
{
    size_t end;
    struct str port;

    if (host.len > 0 && host.at[0] == '[') {
        end = str_find(host, ']');
        if (end == host.len)
            return false;
        for (size_t i = 1; i < end; i++) {
            if (!is_host_char(host.at[i]) && host.at[i] != ':')
                return false;
        }
        end++;
    } else {
        end = str_find(host, ':');
        for (size_t i = 0; i < end; i++) {
            if (!is_host_char(host.at[i]))
                return false;
        }
    }
    if (end == host.len)
        return true;
    if (host.at[end] != ':')
        return false;
    port = str_from(host, end + 1);
    for (size_t i = 0; i < port.len; i++) {
        if (port.at[i] < '0' || port.at[i] > '9')
            return false;
    }
    return port.len <= 5;
}

/* Splits origin-form into path and query; a fragment has no place on the wire. */
static bool read_origin(struct str target, struct http1_request *request)
{
    size_t end = str_find(target, '?');

    if (str_find(target, '#') < target.len)
        return false;
    request->path = (struct str){ target.at, end };
    request->query = end < target.len ? str_from(target, end + 1) : (struct str){ NULL, 0 };
    return true;
}

/* absolute-form: its authority takes the place of Host (RFC 9112 §3.2.2). */
static bool read_absolute(struct str target, struct http1_request *request)
{
    struct str rest;
    size_t end = 0;

    if (target.len > 7 && str_eq_nocase((struct str){ target.at, 7 }, STR("http://")))
        rest = str_from(target, 7);
    else if (target.len > 8 && str_eq_nocase((struct str){ target.at, 8 }, STR("https://")))
        rest = str_from(target, 8);
    else
        return false;
    while (end < rest.len && rest.at[end] != '/' && rest.at[end] != '?')
        end++;
    request->host = (struct str){ rest.at, end };
    if (end == 0 || !host_ok(request->host))
        return false; /* an http URI has a host (RFC 9110 §4.2.1), and no user in it */
    rest = str_from(rest, end);
    if (!read_origin(rest, request))
        return false;
    if (request->path.len == 0)
        request->path = STR("/");
    return true;
}

static bool read_target(struct str target, struct http1_request *request)
{
    if (target.len == 0 || !all_of(target, TARGET))
        return false;
    if (target.at[0] == '/')
        return read_origin(target, request);
    if (request->method == METHOD_OPTIONS && str_eq(target, STR("*"))) {
        request->path = target;
        return true;
    }
    if (request->method == METHOD_OTHER && str_eq(request->method_name, STR("CONNECT"))) {
        request->path = target; /* answered 501 whatever it names */
        return true;
    }
    return read_absolute(target, request);
}

static enum http1_result read_request_line(struct str line, struct http1_request *request,
                                           const char **reterr_what)
{
    size_t end = str_find(line, ' ');
    struct str rest;

    request->method_name = (struct str){ line.at, end };
    if (end == 0 || end == line.len || !all_of(request->method_name, TOKEN))
        return malformed(reterr_what, "the request line has no method");
    request->method = method_of(request->method_name);
    rest = str_from(line, end + 1);
    end = str_find(rest, ' ');
    if (end == rest.len)
        return malformed(reterr_what, "the request line has no version");
    if (!read_target((struct str){ rest.at, end }, request))
        return malformed(reterr_what, "the request target is none that is taken here");
    rest = str_from(rest, end + 1);
    if (str_eq(rest, STR("HTTP/1.1")))
        request->minor = 1;
    else if (str_eq(rest, STR("HTTP/1.0")))
        request->minor = 0;
    else
        return malformed(reterr_what, "the version is neither HTTP/1.1 nor HTTP/1.0");
    return HTTP1_DONE;
}

static enum http1_result read_field(struct str line, struct http1_request *request,
                                    const char **reterr_what)
{
    size_t colon = str_find(line, ':');
    struct http1_field *field;

    if (line.at[0] == ' ' || line.at[0] == '\t')
        return malformed(reterr_what, "a folded header line");
    if (colon == 0 || colon == line.len || !all_of((struct str){ line.at, colon }, TOKEN))
        return malformed(reterr_what, "a header line without a proper name and colon");
    if (request->n_fields == HTTP1_FIELDS_MAX) {
        *reterr_what = "more than 64 header fields";
        return HTTP1_HEAD_TOO_LARGE;
    }
    field = &request->fields[request->n_fields++];
    field->name = (struct str){ line.at, colon };
    field->value = str_trim(str_from(line, colon + 1));
    if (!all_of(field->value, VALUE))
        return malformed(reterr_what, "a control character in a header value");
    return HTTP1_DONE;
}

struct str http1_field(const struct http1_request *request, struct str name)
{
    for (size_t i = 0; i < request->n_fields; i++) {
        if (str_eq_nocase(request->fields[i].name, name))
            return request->fields[i].value;
    }
    return (struct str){ NULL, 0 };
}

size_t http1_field_count(const struct http1_request *request, struct str name)
{
    size_t n = 0;

    for (size_t i = 0; i < request->n_fields; i++)
        n += str_eq_nocase(request->fields[i].name, name);
    return n;
}

static enum http1_result work_out_host(struct http1_request *request, const char **reterr_what)
{
    size_t hosts = http1_field_count(request, STR("Host"));
    struct str host = http1_field(request, STR("Host"));

    if (hosts > 1 || (hosts == 0 && request->minor == 1))
        return malformed(reterr_what, "exactly one Host is needed");
    if (hosts == 1 && !host_ok(host))
        return malformed(reterr_what, "the Host is no host and port");
    if (request->host.len == 0)
        request->host = host;
    return HTTP1_DONE;
}

/* In the fields that say where a message ends, or whether another follows, other readers do not
 * know a tab behind a word, though it is white space (RFC 9110 §5.6.3): none is taken. */
static bool has_tab(struct str value)
{
    for (const char *at = value.at; at && *at != '\r'; at++) {
        if (*at == '\t')
            return true;
    }
    return false;
}

/* One body length, or none, or an error: what two readers could read differently is refused
 * (RFC 9112 §6.3, §11.2). */
static enum http1_result work_out_body(struct http1_request *request, const char **reterr_what)
{
    size_t lengths = http1_field_count(request, STR("Content-Length"));
    size_t codings = http1_field_count(request, STR("Transfer-Encoding"));

    request->body = BODY_NONE;
    if (lengths == 0 && codings == 0)
        return HTTP1_DONE;
    if (lengths > 1 || codings > 1)
        return malformed(reterr_what, "the length of the body is given twice");
    if (lengths == 1 && codings == 1)
        return malformed(reterr_what, "both Content-Length and Transfer-Encoding");
    if (has_tab(http1_field(request, STR("Content-Length"))) ||
        has_tab(http1_field(request, STR("Transfer-Encoding"))))
        return malformed(reterr_what, "a tab beside the length of the body");
    if (codings == 1) {
        if (request->minor == 0)
            return malformed(reterr_what, "Transfer-Encoding in HTTP/1.0");
        if (!str_eq_nocase(http1_field(request, STR("Transfer-Encoding")), STR("chunked")))
            return malformed(reterr_what, "a Transfer-Encoding other than chunked");
        request->body = BODY_CHUNKED;
        return HTTP1_DONE;
    }
    if (!str_uint64(http1_field(request, STR("Content-Length")), INT64_MAX,
                    &request->content_length))
        return malformed(reterr_what, "the Content-Length is no number");
    request->body = BODY_LENGTH;
    return HTTP1_DONE;
}

static enum http1_result work_out_connection(struct http1_request *request,
                                             const char **reterr_what)
{
    bool close = false;
    bool keep_alive = false;

    for (size_t i = 0; i < request->n_fields; i++) {
        struct str rest = request->fields[i].value;
        struct str option;

        if (!str_eq_nocase(request->fields[i].name, STR("Connection")))
            continue;
        if (has_tab(rest))
            return malformed(reterr_what, "a tab in Connection");
        while (str_next(&rest, ',', &option)) {
            close |= str_eq_nocase(str_trim(option), STR("close"));
            keep_alive |= str_eq_nocase(str_trim(option), STR("keep-alive"));
        }
    }
    request->keep_alive = !close && (request->minor == 1 || keep_alive);
    return HTTP1_DONE;
}

static enum http1_result work_out_expect(struct http1_request *request, const char **reterr_what)
{
    struct str expect = http1_field(request, STR("Expect"));

    if (!expect.at || request->minor == 0)
        return HTTP1_DONE; /* RFC 9110 §10.1.1: ignored in 1.0 */
    if (!str_eq_nocase(expect, STR("100-continue"))) {
        *reterr_what = "an Expect other than 100-continue";
        return HTTP1_BAD_EXPECT;
    }
    request->expect_continue = true;
    return HTTP1_DONE;
}

static enum http1_result work_out(struct http1_request *request, const char **reterr_what)
{
    enum http1_result result = work_out_host(request, reterr_what);

    if (result == HTTP1_DONE)
        result = work_out_body(request, reterr_what);
    if (result == HTTP1_DONE)
        result = work_out_expect(request, reterr_what);
    if (result == HTTP1_DONE)
        result = work_out_connection(request, reterr_what);
    return result;
}

/* No whole line where one is needed: wrong already, over the limit, or to be waited for. */
static enum http1_result no_line(size_t arrived, bool in_request_line, const char **reterr_what)
{
    if (*reterr_what)
        return HTTP1_MALFORMED;
    if (arrived < HTTP1_HEAD_BYTES_MAX)
        return HTTP1_MORE;
    *reterr_what = in_request_line ? "the request target is too long"
                                   : "the head of the request is over 8 KiB";
    return in_request_line ? HTTP1_URI_TOO_LONG : HTTP1_HEAD_TOO_LARGE;
}

enum http1_result http1_head(struct str bytes, struct http1_request *ret_request, size_t *ret_used,
                             const char **reterr_what)
{
    struct http1_request *request = ret_request;
    struct str seen = { bytes.at,
                        bytes.len < HTTP1_HEAD_BYTES_MAX ? bytes.len : HTTP1_HEAD_BYTES_MAX };
    struct str rest = seen;
    struct str line;
    enum http1_result result;

    *reterr_what = NULL;
    if (str_starts(rest, STR("\r\n")))
        rest = str_from(rest, 2); /* one empty line is let pass (RFC 9112 §2.2) */
    if (!next_line(&rest, &line, reterr_what))
        return no_line(seen.len, true, reterr_what);
    request->n_fields = 0;
    request->host = request->query = (struct str){ NULL, 0 };
    request->content_length = 0;
    request->expect_continue = false;
    result = read_request_line(line, request, reterr_what);
    while (result == HTTP1_DONE) {
        if (!next_line(&rest, &line, reterr_what))
            return no_line(seen.len, false, reterr_what);
        if (line.len == 0)
            break;
        result = read_field(line, request, reterr_what);
    }
    if (result == HTTP1_DONE)
        result = work_out(request, reterr_what);
    if (result == HTTP1_DONE)
        *ret_used = seen.len - rest.len;
    return result;
}
