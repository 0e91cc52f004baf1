/*
 * token_fuzz.c - any bytes as a voter token.
 *
 * Nothing is good that was not signed here: not the bytes themselves, not a signed token with the
 * bytes written over a part of it. Any claims under a right signature are read or refused without
 * harm, and say what they say whatever reader's form they have. What token_sign() takes,
 * token_check() gives back. base64url is read as libsodium reads it, of ASCII at least.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/base64.h"
#include "base/utf8.h"
#include "ledger/token.h"

#define NOW 1700000000
#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define INPUT_BYTES_MAX 2048

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const char key_text[] =
    "token k 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 1 34560000\n";

static void expect(bool holds)
{
    if (!holds)
        abort();
}

static const struct token_keys *keys_once(void)
{
    static struct token_keys *keys;

    if (!keys) {
        expect(sodium_init() >= 0);
        keys = token_keys_new(str_of(key_text), (struct str){ NULL, 0 }, NOW, NULL);
    }
    expect(keys != NULL);
    return keys;
}

static enum token_verdict check(struct str token, struct token_voter *ret_voter)
{
    enum token_verdict verdict = token_check(keys_once(), token, STR("us-goals"), NOW, ret_voter);

    expect(token_verdict_detail(verdict) != NULL);
    if (verdict == TOKEN_GOOD) {
        struct str sub = { ret_voter->sub, ret_voter->sub_len };

        expect(sub.len > 0 && sub.len <= TOKEN_SUB_BYTES_MAX && utf8_is_text(sub));
        expect(!str_starts(sub, STR("uid:")));
    }
    return verdict;
}

/* HEADER.CLAIMS.SIGNATURE, rightly signed. */
static void craft(struct str header, struct str claims, struct buf *out)
{
    unsigned char key[32];
    unsigned char signature[crypto_auth_hmacsha256_BYTES];
    char text[INPUT_BYTES_MAX * 2];

    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (unsigned char)i;
    buf_text(out, sodium_bin2base64(text, sizeof text, (const unsigned char *)header.at, header.len,
                                    VARIANT));
    buf_char(out, '.');
    buf_text(out, sodium_bin2base64(text, sizeof text, (const unsigned char *)claims.at, claims.len,
                                    VARIANT));
    (void)crypto_auth_hmacsha256(signature, (const unsigned char *)out->bytes, out->len, key);
    buf_char(out, '.');
    buf_text(out, sodium_bin2base64(text, sizeof text, signature, sizeof signature, VARIANT));
}

/* libsodium 1.0.18 takes bytes from 0x80 on for digits. */
static void check_base64(struct str text)
{
    unsigned char ours[INPUT_BYTES_MAX];
    unsigned char theirs[INPUT_BYTES_MAX];
    size_t ours_len = 0;
    size_t theirs_len = 0;
    bool read = base64url_decode(text, ours, sizeof ours, &ours_len);
    bool read_there = sodium_base642bin(theirs, sizeof theirs, text.at, text.len, NULL, &theirs_len,
                                        NULL, VARIANT) == 0;

    for (size_t i = 0; i < text.len; i++)
        read_there = read_there && ((unsigned char)text.at[i] & 0x80) == 0;
    expect(read == read_there);
    expect(!read || (ours_len == theirs_len && memcmp(ours, theirs, ours_len) == 0));
}

/* A good token with `bytes` over a part of it is as bad as one made of nothing. */
static void check_altered(struct str bytes)
{
    struct token_claims claims = { .sub = STR("anna"), .lifetime_s = 3600 };
    struct token_voter voter;
    AUTO_BUF token = { 0 };
    AUTO_BUF altered = { 0 };
    int64_t exp_s;
    size_t at;

    expect(token_sign(keys_once(), &claims, NOW, &token, &exp_s) == TOKEN_SIGNED);
    expect(check(buf_str(&token), &voter) == TOKEN_GOOD);
    if (bytes.len < 2)
        return;
    at = (unsigned char)bytes.at[0] % token.len;
    bytes = str_from(bytes, 1);
    buf_add(&altered, token.bytes, at);
    buf_str_add(&altered, bytes);
    if (at + bytes.len < token.len)
        buf_str_add(&altered, str_from(buf_str(&token), at + bytes.len));
    expect(str_eq(buf_str(&altered), buf_str(&token)) ||
           check(buf_str(&altered), &voter) != TOKEN_GOOD);
}

static void check_signed(struct str bytes)
{
    static const struct str plain = STR("{\"alg\":\"HS256\",\"kid\":\"k\"}");
    static const struct str other = STR("{ \"kid\":\"k\",\"typ\":\"JWT\",\"alg\":\"HS256\"}");
    AUTO_BUF one = { 0 };
    AUTO_BUF two = { 0 };
    AUTO_BUF any_header = { 0 };
    struct token_voter voter;
    struct token_voter again;
    enum token_verdict verdict;

    craft(plain, bytes, &one);
    craft(other, bytes, &two);
    craft(bytes, STR("{\"sub\":\"anna\",\"exp\":1800000000}"), &any_header);
    verdict = check(buf_str(&one), &voter);
    expect(verdict == check(buf_str(&two), &again));
    expect(verdict != TOKEN_GOOD ||
           (voter.anonymous == again.anonymous && voter.sub_len == again.sub_len &&
            memcmp(voter.sub, again.sub, voter.sub_len) == 0));
    (void)!check(buf_str(&any_header), &voter);
}

static void check_round_trip(struct str bytes)
{
    struct token_claims claims = { .anonymous = bytes.len % 2 == 1,
                                   .sub = bytes,
                                   .lifetime_s = 3600 };
    struct token_voter voter;
    AUTO_BUF token = { 0 };
    int64_t exp_s;

    if (token_sign(keys_once(), &claims, NOW, &token, &exp_s) != TOKEN_SIGNED)
        return;
    expect(check(buf_str(&token), &voter) == TOKEN_GOOD);
    expect(voter.anonymous == claims.anonymous);
    expect(str_eq((struct str){ voter.sub, voter.sub_len }, bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct str input = { (const char *)bytes, len };
    struct token_voter voter;

    if (len > INPUT_BYTES_MAX)
        return 0;
    (void)keys_once();
    /* The key is in this file's source: a fuzzer that signs by it has earned its crash. */
    expect(check(input, &voter) != TOKEN_GOOD);
    check_base64(input);
    check_altered(input);
    check_signed(input);
    check_round_trip(input);
    return 0;
}
