/*
 * api/voter.c - who votes: a name, a token, a local user or an address.
 *
 * Threads: any loop; nothing is shared.
 */
#include <stdio.h>

#include "api/caller.h"
#include "base/utf8.h"
#include "ledger/token.h"

static bool voter_ok(struct str voter, struct refusal *reterr)
{
    if (voter.len == 0 || voter.len > VOTER_BYTES_MAX)
        return refuse_member(reterr, "/voter", "a voter has 1 to %d bytes", VOTER_BYTES_MAX);
    if (!utf8_is_text(voter))
        return refuse_member(reterr, "/voter", "a voter has no control characters");
    return true;
}

static void name_by(const struct keys *keys, const struct poll *poll, enum voter_kind kind,
                    struct str voter, struct ballot *ballot)
{
    ballot->kind = kind;
    keys_hash_voter(keys, poll, kind, voter, &ballot->voter);
}

/* Votes named by app, admin or local callers have no address; everybody else's have, for
 * per_address and for audits. */
static void add_address(const struct caller *caller, const struct keys *keys,
                        const struct poll *poll, struct ballot *ballot, bool is_voter)
{
    struct address group;
    struct str bytes;

    if (!caller->has_address || caller->role != ROLE_PUBLIC)
        return;
    group = address_group(caller->address, poll->prefix_v4, poll->prefix_v6);
    bytes = (struct str){ (const char *)group.bytes, group.v6 ? 16 : 4 };
    if (is_voter)
        name_by(keys, poll, VOTER_ADDRESS, bytes, ballot);
    ballot->has_address = true;
    ballot->address_group = keys_hash_address(keys, poll, bytes);
}

static bool name_given(const struct caller *caller, struct str voter, const struct keys *keys,
                       const struct poll *poll, struct ballot *ballot, struct refusal *reterr)
{
    if (!role_is_trusted(caller->role))
        return refuse(reterr, PROBLEM_FORBIDDEN,
                      "only an app or an admin may name the voter; leave voter out");
    if (!voter_ok(voter, reterr))
        return false;
    if (caller->role == ROLE_APP && str_starts(voter, STR("uid:")))
        return refuse(reterr, PROBLEM_FORBIDDEN,
                      "names that begin with uid: are for local users; use another");
    name_by(keys, poll, VOTER_NAMED, voter, ballot);
    return true;
}

/* Nobody is named: the local user on the socket, else the address where it may vote. */
static bool name_self(const struct caller *caller, const struct keys *keys, const struct poll *poll,
                      struct ballot *ballot, struct refusal *reterr)
{
    if (caller->has_uid) {
        char uid[32];
        int len = snprintf(uid, sizeof uid, "uid:%u", (unsigned)caller->uid);

        name_by(keys, poll, VOTER_NAMED, (struct str){ uid, (size_t)len }, ballot);
        return true;
    }
    if (role_is_trusted(caller->role))
        return refuse(reterr, PROBLEM_UNAUTHORIZED, "name the voter: an app or admin has no vote");
    if (poll->voters != VOTERS_ADDRESS)
        return refuse(reterr, PROBLEM_UNAUTHORIZED,
                      "votes in this poll need a voter token; an address is not enough");
    if (!caller->has_address)
        return refuse(reterr, PROBLEM_UNAUTHORIZED, "there is no address to vote by");
    add_address(caller, keys, poll, ballot, true);
    return true;
}

static bool name_by_token(const struct caller *caller, struct str token, const struct keys *keys,
                          const struct token_keys *tokens, const struct poll *poll, int64_t now_s,
                          struct ballot *ballot, struct refusal *reterr)
{
    struct token_voter voter;
    enum token_verdict verdict =
        tokens ? token_check(tokens, token, str_of(poll->id), now_s, &voter) : TOKEN_UNKNOWN_KEY;

    if (verdict != TOKEN_GOOD)
        return refuse(reterr, verdict == TOKEN_NO_MEMORY ? PROBLEM_BUSY : PROBLEM_FORBIDDEN, "%s",
                      token_verdict_detail(verdict));
    /* Else n tokens would be n votes of one address. */
    if (voter.anonymous && poll->voters == VOTERS_ADDRESS)
        return name_self(caller, keys, poll, ballot, reterr);
    name_by(keys, poll, voter.anonymous ? VOTER_ANONYMOUS : VOTER_NAMED,
            (struct str){ voter.sub, voter.sub_len }, ballot);
    add_address(caller, keys, poll, ballot, false);
    return true;
}

bool caller_voter(const struct caller *caller, const struct naming *naming, const struct keys *keys,
                  const struct token_keys *tokens, const struct poll *poll, int64_t now_s,
                  struct ballot *ret_ballot, struct refusal *reterr)
{
    *ret_ballot = (struct ballot){ .poll = poll->number };
    if (naming->voter.at && naming->token.at)
        return refuse_member(reterr, "/token", "a voter is named once: by voter or by token");
    if (naming->voter.at)
        return name_given(caller, naming->voter, keys, poll, ret_ballot, reterr);
    if (naming->token.at)
        return name_by_token(caller, naming->token, keys, tokens, poll, now_s, ret_ballot, reterr);
    return name_self(caller, keys, poll, ret_ballot, reterr);
}
