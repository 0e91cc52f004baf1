/*
 * api/caller.h - who calls: the role, and the voter.
 *
 * On the Unix socket it is the kernel's word: root, the daemon's user and members of the admin
 * group are admins, everybody else is a local user. TCP callers are the public.
 */
#ifndef TALLYD_API_CALLER_H
#define TALLYD_API_CALLER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/auto.h"
#include "base/str.h"
#include "core/ballot.h"
#include "core/poll.h"
#include "core/refusal.h"
#include "ledger/keys.h"
#include "net/http1.h"
#include "net/peer.h"

#define VOTER_BYTES_MAX 256

enum role { ROLE_PUBLIC, ROLE_LOCAL, ROLE_ADMIN };

struct caller {
    enum role role;
    bool has_address; /* public */
    struct address address;
    bool has_uid; /* on the Unix socket */
    uid_t uid;
};

struct roles { /* who is an admin on the Unix socket, besides root */
    uid_t own_uid;
    bool has_admin_group;
    gid_t admin_group;
};

/* false: the request cannot be given a role (403); *reterr says which key of the configuration
 * would change that. */
MUST_USE bool caller_read(const struct roles *roles, const struct peer *peer,
                          const struct http1_request *request, struct caller *ret_caller,
                          struct refusal *reterr);

/* How a voter was named in a body or a header; each {NULL, 0} where it was not. */
struct naming {
    struct str voter;
    struct str token;
};

/*
 * Works out who votes in `poll`, and fills in the ballot's poll, kind, voter and address.
 *
 *   returns  false: 401, 403 or 422 in *reterr
 */
MUST_USE bool caller_voter(const struct caller *caller, const struct naming *naming,
                           const struct keys *keys, const struct poll *poll,
                           struct ballot *ret_ballot, struct refusal *reterr);

#endif
