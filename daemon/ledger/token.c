/*
 * ledger/token.c - voter tokens, checked and signed.
 *
 * Threads: any; nothing is shared.
 */
#include "ledger/token.h"

#include <string.h>

#include <sodium.h>

#include "base/base64.h"
#include "base/utf8.h"
#include "core/json.h"
#include "core/poll.h"
#include "core/when.h"
#include "ledger/token_inside.h"

#define PART_BYTES_MAX (TOKEN_BYTES_MAX / 4 * 3)
#define SIGNATURE_BYTES crypto_auth_hmacsha256_BYTES
#define HEADER_START "{\"alg\":\"HS256\",\"kid\":\""
#define HEADER_END "\"}"
#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define RESERVED STR("uid:")

struct parts { /* of a token; into its bytes */
    struct str header;
    struct str claims;
    struct str signed_part; /* header, dot, claims */
    struct str signature;
};

static const char *const details[] = {
#define TOKEN_DETAIL(name, detail) [TOKEN_##name] = (detail),
    TOKEN_VERDICTS(TOKEN_DETAIL)
#undef TOKEN_DETAIL
};

const char *token_verdict_detail(enum token_verdict verdict)
{
    return details[verdict];
}

/* Exactly three parts; base64url has no dot, so a fourth would be in the signature. */
static bool split(struct str token, struct parts *ret_parts)
{
    size_t first = str_find(token, '.');
    struct str behind;
    size_t second;

    if (token.len > TOKEN_BYTES_MAX || first == token.len)
        return false;
    behind = str_from(token, first + 1);
    second = str_find(behind, '.');
    if (second == behind.len)
        return false;
    *ret_parts = (struct parts){ .header = { token.at, first },
                                 .claims = { behind.at, second },
                                 .signed_part = { token.at, first + 1 + second },
                                 .signature = str_from(behind, second + 1) };
    return true;
}

/* A part's bytes, as JSON to be. */
static bool decode(struct str part, unsigned char bytes[PART_BYTES_MAX], struct str *ret_text)
{
    ret_text->at = (const char *)bytes;
    return base64url_decode(part, bytes, PART_BYTES_MAX, &ret_text->len);
}

/* An object.   otherwise  what it is called when it is none */
static enum token_verdict parse(struct str text, enum token_verdict otherwise,
                                struct json **ret_json)
{
    struct why why; /* whoever forged a token need not be told where */

    switch (json_parse(text, ret_json, &why)) {
    case JSON_OK:
        return cJSON_IsObject(json_root(*ret_json)) ? TOKEN_GOOD : otherwise;
    case JSON_NO_MEMORY:
        return TOKEN_NO_MEMORY;
    case JSON_BAD:
        break;
    }
    return otherwise;
}

/* The header just as token_sign() writes it, which needs no JSON reader: a third less time. */
static bool is_own_form(struct str header, struct str *ret_kid)
{
    struct str start = STR(HEADER_START);
    struct str end = STR(HEADER_END);
    struct str kid;

    if (header.len < start.len + end.len || !str_starts(header, start) ||
        !str_eq(str_from(header, header.len - end.len), end))
        return false;
    kid = (struct str){ header.at + start.len, header.len - start.len - end.len };
    for (size_t i = 0; i < kid.len; i++) {
        if (kid.at[i] < ' ' || kid.at[i] > '~' || kid.at[i] == '"' || kid.at[i] == '\\')
            return false; /* the kid may end here, or say something else than it shows */
    }
    *ret_kid = kid;
    return true;
}

static enum token_verdict header_parse(const struct token_keys *keys, struct str header,
                                       const struct token_key **ret_key)
{
    AUTO(json) json = NULL;
    enum token_verdict verdict = parse(header, TOKEN_BAD_HEADER, &json);
    struct str kid = { NULL, 0 };
    bool hs256 = false;
    const cJSON *member;

    if (verdict != TOKEN_GOOD)
        return verdict;
    cJSON_ArrayForEach(member, json_root(json))
    {
        struct str name = str_of(member->string);
        struct str value = json_string(member);

        if (str_eq(name, STR("alg")) && str_eq(value, STR("HS256")))
            hs256 = true;
        else if (str_eq(name, STR("kid")) && value.at)
            kid = value;
        else if (!str_eq(name, STR("typ")) || !str_eq(value, STR("JWT")))
            return TOKEN_BAD_HEADER;
    }
    if (!hs256 || !kid.at)
        return TOKEN_BAD_HEADER;
    *ret_key = token_keys_find(keys, kid);
    return *ret_key ? TOKEN_GOOD : TOKEN_UNKNOWN_KEY;
}

