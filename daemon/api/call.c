/*
 * api/call.c - what routes need of a request: its body, its poll, its language.
 *
 * Threads: the loop of the call.
 */
#include "api/call.h"

/* The type without its parameters, as far as a charset other than UTF-8 is not named. */
static bool type_ok(struct str value, const char *types)
{
    struct str type = str_trim((struct str){ value.at, str_find(value, ';') });
    struct str rest = str_of(types);
    struct str piece;

    while (str_next(&rest, ' ', &piece)) {
        if (str_eq_nocase(piece, type))
            return true;
    }
    return false;
}

bool call_json(const struct call *call, const char *types, enum body_rule rule,
               struct json **ret_json, struct refusal *reterr)
{
    struct str body = exchange_body(call->exchange);
    struct str type = http1_field(call->request, STR("Content-Type"));
    struct why why;

    *ret_json = NULL;
    if (rule == BODY_OPTIONAL && body.len == 0)
        return true;
    if (body.len > 0 && !type.at)
        return refuse(reterr, PROBLEM_UNSUPPORTED_MEDIA_TYPE,
                      "the body has no Content-Type; read here: %s", types);
    if (type.at && !type_ok(type, types))
        return refuse(reterr, PROBLEM_UNSUPPORTED_MEDIA_TYPE, "read here: %s", types);
    switch (json_parse(body, ret_json, &why)) {
    case JSON_OK:
        return true;
    case JSON_BAD:
        return refuse(reterr, PROBLEM_MALFORMED, "the body is not JSON: %s", why.text);
    case JSON_NO_MEMORY:
        return refuse(reterr, PROBLEM_BUSY, "no memory for this body; send it again");
    }
    return false;
}

struct published *call_poll(const struct call *call, struct refusal *reterr)
{
    struct published *published = board_get(call->api->board, call->id);

    if (!published)
        refuse(reterr, PROBLEM_NO_SUCH_POLL, "there is no poll of this id");
    return published;
}

size_t call_language(const struct call *call, const struct published *published)
{
    return published_language(published, url_parameter(&call->loop->url, "lang"),
                              http1_field(call->request, STR("Accept-Language")));
}
