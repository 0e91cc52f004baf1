/*
 * api/caller.h - who calls: the role, the address, and the voter.
 *
 * On the Unix socket it is the kernel's word: root, the daemon's user and members of the admin
 * group are admins, app_users are apps, proxy_users hand on the public, everybody else is a local
 * user. TCP callers are the public. A role token, taken from near by only, gives its role to
 * anybody who has it.
 */
#ifndef TALLYD_API_CALLER_H
#define TALLYD_API_CALLER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "api/rules.h"
#include "base/auto.h"
#include "base/str.h"
#include "core/ballot.h"
#include "core/limiter.h"
#include "core/poll.h"
#include "core/refusal.h"
#include "ledger/keys.h"
#include "ledger/token_keys.h"
#include "net/http1.h"
#include "net/peer.h"

#define VOTER_BYTES_MAX 256

enum role { ROLE_PUBLIC, ROLE_LOCAL, ROLE_APP, ROLE_ADMIN };

struct caller {
    enum role role;
    bool by_token;    /* the role is a role token's */
    bool has_address; /* a public caller's; a proxy on the Unix socket may not have told it */
    struct address address;
    bool has_uid; /* on the Unix socket, but for a proxy's */
    uid_t uid;
    struct str bearer; /* of Authorization, where it is no role token: a voter token, maybe */
};

/* What the log says of a caller, kept until the change is made. */
struct who {
    enum role role;
    bool by_token;
    bool has_uid;
    uid_t uid;
};

static inline struct who caller_who(const struct caller *caller)
{
    return (struct who){ caller->role, caller->by_token, caller->has_uid, caller->uid };
}

/* "admin", … for the log */
const char *role_word(enum role role);

/* App and admin callers name voters, see hidden results, and are not limited. */
static inline bool role_is_trusted(enum role role)
{
    return role == ROLE_APP || role == ROLE_ADMIN;
}

/*
 * Works out who calls.
 *
 *   limiter       guesses at role tokens are taken from it
 *   ret_retry_s   with RATE_LIMITED: Retry-After
 *   returns       false: *reterr: 400 for two Authorization fields, 403 for a request that was
 *                 forwarded by somebody who is no proxy of ours or for a role token from afar, 429
 *                 for too many guesses
 */
MUST_USE bool caller_read(const struct rules *rules, struct limiter *limiter,
                          const struct peer *peer, const struct http1_request *request,
                          int64_t mono_ms, struct caller *ret_caller, uint64_t *ret_retry_s,
                          struct refusal *reterr);

/* Whether a proxy may stand there that the configuration does not know: the peer has a private
 * address and sends X-Forwarded-For, while no proxy is trusted at all. Cheap without that field. */
bool caller_seems_a_proxy(const struct rules *rules, const struct peer *peer,
                          const struct http1_request *request);

/* Whose bucket this caller's requests come from. false: not limited, or nobody to be told apart. */
bool caller_bucket(const struct caller *caller, enum limiter_by *ret_by, struct address *ret_group,
                   struct str *ret_who);

/* Who holds a long poll or a stream, as an address: a local user's is one that nobody else has.
 * false: not limited. */
bool caller_holder(const struct caller *caller, struct address *ret_address);

/* How a voter was named in a body or a header; each {NULL, 0} where it was not. */
struct naming {
    struct str voter;
    struct str token;
};

/*
 * Works out who votes in `poll`, and fills in the ballot's poll, kind, voter and address.
 *
 *   tokens   the keys that tokens are checked by; now_s for their times
 *   returns  false: 401, 403, 422 or 503 in *reterr
 */
MUST_USE bool caller_voter(const struct caller *caller, const struct naming *naming,
                           const struct keys *keys, const struct token_keys *tokens,
                           const struct poll *poll, int64_t now_s, struct ballot *ret_ballot,
                           struct refusal *reterr);

#endif
