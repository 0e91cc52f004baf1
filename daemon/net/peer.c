/*
 * net/peer.c - who is at the other end, by the kernel's word.
 *
 * Threads: any.
 */
#include "net/peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59 /* since Linux 4.13; older headers lack it */
#endif

struct address address_group(struct address address, unsigned prefix_v4, unsigned prefix_v6)
{
    unsigned bits = address.v6 ? prefix_v6 : prefix_v4;
    size_t len = address.v6 ? 16 : 4;

    for (size_t i = 0; i < len; i++) {
        if (bits >= 8) {
            bits -= 8;
            continue;
        }
        address.bytes[i] = (unsigned char)(address.bytes[i] & (0xFF00U >> bits));
        bits = 0;
    }
    return address;
}

static bool read_groups(int fd, struct peer *peer, struct why *reterr_why)
{
    socklen_t len = PEER_GROUPS_MAX * sizeof(gid_t);
    AUTO_BYTES gid_t *groups = malloc(len);

    if (groups && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0 && errno == ERANGE) {
        /* The kernel has written how much room it needs. */
        gid_t *more = realloc(groups, len);

        if (more)
            groups = more;
        if (!more || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
            len = 0;
    } else if (groups && errno == ENOPROTOOPT) {
        len = 0;
    }
    if (!groups) {
        why_set(reterr_why, "no memory for the groups of a peer");
        return false;
    }
    peer->n_groups = len / sizeof(gid_t);
    peer->groups = TAKE(groups);
    return true;
}

bool peer_read_unix(int fd, struct peer *ret_peer, struct why *reterr_why)
{
    struct ucred credentials;
    socklen_t len = sizeof credentials;
    struct peer peer = { .kind = PEER_UNIX };

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) < 0) {
        why_set(reterr_why, "cannot ask who the peer is: %s", strerror(errno));
        return false;
    }
    peer.uid = credentials.uid;
    peer.gid = credentials.gid;
    if (!read_groups(fd, &peer, reterr_why))
        return false;
    *ret_peer = peer;
    return true;
}

bool peer_in_group(const struct peer *peer, gid_t group)
{
    if (peer->gid == group)
        return true;
    for (size_t i = 0; i < peer->n_groups; i++) {
        if (peer->groups[i] == group)
            return true;
    }
    return false;
}
