/*
 * http1_chunked_test.c - chunked bodies, whole and cut at every byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/http1.h"

/* Feeds `bytes` in two parts. Returns how it ended; what was decoded is in `body`. */
static enum http1_chunk_result decode(struct str bytes, size_t cut, char *body, size_t *ret_len,
                                      size_t *ret_used)
{
    struct http1_chunked chunked = { 0 };
    enum http1_chunk_result result = CHUNK_MORE;
    size_t at = 0;

    *ret_len = 0;
    for (int part = 0; part < 2 && result != CHUNK_DONE && result != CHUNK_BAD; part++) {
        size_t end = part == 0 ? cut : bytes.len;

        do {
            struct str data;
            size_t used;

            result = http1_chunked(&chunked, (struct str){ bytes.at + at, end - at }, &used, &data);
            at += used;
            if (result == CHUNK_DATA) {
                memcpy(body + *ret_len, data.at, data.len);
                *ret_len += data.len;
            }
        } while (result == CHUNK_DATA);
    }
    *ret_used = at;
    return result;
}

static void a_chunked_body_is_the_same_wherever_it_is_cut(void **state)
{
    static const struct {
        const char *bytes;
        const char *body;
    } rows[] = {
        { "0\r\n\r\n", "" },
        { "5\r\nhello\r\n0\r\n\r\n", "hello" },
        { "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", "abc" },
        { "A\r\n0123456789\r\n0\r\n\r\n", "0123456789" },
        { "00a\r\n0123456789\r\n000\r\n\r\n", "0123456789" },
        { "1;x\r\na\r\n0;y=z\r\n\r\n", "a" },
        { "1;x;y=z\t;\tv=\"\"\r\na\r\n0\r\n\r\n", "a" },
        { "1 ; x = \"q\\\"r\"\r\na\r\n0\r\n\r\n", "a" },
        { "1\r\na\r\n0\r\nX: y\r\nZ:\r\n\r\n", "a" },
        { "2\r\n\r\n\r\n0\r\n\r\n", "\r\n" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t len = strlen(rows[i].bytes);

        for (size_t cut = 0; cut <= len; cut++) {
            char body[64];
            size_t got;
            size_t used;
            enum http1_chunk_result result =
                decode((struct str){ rows[i].bytes, len }, cut, body, &got, &used);

            if (result != CHUNK_DONE || used != len || got != strlen(rows[i].body) ||
                memcmp(body, rows[i].body, got) != 0)
                fail_msg("row %zu cut at %zu: result %d, %zu bytes", i, cut, (int)result, got);
        }
    }
}

static void what_breaks_the_grammar_is_bad_wherever_it_is_cut(void **state)
{
    static const char *const rows[] = {
        "x\r\n",
        "\r\n",
        " 1\r\na\r\n0\r\n\r\n",
        "-1\r\n",
        "0x1\r\na\r\n",
        "1\na\r\n0\r\n\r\n",
        "1\r\nab\r\n",
        "1\r\na\n0\r\n\r\n",
        "1\r\na0\r\n\r\n",
        "1;\x01\r\n",
        "1;x=\"\x01\"\r\n",
        "1 x\r\n",
        "1 \r\n",
        "1;\r\n",
        "1;=x\r\n",
        "1;a=\r\n",
        "1;a=\"b\"c\r\n",
        "1;a=b c\r\n",
        "1;a b\r\n",
        "1;a;;b\r\n",
        "1;a \r\n",
        "1;\"a\"\r\n",
        "8000000000000000\r\n",
        "10000000000000000\r\n",
        "0\r\n X: y\r\n\r\n",
        "0\r\nX y: z\r\n\r\n",
        "0\r\nX\r\n\r\n",
        "0\r\nX: \x01\r\n\r\n",
        "0\r\n\n",
        "1\r\ra",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t cut = 0; cut <= strlen(rows[i]); cut++) {
            char body[64];
            size_t got;
            size_t used;

            if (decode(str_of(rows[i]), cut, body, &got, &used) != CHUNK_BAD)
                fail_msg("row %zu cut at %zu is taken", i, cut);
        }
    }
}

static enum http1_chunk_result extension_of(size_t len)
{
    static char bytes[16 * 1024];
    char body[1];
    size_t got;
    size_t used;

    memset(bytes, 'x', sizeof bytes);
    memcpy(bytes, "0;", 2);
    return decode((struct str){ bytes, len }, len, body, &got, &used);
}

static void an_endless_extension_is_bad(void **state)
{
    (void)state;
    assert_int_equal(extension_of(4096), CHUNK_MORE);
    assert_int_equal(extension_of(4097), CHUNK_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chunked_body_is_the_same_wherever_it_is_cut),
        cmocka_unit_test(what_breaks_the_grammar_is_bad_wherever_it_is_cut),
        cmocka_unit_test(an_endless_extension_is_bad),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
