/*
 * api/routes.c - the table of all routes, and the way from a request to its row.
 *
 * Threads: any loop; the table never changes.
 */
#include "api/routes.h"

#include <string.h>

#include "api/pending.h"

static void not_built(struct call *call)
{
    struct refusal *refusal = &call->loop->refusal;

    refuse(refusal, PROBLEM_NOT_IMPLEMENTED, "this part of tallyd is not built in yet");
    answer_refusal(call->exchange, call->loop, refusal, (struct str){ NULL, 0 });
}

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

    { METHOD_GET, "/v1/top", ROLE_PUBLIC, NULL, not_built },
    { METHOD_GET, "/v1/events", ROLE_PUBLIC, NULL, not_built },
    { METHOD_GET, POLL "/history", ROLE_PUBLIC, "step", history_get },
    { METHOD_GET, POLL "/chart.svg", ROLE_PUBLIC, NULL, not_built },
    { METHOD_GET, POLL "/chart.png", ROLE_PUBLIC, NULL, not_built },
    { METHOD_GET, POLL "/jsonld", ROLE_PUBLIC, NULL, not_built },
    { METHOD_POST, "/v1/voters", ROLE_PUBLIC, NULL, not_built },
    { METHOD_GET, "/p/{id}", ROLE_PUBLIC, NULL, not_built },
    { METHOD_POST, "/p/{id}", ROLE_PUBLIC, NULL, not_built },
    { METHOD_GET, "/embed/{id}", ROLE_PUBLIC, NULL, not_built },
    { METHOD_GET, "/widget.js", ROLE_PUBLIC, NULL, not_built },
    { METHOD_GET, "/oembed", ROLE_PUBLIC, NULL, not_built },
    { METHOD_GET, "/openapi.json", ROLE_PUBLIC, NULL, not_built },
    { METHOD_GET, "/metrics", ROLE_PUBLIC, NULL, not_built },
    { METHOD_POST, "/v1/votes", ROLE_ADMIN, "", bulk_post },
    { METHOD_GET, POLL "/votes", ROLE_ADMIN, "all format", export_get },
    { METHOD_GET, POLL "/audit", ROLE_ADMIN, "limit", audit_get },
    { METHOD_POST, POLL "/void", ROLE_ADMIN, "", void_post },
    { METHOD_POST, POLL "/forget", ROLE_ADMIN, "", forget_post },
    { METHOD_POST, "/v1/keys/rotate", ROLE_ADMIN, NULL, not_built },
    { METHOD_POST, "/v1/verify", ROLE_ADMIN, "", verify_post },
    { METHOD_POST, "/v1/backup", ROLE_ADMIN, "", backup_post },
    { METHOD_GET, "/v1/status", ROLE_ADMIN, "", status_get },
};

const size_t routes_count = sizeof routes / sizeof routes[0];

static bool path_matches(const char *path, const struct url *url, struct str *ret_id)
{
    struct str rest = str_from(str_of(path), 1);
    struct str piece;
    size_t n = 0;

    *ret_id = (struct str){ NULL, 0 };
    while (str_next(&rest, '/', &piece)) {
        if (n == url->n_segments)
            return false;
        if (str_eq(piece, STR("{id}")))
            *ret_id = url->segments[n];
        else if (!str_eq(piece, url->segments[n]))
            return false;
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

/* 404, or 405 with what the address does take (RFC 9110 §15.5.6). */
static void answer_no_route(struct call *call)
{
    struct refusal *refusal = &call->loop->refusal;
    struct buf *fields = &call->loop->fields;
    struct buf *out = &call->loop->out;
    size_t found = 0;
    struct str id;

    refuse(refusal, PROBLEM_NO_SUCH_ROUTE, "no such address; the API begins at /v1/polls");
    buf_clear(fields);
    buf_text(fields, "Cache-Control: no-store\r\nAllow: ");
    for (size_t i = 0; i < routes_count && !call->loop->url.too_deep; i++) {
        if (!path_matches(routes[i].path, &call->loop->url, &id))
            continue;
        if (found++ > 0)
            buf_text(fields, ", ");
        buf_text(fields, method_word(routes[i].method));
    }
    if (found == 0) {
        answer_refusal(call->exchange, call->loop, refusal, (struct str){ NULL, 0 });
        return;
    }
    buf_text(fields, "\r\n");
    refuse(refusal, PROBLEM_METHOD_NOT_ALLOWED, "see Allow for the methods of this address");
    buf_clear(out);
    problem_render(refusal, (struct str){ NULL, 0 }, out);
    exchange_reply(call->exchange, &(struct reply){ .status = 405,
                                                    .content_type = "application/problem+json",
                                                    .fields = buf_str(fields),
                                                    .n_pieces = 1,
                                                    .pieces = { buf_str(out) } });
}

static bool role_ok(const struct call *call, const struct route *route, struct refusal *reterr)
{
    if (route->least != ROLE_ADMIN || call->caller.role == ROLE_ADMIN)
        return true;
    if (call->caller.role == ROLE_PUBLIC)
        return refuse(reterr, PROBLEM_UNAUTHORIZED,
                      "this is for admins: use the Unix socket, as root or in the admin group");
    return refuse(reterr, PROBLEM_FORBIDDEN,
                  "this is for admins: root, the daemon's user and the admin group");
}

static bool may_call(struct call *call, const struct route *route, struct refusal *reterr)
{
    return role_ok(call, route, reterr) &&
           (!route->parameters || url_parameters_ok(&call->loop->url, route->parameters, reterr));
}

void routes_call(struct call *call)
{
    struct refusal *refusal = &call->loop->refusal;
    const struct route *route;

    refusal->problem = PROBLEM_NONE;
    if (!caller_read(&call->loop->rules->roles, exchange_peer(call->exchange), call->request,
                     &call->caller, refusal) ||
        !url_read(call->request, &call->loop->url, refusal)) {
        answer_refusal(call->exchange, call->loop, refusal, (struct str){ NULL, 0 });
        return;
    }
    route = find(call->request->method, &call->loop->url, &call->id);
    if (!route) {
        answer_no_route(call);
        return;
    }
    if (!may_call(call, route, refusal)) {
        answer_refusal(call->exchange, call->loop, refusal, (struct str){ NULL, 0 });
        return;
    }
    route->answer(call);
}
