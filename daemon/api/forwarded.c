/*
 * api/forwarded.c - the client's address as proxies hand it on.
 *
 * Threads: any; nothing is shared.
 */
#include "api/forwarded.h"

#define PORT_MAX 65535

struct search {
    const struct cidr *trusted;
    size_t n_trusted;
    bool found; /* a good hop, in `client` */
    struct address client;
};

/* Nothing, or a colon and a port. */
static bool is_port(struct str s)
{
    uint64_t port;

    return s.len == 0 || (s.at[0] == ':' && str_uint64(str_from(s, 1), PORT_MAX, &port));
}

static bool hop_parse(struct str hop, struct address *ret_address)
{
    size_t end;

    if (hop.at[0] == '[') {
        struct str inside;

        end = str_find(hop, ']');
        if (end == hop.len)
            return false;
        inside = (struct str){ hop.at + 1, end - 1 };
        return str_find(inside, ':') < inside.len && is_port(str_from(hop, end + 1)) &&
               address_parse(inside, ret_address);
    }
    end = str_find(hop, ':');
    if (end < hop.len && str_find(hop, '.') < end) /* else IPv6, whose colons come first */
        return is_port(str_from(hop, end)) &&
               address_parse((struct str){ hop.at, end }, ret_address);
    return address_parse(hop, ret_address);
}

/* false: the search ends with this hop. */
static bool hop_read(struct search *search, struct str hop)
{
    struct address address;

    if (hop.len == 0)
        return true;
    if (!hop_parse(hop, &address))
        return false;
    search->found = true;
    search->client = address;
    return cidrs_contain(search->trusted, search->n_trusted, &address);
}

/* The hops of one field from the right. false: the search ends in it. */
static bool field_read(struct search *search, struct str value)
{
    for (;;) {
        size_t start = value.len;

        while (start > 0 && value.at[start - 1] != ',')
            start--;
        if (!hop_read(search, str_trim(str_from(value, start))))
            return false;
        if (start == 0)
            return true;
        value.len = start - 1; /* without the comma */
    }
}

enum forwarded forwarded_client(const struct http1_request *request, const struct cidr *trusted,
                                size_t n_trusted, struct address *ret_client)
{
    struct search search = { .trusted = trusted, .n_trusted = n_trusted };
    bool present = false;

    for (size_t i = request->n_fields; i > 0; i--) {
        const struct http1_field *field = &request->fields[i - 1];

        if (!str_eq_nocase(field->name, STR("X-Forwarded-For")))
            continue;
        present = true;
        if (!field_read(&search, field->value))
            break;
    }
    if (search.found) {
        *ret_client = search.client;
        return FORWARDED_CLIENT;
    }
    return present ? FORWARDED_UNREADABLE : FORWARDED_ABSENT;
}
