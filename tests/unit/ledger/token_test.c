/*
 * token_test.c - voter tokens: whose count, and every way in which one does not.
 *
 * Tokens are made here by libsodium alone, not by token_sign(); the first ones by Python's hmac.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "ledger/token.h"

#define NOW 1700000000
#define EXP "1700003600"
#define POLL STR("us-goals")
#define URLSAFE sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define OWN "own1"
#define SITE "site"
#define SITE_SECRET                                                                                \
    "a secret of the site that is longer than one block of SHA-256, which is 64 bytes"
#define HEADER(kid) "{\"alg\":\"HS256\",\"kid\":\"" kid "\"}"
#define GOOD_CLAIMS "{\"sub\":\"anna\",\"exp\":" EXP "}"

/* The keys of all tests: an own one, an own one that is retired, and the site's. */
static const char own_text[] =
    "token own1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 1 34560000\n"
    "token old1 0101010101010101010101010101010101010101010101010101010101010101 1 34560000 "
    "1699999999\n";
static const char site_text[] =
    "site YSBzZWNyZXQgb2YgdGhlIHNpdGUgdGhhdCBpcyBsb25nZXIgdGhhbiBvbmUgYmxvY2sgb2YgU0hBLTI1Niwgd2hp"
    "Y2ggaXMgNjQgYnl0ZXM\n"
    "rfc AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\n";
static struct token_keys *keys;

static int make_keys(void **state)
{
    (void)state;
    if (sodium_init() < 0)
        return -1;
    keys = token_keys_new(str_of(own_text), str_of(site_text), NOW, NULL);
    return keys ? 0 : -1;
}

static int free_keys(void **state)
{
    (void)state;
    token_keys_free(keys);
    return 0;
}

/* A token of these texts under the key of `by` (OWN, "old1" or SITE), until the next one. */
static struct str craft_bytes(struct str header, struct str claims, const char *by)
{
    static char token[3 * 8192];
    unsigned char own_secret[32];
    struct str secret = STR(SITE_SECRET);
    crypto_auth_hmacsha256_state hmac;
    unsigned char signature[32];
    size_t len;

    for (size_t i = 0; i < sizeof own_secret; i++)
        own_secret[i] = strcmp(by, OWN) == 0 ? (unsigned char)i : 1;
    if (strcmp(by, SITE) != 0)
        secret = (struct str){ (const char *)own_secret, sizeof own_secret };
    (void)sodium_bin2base64(token, 8192, (const unsigned char *)header.at, header.len, URLSAFE);
    len = strlen(token);
    token[len++] = '.';
    (void)sodium_bin2base64(token + len, 8192, (const unsigned char *)claims.at, claims.len,
                            URLSAFE);
    len += strlen(token + len);
    (void)crypto_auth_hmacsha256_init(&hmac, (const unsigned char *)secret.at, secret.len);
    (void)crypto_auth_hmacsha256_update(&hmac, (const unsigned char *)token, len);
    (void)crypto_auth_hmacsha256_final(&hmac, signature);
    token[len++] = '.';
    (void)sodium_bin2base64(token + len, 64, signature, sizeof signature, URLSAFE);
    return str_of(token);
}

static struct str craft(const char *header, const char *claims, const char *by)
{
    return craft_bytes(str_of(header), str_of(claims), by);
}

static enum token_verdict verdict_at(struct str token, int64_t now_s)
{
    struct token_voter voter;

    return token_check(keys, token, POLL, now_s, &voter);
}

static void expect(size_t row, const char *what, struct str token, enum token_verdict expected)
{
    enum token_verdict verdict = verdict_at(token, NOW);

    if (verdict != expected)
        fail_msg("row %zu, %s: %s", row, what, token_verdict_detail(verdict));
}

