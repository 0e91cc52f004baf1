/*
 * api/cookies.c - the voter's cookie.
 *
 * Threads: any; nothing is shared.
 */
#include "api/cookies.h"

#include <inttypes.h>

static struct str find_in(struct str field, struct str name)
{
    struct str pair;

    while (str_next(&field, ';', &pair)) {
        size_t equals;

        pair = str_trim(pair);
        equals = str_find(pair, '=');
        if (equals < pair.len && str_eq((struct str){ pair.at, equals }, name))
            return str_from(pair, equals + 1);
    }
    return (struct str){ NULL, 0 };
}

struct str cookie_find(const struct http1_request *request, struct str name)
{
    for (size_t i = 0; i < request->n_fields; i++) {
        struct str value;

        if (!str_eq_nocase(request->fields[i].name, STR("Cookie")))
            continue;
        value = find_in(request->fields[i].value, name);
        if (value.at)
            return value;
    }
    return (struct str){ NULL, 0 };
}

void cookie_write(const struct rules *rules, struct str token, int64_t lifetime_s,
                  struct buf *fields)
{
    buf_text(fields, "Set-Cookie: " COOKIE_VOTER "=");
    buf_str_add(fields, token);
    buf_format(fields, "; Max-Age=%" PRId64 "; Path=", lifetime_s);
    buf_str_add(fields, rules_base_path(rules));
    buf_text(fields, "/p/; HttpOnly; SameSite=Lax");
    buf_text(fields, rules_is_https(rules) ? "; Secure\r\n" : "\r\n");
}
