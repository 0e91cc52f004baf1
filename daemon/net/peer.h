/*
 * net/peer.h - who is at the other end, by the kernel's word.
 */
#ifndef TALLYD_NET_PEER_H
#define TALLYD_NET_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/auto.h"
#include "base/str.h"
#include "base/why.h"

/* Supplementary groups asked for at first; a user in more is asked about again. */
#define PEER_GROUPS_MAX 64

/* An address: IPv4 (also IPv4-mapped IPv6) in the first 4 bytes, or IPv6. */
struct address {
    bool v6;
    unsigned char bytes[16]; /* network order; unused ones are 0 */
};

enum peer_kind { PEER_TCP, PEER_UNIX };

struct peer {
    enum peer_kind kind;
    struct address address; /* TCP */
    uint16_t port;          /* TCP */
    uid_t uid;              /* Unix: SO_PEERCRED when it connected */
    gid_t gid;
    gid_t *groups; /* Unix: SO_PEERGROUPS; owned by the connection; may be NULL */
    size_t n_groups;
};

/* The first `bits` of an address, the rest 0: what the contract calls an address group.
 *   prefix_v4 0..32, prefix_v6 0..128                                                       */
struct address address_group(struct address address, unsigned prefix_v4, unsigned prefix_v6);

/* Reads credentials and groups of a connected Unix socket. false: *reterr_why; nothing kept. */
MUST_USE bool peer_read_unix(int fd, struct peer *ret_peer, struct why *reterr_why);

/* Is the peer of this group, by its gid or one of its groups? */
bool peer_in_group(const struct peer *peer, gid_t group);

#endif
