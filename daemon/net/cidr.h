/*
 * net/cidr.h - addresses as text, and blocks of them: `10.0.0.0/8`, `2001:db8::/32`.
 *
 * An IPv4-mapped IPv6 address is the IPv4 address it holds, as everywhere in tallyd. Pure; any
 * thread.
 */
#ifndef TALLYD_NET_CIDR_H
#define TALLYD_NET_CIDR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/str.h"
#include "base/why.h"
#include "net/peer.h"

struct cidr {
    struct address address; /* the bits behind the prefix are 0 */
    unsigned bits;          /* 0..32, IPv6 0..128 */
};

/*
 * Reads an address: four decimal numbers without leading zeros, or IPv6 (RFC 4291 §2.2). No zone,
 * port, brackets or white space.
 *
 *   s            any bytes
 *   ret_address  written on success only
 */
MUST_USE bool address_parse(struct str s, struct address *ret_address);

bool address_eq(const struct address *a, const struct address *b);

/*
 * Reads `ADDRESS/BITS`, or an address alone, which is a block of one. Bits behind the prefix are
 * dropped. A block of mapped addresses (`::ffff:10.0.0.0/104`) is the IPv4 block; one that reaches
 * beyond them is refused when its address is mapped, for it would be neither.
 *
 *   returns  false: *reterr_why names the text
 */
MUST_USE bool cidr_parse(struct str s, struct cidr *ret_cidr, struct why *reterr_why);

/* `0.0.0.0/0` holds every IPv4 address and no other, `::/0` every IPv6 one. */
bool cidr_contains(const struct cidr *cidr, const struct address *address);

/* Whether one of `n` blocks does; `cidrs` may be NULL when n is 0. */
bool cidrs_contain(const struct cidr *cidrs, size_t n, const struct address *address);

#endif
