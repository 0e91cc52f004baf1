/*
 * bench/tokens.c - voter tokens as a site signs them.
 *
 * Threads: any; pure but for the file and the memory.
 */
#include "bench/tokens.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/buf.h"
#include "bench/protocol.h"

#define LINE_BYTES_MAX 512
#define KID_BYTES_MAX 64
#define SECRET_BYTES_MAX 256
#define JSON_BYTES_MAX 512
#define RUNS_OUT_S 4102444800
#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

struct key {
    char kid[KID_BYTES_MAX + 1];
    unsigned char secret[SECRET_BYTES_MAX];
    size_t len;
};

struct tokens {
    size_t each;
    uint64_t count;
    struct buf bytes; /* one behind the other */
};

static bool key_read(const char *path, struct key *ret_key)
{
    char line[LINE_BYTES_MAX] = "";
    char *secret;
    FILE *file = fopen(path, "re");

    if (!file)
        return false;
    if (!fgets(line, sizeof line, file))
        line[0] = '\0';
    fclose(file);
    line[strcspn(line, "\n")] = '\0';
    secret = strchr(line, ' ');
    if (!secret || secret - line > KID_BYTES_MAX)
        return false;
    *secret++ = '\0';
    memcpy(ret_key->kid, line, strlen(line) + 1);
    return sodium_base642bin(ret_key->secret, sizeof ret_key->secret, secret, strlen(secret), NULL,
                             &ret_key->len, NULL, VARIANT) == 0;
}

static void part_add(struct buf *out, const void *bytes, size_t len)
{
    size_t room = sodium_base64_encoded_len(len, VARIANT); /* with a NUL */
    char *at = buf_reserve(out, room);

    if (!at)
        return;
    (void)sodium_bin2base64(at, room, bytes, len, VARIANT);
    out->len += room - 1;
}

static void token_add(struct buf *out, const struct key *key, const char *voters, uint64_t n)
{
    char json[JSON_BYTES_MAX];
    unsigned char signature[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state;
    size_t from = out->len;
    int len = snprintf(json, sizeof json, "{\"alg\":\"HS256\",\"kid\":\"%s\"}", key->kid);

    part_add(out, json, (size_t)len);
    buf_char(out, '.');
    len = snprintf(json, sizeof json, "{\"sub\":\"%s%0*" PRIu64 "\",\"exp\":%" PRId64 "}", voters,
                   (int)VOTER_DIGITS, n, (int64_t)RUNS_OUT_S);
    assert(len > 0 && (size_t)len < sizeof json);
    part_add(out, json, (size_t)len);
    if (!buf_ok(out))
        return;
    crypto_auth_hmacsha256_init(&state, key->secret, key->len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)out->bytes + from,
                                  out->len - from);
    crypto_auth_hmacsha256_final(&state, signature);
    buf_char(out, '.');
    part_add(out, signature, sizeof signature);
}

struct tokens *tokens_sign(const char *key_file, const char *voters, uint64_t count,
                           struct why *reterr_why)
{
    AUTO(tokens) tokens = calloc(1, sizeof *tokens);
    struct key key = { .len = 0 };

    assert(count >= 1 && count <= TOKENS_MAX);
    if (sodium_init() < 0 || !key_read(key_file, &key))
        return why_set(reterr_why, "%s holds no key", key_file);
    if (strlen(voters) > JSON_BYTES_MAX / 2)
        return why_set(reterr_why, "%s is too long for voters' names", voters);
    if (!tokens)
        return why_set(reterr_why, "no memory");
    tokens->count = count;
    for (uint64_t n = 0; n < count && buf_ok(&tokens->bytes); n++) {
        token_add(&tokens->bytes, &key, voters, n);
        if (n == 0) {
            tokens->each = tokens->bytes.len;
            /* Room for all, and a NUL behind the last, or else half of it is copied in the end. */
            if (!buf_reserve(&tokens->bytes, tokens->each * (size_t)count + 1))
                break;
        }
    }
    if (!buf_ok(&tokens->bytes))
        return why_set(reterr_why, "no memory for %" PRIu64 " tokens", count);
    assert(tokens->bytes.len == tokens->each * count);
    return TAKE(tokens);
}

void tokens_free(struct tokens *tokens)
{
    if (!tokens)
        return;
    buf_free(&tokens->bytes);
    free(tokens);
}

size_t tokens_each(const struct tokens *tokens)
{
    return tokens->each;
}

const char *tokens_at(const struct tokens *tokens, uint64_t n)
{
    assert(n < tokens->count);
    return tokens->bytes.bytes + n * tokens->each;
}
