/*
 * net/groups.h - how many connections each address group has.
 */
#ifndef TALLYD_NET_GROUPS_H
#define TALLYD_NET_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "net/cidr.h"
#include "net/peer.h"

struct groups; /* opaque: net/groups.c */

/* most  connections a group may have; 0: no limit */
MUST_USE struct groups *groups_new(size_t most);
void groups_free(struct groups *groups);
AUTO_FREE(groups);

/* Another limit; who is over it stays. Any thread. */
void groups_limit(struct groups *groups, size_t most);

/* Addresses of these blocks have no limit from now on; copied. No memory: as it was. Any thread. */
void groups_exempt(struct groups *groups, const struct cidr *cidrs, size_t n);

/* One connection more. false: the group has as many as it may, or there is no memory. Any thread.
 */
MUST_USE bool groups_enter(struct groups *groups, struct address address);

/* One less, for an address that entered. Any thread. */
void groups_leave(struct groups *groups, struct address address);

#endif
