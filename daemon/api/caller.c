/*
 * api/caller.c - who calls: the role, and the voter.
 *
 * Threads: any loop; nothing is shared.
 */
#include "api/caller.h"

#include <stdio.h>

#include "base/utf8.h"

static bool came_through_a_proxy(const struct http1_request *request)
{
    return http1_field(request, STR("X-Forwarded-For")).at ||
           http1_field(request, STR("Forwarded")).at || http1_field(request, STR("Via")).at;
}

static bool is_admin(const struct roles *roles, const struct peer *peer)
{
    return peer->uid == 0 || peer->uid == roles->own_uid ||
           (roles->has_admin_group && peer_in_group(peer, roles->admin_group));
}

bool caller_read(const struct roles *roles, const struct peer *peer,
                 const struct http1_request *request, struct caller *ret_caller,
                 struct refusal *reterr)
{
    if (peer->kind == PEER_TCP) {
        *ret_caller =
            (struct caller){ .role = ROLE_PUBLIC, .has_address = true, .address = peer->address };
        return true;
    }
    /* Else a reader's request, handed on by a proxy of the admin's, would rule. */
    if (came_through_a_proxy(request))
        return refuse(reterr, PROBLEM_FORBIDDEN,
                      "this request was forwarded, and user %u is not in proxy_users of [server]",
                      (unsigned)peer->uid);
    *ret_caller = (struct caller){ .role = is_admin(roles, peer) ? ROLE_ADMIN : ROLE_LOCAL,
                                   .has_uid = true,
                                   .uid = peer->uid };
    return true;
}

static bool voter_ok(struct str voter, struct refusal *reterr)
{
    if (voter.len == 0 || voter.len > VOTER_BYTES_MAX)
        return refuse_member(reterr, "/voter", "a voter has 1 to %d bytes", VOTER_BYTES_MAX);
    if (!utf8_is_text(voter))
        return refuse_member(reterr, "/voter", "a voter has no control characters");
    return true;
}

static void name(const struct keys *keys, const struct poll *poll, struct str voter,
                 struct ballot *ballot)
{
    ballot->kind = VOTER_NAMED;
    keys_hash_voter(keys, poll, VOTER_NAMED, voter, &ballot->voter);
}

static void name_by_address(const struct keys *keys, const struct poll *poll,
                            struct address address, struct ballot *ballot)
{
    struct address group = address_group(address, poll->prefix_v4, poll->prefix_v6);
    struct str bytes = { (const char *)group.bytes, group.v6 ? 16 : 4 };

    ballot->kind = VOTER_ADDRESS;
    keys_hash_voter(keys, poll, VOTER_ADDRESS, bytes, &ballot->voter);
    ballot->has_address = true;
    ballot->address_group = keys_hash_address(keys, poll, bytes);
}

bool caller_voter(const struct caller *caller, const struct naming *naming, const struct keys *keys,
                  const struct poll *poll, struct ballot *ret_ballot, struct refusal *reterr)
{
    *ret_ballot = (struct ballot){ .poll = poll->number };
    if (naming->voter.at && naming->token.at)
        return refuse_member(reterr, "/token", "a voter is named once: by voter or by token");
    if (naming->token.at)
        return refuse(reterr, PROBLEM_NOT_IMPLEMENTED, "voter tokens are not built in yet");
    if (naming->voter.at) {
        if (caller->role != ROLE_ADMIN)
            return refuse(reterr, PROBLEM_FORBIDDEN,
                          "only an app or an admin may name the voter; leave voter out");
        if (!voter_ok(naming->voter, reterr))
            return false;
        name(keys, poll, naming->voter, ret_ballot);
        return true;
    }
    if (caller->has_uid) {
        char uid[32];
        int len = snprintf(uid, sizeof uid, "uid:%u", (unsigned)caller->uid);

        name(keys, poll, (struct str){ uid, (size_t)len }, ret_ballot);
        return true;
    }
    if (poll->voters != VOTERS_ADDRESS || !caller->has_address)
        return refuse(reterr, PROBLEM_UNAUTHORIZED,
                      "votes in this poll need a voter token; an address is not enough");
    name_by_address(keys, poll, caller->address, ret_ballot);
    return true;
}