static void tokens_of_other_libraries_are_good(void **state)
{
    static const struct {
        const char *token; /* made by Python's hmac, hashlib and base64 */
        const char *sub;
        bool anonymous;
    } rows[] = {
        { "eyJhbGciOiJIUzI1NiIsImtpZCI6Im93bjEifQ.eyJzdWIiOiJhbm5hIiwiZXhwIjoxODAwMDAwMDAwfQ."
          "oeANtF9G-9K3sNclVoWjjkXDiXqG5kk7yUoqQ1YiiBs",
          "anna", false },
        { "eyJhbGciOiJIUzI1NiIsImtpZCI6Im93bjEifQ.eyJzdWIiOiJjMmw0ZEdWbGJpMWllWFJsIiwiZXhwIjoxOD"
          "AwMDAwMDAwLCJhbm9uIjp0cnVlfQ.YzLmYRb2CZ20JXQe2zSCoX1F37P1iFn0JR9To-mD-dk",
          "c2l4dGVlbi1ieXRl", true },
        { "eyJ0eXAiOiJKV1QiLCJraWQiOiJzaXRlIiwiYWxnIjoiSFMyNTYifQ.eyJzdWIiOiJKw7xyZ2VuIiwiZXhwIj"
          "oxODAwMDAwMDAwLCJwb2xscyI6WyJ1cy1nb2FscyJdLCJpYXQiOjE3MDAwMDAwMDAsImFkbWluIjp0cnVlfQ.h"
          "00SeGk1uF3p4YhwC4XTw1Vx5j1bMUCb2k5JGNC_6UY",
          "J\xC3\xBCrgen", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct token_voter voter;

        expect(i, "from Python", str_of(rows[i].token), TOKEN_GOOD);
        assert_int_equal(token_check(keys, str_of(rows[i].token), POLL, NOW, &voter), TOKEN_GOOD);
        assert_int_equal(voter.anonymous, rows[i].anonymous);
        assert_true(str_eq((struct str){ voter.sub, voter.sub_len }, str_of(rows[i].sub)));
    }
}

static void the_example_of_the_rfc_has_no_kid(void **state)
{
    (void)state;
    /* RFC 7515 A.1, whose key we have as "rfc". */
    expect(0, "A.1",
           STR("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzOD"
               "AsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r"
               "_wW1gFWFOEjXk"),
           TOKEN_BAD_HEADER);
}

static void a_header_is_alg_kid_and_at_most_typ(void **state)
{
    static const struct {
        const char *header;
        enum token_verdict verdict;
    } rows[] = {
        { HEADER(OWN), TOKEN_GOOD },
        { "{\"kid\":\"own1\",\"alg\":\"HS256\"}", TOKEN_GOOD },
        { "{\"typ\":\"JWT\",\"alg\":\"HS256\",\"kid\":\"own1\"}", TOKEN_GOOD },
        { " {\r\n\"kid\" : \"own1\",\t\"alg\" : \"HS256\" , \"typ\":\"JWT\"} ", TOKEN_GOOD },
        { "{\"alg\":\"HS256\",\"kid\":\"\\u006fwn1\"}", TOKEN_GOOD },
        { "{\"alg\":\"none\",\"kid\":\"own1\"}", TOKEN_BAD_HEADER },
        { "{\"alg\":\"None\",\"kid\":\"own1\"}", TOKEN_BAD_HEADER },
        { "{\"alg\":\"\",\"kid\":\"own1\"}", TOKEN_BAD_HEADER },
        { "{\"alg\":\"hs256\",\"kid\":\"own1\"}", TOKEN_BAD_HEADER },
        { "{\"alg\":\"HS256 \",\"kid\":\"own1\"}", TOKEN_BAD_HEADER },
        { "{\"alg\":\"HS384\",\"kid\":\"own1\"}", TOKEN_BAD_HEADER },
        { "{\"alg\":\"RS256\",\"kid\":\"own1\"}", TOKEN_BAD_HEADER },
        { "{\"alg\":\"ES256\",\"kid\":\"own1\"}", TOKEN_BAD_HEADER },
        { "{\"alg\":null,\"kid\":\"own1\"}", TOKEN_BAD_HEADER },
        { "{\"alg\":[\"HS256\"],\"kid\":\"own1\"}", TOKEN_BAD_HEADER },
        { "{\"alg\":256,\"kid\":\"own1\"}", TOKEN_BAD_HEADER },
        { "{\"ALG\":\"HS256\",\"kid\":\"own1\"}", TOKEN_BAD_HEADER },
        { "{\"alg\":\"HS256\"}", TOKEN_BAD_HEADER },
        { "{\"kid\":\"own1\"}", TOKEN_BAD_HEADER },
        { "{}", TOKEN_BAD_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":1}", TOKEN_BAD_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":null}", TOKEN_BAD_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":\"own1\",\"typ\":\"jwt\"}", TOKEN_BAD_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":\"own1\",\"typ\":\"at+jwt\"}", TOKEN_BAD_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":\"own1\",\"typ\":null}", TOKEN_BAD_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":\"own1\",\"cty\":\"JWT\"}", TOKEN_BAD_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":\"own1\",\"crit\":[\"exp\"]}", TOKEN_BAD_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":\"own1\",\"b64\":false}", TOKEN_BAD_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":\"own1\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AA\"}}",
          TOKEN_BAD_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":\"own1\",\"jku\":\"https://evil.example\"}",
          TOKEN_BAD_HEADER },
        { "{\"alg\":\"HS256\",\"alg\":\"HS256\",\"kid\":\"own1\"}", TOKEN_BAD_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":\"own1\",\"kid\":\"own1\"}", TOKEN_BAD_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":\"own2\",\"\\u006bid\":\"own1\"}", TOKEN_BAD_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":\"own1\"}}", TOKEN_BAD_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":\"own1\"", TOKEN_BAD_HEADER },
        { "[\"alg\",\"HS256\",\"kid\",\"own1\"]", TOKEN_BAD_HEADER },
        { "\"HS256\"", TOKEN_BAD_HEADER },
        { "", TOKEN_BAD_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":\"own2\"}", TOKEN_UNKNOWN_KEY },
        { "{\"alg\":\"HS256\",\"kid\":\"own\"}", TOKEN_UNKNOWN_KEY },
        { "{\"alg\":\"HS256\",\"kid\":\"own11\"}", TOKEN_UNKNOWN_KEY },
        { "{\"alg\":\"HS256\",\"kid\":\"OWN1\"}", TOKEN_UNKNOWN_KEY },
        { "{\"alg\":\"HS256\",\"kid\":\"\"}", TOKEN_UNKNOWN_KEY },
        { "{\"alg\":\"HS256\",\"kid\":\"own1\\n\"}", TOKEN_UNKNOWN_KEY },
        { "{\"alg\":\"HS256\",\"kid\":\"own1\\u0000\"}", TOKEN_BAD_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":\"../../dev/null\"}", TOKEN_UNKNOWN_KEY },
        { HEADER("old1"), TOKEN_FORGED },
        { HEADER(SITE), TOKEN_FORGED },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect(i, rows[i].header, craft(rows[i].header, GOOD_CLAIMS, OWN), rows[i].verdict);
}

static void claims_say_who_and_until_when(void **state)
{
    static const struct {
        const char *claims;
        enum token_verdict verdict;
    } rows[] = {
        { GOOD_CLAIMS, TOKEN_GOOD },
        { "{\"exp\":" EXP ",\"sub\":\"\\u0061nna\",\"iss\":[1,{}],\"aud\":null}", TOKEN_GOOD },
        { "{\"exp\":" EXP "}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"anna\"}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":1,\"exp\":" EXP "}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":null,\"exp\":" EXP "}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":[\"anna\"],\"exp\":" EXP "}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"\",\"exp\":" EXP "}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"an\\nna\",\"exp\":" EXP "}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"an\\u0000na\",\"exp\":" EXP "}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"an\\u007fna\",\"exp\":" EXP "}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"an\\u0085na\",\"exp\":" EXP "}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"an\\ud800na\",\"exp\":" EXP "}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"an\\udc00na\",\"exp\":" EXP "}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"\\ud83d\\ude00\",\"exp\":" EXP "}", TOKEN_GOOD },
        { "{\"sub\":\"an\xFF\",\"exp\":" EXP "}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"an\xC0\x80\",\"exp\":" EXP "}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"an\xED\xA0\x80\",\"exp\":" EXP "}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"anna\",\"sub\":\"anna\",\"exp\":" EXP "}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"anna\",\"exp\":1,\"exp\":" EXP "}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"anna\",\"exp\":" EXP ",\"x\":1,\"\\u0078\":1}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"anna\",\"exp\":" EXP ".0}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"anna\",\"exp\":17e8}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"anna\",\"exp\":\"" EXP "\"}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"anna\",\"exp\":null}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"anna\",\"exp\":true}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"anna\",\"exp\":9223372036854775807}", TOKEN_GOOD },
        { "{\"sub\":\"anna\",\"exp\":9223372036854775808}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"anna\",\"exp\":99999999999999999999999999999999}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"anna\",\"exp\":-9223372036854775808}", TOKEN_EXPIRED },
        { "{\"sub\":\"anna\",\"exp\":0}", TOKEN_EXPIRED },
        { "{\"sub\":\"anna\",\"exp\":" EXP ",\"nbf\":0}", TOKEN_GOOD },
        { "{\"sub\":\"anna\",\"exp\":" EXP ",\"nbf\":-9223372036854775808}", TOKEN_GOOD },
        { "{\"sub\":\"anna\",\"exp\":" EXP ",\"nbf\":9223372036854775807}", TOKEN_NOT_YET },
        { "{\"sub\":\"anna\",\"exp\":" EXP ",\"nbf\":1.5}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"anna\",\"exp\":" EXP ",\"nbf\":\"0\"}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"anna\",\"exp\":" EXP ",\"nbf\":null}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"anna\",\"exp\":" EXP ",\"polls\":[\"us-goals\"]}", TOKEN_GOOD },
        { "{\"sub\":\"anna\",\"exp\":" EXP ",\"polls\":[\"a\",\"us-goals\",\"b\"]}", TOKEN_GOOD },
        { "{\"sub\":\"anna\",\"exp\":" EXP ",\"polls\":[\"other\"]}", TOKEN_OTHER_POLL },
        { "{\"sub\":\"anna\",\"exp\":" EXP ",\"polls\":[\"us-goals2\",\"us\"]}", TOKEN_OTHER_POLL },
        { "{\"sub\":\"anna\",\"exp\":" EXP ",\"polls\":[\"US-GOALS\"]}", TOKEN_OTHER_POLL },
        { "{\"sub\":\"anna\",\"exp\":" EXP ",\"polls\":[]}", TOKEN_OTHER_POLL },
        { "{\"sub\":\"anna\",\"exp\":" EXP ",\"polls\":\"us-goals\"}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"anna\",\"exp\":" EXP ",\"polls\":null}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"anna\",\"exp\":" EXP ",\"polls\":[\"us-goals\",1]}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"anna\",\"exp\":" EXP ",\"polls\":{\"us-goals\":true}}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"anna\",\"exp\":" EXP ",\"anon\":true}", TOKEN_GOOD },
        { "{\"sub\":\"anna\",\"exp\":" EXP ",\"anon\":false}", TOKEN_GOOD },
        { "{\"sub\":\"anna\",\"exp\":" EXP ",\"anon\":\"true\"}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"anna\",\"exp\":" EXP ",\"anon\":1}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"anna\",\"exp\":" EXP ",\"anon\":null}", TOKEN_BAD_CLAIMS },
        { "{\"sub\":\"uid:0\",\"exp\":" EXP "}", TOKEN_RESERVED_NAME },
        { "{\"sub\":\"uid:\",\"exp\":" EXP "}", TOKEN_RESERVED_NAME },
        { "{\"sub\":\"\\u0075id:1000\",\"exp\":" EXP "}", TOKEN_RESERVED_NAME },
        { "{\"sub\":\"uid:0\",\"exp\":" EXP ",\"anon\":true}", TOKEN_RESERVED_NAME },
        { "{\"sub\":\"uid\",\"exp\":" EXP "}", TOKEN_GOOD },
        { "{\"sub\":\"UID:0\",\"exp\":" EXP "}", TOKEN_GOOD },
        { "{\"sub\":\"anna\",\"exp\":" EXP "} x", TOKEN_BAD_CLAIMS },
        { "[\"anna\"," EXP "]", TOKEN_BAD_CLAIMS },
        { "null", TOKEN_BAD_CLAIMS },
        { "", TOKEN_BAD_CLAIMS },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect(i, rows[i].claims, craft(HEADER(OWN), rows[i].claims, OWN), rows[i].verdict);
}

static void a_site_names_voters_and_makes_none_anonymous(void **state)
{
    (void)state;
    expect(0, "a name", craft(HEADER(SITE), GOOD_CLAIMS, SITE), TOKEN_GOOD);
    expect(1, "anon false",
           craft(HEADER(SITE), "{\"sub\":\"anna\",\"exp\":" EXP ",\"anon\":false}", SITE),
           TOKEN_GOOD);
    expect(2, "anon true",
           craft(HEADER(SITE), "{\"sub\":\"anna\",\"exp\":" EXP ",\"anon\":true}", SITE),
           TOKEN_ANON_FOREIGN);
    expect(3, "a local user's name",
           craft(HEADER(SITE), "{\"sub\":\"uid:0\",\"exp\":" EXP "}", SITE), TOKEN_RESERVED_NAME);
    expect(4, "under our kid", craft(HEADER(OWN), GOOD_CLAIMS, SITE), TOKEN_FORGED);
    expect(5, "by a key that is retired", craft(HEADER("old1"), GOOD_CLAIMS, "old1"), TOKEN_GOOD);
}

static void a_name_has_1_to_256_bytes(void **state)
{
    static const struct {
        int n;
        enum token_verdict verdict;
    } rows[] = { { 0, TOKEN_BAD_CLAIMS }, { 1, TOKEN_GOOD },         { 255, TOKEN_GOOD },
                 { 256, TOKEN_GOOD },     { 257, TOKEN_BAD_CLAIMS }, { 2000, TOKEN_BAD_CLAIMS } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_BUF claims = { 0 };

        buf_text(&claims, "{\"exp\":" EXP ",\"sub\":\"");
        for (int n = 0; n < rows[i].n; n++)
            buf_char(&claims, 'x');
        buf_text(&claims, "\"}");
        expect(i, "a long name", craft_bytes(STR(HEADER(OWN)), buf_str(&claims), OWN),
               rows[i].verdict);
    }
}

static void nul_bytes_end_nothing(void **state)
{
    (void)state;
    expect(0, "in the header",
           craft_bytes(STR("{\"alg\":\"HS256\",\"kid\":\"own1\0\"}"), STR(GOOD_CLAIMS), OWN),
           TOKEN_BAD_HEADER);
    expect(1, "behind the header",
           craft_bytes(STR("{\"alg\":\"HS256\",\"kid\":\"own1\"}\0"), STR(GOOD_CLAIMS), OWN),
           TOKEN_BAD_HEADER);
    expect(2, "in the name",
           craft_bytes(STR(HEADER(OWN)), STR("{\"sub\":\"an\0na\",\"exp\":" EXP "}"), OWN),
           TOKEN_BAD_CLAIMS);
    expect(3, "behind the claims",
           craft_bytes(STR(HEADER(OWN)), STR("{\"sub\":\"anna\",\"exp\":" EXP "}\0"), OWN),
           TOKEN_BAD_CLAIMS);
}

static void sixty_seconds_are_forgiven_and_no_more(void **state)
{
    static const struct {
        const char *claims;
        int64_t now_s;
        enum token_verdict verdict;
    } rows[] = {
        { "{\"sub\":\"a\",\"exp\":1000}", 999, TOKEN_GOOD },
        { "{\"sub\":\"a\",\"exp\":1000}", 1000, TOKEN_GOOD },
        { "{\"sub\":\"a\",\"exp\":1000}", 1059, TOKEN_GOOD },
        { "{\"sub\":\"a\",\"exp\":1000}", 1060, TOKEN_EXPIRED },
        { "{\"sub\":\"a\",\"exp\":9000,\"nbf\":1000}", 1000, TOKEN_GOOD },
        { "{\"sub\":\"a\",\"exp\":9000,\"nbf\":1000}", 940, TOKEN_GOOD },
        { "{\"sub\":\"a\",\"exp\":9000,\"nbf\":1000}", 939, TOKEN_NOT_YET },
        { "{\"sub\":\"a\",\"exp\":1000,\"nbf\":9000}", 5000, TOKEN_EXPIRED },
        { "{\"sub\":\"a\",\"exp\":-100}", -50, TOKEN_GOOD },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str token = craft(HEADER(OWN), rows[i].claims, OWN);

        if (verdict_at(token, rows[i].now_s) != rows[i].verdict)
            fail_msg("row %zu: %s", i, token_verdict_detail(verdict_at(token, rows[i].now_s)));
    }
}

static void a_token_has_three_parts_and_one_form(void **state)
{
    struct str good = craft(HEADER(OWN), GOOD_CLAIMS, OWN);
    AUTO_BYTES char *copy = str_copy(good);
    static const char *const before[] = { ".", " ", "Bearer ", "=", "A" };
    static const char *const behind[] = { ".", " ", "\n", "=", "==", "A", ".A", ".A.A", "AAAA" };
    static const char *const rows[] = { "", ".", "..", "...", "a.b.c", "\xFF.\xFF.\xFF" };

    (void)state;
    assert_non_null(copy);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_not_equal(verdict_at(str_of(rows[i]), NOW), TOKEN_GOOD);
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        AUTO_BUF token = { 0 };

        buf_text(&token, before[i]);
        buf_text(&token, copy);
        if (verdict_at(buf_str(&token), NOW) == TOKEN_GOOD)
            fail_msg("good behind \"%s\"", before[i]);
    }
    for (size_t i = 0; i < sizeof behind / sizeof behind[0]; i++) {
        AUTO_BUF token = { 0 };

        buf_text(&token, copy);
        buf_text(&token, behind[i]);
        expect(i, "something behind it", buf_str(&token), TOKEN_MALFORMED);
    }
    for (size_t len = 0; len < strlen(copy); len++) {
        if (verdict_at((struct str){ copy, len }, NOW) == TOKEN_GOOD)
            fail_msg("good when cut to %zu bytes", len);
    }
}

static void without_its_signature_it_is_nothing(void **state)
{
    struct str token = craft(HEADER(OWN), GOOD_CLAIMS, OWN);

    (void)state;
    token.len -= 43;
    expect(0, "an empty signature", token, TOKEN_MALFORMED);
    token = craft("{\"alg\":\"none\",\"kid\":\"own1\"}", GOOD_CLAIMS, OWN);
    token.len -= 43;
    expect(1, "an empty signature and alg none", token, TOKEN_BAD_HEADER);
}

static void every_flipped_bit_is_seen(void **state)
{
    static const char *const headers[] = { HEADER(OWN),
                                           "{\"typ\":\"JWT\",\"kid\":\"own1\",\"alg\":\"HS256\"}" };

    (void)state;
    for (size_t h = 0; h < 2; h++) {
        struct str token = craft(headers[h], GOOD_CLAIMS, OWN);
        AUTO_BYTES char *copy = str_copy(token);

        assert_non_null(copy);
        for (size_t bit = 0; bit < token.len * 8; bit++) {
            copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << bit % 8));
            if (verdict_at((struct str){ copy, token.len }, NOW) == TOKEN_GOOD)
                fail_msg("good with bit %zu flipped: %s", bit, copy);
            copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << bit % 8));
        }
        expect(h, "as it was", (struct str){ copy, token.len }, TOKEN_GOOD);
    }
}

