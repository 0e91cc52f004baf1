/*
 * api/routes.c - the table of all routes, and the way from a request to its row.
 *
 * Threads: any loop; the table never changes.
 */
#include "api/routes.h"

#include <string.h>

#include "api/pages.h"
#include "api/pending.h"
#include "api/request_log.h"
#include "base/log.h"

#define POLL "/v1/polls/{id}"

/* The rows that are asked for most come first: a request is looked up by walking down. */
const struct route routes[] = {
    { METHOD_POST, POLL "/votes", ROLE_PUBLIC, "lang", vote_post },
    { METHOD_GET, POLL "/tally", ROLE_PUBLIC, "lang wait version", tally_get },
    { METHOD_GET, "/v1/tallies", ROLE_PUBLIC, "ids lang", tallies_list },
    { METHOD_GET, POLL, ROLE_PUBLIC, "lang", poll_get },
    { METHOD_GET, POLL "/votes/mine", ROLE_PUBLIC, "", vote_mine },
    { METHOD_DELETE, POLL "/votes", ROLE_PUBLIC, "lang", vote_delete },
    { METHOD_GET, "/v1/polls", ROLE_PUBLIC, "limit after kind state lang", polls_list },
    { METHOD_GET, "/livez", ROLE_PUBLIC, NULL, livez },
    { METHOD_GET, "/readyz", ROLE_PUBLIC, NULL, readyz },

    { METHOD_PUT, POLL, ROLE_ADMIN, "lang", poll_put },
    { METHOD_PATCH, POLL, ROLE_ADMIN, "lang", poll_patch },
    { METHOD_DELETE, POLL, ROLE_ADMIN, "", poll_delete },
    { METHOD_PUT, POLL "/carried", ROLE_ADMIN, "lang", carried_put },

    { METHOD_GET, "/v1/top", ROLE_PUBLIC, "sort kind min_votes state prefix limit lang", top_get },
    { METHOD_GET, "/v1/events", ROLE_PUBLIC, "ids lang", events_get },
    { METHOD_GET, POLL "/history", ROLE_PUBLIC, "step", history_get },
    { METHOD_GET, POLL "/chart.svg", ROLE_PUBLIC, "lang theme width of", chart_svg_get },
    { METHOD_GET, POLL "/chart.png", ROLE_PUBLIC, "lang theme width of", chart_png_get },
    { METHOD_GET, POLL "/jsonld", ROLE_PUBLIC, "lang", jsonld_get },
    { METHOD_POST, "/v1/voters", ROLE_PUBLIC, "", voters_post },
    { METHOD_GET, "/p/", ROLE_PUBLIC, NULL, page_list },
    { METHOD_GET, "/p/{id}", ROLE_PUBLIC, NULL, page_get },
    { METHOD_POST, "/p/{id}", ROLE_PUBLIC, NULL, page_post },
    { METHOD_GET, "/embed/{id}", ROLE_PUBLIC, NULL, embed_get },
    { METHOD_GET, "/assets/{id}", ROLE_PUBLIC, NULL, asset_get },
    { METHOD_GET, "/widget.js", ROLE_PUBLIC, NULL, widget_get },
    { METHOD_GET, "/oembed", ROLE_PUBLIC, NULL, oembed_get },
    { METHOD_GET, "/openapi.json", ROLE_PUBLIC, NULL, openapi_get },
    { METHOD_GET, "/metrics", ROLE_PUBLIC, NULL, metrics_get },
    { METHOD_POST, "/v1/votes", ROLE_APP, "", bulk_post },
    { METHOD_GET, POLL "/votes", ROLE_ADMIN, "all format", export_get },
    { METHOD_GET, POLL "/audit", ROLE_ADMIN, "limit", audit_get },
    { METHOD_POST, POLL "/void", ROLE_ADMIN, "", void_post },
    { METHOD_POST, POLL "/forget", ROLE_ADMIN, "", forget_post },
    { METHOD_POST, "/v1/keys/rotate", ROLE_ADMIN, "", keys_rotate },
    { METHOD_POST, "/v1/verify", ROLE_ADMIN, "", verify_post },
    { METHOD_POST, "/v1/backup", ROLE_ADMIN, "", backup_post },
    { METHOD_GET, "/v1/status", ROLE_ADMIN, "", status_get },
};

const size_t routes_count = sizeof routes / sizeof routes[0];

