/*
 * ledger/token.h - voter tokens: who holds one is its voter. JWTs in compact form (RFC 7519, 7515).
 *
 * Header: a JSON object of `alg`, which is HS256, `kid`, which names a key, and at most `typ`,
 * which is JWT; in any order, nothing else, nothing twice. Claims: `sub` (a voter), `exp` (an
 * integer, required), `nbf` (an integer), `polls` (a list of ids; without it: all), `anon` (true
 * only under tallyd's own key); others are ignored, none stands twice. Base64url without padding,
 * and with no bit behind the last byte, so that a token has one form only.
 *
 * Checking costs no storage, and the signature, compared in constant time, is checked before a
 * claim is read. Pure but for the chance in token_make_anonymous(); any thread.
 */
#ifndef TALLYD_LEDGER_TOKEN_H
#define TALLYD_LEDGER_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/str.h"
#include "ledger/token_keys.h"

#define TOKEN_BYTES_MAX 4096
#define TOKEN_SUB_BYTES_MAX 256 /* as any voter's */
#define TOKEN_LEEWAY_S 60
/* 96 bits: by chance two of 10^9 are the same once in 10^11 times. An anonymous token is signed in
 * two blocks of SHA-256 then, not three. */
#define TOKEN_ANONYMOUS_BYTES 16

/* One row, one truth: the sentence is the detail of a 403 (NO_MEMORY is 503 busy). */
#define TOKEN_VERDICTS(X)                                                                          \
    X(GOOD, "this token is good")                                                                  \
    X(MALFORMED, "this is no voter token: it is not three parts of base64url, or too long")        \
    X(BAD_HEADER, "this token's header is not alg HS256, kid and at most typ JWT")                 \
    X(UNKNOWN_KEY, "this token is not ours: its key is not known here")                            \
    X(FORGED, "this token is not ours: its signature is wrong")                                    \
    X(BAD_CLAIMS, "this token's claims cannot be read: sub names a voter, exp is an integer")      \
    X(EXPIRED, "this token has run out")                                                           \
    X(NOT_YET, "this token does not count yet")                                                    \
    X(OTHER_POLL, "this token is for another poll")                                                \
    X(ANON_FOREIGN, "this token is anonymous, and its key may only sign names")                    \
    X(RESERVED_NAME, "this token's name begins with uid:, which is for local users")               \
    X(NO_MEMORY, "no memory to read this token; send it again")

enum token_verdict {
#define TOKEN_ENUM(name, detail) TOKEN_##name,
    TOKEN_VERDICTS(TOKEN_ENUM)
#undef TOKEN_ENUM
};

struct token_voter {
    bool anonymous; /* its sub never equals a name: another kind of voter */
    size_t sub_len; /* 1..TOKEN_SUB_BYTES_MAX */
    char sub[TOKEN_SUB_BYTES_MAX];
};

/*
 * Checks a token for a vote in `poll_id`.
 *
 *   token      any bytes
 *   now_s      wall clock
 *   ret_voter  written on GOOD only
 */
MUST_USE enum token_verdict token_check(const struct token_keys *keys, struct str token,
                                        struct str poll_id, int64_t now_s,
                                        struct token_voter *ret_voter);

const char *token_verdict_detail(enum token_verdict verdict);

struct token_claims {
    bool anonymous;
    struct str sub; /* a name, or of token_make_anonymous() */
    int64_t lifetime_s;
    size_t n_polls;          /* 0: for all */
    const struct str *polls; /* may be NULL then */
};

enum token_signed {
    TOKEN_SIGNED,
    TOKEN_NO_VOTER,    /* sub is no voter, or begins with uid: */
    TOKEN_NO_POLL_ID,  /* one of the polls is no id */
    TOKEN_BAD_TIME,    /* lifetime not in 1..token_keys_longest_s() */
    TOKEN_TOO_LONG,    /* over TOKEN_BYTES_MAX: too many polls */
    TOKEN_NO_SIGNER,   /* the keys file has no key that signs */
    TOKEN_SIGN_NO_ROOM /* no memory */
};

/*
 * Signs a token with the current key.
 *
 *   out        gets the token behind what it holds, on success only
 *   ret_exp_s  when it runs out
 */
MUST_USE enum token_signed token_sign(const struct token_keys *keys,
                                      const struct token_claims *claims, int64_t now_s,
                                      struct buf *out, int64_t *ret_exp_s);

/* A voter whom nobody knows: random, in base64url. */
void token_make_anonymous(char ret_sub[TOKEN_ANONYMOUS_BYTES]);

#endif