static enum token_verdict header_read(const struct token_keys *keys, struct str part,
                                      const struct token_key **ret_key)
{
    unsigned char bytes[PART_BYTES_MAX];
    struct str header;
    struct str kid;

    if (!decode(part, bytes, &header))
        return TOKEN_MALFORMED;
    if (!is_own_form(header, &kid))
        return header_parse(keys, header, ret_key);
    *ret_key = token_keys_find(keys, kid);
    return *ret_key ? TOKEN_GOOD : TOKEN_UNKNOWN_KEY;
}

static void sign(const struct token_key *key, struct str text, unsigned char ret[SIGNATURE_BYTES])
{
    crypto_auth_hmacsha256_state state = key->keyed;

    (void)crypto_auth_hmacsha256_update(&state, (const unsigned char *)text.at, text.len);
    (void)crypto_auth_hmacsha256_final(&state, ret);
    sodium_memzero(&state, sizeof state);
}

static enum token_verdict signature_check(const struct token_key *key, const struct parts *parts)
{
    unsigned char theirs[SIGNATURE_BYTES];
    unsigned char ours[SIGNATURE_BYTES];
    size_t len;

    if (!base64url_decode(parts->signature, theirs, sizeof theirs, &len) || len != sizeof theirs)
        return TOKEN_MALFORMED;
    sign(key, parts->signed_part, ours);
    return crypto_verify_32(theirs, ours) == 0 ? TOKEN_GOOD : TOKEN_FORGED;
}

static bool sub_ok(struct str sub)
{
    return sub.len > 0 && sub.len <= TOKEN_SUB_BYTES_MAX && utf8_is_text(sub);
}

static enum token_verdict times_check(const cJSON *claims, int64_t now_s)
{
    const cJSON *not_before = json_member(claims, "nbf");
    int64_t exp_s;
    int64_t nbf_s = INT64_MIN;

    if (!json_int64(json_member(claims, "exp"), &exp_s) ||
        (not_before && !json_int64(not_before, &nbf_s)))
        return TOKEN_BAD_CLAIMS;
    if (now_s - TOKEN_LEEWAY_S >= exp_s) /* RFC 7519 §4.1.4: "on or after" */
        return TOKEN_EXPIRED;
    return now_s + TOKEN_LEEWAY_S < nbf_s ? TOKEN_NOT_YET : TOKEN_GOOD;
}

static enum token_verdict polls_check(const cJSON *polls, struct str poll_id)
{
    enum token_verdict verdict = TOKEN_OTHER_POLL;
    const cJSON *id;

    if (!polls)
        return TOKEN_GOOD;
    if (!cJSON_IsArray(polls))
        return TOKEN_BAD_CLAIMS;
    cJSON_ArrayForEach(id, polls)
    {
        if (!cJSON_IsString(id))
            return TOKEN_BAD_CLAIMS;
        if (str_eq(json_string(id), poll_id))
            verdict = TOKEN_GOOD;
    }
    return verdict;
}

static enum token_verdict claims_check(const cJSON *claims, bool own, struct str poll_id,
                                       int64_t now_s, struct token_voter *ret_voter)
{
    struct str sub = json_string(json_member(claims, "sub"));
    const cJSON *anonymous = json_member(claims, "anon");
    enum token_verdict times = times_check(claims, now_s);
    enum token_verdict polls = polls_check(json_member(claims, "polls"), poll_id);

    if (!sub_ok(sub) || (anonymous && !cJSON_IsBool(anonymous)) || polls == TOKEN_BAD_CLAIMS)
        return TOKEN_BAD_CLAIMS;
    if (times != TOKEN_GOOD)
        return times;
    if (cJSON_IsTrue(anonymous) && !own)
        return TOKEN_ANON_FOREIGN;
    if (str_starts(sub, RESERVED))
        return TOKEN_RESERVED_NAME;
    if (polls != TOKEN_GOOD)
        return polls;
    ret_voter->anonymous = cJSON_IsTrue(anonymous);
    ret_voter->sub_len = sub.len;
    memcpy(ret_voter->sub, sub.at, sub.len);
    return TOKEN_GOOD;
}