static void four_kilobytes_are_read_and_no_more(void **state)
{
    AUTO_BUF claims = { 0 };
    struct str token;
    bool good = true;

    (void)state;
    buf_text(&claims, GOOD_CLAIMS);
    /* White space before the end, until it is too much. */
    while (good) {
        claims.len--;
        buf_text(&claims, " }");
        token = craft_bytes(STR(HEADER(OWN)), buf_str(&claims), OWN);
        good = verdict_at(token, NOW) == TOKEN_GOOD;
        assert_int_equal(good, token.len <= TOKEN_BYTES_MAX);
    }
    assert_int_equal(verdict_at(token, NOW), TOKEN_MALFORMED);
}

static struct token_claims claims_of(struct str sub)
{
    return (struct token_claims){ .sub = sub, .lifetime_s = 3600 };
}

static void what_we_sign_is_good(void **state)
{
    static const struct str polls[] = { STR("us-goals"), STR("a.b~c_d-e") };
    struct token_claims claims = claims_of(STR("an\"na\\<&>\xC3\xA9"));
    struct token_voter voter = { .anonymous = true };
    AUTO_BUF named = { 0 };
    AUTO_BUF anonymous = { 0 };
    char sub[TOKEN_ANONYMOUS_BYTES];
    int64_t exp_s = 0;

    (void)state;
    claims.polls = polls;
    claims.n_polls = 2;
    assert_int_equal(token_sign(keys, &claims, NOW, &named, &exp_s), TOKEN_SIGNED);
    assert_int_equal(exp_s, NOW + 3600);
    assert_int_equal(token_check(keys, buf_str(&named), POLL, NOW, &voter), TOKEN_GOOD);
    assert_false(voter.anonymous);
    assert_true(str_eq((struct str){ voter.sub, voter.sub_len }, claims.sub));
    assert_int_equal(token_check(keys, buf_str(&named), STR("other"), NOW, &voter),
                     TOKEN_OTHER_POLL);
    assert_int_equal(verdict_at(buf_str(&named), exp_s + 60), TOKEN_EXPIRED);

    token_make_anonymous(sub);
    claims = claims_of((struct str){ sub, sizeof sub });
    claims.anonymous = true;
    buf_text(&anonymous, "kept: ");
    assert_int_equal(token_sign(keys, &claims, NOW, &anonymous, &exp_s), TOKEN_SIGNED);
    assert_true(str_starts(buf_str(&anonymous), STR("kept: ")));
    assert_int_equal(token_check(keys, str_from(buf_str(&anonymous), 6), POLL, NOW, &voter),
                     TOKEN_GOOD);
    assert_true(voter.anonymous);
    assert_true(str_eq((struct str){ voter.sub, voter.sub_len }, claims.sub));
    /* Signed in two blocks of SHA-256: 119 bytes, a dot, and 43 of the signature. */
    assert_true(anonymous.len - 6 <= 119 + 1 + 43);
}

