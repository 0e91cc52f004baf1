/*
 * ledger/token_inside.h - what token_keys.c and token.c share; nobody else includes it.
 */
#ifndef TALLYD_LEDGER_TOKEN_INSIDE_H
#define TALLYD_LEDGER_TOKEN_INSIDE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sodium.h>

#include "ledger/token_file.h"
#include "ledger/token_keys.h"

struct token_key {
    /* HMAC's state with the key in it (RFC 2104 §4): two blocks of SHA-256 less a check, and the
     * secret itself need not be kept. It is as secret as that. */
    crypto_auth_hmacsha256_state keyed;
    size_t kid_len;
    char kid[TOKEN_KID_BYTES_MAX];
    bool own; /* tallyd's: may sign anonymous tokens */
};

struct token_keys { /* in memory of sodium_malloc() */
    atomic_uint refs;
    size_t n;
    size_t room;
    bool signs;
    size_t signer; /* the key that signs, with `signs` */
    int64_t longest_s;
    struct token_key keys[]; /* by kid, each once */
};

/* The key of this name, or NULL. */
const struct token_key *token_keys_find(const struct token_keys *keys, struct str kid);

#endif
