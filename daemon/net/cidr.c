/*
 * net/cidr.c - addresses as text, and blocks of them.
 *
 * Threads: any; nothing is shared.
 */
#include "net/cidr.h"

#include <string.h>

#include <arpa/inet.h>

#define MAPPED_BITS 96
#define TEXT_SHOWN_BYTES_MAX 64

static const unsigned char mapped_prefix[MAPPED_BITS / 8] = { [10] = 0xFF, [11] = 0xFF };

/* inet_pton() is as strict as we need: no zone, no leading zeros, no shorter forms of IPv4. */
static bool parse(struct str s, struct address *ret_address, bool *ret_mapped)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char bytes[16] = { 0 };
    bool v6 = str_find(s, ':') < s.len;
    bool mapped;

    if (s.len == 0 || s.len >= sizeof text || str_find(s, '\0') < s.len)
        return false;
    memcpy(text, s.at, s.len);
    text[s.len] = '\0';
    if (inet_pton(v6 ? AF_INET6 : AF_INET, text, bytes) != 1)
        return false;
    mapped = v6 && memcmp(bytes, mapped_prefix, sizeof mapped_prefix) == 0;
    *ret_address = (struct address){ .v6 = v6 && !mapped };
    if (mapped)
        memcpy(ret_address->bytes, bytes + sizeof mapped_prefix, 4);
    else
        memcpy(ret_address->bytes, bytes, sizeof bytes);
    *ret_mapped = mapped;
    return true;
}

bool address_parse(struct str s, struct address *ret_address)
{
    bool mapped;

    return parse(s, ret_address, &mapped);
}

bool address_eq(const struct address *a, const struct address *b)
{
    return a->v6 == b->v6 && memcmp(a->bytes, b->bytes, a->v6 ? 16 : 4) == 0;
}

static bool refuse_text(struct str s, const char *what, struct why *why)
{
    int len = (int)(s.len < TEXT_SHOWN_BYTES_MAX ? s.len : TEXT_SHOWN_BYTES_MAX);

    (void)why_set(why, "\"%.*s\" is no block of addresses: %s", len, s.len > 0 ? s.at : "", what);
    return false;
}

bool cidr_parse(struct str s, struct cidr *ret_cidr, struct why *reterr_why)
{
    size_t slash = str_find(s, '/');
    struct address address;
    uint64_t bits;
    bool mapped;

    if (!parse((struct str){ s.at, slash }, &address, &mapped))
        return refuse_text(s, "it needs an IPv4 or IPv6 address", reterr_why);
    bits = address.v6 || mapped ? 128 : 32;
    if (slash < s.len && !str_uint64(str_from(s, slash + 1), bits, &bits))
        return refuse_text(s, "a number of bits that the address has goes behind the slash",
                           reterr_why);
    if (mapped && bits < MAPPED_BITS)
        return refuse_text(s, "it is partly IPv4 and partly IPv6", reterr_why);
    if (mapped)
        bits -= MAPPED_BITS;
    *ret_cidr =
        (struct cidr){ address_group(address, (unsigned)bits, (unsigned)bits), (unsigned)bits };
    return true;
}

bool cidr_contains(const struct cidr *cidr, const struct address *address)
{
    struct address group;

    if (cidr->address.v6 != address->v6)
        return false;
    group = address_group(*address, cidr->bits, cidr->bits);
    return address_eq(&cidr->address, &group);
}

bool cidrs_contain(const struct cidr *cidrs, size_t n, const struct address *address)
{
    for (size_t i = 0; i < n; i++) {
        if (cidr_contains(&cidrs[i], address))
            return true;
    }
    return false;
}