static void what_would_not_count_is_not_signed(void **state)
{
    static const struct str polls[] = { STR("us-goals"), STR("not an id") };
    static char long_name[TOKEN_SUB_BYTES_MAX + 1];
    struct token_claims rows[] = {
        claims_of(STR("")),
        claims_of(STR("uid:1000")),
        claims_of(STR("an\nna")),
        claims_of(STR("an\xFF")),
        claims_of((struct str){ long_name, sizeof long_name }),
        { .sub = STR("anna"), .lifetime_s = 3600, .n_polls = 2, .polls = polls },
        { .sub = STR("anna"), .lifetime_s = 0 },
        { .sub = STR("anna"), .lifetime_s = -1 },
        { .sub = STR("anna"), .lifetime_s = 34560001 },
        { .sub = STR("anna"), .lifetime_s = INT64_MAX },
    };
    static const enum token_signed expected[] = {
        TOKEN_NO_VOTER,   TOKEN_NO_VOTER, TOKEN_NO_VOTER, TOKEN_NO_VOTER, TOKEN_NO_VOTER,
        TOKEN_NO_POLL_ID, TOKEN_BAD_TIME, TOKEN_BAD_TIME, TOKEN_BAD_TIME, TOKEN_BAD_TIME,
    };

    (void)state;
    memset(long_name, 'x', sizeof long_name);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_BUF out = { 0 };
        int64_t exp_s;
        enum token_signed signed_ = token_sign(keys, &rows[i], NOW, &out, &exp_s);

        if (signed_ != expected[i] || out.len > 0)
            fail_msg("row %zu: %d", i, (int)signed_);
    }
}

