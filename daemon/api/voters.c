/*
 * api/voters.c - POST /v1/voters: voter tokens; POST /v1/keys/rotate: a new key signs them.
 *
 * A token costs nothing to keep: it is not written down. Rotating writes the keys file, which
 * blocks on the disk, so the writer's thread does it.
 *
 * Threads: the loop of the call; rotate_keys() the writer's.
 */
#include <stdlib.h>
#include <string.h>

#include "api/pending.h"
#include "api/routes.h"
#include "ledger/token.h"

#define TOKEN_POLLS_MAX 64

struct wish {         /* what the body asks for; strs live as long as its JSON */
    struct str voter; /* {NULL, 0}: an anonymous one */
    size_t n_polls;
    struct str polls[TOKEN_POLLS_MAX];
    int64_t expires_in_s;
};

static bool polls_read(const cJSON *list, struct wish *wish, struct refusal *reterr)
{
    const cJSON *item;

    if (!cJSON_IsArray(list))
        return refuse_member(reterr, "/polls", "must be a list of ids");
    cJSON_ArrayForEach(item, list)
    {
        struct str id = json_string(item);

        if (!poll_id_ok(id))
            return refuse_member(reterr, "/polls", "must be ids of polls");
        if (wish->n_polls == TOKEN_POLLS_MAX)
            return refuse_member(reterr, "/polls", "at most %d polls", TOKEN_POLLS_MAX);
        wish->polls[wish->n_polls++] = id;
    }
    return wish->n_polls > 0 || refuse_member(reterr, "/polls", "names no poll; leave it out");
}

static bool lifetime_read(const cJSON *item, int64_t longest_s, struct wish *wish,
                          struct refusal *reterr)
{
    if (!json_int64(item, &wish->expires_in_s) || wish->expires_in_s < 1 ||
        wish->expires_in_s > longest_s)
        return refuse_member(reterr, "/expires_in", "must be 1 to %lld seconds",
                             (long long)longest_s);
    return true;
}

static bool wish_read(const struct call *call, const cJSON *body, int64_t longest_s,
                      struct wish *wish, struct refusal *reterr)
{
    const cJSON *voter = json_member(body, "voter");
    const cJSON *polls = json_member(body, "polls");
    const cJSON *expires_in = json_member(body, "expires_in");

    if (!json_members_ok(body, "voter polls expires_in", reterr))
        return false;
    if ((voter || polls || expires_in) && !role_is_trusted(call->caller.role))
        return refuse(reterr, PROBLEM_FORBIDDEN,
                      "only an app or an admin may say whom a token is for; send {}");
    if (voter && !cJSON_IsString(voter))
        return refuse_member(reterr, "/voter", "must be a string");
    wish->voter = voter ? json_string(voter) : (struct str){ NULL, 0 };
    if (voter && str_starts(wish->voter, STR("uid:")))
        return refuse(reterr, PROBLEM_FORBIDDEN,
                      "names that begin with uid: are for local users; use another");
    return (!polls || polls_read(polls, wish, reterr)) &&
           (!expires_in || lifetime_read(expires_in, longest_s, wish, reterr));
}

static bool signed_ok(enum token_signed result, struct refusal *reterr)
{
    switch (result) {
    case TOKEN_SIGNED:
        return true;
    case TOKEN_NO_VOTER:
        return refuse_member(reterr, "/voter", "a voter has 1 to 256 bytes without controls");
    case TOKEN_NO_POLL_ID:
        return refuse_member(reterr, "/polls", "must be ids of polls");
    case TOKEN_BAD_TIME:
        return refuse_member(reterr, "/expires_in", "is longer than token_lifetime");
    case TOKEN_TOO_LONG:
        return refuse_member(reterr, "/polls", "make the token too long; name fewer");
    case TOKEN_NO_SIGNER:
        return refuse(reterr, PROBLEM_NOT_IMPLEMENTED,
                      "the keys came as a credential that holds no key to sign tokens with");
    case TOKEN_SIGN_NO_ROOM:
        break;
    }
    return refuse(reterr, PROBLEM_BUSY, "no memory for the token; send it again");
}

static bool answer_token(const struct call *call, const struct wish *wish, struct refusal *reterr)
{
    struct buf *out = &call->loop->out;
    int64_t now_s = loop_wall_ms(exchange_loop(call->exchange)) / 1000;
    char anonymous[TOKEN_ANONYMOUS_BYTES];
    struct token_claims claims = { .anonymous = !wish->voter.at,
                                   .sub = wish->voter,
                                   .lifetime_s = wish->expires_in_s,
                                   .n_polls = wish->n_polls,
                                   .polls = wish->polls };
    int64_t exp_s;

    if (claims.anonymous) {
        token_make_anonymous(anonymous);
        claims.sub = (struct str){ anonymous, sizeof anonymous };
    }
    buf_clear(out);
    buf_text(out, "{\"token\":\"");
    if (!signed_ok(token_sign(call->loop->tokens, &claims, now_s, out, &exp_s), reterr))
        return false;
    buf_text(out, "\",\"expires_at\":\"");
    buf_time(out, exp_s * 1000);
    buf_text(out, "\"}");
    answer_out(call->exchange, call->loop,
               &(struct answer){ .status = 201, .caching = CACHE_PRIVATE });
    return true;
}