static bool path_matches(const char *path, const struct url *url, struct str *ret_id)
{
    struct str rest = str_of(path);
    size_t n = 0;

    *ret_id = (struct str){ NULL, 0 };
    while (rest.len > 0) {
        struct str behind = str_from(rest, 1); /* the slash */
        struct str piece = { behind.at, str_find(behind, '/') };

        if (n == url->n_segments)
            return false;
        if (str_eq(piece, STR("{id}")) && url->segments[n].len > 0)
            *ret_id = url->segments[n];
        else if (!str_eq(piece, url->segments[n]))
            return false;
        rest = str_from(behind, piece.len);
        n++;
    }
    return n == url->n_segments;
}

static const struct route *find(enum http1_method method, const struct url *url, struct str *ret_id)
{
    if (method == METHOD_HEAD)
        method = METHOD_GET;
    if (url->too_deep)
        return NULL;
    for (size_t i = 0; i < routes_count; i++) {
        if (routes[i].method == method && path_matches(routes[i].path, url, ret_id))
            return &routes[i];
    }
    return NULL;
}

static const char *method_word(enum http1_method method)
{
    switch (method) {
    case METHOD_GET:
        return "GET, HEAD";
    case METHOD_POST:
        return "POST";
    case METHOD_PUT:
        return "PUT";
    case METHOD_PATCH:
        return "PATCH";
    case METHOD_DELETE:
        return "DELETE";
    case METHOD_HEAD:
    case METHOD_OPTIONS:
    case METHOD_OTHER:
        break; /* no row has one of these */
    }
    return "";
}

/* What the address takes, as in Allow (RFC 9110 §10.2.1). Returns how many rows it has. */
static size_t methods_write(const struct call *call, struct buf *out)
{
    size_t found = 0;
    struct str id;

    for (size_t i = 0; i < routes_count && !call->loop->url.too_deep; i++) {
        if (!path_matches(routes[i].path, &call->loop->url, &id))
            continue;
        if (found++ > 0)
            buf_text(out, ", ");
        buf_text(out, method_word(routes[i].method));
    }
    return found;
}

/* 404, or 405 with what the address does take (RFC 9110 §15.5.6). */
static void answer_no_route(struct call *call)
{
    struct refusal *refusal = &call->loop->refusal;
    AUTO_BUF methods = { 0 };

    if (methods_write(call, &methods) == 0) {
        refuse(refusal, PROBLEM_NO_SUCH_ROUTE, "no such address; the API begins at /v1/polls");
        answer_refusal(call->exchange, call->loop, refusal, (struct str){ NULL, 0 });
        return;
    }
    refuse(refusal, PROBLEM_METHOD_NOT_ALLOWED, "see Allow for the methods of this address");
    answer_not_allowed(call->exchange, call->loop, refusal, &methods);
}

/* A browser's question before it lets a page of another origin send something, or anybody's. */
static void answer_options(struct call *call)
{
    struct buf *fields = &call->loop->fields;
    AUTO_BUF methods = { 0 };
    bool any = call->request->path.at[0] != '/';

    if (!any && methods_write(call, &methods) == 0) {
        answer_no_route(call);
        return;
    }
    buf_clear(fields);
    buf_text(fields, "Cache-Control: no-store\r\n" BROWSER_FIELDS);
    if (any)
        buf_text(fields, "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n");
    else if (origin_is_preflight(call->request))
        origin_write_preflight(call->loop->rules->origins, call->request, buf_str(&methods),
                               fields);
    else
        buf_format(fields, "Allow: %.*s, OPTIONS\r\n", (int)methods.len, methods.bytes);
    buf_heed(fields, &methods);
    answer_fields(call->exchange, call->loop, 204);
}

static bool role_ok(const struct call *call, const struct route *route, struct refusal *reterr)
{
    const char *who = route->least == ROLE_APP ? "apps and admins" : "admins";

    if (call->caller.role >= route->least)
        return true;
    if (call->caller.role == ROLE_PUBLIC && !call->caller.bearer.at)
        return refuse(reterr, PROBLEM_UNAUTHORIZED,
                      "this is for %s: ask on the Unix socket, or with a role token", who);
    return refuse(reterr, PROBLEM_FORBIDDEN, "this is for %s, and you are none", who);
}

static bool is_health(const struct route *route)
{
    return route->answer == livez || route->answer == readyz;
}

/* A proxy that does not say whom it asks for is misconfigured, and everybody would be one voter.
 *   route  NULL: no such address */
static bool address_ok(const struct call *call, const struct route *route, struct refusal *reterr)
{
    if (call->caller.has_uid || call->caller.has_address || (route && is_health(route)))
        return true;
    return refuse(reterr, PROBLEM_FORBIDDEN,
                  "a proxy on the Unix socket must send X-Forwarded-For with the client's address");
}

