/*
 * api/caller.c - who calls: the role and the address.
 *
 * Threads: any loop; nothing is shared but the limiter, which locks itself.
 */
#include "api/caller.h"

#include <string.h>

#include <sodium.h>

#include "api/forwarded.h"

const char *role_word(enum role role)
{
    switch (role) {
    case ROLE_PUBLIC:
        return "public";
    case ROLE_LOCAL:
        return "local";
    case ROLE_APP:
        return "app";
    case ROLE_ADMIN:
        return "admin";
    }
    return "";
}

static bool came_through_a_proxy(const struct http1_request *request)
{
    return http1_field(request, STR("X-Forwarded-For")).at ||
           http1_field(request, STR("Forwarded")).at || http1_field(request, STR("Via")).at;
}

static bool is_one_of(uid_t uid, const uid_t *uids, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (uids[i] == uid)
            return true;
    }
    return false;
}

static bool is_admin(const struct rules *rules, const struct peer *peer)
{
    return peer->uid == 0 || peer->uid == rules->own_uid ||
           (rules->has_admin_group && peer_in_group(peer, rules->admin_group));
}

static enum role role_of_user(const struct rules *rules, const struct peer *peer)
{
    if (is_admin(rules, peer))
        return ROLE_ADMIN;
    return is_one_of(peer->uid, rules->app_uids, rules->n_app_uids) ? ROLE_APP : ROLE_LOCAL;
}

/* Where the request came from, if the peer is a proxy of ours. Left as it is where nothing in the
 * field can be believed. */
static bool read_client(const struct rules *rules, const struct http1_request *request,
                        struct address *address)
{
    return forwarded_client(request, rules->trusted, rules->n_trusted, address) == FORWARDED_CLIENT;
}

static void read_tcp(const struct rules *rules, const struct peer *peer,
                     const struct http1_request *request, struct caller *caller)
{
    caller->role = ROLE_PUBLIC;
    caller->has_address = true;
    caller->address = peer->address;
    /* The last good hop is the peer itself where the field is missing or unreadable. */
    if (cidrs_contain(rules->trusted, rules->n_trusted, &peer->address))
        (void)read_client(rules, request, &caller->address);
}

static bool read_unix(const struct rules *rules, const struct peer *peer,
                      const struct http1_request *request, struct caller *caller,
                      struct refusal *reterr)
{
    if (is_one_of(peer->uid, rules->proxy_uids, rules->n_proxy_uids)) {
        caller->role = ROLE_PUBLIC;
        caller->has_address = read_client(rules, request, &caller->address);
        return true;
    }
    /* Else a reader's request, handed on by a proxy of the admin's, would rule. */
    if (came_through_a_proxy(request))
        return refuse(reterr, PROBLEM_FORBIDDEN,
                      "this request was forwarded, and user %u is not in proxy_users of [server]",
                      (unsigned)peer->uid);
    caller->role = role_of_user(rules, peer);
    caller->has_uid = true;
    caller->uid = peer->uid;
    return true;
}

static bool is_loopback(const struct address *address)
{
    static const unsigned char v6[16] = { [15] = 1 };

    return address->v6 ? memcmp(address->bytes, v6, sizeof v6) == 0 : address->bytes[0] == 127;
}

/* RFC 1918, RFC 6598 (carriers and containers), link-local, and RFC 4193. */
static bool is_private(const struct address *address)
{
    static const struct cidr nets[] = {
        { { .bytes = { 10 } }, 8 },
        { { .bytes = { 172, 16 } }, 12 },
        { { .bytes = { 192, 168 } }, 16 },
        { { .bytes = { 100, 64 } }, 10 },
        { { .bytes = { 169, 254 } }, 16 },
        { { .v6 = true, .bytes = { 0xfc } }, 7 },
        { { .v6 = true, .bytes = { 0xfe, 0x80 } }, 10 },
    };

    return is_loopback(address) || cidrs_contain(nets, sizeof nets / sizeof nets[0], address);
}

bool caller_seems_a_proxy(const struct rules *rules, const struct peer *peer,
                          const struct http1_request *request)
{
    return rules->n_trusted == 0 && peer->kind == PEER_TCP && is_private(&peer->address) &&
           http1_field(request, STR("X-Forwarded-For")).at;
}

static bool is_near(const struct rules *rules, const struct peer *peer)
{
    return peer->kind == PEER_UNIX || is_loopback(&peer->address) || rules->insecure_tcp ||
           cidrs_contain(rules->trusted, rules->n_trusted, &peer->address);
}

/* In a time that does not depend on where they differ. */
static bool is_token(struct str bearer, const char *token, size_t len)
{
    return token && bearer.len == len && sodium_memcmp(bearer.at, token, len) == 0;
}

static bool role_of_token(const struct rules *rules, struct str bearer, enum role *ret_role)
{
    bool admin = is_token(bearer, rules->admin_token, rules->admin_token_len);
    bool app = is_token(bearer, rules->app_token, rules->app_token_len);

    *ret_role = admin ? ROLE_ADMIN : ROLE_APP;
    return admin || app;
}

