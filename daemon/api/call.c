/*
 * api/call.c - what routes need of a request: its body, its poll, its language.
 *
 * Threads: the loop of the call.
 */
#include "api/call.h"

#include <stdio.h>
#include <string.h>

bool json_members_ok(const cJSON *body, const char *names, struct refusal *reterr)
{
    const cJSON *item;

    if (!cJSON_IsObject(body))
        return refuse_member(reterr, "", "must be an object");
    cJSON_ArrayForEach(item, body)
    {
        char pointer[sizeof reterr->errors[0].where];

        if (str_is_one_of(str_of(item->string), names))
            continue;
        (void)snprintf(pointer, sizeof pointer, "/%s", item->string);
        return refuse_member(reterr, pointer, "there is no such member here; known: %s",
                             names[0] ? names : "none");
    }
    return true;
}

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

bool call_type_ok(const struct call *call, const char *types, struct refusal *reterr)
{
    struct str type = http1_field(call->request, STR("Content-Type"));
    bool empty = call->request->body == BODY_NONE ||
                 (call->request->body == BODY_LENGTH && call->request->content_length == 0);

    if (!type.at && !empty)
        return refuse(reterr, PROBLEM_UNSUPPORTED_MEDIA_TYPE,
                      "the body has no Content-Type; read here: %s", types);
    if (type.at && !type_ok(type, types))
        return refuse(reterr, PROBLEM_UNSUPPORTED_MEDIA_TYPE, "read here: %s", types);
    return true;
}

bool call_json(const struct call *call, const char *types, enum body_rule rule,
               struct json **ret_json, struct refusal *reterr)
{
    struct str body = exchange_body(call->exchange);
    struct why why;

    *ret_json = NULL;
    if (rule == BODY_OPTIONAL && body.len == 0)
        return true;
    if (!call_type_ok(call, types, reterr))
        return false;
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

bool call_voter(const struct call *call, const struct naming *named, const struct poll *poll,
                struct ballot *ret_ballot, struct refusal *reterr)
{
    struct naming naming = named ? *named : (struct naming){ { NULL, 0 }, { NULL, 0 } };

    if (call->caller.bearer.at && naming.token.at)
        return refuse_member(reterr, "/token", "a voter is named once: here or in Authorization");
    if (call->caller.bearer.at)
        naming.token = call->caller.bearer;
    return caller_voter(&call->caller, &naming, call->api->keys, call->loop->tokens, poll,
                        loop_wall_ms(exchange_loop(call->exchange)) / 1000, ret_ballot, reterr);
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

void language_keep(const struct published *published, size_t language,
                   char ret_tag[LANGUAGE_TAG_BYTES_MAX + 1])
{
    const char *tag = published->languages[language];

    (void)snprintf(ret_tag, LANGUAGE_TAG_BYTES_MAX + 1, "%s", tag ? tag : "");
}

size_t language_find(const struct published *published, const char *tag)
{
    for (size_t i = 0; i < published->n_languages; i++) {
        const char *other = published->languages[i];

        if (strcmp(other ? other : "", tag) == 0)
            return i;
    }
    return 0;
}

void languages_add(struct languages *languages, const char *tag)
{
    if (!languages->any)
        (void)snprintf(languages->tag, sizeof languages->tag, "%s", tag ? tag : "");
    else if (strcmp(languages->tag, tag ? tag : "") != 0)
        languages->several = true;
    languages->any = true;
}

const char *languages_one(const struct languages *languages)
{
    return languages->several || !languages->tag[0] ? NULL : languages->tag;
}