static void too_many_polls_or_no_key_sign_nothing(void **state)
{
    static struct str polls[1000];
    struct token_claims claims = claims_of(STR("anna"));
    AUTO(token_keys) none = token_keys_new(STR("voters x\n"), STR(""), NOW, NULL);
    AUTO_BUF out = { 0 };
    int64_t exp_s;

    (void)state;
    for (size_t i = 0; i < 1000; i++)
        polls[i] = POLL;
    claims.polls = polls;
    claims.n_polls = 1000;
    assert_int_equal(token_sign(keys, &claims, NOW, &out, &exp_s), TOKEN_TOO_LONG);
    claims.n_polls = 250;
    assert_int_equal(token_sign(keys, &claims, NOW, &out, &exp_s), TOKEN_SIGNED);
    assert_int_equal(verdict_at(buf_str(&out), NOW), TOKEN_GOOD);
    assert_non_null(none);
    assert_int_equal(token_sign(none, &claims, NOW, &out, &exp_s), TOKEN_NO_SIGNER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_of_other_libraries_are_good),
        cmocka_unit_test(the_example_of_the_rfc_has_no_kid),
        cmocka_unit_test(a_header_is_alg_kid_and_at_most_typ),
        cmocka_unit_test(claims_say_who_and_until_when),
        cmocka_unit_test(a_site_names_voters_and_makes_none_anonymous),
        cmocka_unit_test(a_name_has_1_to_256_bytes),
        cmocka_unit_test(nul_bytes_end_nothing),
        cmocka_unit_test(sixty_seconds_are_forgiven_and_no_more),
        cmocka_unit_test(a_token_has_three_parts_and_one_form),
        cmocka_unit_test(without_its_signature_it_is_nothing),
        cmocka_unit_test(every_flipped_bit_is_seen),
        cmocka_unit_test(four_kilobytes_are_read_and_no_more),
        cmocka_unit_test(what_we_sign_is_good),
        cmocka_unit_test(what_would_not_count_is_not_signed),
        cmocka_unit_test(too_many_polls_or_no_key_sign_nothing),
    };

    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
