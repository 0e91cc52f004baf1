/*
 * api/origin.c - whose page a browser asks for.
 *
 * Threads: any; nothing is shared.
 */
#include "api/origin.h"

#include <string.h>

#define PORT_MAX 65535

struct place { /* an origin, taken apart; points into the text it was read from */
    struct str scheme;
    struct str host; /* IPv6 with its brackets */
    uint64_t port;   /* 0: the scheme has no default, and none is given */
};

struct origins {
    char *text; /* owned: what the places point into */
    bool has_own;
    struct place own;
    struct str own_base; /* public_url without a slash at its end */
    size_t n_allowed;
    struct place allowed[ORIGINS_MAX];
};

static uint64_t default_port(struct str scheme)
{
    if (str_eq_nocase(scheme, STR("http")))
        return 80;
    return str_eq_nocase(scheme, STR("https")) ? 443 : 0;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool all_of(struct str s, const char *others)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_letter(s.at[i]) && !(s.at[i] >= '0' && s.at[i] <= '9') &&
            (s.at[i] == '\0' || !strchr(others, s.at[i])))
            return false;
    }
    return s.len > 0;
}

/* HOST or HOST:PORT.   otherwise  the port where none is given */
static bool authority_parse(struct str s, uint64_t otherwise, struct str *ret_host,
                            uint64_t *ret_port)
{
    bool literal = s.len > 0 && s.at[0] == '[';
    size_t end = literal ? str_find(s, ']') + 1 : str_find(s, ':');
    struct str host;

    if (end > s.len)
        return false;
    host = (struct str){ s.at, end };
    *ret_port = otherwise;
    if (end < s.len && (s.at[end] != ':' || !str_uint64(str_from(s, end + 1), PORT_MAX, ret_port)))
        return false;
    if (literal && !all_of((struct str){ host.at + 1, host.len - 2 }, ":."))
        return false;
    *ret_host = host;
    return literal || all_of(host, "-._~");
}

/* SCHEME://HOST[:PORT] and nothing behind it (RFC 6454 §6.1). */
static bool place_parse(struct str s, struct place *ret_place)
{
    size_t colon = str_find(s, ':');
    struct place place = { .scheme = { s.at, colon } };

    if (!all_of(place.scheme, "+-.") || !is_letter(s.at[0]) ||
        !str_starts(str_from(s, colon), STR("://")) ||
        !authority_parse(str_from(s, colon + strlen("://")), default_port(place.scheme),
                         &place.host, &place.port))
        return false;
    *ret_place = place;
    return true;
}

static bool place_eq(const struct place *a, const struct place *b)
{
    return a->port == b->port && str_eq_nocase(a->scheme, b->scheme) &&
           str_eq_nocase(a->host, b->host);
}

/* How long the origin of a URL is. */
static size_t origin_len(struct str s)
{
    struct str behind = str_from(s, str_find(s, ':'));

    if (!str_starts(behind, STR("://")))
        return s.len;
    behind = str_from(behind, strlen("://"));
    return s.len - behind.len + str_find(behind, '/');
}

/* The origin of an http or https URL. */
static bool url_parse(struct str s, struct place *ret_place)
{
    return place_parse((struct str){ s.at, origin_len(s) }, ret_place) &&
           default_port(ret_place->scheme) != 0;
}

static bool allowed_parse(struct origins *origins, struct str list, struct why *why)
{
    struct str piece;

    while (str_next(&list, ' ', &piece)) {
        piece = str_trim(piece);
        if (piece.len == 0)
            continue;
        if (origins->n_allowed == ORIGINS_MAX) {
            (void)why_set(why, "more than %d origins", ORIGINS_MAX);
            return false;
        }
        if (!place_parse(piece, &origins->allowed[origins->n_allowed++])) {
            (void)why_set(why, "\"%.*s\" is no origin; one looks like https://example.org",
                          (int)(piece.len < 128 ? piece.len : 128), piece.at);
            return false;
        }
    }
    return true;
}

struct origins *origins_new(struct str public_url, struct str allowed, struct why *reterr_why)
{
    AUTO(origins) origins = calloc(1, sizeof *origins);

    if (origins)
        origins->text = malloc(public_url.len + allowed.len + 1);
    if (!origins || !origins->text)
        return why_set(reterr_why, "no memory for the origins");
    if (public_url.len > 0)
        memcpy(origins->text, public_url.at, public_url.len);
    if (allowed.len > 0)
        memcpy(origins->text + public_url.len, allowed.at, allowed.len);
    origins->has_own = public_url.len > 0;
    if (origins->has_own &&
        !url_parse((struct str){ origins->text, public_url.len }, &origins->own))
        return why_set(reterr_why,
                       "\"%.*s\" is no public_url; one looks like https://polls.example.org/",
                       (int)(public_url.len < 128 ? public_url.len : 128), public_url.at);
    origins->own_base = (struct str){ origins->text, public_url.len };
    while (origins->own_base.len > 0 && origins->own_base.at[origins->own_base.len - 1] == '/')
        origins->own_base.len--;
    if (!allowed_parse(origins, (struct str){ origins->text + public_url.len, allowed.len },
                       reterr_why))
        return NULL;
    return TAKE(origins);
}

