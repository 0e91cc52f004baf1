/*
 * net/listener.h - sockets to be connected to.
 */
#ifndef TALLYD_NET_LISTENER_H
#define TALLYD_NET_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/auto.h"
#include "base/why.h"
#include "net/peer.h"

struct listener {
    int fd;
    bool is_unix;
    bool adopted; /* somebody else holds it too, and it goes on listening when we close it */
    char *name;   /* owned: as a person would write it */
    bool unlinks; /* the socket file is ours to remove */
    dev_t device; /* of that file, to tell it from a later one of the same name */
    ino_t inode;
};

/* "127.0.0.1:8080", "[::1]:0", "*:80", "name:80"; port 0 lets the kernel choose. */
MUST_USE bool listener_open_tcp(const char *address, struct listener *ret_listener,
                                struct why *reterr_why);
MUST_USE bool listener_open_unix(const char *path, mode_t mode, struct listener *ret_listener,
                                 struct why *reterr_why);
/* A socket that listens already; its file is not ours. false: still the caller's. */
MUST_USE bool listener_adopt(int fd, enum peer_kind kind, struct listener *ret_listener,
                             struct why *reterr_why);
/* Closes it, and removes its socket file. */
void listener_close(struct listener *listener);

enum accepted {
    ACCEPTED,
    ACCEPT_NONE,  /* nobody waits */
    ACCEPT_GONE,  /* somebody was there and left, or could not be asked who it is: try the next */
    ACCEPT_NO_FD, /* descriptors or memory ran out */
    ACCEPT_BROKEN
};

/* One waiting connection, nonblocking, and who it is. */
enum accepted listener_accept(const struct listener *listener, int *ret_fd, struct peer *ret_peer);

#endif
