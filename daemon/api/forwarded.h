/*
 * api/forwarded.h - the client's address as proxies hand it on, from X-Forwarded-For.
 *
 * Only for requests whose peer is trusted to set that field; whoever else sends it is believed
 * nothing. Each proxy adds at the right the address it saw, so what stands left of the last trusted
 * hop was written by the client and may say anything: reading starts at the right.
 *
 * Pure; any thread.
 */
#ifndef TALLYD_API_FORWARDED_H
#define TALLYD_API_FORWARDED_H

#include <stddef.h>

#include "base/auto.h"
#include "net/cidr.h"
#include "net/http1.h"

enum forwarded {
    FORWARDED_CLIENT,    /* *ret_client is set */
    FORWARDED_ABSENT,    /* no such field: the proxy said nothing */
    FORWARDED_UNREADABLE /* a field, but its last hop is no address: nothing can be known */
};

/*
 * Reads all X-Forwarded-For fields as one list, in their order (RFC 9110 §5.3), from the right.
 * Hops in `trusted` are skipped; the first that is not is the client. A hop that does not parse
 * ends the search, and so does the list's beginning: the client is then the last good hop. Empty
 * elements are no hops (RFC 9110 §5.6.1.2).
 *
 * A hop is an address, `1.2.3.4:80`, `[::1]` or `[::1]:80`. No names, zones or quotes.
 *
 *   trusted     may be NULL when n_trusted is 0
 *   ret_client  written on FORWARDED_CLIENT only
 */
MUST_USE enum forwarded forwarded_client(const struct http1_request *request,
                                         const struct cidr *trusted, size_t n_trusted,
                                         struct address *ret_client);

#endif
