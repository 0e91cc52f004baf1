/*
 * token_keys_test.c - the keys of tokens: their files, their age, their turn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "ledger/keys.h"
#include "ledger/keys_file.h"
#include "ledger/token.h"
#include "ledger/token_file.h"
#include "ledger/token_keys.h"

#define HEX_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEX_B "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff101112131415161718191a1b1c1d1e1f"
#define HEX_FRESH "0707070707070707070707070707070707070707070707070707070707070707"
#define VOTERS "voters " HEX_A "\n"
#define SECRET "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define DAY 86400
#define NOW 1700000000

static const struct token_fresh fresh = { "fresh",
                                          { 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
                                            7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7 } };

static int start_sodium(void **state)
{
    (void)state;
    return sodium_init() < 0 ? -1 : 0;
}

struct rewritten {
    const char *when;
    const char *before;
    const char *after;
    enum token_file result;
};

static void check(const struct rewritten *row, bool rotate)
{
    AUTO_SECRET_BUF out = { 0 };
    struct why why = { "" };
    enum token_file result = (rotate ? token_file_rotate : token_file_tend)(
        str_of(row->before), &fresh, 400 * DAY, NOW, &out, &why);

    if (result != row->result || (result == TOKEN_FILE_BROKEN) != (why.text[0] != '\0'))
        fail_msg("%s: %d, %s", row->when, (int)result, why.text);
    if (result != TOKEN_FILE_BROKEN && !str_eq(buf_str(&out), str_of(row->after)))
        fail_msg("%s: %.*s", row->when, (int)out.len, out.bytes);
    if (strstr(why.text, HEX_A) || strstr(why.text, HEX_B))
        fail_msg("%s: a secret in a message", row->when);
}

static void a_tended_file_has_a_key_that_signs_for_long_enough(void **state)
{
    /* 400 d are 34560000 s; NOW - 34560000 is 1665440000. */
    static const struct rewritten rows[] = {
        { "the first start", VOTERS, VOTERS "token fresh " HEX_FRESH " 1700000000 34560000\n",
          TOKEN_FILE_CHANGED },
        { "no newline at the end", "voters x",
          "voters x\ntoken fresh " HEX_FRESH " 1700000000 34560000\n", TOKEN_FILE_CHANGED },
        { "all is well", VOTERS "token a " HEX_A " 1600000000 34560000\n",
          VOTERS "token a " HEX_A " 1600000000 34560000\n", TOKEN_FILE_SAME },
        { "a longer lifetime in the file stays", "token a " HEX_A " 1 50000000\n",
          "token a " HEX_A " 1 50000000\n", TOKEN_FILE_SAME },
        { "a shorter one is raised", "token a " HEX_A " 1 86400\n" VOTERS,
          "token a " HEX_A " 1 34560000\n" VOTERS, TOKEN_FILE_CHANGED },
        { "a retired key is not raised",
          "token a " HEX_A " 1 86400 1699990000\ntoken b " HEX_B " 2 34560000\n",
          "token a " HEX_A " 1 86400 1699990000\ntoken b " HEX_B " 2 34560000\n", TOKEN_FILE_SAME },
        { "its last token may still count, in the leeway",
          "token a " HEX_A " 1 34560000 1665436400\ntoken b " HEX_B " 2 34560000\n",
          "token a " HEX_A " 1 34560000 1665436400\ntoken b " HEX_B " 2 34560000\n",
          TOKEN_FILE_SAME },
        { "its last token has run out",
          "token a " HEX_A " 1 34560000 1665436399\ntoken b " HEX_B " 2 34560000\n",
          "token b " HEX_B " 2 34560000\n", TOKEN_FILE_CHANGED },
        { "all are retired", "token a " HEX_A " 1 86400 1699990000\n",
          "token a " HEX_A " 1 86400 1699990000\ntoken fresh " HEX_FRESH " 1700000000 34560000\n",
          TOKEN_FILE_CHANGED },
        { "other lines are kept", "# by hand\n\ntokens x\nfuture 1 2 3\n",
          "# by hand\n\ntokens x\nfuture 1 2 3\ntoken fresh " HEX_FRESH " 1700000000 34560000\n",
          TOKEN_FILE_CHANGED },
        { "two that sign", "token a " HEX_A " 1 1\ntoken b " HEX_B " 1 1\n", "",
          TOKEN_FILE_BROKEN },
        { "no times", "token a " HEX_A "\n", "", TOKEN_FILE_BROKEN },
        { "a short secret", "token a 0001 1 1\n", "", TOKEN_FILE_BROKEN },
        { "no secret", "token a \n", "", TOKEN_FILE_BROKEN },
        { "no hex", "token a z" HEX_A " 1 1\n", "", TOKEN_FILE_BROKEN },
        { "a time of words", "token a " HEX_A " 1 long\n", "", TOKEN_FILE_BROKEN },
        { "a time beyond all", "token a " HEX_A " 1 9223372036854775807\n", "", TOKEN_FILE_BROKEN },
        { "more behind the end", "token a " HEX_A " 1 1 1 1\n", "", TOKEN_FILE_BROKEN },
        { "a CR at the end", "token a " HEX_A " 1 1\r\n", "", TOKEN_FILE_BROKEN },
        { "two spaces", "token  a " HEX_A " 1 1\n", "", TOKEN_FILE_BROKEN },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(&rows[i], false);
}