static enum limiter_kind limit_of(const struct route *route, enum http1_method method)
{
    if (route->answer == voters_post)
        return LIMIT_TOKENS;
    return method == METHOD_POST || method == METHOD_DELETE ? LIMIT_VOTES : LIMIT_READS;
}

/* false: 429, and Retry-After in *ret_retry_s. */
static bool limit_ok(const struct call *call, const struct route *route, uint64_t *ret_retry_s,
                     struct refusal *reterr)
{
    int64_t mono_ms = loop_mono_ms(exchange_loop(call->exchange));
    enum limiter_kind kind = limit_of(route, call->request->method);
    enum limiter_by by;
    struct address group;
    struct str who;

    if (is_health(route) || !caller_bucket(&call->caller, &by, &group, &who))
        return true;
    *ret_retry_s = limiter_take(call->api->limiter, kind, by, who, mono_ms);
    if (*ret_retry_s > 0)
        complain_of_limit(&call->api->complaints, kind, mono_ms);
    return *ret_retry_s == 0 ||
           refuse(reterr, PROBLEM_RATE_LIMITED, "too many requests from one %s; wait %u s",
                  by == LIMIT_BY_UID ? "user" : "address", (unsigned)*ret_retry_s);
}

static bool may_call(struct call *call, const struct route *route, uint64_t *ret_retry_s,
                     struct refusal *reterr)
{
    return role_ok(call, route, reterr) &&
           (!route->parameters || url_parameters_ok(&call->loop->url, route->parameters, reterr)) &&
           limit_ok(call, route, ret_retry_s, reterr);
}

/* A page of somebody else's must not vote or rule for its readers. */
static bool origin_ok(const struct call *call, struct refusal *reterr)
{
    const char *detail;

    return origin_may_change(call->loop->rules->origins, call->request, &detail) ||
           refuse(reterr, PROBLEM_FORBIDDEN, "%s", detail);
}

static bool note_origin(const struct call *call, struct refusal *reterr)
{
    return answer_note_origin(call->exchange, call->loop) ||
           refuse(reterr, PROBLEM_BUSY, "no memory for this request; send it again");
}

static bool read_caller(struct call *call, uint64_t *ret_retry_s, struct refusal *reterr)
{
    int64_t mono_ms = loop_mono_ms(exchange_loop(call->exchange));
    bool ok = caller_read(call->loop->rules, call->api->limiter, exchange_peer(call->exchange),
                          call->request, mono_ms, &call->caller, ret_retry_s, reterr);

    request_log_caller(call->line, &call->caller);
    if (*ret_retry_s > 0)
        complain_of_limit(&call->api->complaints, LIMIT_GUESSES, mono_ms);
    return ok;
}

static bool read_call(struct call *call, uint64_t *ret_retry_s, struct refusal *reterr)
{
    /* The origin first: a page of ours may read why the rest was refused. */
    return note_origin(call, reterr) && read_caller(call, ret_retry_s, reterr) &&
           url_read(call->request, &call->loop->url, reterr) && origin_ok(call, reterr);
}

/* Once: behind a proxy that nobody trusts, all readers are one address. */
static void tell_of_a_proxy(const struct call *call)
{
    if (atomic_load_explicit(&call->api->told_of_a_proxy, memory_order_relaxed) ||
        !caller_seems_a_proxy(call->loop->rules, exchange_peer(call->exchange), call->request) ||
        atomic_exchange(&call->api->told_of_a_proxy, true))
        return;
    log_line(LOG_WARNING,
             "a peer with a private address sends X-Forwarded-For, and trusted_proxies "
             "of [server] names no proxy: all who come by it count as one address");
}

/* A browser that asked for a page is told on a page. */
static void answer_no(const struct call *call, uint64_t retry_s)
{
    const struct refusal *refusal = &call->loop->refusal;

    if (page_is_asked(call->request))
        page_refuse(call, refusal, retry_s);
    else
        answer_refusal_after(call->exchange, call->loop, refusal, (struct str){ NULL, 0 }, retry_s);
}

void routes_call(struct call *call)
{
    struct refusal *refusal = &call->loop->refusal;
    const struct route *route;
    uint64_t retry_s = 0;

    refusal->problem = PROBLEM_NONE;
    tell_of_a_proxy(call);
    if (!read_call(call, &retry_s, refusal)) {
        answer_no(call, retry_s);
        return;
    }
    route = find(call->request->method, &call->loop->url, &call->id);
    if (!address_ok(call, route, refusal) || (route && !may_call(call, route, &retry_s, refusal)))
        answer_no(call, retry_s);
    else if (route)
        route->answer(call);
    else if (call->request->method == METHOD_OPTIONS)
        answer_options(call);
    else
        answer_no_route(call);
}