enum token_verdict token_check(const struct token_keys *keys, struct str token, struct str poll_id,
                               int64_t now_s, struct token_voter *ret_voter)
{
    AUTO(json) json = NULL;
    unsigned char bytes[PART_BYTES_MAX];
    const struct token_key *key;
    struct str claims;
    struct parts parts;
    enum token_verdict verdict;

    if (!split(token, &parts))
        return TOKEN_MALFORMED;
    verdict = header_read(keys, parts.header, &key);
    if (verdict == TOKEN_GOOD)
        verdict = signature_check(key, &parts);
    if (verdict != TOKEN_GOOD)
        return verdict;
    if (!decode(parts.claims, bytes, &claims))
        return TOKEN_MALFORMED;
    verdict = parse(claims, TOKEN_BAD_CLAIMS, &json);
    if (verdict != TOKEN_GOOD)
        return verdict;
    return claims_check(json_root(json), key->own, poll_id, now_s, ret_voter);
}

static void encode(struct str bytes, struct buf *out)
{
    size_t room = sodium_base64_encoded_len(bytes.len, VARIANT); /* with a NUL */
    char *at = buf_reserve(out, room);

    if (!at)
        return;
    (void)sodium_bin2base64(at, room, (const unsigned char *)bytes.at, bytes.len, VARIANT);
    out->len += room - 1;
}

static void claims_write(const struct token_claims *claims, int64_t exp_s, struct buf *out)
{
    buf_text(out, "{\"sub\":");
    buf_json_string(out, claims->sub);
    buf_text(out, ",\"exp\":");
    buf_int(out, exp_s);
    if (claims->anonymous)
        buf_text(out, ",\"anon\":true");
    for (size_t i = 0; i < claims->n_polls; i++) {
        buf_text(out, i == 0 ? ",\"polls\":[" : ",");
        buf_json_string(out, claims->polls[i]);
    }
    buf_text(out, claims->n_polls > 0 ? "]}" : "}");
}

/* TOKEN_SIGNED: nothing is wrong with them. */
static enum token_signed claims_refuse(const struct token_keys *keys,
                                       const struct token_claims *claims)
{
    if (!keys->signs)
        return TOKEN_NO_SIGNER;
    if (!sub_ok(claims->sub) || str_starts(claims->sub, RESERVED))
        return TOKEN_NO_VOTER;
    if (claims->lifetime_s < 1 || claims->lifetime_s > keys->longest_s)
        return TOKEN_BAD_TIME;
    for (size_t i = 0; i < claims->n_polls; i++) {
        if (!poll_id_ok(claims->polls[i]))
            return TOKEN_NO_POLL_ID;
    }
    return TOKEN_SIGNED;
}

enum token_signed token_sign(const struct token_keys *keys, const struct token_claims *claims,
                             int64_t now_s, struct buf *out, int64_t *ret_exp_s)
{
    enum token_signed refused = claims_refuse(keys, claims);
    unsigned char signature[SIGNATURE_BYTES];
    const struct token_key *key;
    AUTO_BUF header = { 0 };
    AUTO_BUF json = { 0 };
    AUTO_BUF token = { 0 };
    int64_t exp_s;

    if (refused != TOKEN_SIGNED)
        return refused;
    exp_s = now_s + claims->lifetime_s;
    if (exp_s > WHEN_LAST_S)
        exp_s = WHEN_LAST_S; /* a clock that stands near the end of the calendar */
    key = &keys->keys[keys->signer];
    buf_text(&header, HEADER_START);
    buf_add(&header, key->kid, key->kid_len);
    buf_text(&header, HEADER_END);
    claims_write(claims, exp_s, &json);
    if (!buf_ok(&header) || !buf_ok(&json))
        return TOKEN_SIGN_NO_ROOM;
    encode(buf_str(&header), &token);
    buf_char(&token, '.');
    encode(buf_str(&json), &token);
    sign(key, buf_str(&token), signature);
    buf_char(&token, '.');
    encode((struct str){ (const char *)signature, sizeof signature }, &token);
    if (buf_ok(&token) && token.len > TOKEN_BYTES_MAX)
        return TOKEN_TOO_LONG;
    buf_str_add(out, buf_str(&token));
    if (!buf_ok(&token) || !buf_ok(out))
        return TOKEN_SIGN_NO_ROOM;
    *ret_exp_s = exp_s;
    return TOKEN_SIGNED;
}

void token_make_anonymous(char ret_sub[TOKEN_ANONYMOUS_BYTES])
{
    unsigned char chance[TOKEN_ANONYMOUS_BYTES / 4 * 3];
    char text[TOKEN_ANONYMOUS_BYTES + 1];

    randombytes_buf(chance, sizeof chance);
    (void)sodium_bin2base64(text, sizeof text, chance, sizeof chance, VARIANT);
    memcpy(ret_sub, text, TOKEN_ANONYMOUS_BYTES);
}