static void rotating_retires_the_key_that_signs(void **state)
{
    static const struct rewritten rows[] = {
        { "one key", VOTERS "token a " HEX_A " 1 50000000\n",
          VOTERS "token a " HEX_A " 1 50000000 1700000000\n"
                 "token fresh " HEX_FRESH " 1700000000 34560000\n",
          TOKEN_FILE_CHANGED },
        { "the retired one keeps the lifetime it gave", "token a " HEX_A " 1 86400\n",
          "token a " HEX_A " 1 86400 1700000000\ntoken fresh " HEX_FRESH " 1700000000 34560000\n",
          TOKEN_FILE_CHANGED },
        { "an old and a dead one",
          "token a " HEX_A " 1 1 2\ntoken c " HEX_A " 1 86400 1699990000\n"
          "token b " HEX_B " 2 34560000\n",
          "token c " HEX_A " 1 86400 1699990000\ntoken b " HEX_B " 2 34560000 1700000000\n"
          "token fresh " HEX_FRESH " 1700000000 34560000\n",
          TOKEN_FILE_CHANGED },
        { "no key at all", VOTERS, VOTERS "token fresh " HEX_FRESH " 1700000000 34560000\n",
          TOKEN_FILE_CHANGED },
        { "a broken line", "token a\n", "", TOKEN_FILE_BROKEN },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(&rows[i], true);
}

static void keys_are_not_rotated_without_end(void **state)
{
    AUTO_SECRET_BUF text = { 0 };
    AUTO_SECRET_BUF out = { 0 };
    AUTO_SECRET_BUF too_much = { 0 };
    struct why why = { "" };

    (void)state;
    for (int i = 0; i < TOKEN_KEYS_MAX - 1; i++)
        buf_format(&text, "token k%d " HEX_A " 1 34560000%s\n", i, i > 0 ? " 1699990000" : "");
    assert_int_equal(token_file_rotate(buf_str(&text), &fresh, DAY, NOW, &out, &why),
                     TOKEN_FILE_CHANGED);
    assert_true(out.len <= KEYS_FILE_BYTES_MAX);
    assert_int_equal(token_file_rotate(buf_str(&out), &fresh, DAY, NOW, &too_much, &why),
                     TOKEN_FILE_BROKEN);
}

static void a_broken_file_is_named_by_its_line(void **state)
{
    static const struct {
        const char *own;
        const char *site;
        const char *named; /* NULL: it is taken */
    } rows[] = {
        { VOTERS, "", NULL },
        { VOTERS "token a " HEX_A " 1 1\n", "b " SECRET "\n", NULL },
        { "", "# a comment\n\n  a   " SECRET "\t\n\tb " SECRET "\n", NULL },
        { "", "a " SECRET "=", NULL },
        { "", "a-b.c/d:e " SECRET SECRET "A\n", NULL },
        { VOTERS "token a " HEX_A "\n", "", "line 2 of the keys file" },
        { "token a " HEX_A " 1 1\ntoken a " HEX_B " 1 1 1699999999\n", "",
          "line 2 of the keys file: a second key of that name" },
        { "token a " HEX_A " 1 1\ntoken b " HEX_B " 1 1\n", "", "not retired" },
        { "token a " HEX_A " 1 1\n", "a " SECRET "\n", "line 1 of the site_key_file: there is" },
        { "", "a " SECRET "\na " SECRET "\n", "line 2 of the site_key_file: there is" },
        { "", "\na\n", "line 2 of the site_key_file: the secret" },
        { "", "a AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg\n", "the secret" }, /* 31 bytes */
        { "", "a " SECRET "==\n", "the secret" },
        { "", "a " SECRET "\xC3\xA9\n", "the secret" },
        { "", "a " SECRET " more\n", "the secret" },
        { "", "a AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9\n", "the secret" }, /* loose bits */
        { "", "a +/ECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n", "the secret" },
        { "", "a\"b " SECRET "\n", "a key's name" },
        { "", "\xC3\xA9 " SECRET "\n", "a key's name" },
        { "", "a\rb " SECRET "\n", "a key's name" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct why why = { "" };
        AUTO(token_keys) keys =
            token_keys_new(str_of(rows[i].own), str_of(rows[i].site), NOW, &why);

        if ((keys != NULL) != (rows[i].named == NULL) ||
            (rows[i].named && !strstr(why.text, rows[i].named)))
            fail_msg("row %zu: %s", i, keys ? "taken" : why.text);
        if (strstr(why.text, SECRET) || strstr(why.text, HEX_A))
            fail_msg("row %zu: a secret in a message", i);
    }
}

static void the_longest_lifetime_is_that_of_the_key_that_signs(void **state)
{
    AUTO(token_keys) none = token_keys_new(STR(VOTERS), STR(""), NOW, NULL);
    AUTO(token_keys) one = token_keys_new(STR("token a " HEX_A " 1 7 1699999999\ntoken b " HEX_B
                                              " 1 9\ntoken c " HEX_B " 1 8 1699999999\n"),
                                          STR("zz " SECRET "\naa " SECRET "\n"), NOW, NULL);

    (void)state;
    assert_non_null(none);
    assert_non_null(one);
    assert_int_equal(token_keys_longest_s(none), 0);
    assert_int_equal(token_keys_longest_s(one), 9);
}

static void fresh_keys_differ(void **state)
{
    struct token_fresh one;
    struct token_fresh two;

    (void)state;
    token_fresh_make(&one);
    token_fresh_make(&two);
    assert_int_equal(strlen(one.kid), 8);
    assert_true(strcmp(one.kid, two.kid) != 0);
    assert_true(memcmp(one.secret, two.secret, sizeof one.secret) != 0);
}

static struct str sign_one(const struct token_keys *keys, struct buf *out)
{
    struct token_claims claims = { .sub = STR("anna"), .lifetime_s = 30 * DAY };
    int64_t exp_s;

    assert_int_equal(token_sign(keys, &claims, NOW, out, &exp_s), TOKEN_SIGNED);
    return buf_str(out);
}

static void tokens_outlive_their_key_by_as_long_as_they_last(void **state)
{
    char folder[] = "/tmp/token_keys_test.XXXXXX";
    char path[64];
    struct token_files files = { .keys_path = path, .longest_s = 30 * DAY, .may_write = true };
    struct token_voter voter;
    AUTO_BUF first = { 0 };
    AUTO_BUF second = { 0 };
    AUTO(keys) voters = NULL;
    AUTO(keys) again = NULL;
    AUTO(token_keys) start = NULL;
    AUTO(token_keys) rotated = NULL;
    AUTO(token_keys) restarted = NULL;
    AUTO(token_keys) later = NULL;
    unsigned char print[2][KEY_FINGERPRINT_BYTES];

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/keys", folder);
    voters = keys_open(path, true, NULL);
    assert_non_null(voters);
    start = token_keys_open(&files, NOW, NULL);
    assert_non_null(start);
    (void)sign_one(start, &first);
    rotated = token_keys_rotate(&files, NOW + 10, NULL);
    assert_non_null(rotated);
    (void)sign_one(rotated, &second);

    /* Loops that still hold the old keys do not know the new one; that is why they are swapped. */
    assert_int_equal(token_check(start, buf_str(&second), STR("p"), NOW, &voter),
                     TOKEN_UNKNOWN_KEY);
    restarted = token_keys_open(&files, NOW + 29 * DAY, NULL);
    assert_non_null(restarted);
    assert_int_equal(token_check(restarted, buf_str(&first), STR("p"), NOW + 29 * DAY, &voter),
                     TOKEN_GOOD);
    assert_int_equal(token_check(restarted, buf_str(&second), STR("p"), NOW + 29 * DAY, &voter),
                     TOKEN_GOOD);
    later = token_keys_open(&files, NOW + 31 * DAY, NULL);
    assert_non_null(later);
    assert_int_equal(token_check(later, buf_str(&first), STR("p"), NOW, &voter), TOKEN_UNKNOWN_KEY);
    assert_int_equal(token_check(later, buf_str(&second), STR("p"), NOW, &voter), TOKEN_GOOD);

    again = keys_open(path, false, NULL); /* the key of the voter hashes is the same */
    assert_non_null(again);
    keys_fingerprint(voters, print[0]);
    keys_fingerprint(again, print[1]);
    assert_memory_equal(print[0], print[1], KEY_FINGERPRINT_BYTES);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void a_credential_is_read_but_not_written(void **state)
{
    char folder[] = "/tmp/token_keys_test.XXXXXX";
    char path[64];
    struct token_files files = { .keys_path = path, .longest_s = 30 * DAY };
    AUTO(token_keys) keys = NULL;
    AUTO_SECRET_BUF text = { 0 };
    struct why why = { "" };

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/keys", folder);
    assert_true(keys_file_replace(path, STR(VOTERS "token a " HEX_A " 1 7\n"), NULL));
    keys = token_keys_open(&files, NOW, NULL);
    assert_non_null(keys);
    assert_int_equal(token_keys_longest_s(keys), 7);
    assert_null(token_keys_rotate(&files, NOW, &why));
    assert_non_null(strstr(why.text, "credential"));
    assert_true(keys_file_read(path, KEYS_FILE_OWNER_ONLY, &text, NULL));
    assert_true(str_eq(buf_str(&text), STR(VOTERS "token a " HEX_A " 1 7\n")));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void a_site_file_that_clashes_changes_nothing_on_disk(void **state)
{
    char folder[] = "/tmp/token_keys_test.XXXXXX";
    char path[64];
    char site[64];
    struct token_files files = {
        .keys_path = path, .site_path = site, .longest_s = 30 * DAY, .may_write = true
    };
    AUTO_SECRET_BUF text = { 0 };
    struct why why = { "" };

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/keys", folder);
    (void)snprintf(site, sizeof site, "%s/site", folder);
    assert_true(keys_file_replace(path, STR("token a " HEX_A " 1 7\n"), NULL));
    assert_true(keys_file_replace(site, STR("a " SECRET "\n"), NULL));
    assert_null(token_keys_rotate(&files, NOW, &why));
    assert_null(token_keys_open(&files, NOW, &why));
    assert_true(keys_file_read(path, KEYS_FILE_OWNER_ONLY, &text, NULL));
    assert_true(str_eq(buf_str(&text), STR("token a " HEX_A " 1 7\n")));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(site), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tended_file_has_a_key_that_signs_for_long_enough),
        cmocka_unit_test(rotating_retires_the_key_that_signs),
        cmocka_unit_test(keys_are_not_rotated_without_end),
        cmocka_unit_test(a_broken_file_is_named_by_its_line),
        cmocka_unit_test(the_longest_lifetime_is_that_of_the_key_that_signs),
        cmocka_unit_test(fresh_keys_differ),
        cmocka_unit_test(tokens_outlive_their_key_by_as_long_as_they_last),
        cmocka_unit_test(a_credential_is_read_but_not_written),
        cmocka_unit_test(a_site_file_that_clashes_changes_nothing_on_disk),
    };

    return cmocka_run_group_tests(tests, start_sodium, NULL);
}
