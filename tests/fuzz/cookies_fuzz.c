/*
 * cookies_fuzz.c - any bytes as Cookie: each line of the input is a field.
 *
 * The value that is found stands in its field behind the name and '=', without a ';'; it is the
 * first of its name, so a cookie behind it changes nothing and one before it takes its place; and
 * several fields say what one joined field does.
 */
#include "api/cookies.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX (HTTP1_FIELDS_MAX - 1)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct str name = { COOKIE_VOTER, sizeof COOKIE_VOTER - 1 };

static void expect(bool holds)
{
    if (!holds)
        abort();
}

static struct http1_field field(struct str value)
{
    return (struct http1_field){ STR("cookie"), str_trim(value) };
}

static void check_place(const struct http1_request *request, struct str found)
{
    bool inside = false;

    for (size_t i = 0; i < request->n_fields && !inside; i++) {
        struct str whole = request->fields[i].value;

        inside = found.at > whole.at + name.len && found.at + found.len <= whole.at + whole.len;
    }
    expect(inside && found.at[-1] == '=');
    expect(memcmp(found.at - 1 - name.len, name.at, name.len) == 0);
    expect(memchr(found.at, ';', found.len) == NULL);
}

static void check_order(struct http1_request *request, struct str found)
{
    struct http1_field last = field(STR(COOKIE_VOTER "=late"));
    struct str again;

    request->fields[request->n_fields++] = last;
    again = cookie_find(request, name);
    expect(found.at ? again.at == found.at : str_eq(again, STR("late")));
    memmove(request->fields + 1, request->fields,
            (request->n_fields - 1) * sizeof request->fields[0]);
    request->fields[0] = field(STR("a=b; " COOKIE_VOTER "=early; c"));
    expect(str_eq(cookie_find(request, name), STR("early")));
}

static void check_joined(const uint8_t *bytes, size_t len, struct str found)
{
    static struct http1_request joined;
    AUTO_BYTES char *copy = str_copy((struct str){ (const char *)bytes, len });
    struct str again;

    expect(copy != NULL);
    for (size_t i = 0; i < len; i++) {
        if (copy[i] == '\n')
            copy[i] = ';';
    }
    joined.n_fields = 1;
    joined.fields[0] = field((struct str){ copy, len });
    again = cookie_find(&joined, name);
    expect((found.at != NULL) == (again.at != NULL));
    expect(!found.at || str_eq(found, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct http1_request request;
    struct str rest = { (const char *)bytes, len };
    struct str line;
    struct str found;

    request.n_fields = 0;
    while (request.n_fields < FIELDS_MAX && str_next(&rest, '\n', &line))
        request.fields[request.n_fields++] = field(line);
    if (rest.len > 0 || request.n_fields == 0)
        return 0;
    found = cookie_find(&request, name);
    if (found.at)
        check_place(&request, found);
    check_joined(bytes, len, found);
    check_order(&request, found);
    return 0;
}
