/*
 * forwarded_fuzz.c - any bytes as X-Forwarded-For: each line of the input is a field.
 *
 * What the client wrote left of the first hop that is not trusted changes nothing, a trusted hop at
 * the right changes no client, what another proxy adds there is believed, and several fields say
 * what one joined field does.
 */
#include "api/forwarded.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX (HTTP1_FIELDS_MAX - 2)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct cidr trusted[] = {
    { { .v6 = false, .bytes = { 10 } }, 8 },
    { { .v6 = true, .bytes = { [15] = 1 } }, 128 },
};

static void expect(bool holds)
{
    if (!holds)
        abort();
}

static enum forwarded client_of(const struct http1_request *request, struct address *ret_client)
{
    return forwarded_client(request, trusted, 2, ret_client);
}

static struct http1_field field(struct str value)
{
    return (struct http1_field){ STR("X-Forwarded-For"), str_trim(value) };
}

/* The request with one field more, first or last. */
static enum forwarded with(const struct http1_request *request, bool first, struct str value,
                           struct address *ret_client)
{
    static struct http1_request more;

    more = *request;
    if (first)
        memmove(more.fields + 1, more.fields, more.n_fields * sizeof more.fields[0]);
    more.fields[first ? 0 : more.n_fields] = field(value);
    more.n_fields++;
    return client_of(&more, ret_client);
}

/* All lines as one field. */
static enum forwarded joined(const uint8_t *bytes, size_t len, struct address *ret_client)
{
    struct http1_request request = { .n_fields = 1 };
    AUTO_BYTES char *copy = str_copy((struct str){ (const char *)bytes, len });

    expect(copy != NULL);
    for (size_t i = 0; i < len; i++) {
        if (copy[i] == '\n')
            copy[i] = ',';
    }
    request.fields[0] = field((struct str){ copy, len });
    return client_of(&request, ret_client);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct http1_request request;
    struct str rest = { (const char *)bytes, len };
    struct str line;
    struct address client = { .v6 = false };
    struct address again = { .v6 = false };
    enum forwarded result;

    request.n_fields = 0;
    while (request.n_fields < FIELDS_MAX && str_next(&rest, '\n', &line))
        request.fields[request.n_fields++] = field(line);
    if (rest.len > 0 || request.n_fields == 0)
        return 0;
    result = client_of(&request, &client);
    expect(result == joined(bytes, len, &again) && address_eq(&client, &again));
    expect(result != FORWARDED_ABSENT);
    if (result == FORWARDED_CLIENT && !cidrs_contain(trusted, 2, &client)) {
        expect(with(&request, true, STR("6.6.6.6"), &again) == FORWARDED_CLIENT);
        expect(address_eq(&client, &again));
    }
    if (result == FORWARDED_CLIENT) {
        expect(with(&request, false, STR("[::1]:80"), &again) == FORWARDED_CLIENT);
        expect(address_eq(&client, &again));
    }
    expect(with(&request, false, STR("203.0.113.9:80"), &again) == FORWARDED_CLIENT);
    expect(!again.v6 && memcmp(again.bytes, "\xCB\x00\x71\x09", 4) == 0);
    return 0;
}