void origins_free(struct origins *origins)
{
    if (!origins)
        return;
    free(origins->text);
    free(origins);
}

static bool is_own(const struct origins *origins, const struct http1_request *request,
                   const struct place *place)
{
    struct str host;
    uint64_t port;

    if (origins->has_own)
        return place_eq(&origins->own, place);
    return default_port(place->scheme) != 0 &&
           authority_parse(request->host, default_port(place->scheme), &host, &port) &&
           port == place->port && str_eq_nocase(host, place->host);
}

enum origin origin_of(const struct origins *origins, const struct http1_request *request)
{
    struct place place;

    if (http1_field_count(request, STR("Origin")) == 0)
        return ORIGIN_ABSENT;
    if (http1_field_count(request, STR("Origin")) > 1 ||
        !place_parse(http1_field(request, STR("Origin")), &place))
        return ORIGIN_FOREIGN;
    if (is_own(origins, request, &place))
        return ORIGIN_OWN;
    for (size_t i = 0; i < origins->n_allowed; i++) {
        if (place_eq(&origins->allowed[i], &place))
            return ORIGIN_ALLOWED;
    }
    return ORIGIN_FOREIGN;
}

bool origin_own_url(const struct origins *origins, const struct http1_request *request,
                    struct str url, struct str *ret_base, struct str *ret_rest)
{
    struct str base = { url.at, origin_len(url) };
    struct str rest = str_from(url, base.len);
    struct place place;

    if (!url_parse(url, &place) || !is_own(origins, request, &place))
        return false;
    if (origins->has_own) {
        struct str path = str_from(origins->own_base, origin_len(origins->own_base));

        if (!str_starts(rest, path))
            return false;
        rest = str_from(rest, path.len);
        base = origins->own_base;
    }
    if (!str_starts(rest, STR("/")))
        return false;
    *ret_base = base;
    *ret_rest = rest;
    return true;
}

static bool is_known(enum origin origin)
{
    return origin == ORIGIN_OWN || origin == ORIGIN_ALLOWED;
}

static bool is_cross_site(const struct http1_request *request)
{
    for (size_t i = 0; i < request->n_fields; i++) {
        if (str_eq_nocase(request->fields[i].name, STR("Sec-Fetch-Site")) &&
            str_eq_nocase(request->fields[i].value, STR("cross-site")))
            return true;
    }
    return false;
}

bool origin_may_change(const struct origins *origins, const struct http1_request *request,
                       const char **ret_detail)
{
    enum origin origin = origin_of(origins, request);

    if (request->method == METHOD_GET || request->method == METHOD_HEAD ||
        request->method == METHOD_OPTIONS || is_known(origin))
        return true;
    if (origin == ORIGIN_ABSENT && !is_cross_site(request))
        return true;
    *ret_detail = origin == ORIGIN_FOREIGN
                      ? "this was sent by a page of another origin, which is not in origins of "
                        "[server]"
                      : "this was sent by a page of another site, which did not say which";
    return false;
}

struct str origin_known(const struct origins *origins, const struct http1_request *request)
{
    if (!is_known(origin_of(origins, request)))
        return (struct str){ NULL, 0 };
    return http1_field(request, STR("Origin"));
}

static void allow(struct str origin, struct buf *out)
{
    buf_text(out, "Access-Control-Allow-Origin: ");
    buf_str_add(out, origin);
    buf_text(out, "\r\n");
}

static void vary_by(const char *what, bool by_origin, struct buf *out)
{
    if (!what && !by_origin)
        return;
    buf_text(out, "Vary: ");
    if (what)
        buf_text(out, what);
    if (what && by_origin)
        buf_text(out, ", ");
    if (by_origin)
        buf_text(out, "Origin");
    buf_text(out, "\r\n");
}

void origin_write_fields(struct str known, enum origin_readers readers, const char *vary,
                         struct buf *out)
{
    vary_by(vary, readers == READERS_KNOWN, out);
    if (readers == READERS_ALL)
        buf_text(out, "Access-Control-Allow-Origin: *\r\n");
    else if (known.len > 0)
        allow(known, out);
    if (known.len > 0 || readers == READERS_ALL)
        buf_text(out, "Access-Control-Expose-Headers: ETag, Retry-After\r\n");
}

bool origin_is_preflight(const struct http1_request *request)
{
    return request->method == METHOD_OPTIONS && http1_field(request, STR("Origin")).at &&
           http1_field(request, STR("Access-Control-Request-Method")).at;
}

void origin_write_preflight(const struct origins *origins, const struct http1_request *request,
                            struct str methods, struct buf *out)
{
    struct str known = origin_known(origins, request);

    buf_text(out, "Vary: Origin\r\n");
    if (known.len > 0)
        allow(known, out);
    buf_text(out, "Access-Control-Allow-Methods: ");
    buf_str_add(out, methods);
    buf_format(out,
               "\r\nAccess-Control-Allow-Headers: Authorization, Content-Type, If-None-Match\r\n"
               "Access-Control-Max-Age: %d\r\n",
               PREFLIGHT_MAX_AGE_S);
}