/* A voter token is checked where it counts, and its signature cannot be guessed. */
static bool looks_like_a_voter_token(struct str bearer)
{
    size_t first = str_find(bearer, '.');

    return first < bearer.len &&
           str_find(str_from(bearer, first + 1), '.') < bearer.len - first - 1;
}

/* Guessing is limited before the token is looked at, so that the right one is not told by another
 * answer either. */
static bool may_guess(struct limiter *limiter, const struct caller *caller, bool right,
                      int64_t mono_ms, uint64_t *ret_retry_s, struct refusal *reterr)
{
    enum limiter_by by;
    struct address group;
    struct str who;

    if (!caller_bucket(caller, &by, &group, &who))
        return true;
    *ret_retry_s = right ? limiter_wait_s(limiter, LIMIT_GUESSES, by, who, mono_ms)
                         : limiter_take(limiter, LIMIT_GUESSES, by, who, mono_ms);
    return *ret_retry_s == 0 || refuse(reterr, PROBLEM_RATE_LIMITED,
                                       "too many wrong tokens; wait %u s", (unsigned)*ret_retry_s);
}

static bool take_bearer(const struct rules *rules, struct limiter *limiter, const struct peer *peer,
                        struct str bearer, int64_t mono_ms, struct caller *caller,
                        uint64_t *ret_retry_s, struct refusal *reterr)
{
    enum role role;
    bool right = role_of_token(rules, bearer, &role);

    if (!right && looks_like_a_voter_token(bearer)) {
        caller->bearer = bearer;
        return true;
    }
    if (!may_guess(limiter, caller, right, mono_ms, ret_retry_s, reterr))
        return false;
    if (!right) {
        caller->bearer = bearer;
        return true;
    }
    if (!is_near(rules, peer))
        return refuse(reterr, PROBLEM_FORBIDDEN,
                      "role tokens are taken on the Unix socket, from loopback peers and from "
                      "trusted_proxies; from elsewhere only with insecure_tcp = yes");
    caller->role = role;
    caller->by_token = true;
    return true;
}

/* The credentials of `Authorization: Bearer …` (RFC 6750 §2.1); another scheme is for somebody
 * else, as a site's own proxy. */
static struct str bearer_of(struct str authorization)
{
    struct str scheme = { authorization.at, str_find(authorization, ' ') };

    if (scheme.len == authorization.len || !str_eq_nocase(scheme, STR("Bearer")))
        return (struct str){ NULL, 0 };
    return str_trim(str_from(authorization, scheme.len));
}

bool caller_read(const struct rules *rules, struct limiter *limiter, const struct peer *peer,
                 const struct http1_request *request, int64_t mono_ms, struct caller *ret_caller,
                 uint64_t *ret_retry_s, struct refusal *reterr)
{
    struct str authorization = http1_field(request, STR("Authorization"));
    struct str bearer;

    *ret_caller = (struct caller){ .role = ROLE_PUBLIC };
    *ret_retry_s = 0;
    if (peer->kind == PEER_TCP)
        read_tcp(rules, peer, request, ret_caller);
    else if (!read_unix(rules, peer, request, ret_caller, reterr))
        return false;
    if (!authorization.at)
        return true;
    if (http1_field_count(request, STR("Authorization")) > 1)
        return refuse(reterr, PROBLEM_MALFORMED, "Authorization stands twice");
    bearer = bearer_of(authorization);
    if (bearer.len == 0)
        return true;
    return take_bearer(rules, limiter, peer, bearer, mono_ms, ret_caller, ret_retry_s, reterr);
}

bool caller_bucket(const struct caller *caller, enum limiter_by *ret_by, struct address *ret_group,
                   struct str *ret_who)
{
    if (role_is_trusted(caller->role))
        return false;
    if (caller->has_uid) {
        *ret_by = LIMIT_BY_UID;
        *ret_who = (struct str){ (const char *)&caller->uid, sizeof caller->uid };
        return true;
    }
    if (!caller->has_address)
        return false;
    *ret_by = LIMIT_BY_ADDRESS;
    *ret_group = address_group(caller->address, 32, 64);
    *ret_who = (struct str){ (const char *)ret_group->bytes, ret_group->v6 ? 16 : 4 };
    return true;
}

bool caller_holder(const struct caller *caller, struct address *ret_address)
{
    enum limiter_by by;
    struct str who;

    if (!caller_bucket(caller, &by, ret_address, &who))
        return false;
    if (by == LIMIT_BY_UID) {
        /* 100::/64 is for discarding (RFC 6666): no packet comes from there. Groups are of 64 bits.
         */
        *ret_address = (struct address){ .v6 = true, .bytes = { 0x01 } };
        memcpy(ret_address->bytes + 4, who.at, sizeof(uid_t));
    }
    return true;
}