static bool mint(const struct call *call, struct refusal *reterr)
{
    AUTO(json) json = NULL;
    struct wish wish = { .n_polls = 0 };
    int64_t longest_s;

    if (call->caller.role == ROLE_LOCAL)
        return refuse(reterr, PROBLEM_FORBIDDEN,
                      "local users need no token: on this socket the kernel says who they are");
    if (!call->loop->tokens)
        return signed_ok(TOKEN_NO_SIGNER, reterr);
    longest_s = token_keys_longest_s(call->loop->tokens);
    wish.expires_in_s = call->loop->rules->token_lifetime_s;
    if (longest_s > 0 && wish.expires_in_s > longest_s)
        wish.expires_in_s = longest_s;
    return call_json(call, "application/json", BODY_OPTIONAL, &json, reterr) &&
           (!json || wish_read(call, json_root(json), longest_s, &wish, reterr)) &&
           answer_token(call, &wish, reterr);
}

void voters_post(struct call *call)
{
    if (!mint(call, &call->loop->refusal))
        answer_refusal(call->exchange, call->loop, &call->loop->refusal, (struct str){ NULL, 0 });
}

struct rotation {
    struct api *api;
    struct rules *rules; /* a reference: where the keys lie */
    int64_t now_s;
    struct token_keys *fresh; /* NULL: `why` says why not */
    struct why why;
};

static void rotate_keys(void *context)
{
    struct rotation *rotation = context;

    const struct token_files files = rules_token_files(rotation->rules);

    rotation->fresh = api_rotate(rotation->api, &files, rotation->now_s, &rotation->why);
}

static void rotation_drop(void *detail)
{
    struct rotation *rotation = detail;

    token_keys_free(rotation->fresh);
    rules_free(rotation->rules);
    free(rotation);
}

static void rotated(struct pending *pending)
{
    struct rotation *rotation = pending->detail;

    if (pending->jobs[0].job.result == JOB_REFUSED || !rotation->fresh) {
        if (pending->jobs[0].job.result != JOB_REFUSED)
            refuse(&pending->refusal, PROBLEM_STORE_UNAVAILABLE, "%s", rotation->why.text);
        answer_refusal(pending->exchange, pending->loop, &pending->refusal,
                       (struct str){ NULL, 0 });
        return;
    }
    change_log(&pending->who, "rotated the key of the voter tokens", NULL);
    buf_clear(&pending->loop->out);
    buf_text(&pending->loop->out, "{\"rotated\":true}");
    answer_out(pending->exchange, pending->loop,
               &(struct answer){ .status = 200, .caching = CACHE_PRIVATE });
}

static bool rotate(const struct call *call, struct refusal *reterr)
{
    AUTO(pending) pending = pending_new(call, 1, rotated);
    struct rotation *rotation = calloc(1, sizeof *rotation);

    if (!pending || !rotation) {
        free(rotation);
        return refuse(reterr, PROBLEM_BUSY, "no memory for this request; send it again");
    }
    pending->detail = rotation;
    pending->drop = rotation_drop;
    if (!call->loop->rules->may_write_keys)
        return refuse(reterr, PROBLEM_NOT_IMPLEMENTED,
                      "the keys came as a credential: rotate them where that is kept");
    rotation->api = call->api;
    rotation->rules = rules_ref(call->loop->rules);
    rotation->now_s = loop_wall_ms(exchange_loop(call->exchange)) / 1000;
    pending->jobs[0].job.kind = JOB_RUN;
    pending->jobs[0].job.run = rotate_keys;
    pending->jobs[0].job.context = rotation;
    pending_submit(TAKE(pending));
    return true;
}

/* There is nothing to say of a rotation: whoever says something expects it to be heeded. */
static bool says_nothing(const struct call *call, struct refusal *reterr)
{
    AUTO(json) json = NULL;

    return call_json(call, "application/json", BODY_OPTIONAL, &json, reterr) &&
           (!json || json_members_ok(json_root(json), "", reterr));
}

void keys_rotate(struct call *call)
{
    struct refusal *refusal = &call->loop->refusal;

    if (!says_nothing(call, refusal) || !rotate(call, refusal))
        answer_refusal(call->exchange, call->loop, refusal, (struct str){ NULL, 0 });
}
