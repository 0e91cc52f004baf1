/*
 * http1_test.c - raw requests and their exact outcome.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/http1.h"

#define H "Host: a\r\n"
#define END "\r\n"
#define GET "GET / HTTP/1.1\r\n" H

struct good {
    const char *bytes;
    enum http1_method method;
    const char *path;
    const char *query; /* NULL: there is none */
    const char *host;
    enum http1_body body;
    uint64_t length;
    bool keep_alive;
};

static const struct good good[] = {
    { GET END, METHOD_GET, "/", NULL, "a", BODY_NONE, 0, true },
    { "\r\n" GET END, METHOD_GET, "/", NULL, "a", BODY_NONE, 0, true },
    { "HEAD / HTTP/1.1\r\n" H END, METHOD_HEAD, "/", NULL, "a", BODY_NONE, 0, true },
    { "POST /v HTTP/1.1\r\n" H END, METHOD_POST, "/v", NULL, "a", BODY_NONE, 0, true },
    { "PUT /v HTTP/1.1\r\n" H END, METHOD_PUT, "/v", NULL, "a", BODY_NONE, 0, true },
    { "PATCH /v HTTP/1.1\r\n" H END, METHOD_PATCH, "/v", NULL, "a", BODY_NONE, 0, true },
    { "DELETE /v HTTP/1.1\r\n" H END, METHOD_DELETE, "/v", NULL, "a", BODY_NONE, 0, true },
    { "OPTIONS * HTTP/1.1\r\n" H END, METHOD_OPTIONS, "*", NULL, "a", BODY_NONE, 0, true },
    { "OPTIONS /v HTTP/1.1\r\n" H END, METHOD_OPTIONS, "/v", NULL, "a", BODY_NONE, 0, true },
    { "TRACE / HTTP/1.1\r\n" H END, METHOD_OTHER, "/", NULL, "a", BODY_NONE, 0, true },
    { "get / HTTP/1.1\r\n" H END, METHOD_OTHER, "/", NULL, "a", BODY_NONE, 0, true },
    { "CONNECT a:443 HTTP/1.1\r\n" H END, METHOD_OTHER, "a:443", NULL, "a", BODY_NONE, 0, true },
    { "M-SEARCH / HTTP/1.1\r\n" H END, METHOD_OTHER, "/", NULL, "a", BODY_NONE, 0, true },
    { "GET /a/b%2Fc HTTP/1.1\r\n" H END, METHOD_GET, "/a/b%2Fc", NULL, "a", BODY_NONE, 0, true },
    { "GET /a?b=c&d HTTP/1.1\r\n" H END, METHOD_GET, "/a", "b=c&d", "a", BODY_NONE, 0, true },
    { "GET /a? HTTP/1.1\r\n" H END, METHOD_GET, "/a", "", "a", BODY_NONE, 0, true },
    { "GET /a?b?c HTTP/1.1\r\n" H END, METHOD_GET, "/a", "b?c", "a", BODY_NONE, 0, true },
    { "GET //x HTTP/1.1\r\n" H END, METHOD_GET, "//x", NULL, "a", BODY_NONE, 0, true },
    { "GET http://b/c?d HTTP/1.1\r\n" H END, METHOD_GET, "/c", "d", "b", BODY_NONE, 0, true },
    { "GET HTTP://b:80/ HTTP/1.1\r\n" H END, METHOD_GET, "/", NULL, "b:80", BODY_NONE, 0, true },
    { "GET https://b HTTP/1.1\r\n" H END, METHOD_GET, "/", NULL, "b", BODY_NONE, 0, true },
    { "GET http://b?q HTTP/1.1\r\n" H END, METHOD_GET, "/", "q", "b", BODY_NONE, 0, true },
    { "GET http://[::1]:8/ HTTP/1.1\r\n" H END, METHOD_GET, "/", NULL, "[::1]:8", BODY_NONE, 0,
      true },
    { "GET / HTTP/1.1\r\nHost:\r\n" END, METHOD_GET, "/", NULL, "", BODY_NONE, 0, true },
    { "GET / HTTP/1.1\r\nHost:a:80\r\n" END, METHOD_GET, "/", NULL, "a:80", BODY_NONE, 0, true },
    { "GET / HTTP/1.1\r\nhOsT: \t a \t\r\n" END, METHOD_GET, "/", NULL, "a", BODY_NONE, 0, true },
    { "GET / HTTP/1.1\r\nHost: [::1]\r\n" END, METHOD_GET, "/", NULL, "[::1]", BODY_NONE, 0, true },
    { "GET / HTTP/1.0\r\n" END, METHOD_GET, "/", NULL, "", BODY_NONE, 0, false },
    { "GET / HTTP/1.0\r\nConnection: keep-alive\r\n" END, METHOD_GET, "/", NULL, "", BODY_NONE, 0,
      true },
    { GET "Connection: close\r\n" END, METHOD_GET, "/", NULL, "a", BODY_NONE, 0, false },
    { GET "Connection: x, CLOSE\r\n" END, METHOD_GET, "/", NULL, "a", BODY_NONE, 0, false },
    { GET "Connection: keep-alive\r\nConnection: close\r\n" END, METHOD_GET, "/", NULL, "a",
      BODY_NONE, 0, false },
    { GET "Content-Length: 0\r\n" END, METHOD_GET, "/", NULL, "a", BODY_LENGTH, 0, true },
    { GET "Content-Length: 12\r\n" END, METHOD_GET, "/", NULL, "a", BODY_LENGTH, 12, true },
    { GET "content-length:007\r\n" END, METHOD_GET, "/", NULL, "a", BODY_LENGTH, 7, true },
    { GET "Content-Length: 9223372036854775807\r\n" END, METHOD_GET, "/", NULL, "a", BODY_LENGTH,
      INT64_MAX, true },
    { GET "Transfer-Encoding: chunked\r\n" END, METHOD_GET, "/", NULL, "a", BODY_CHUNKED, 0, true },
    { GET "Transfer-Encoding:\t chunked \r\n" END, METHOD_GET, "/", NULL, "a", BODY_CHUNKED, 0,
      true },
    { GET "Transfer-Encoding: Chunked\r\n" END, METHOD_GET, "/", NULL, "a", BODY_CHUNKED, 0, true },
    { GET "Expect: 100-Continue\r\n" END, METHOD_GET, "/", NULL, "a", BODY_NONE, 0, true },
    { "GET / HTTP/1.0\r\nExpect: rain\r\n" END, METHOD_GET, "/", NULL, "", BODY_NONE, 0, false },
    { GET "X:\r\n" END, METHOD_GET, "/", NULL, "a", BODY_NONE, 0, true },
    { GET "X: \xC3\xA9\r\n" END, METHOD_GET, "/", NULL, "a", BODY_NONE, 0, true },
    { GET "X: a\tb c\r\n" END, METHOD_GET, "/", NULL, "a", BODY_NONE, 0, true },
    { GET "X!#$%&'*+-.^_`|~1: y\r\n" END, METHOD_GET, "/", NULL, "a", BODY_NONE, 0, true },
    { GET "X: a\r\nX: b\r\n" END, METHOD_GET, "/", NULL, "a", BODY_NONE, 0, true },
};

/* What is wrong stands in the comment where the bytes do not say it. */
static const char *const bad[] = {
    "\r\n\r\n" GET END, /* two empty lines */
    "\n" GET END,
    " GET / HTTP/1.1\r\n" H END,
    "/ HTTP/1.1\r\n" H END,
    "GET\r\n" H END,
    "GET /\r\n" H END, /* HTTP/0.9 */
    "GET  / HTTP/1.1\r\n" H END,
    "GET /  HTTP/1.1\r\n" H END,
    "GET / HTTP/1.1 \r\n" H END,
    "GET\t/ HTTP/1.1\r\n" H END,
    "G(T / HTTP/1.1\r\n" H END,
    "G\x80T / HTTP/1.1\r\n" H END,
    "GET / HTTP/1.2\r\n" H END,
    "GET / HTTP/2.0\r\n" H END,
    "GET / HTTP/0.9\r\n" H END,
    "GET / HTTP/1.1x\r\n" H END,
    "GET / http/1.1\r\n" H END,
    "GET / HTTP/01.1\r\n" H END,
    "GET * HTTP/1.1\r\n" H END,
    "GET a HTTP/1.1\r\n" H END,
    "GET a:443 HTTP/1.1\r\n" H END,
    "GET ?a HTTP/1.1\r\n" H END,
    "GET /a#b HTTP/1.1\r\n" H END,
    "GET /a\x01 HTTP/1.1\r\n" H END,
    "GET /\x7F HTTP/1.1\r\n" H END,
    "GET /\xC3\xA9 HTTP/1.1\r\n" H END,
    "GET ftp://b/ HTTP/1.1\r\n" H END,
    "GET http:///c HTTP/1.1\r\n" H END,
    "GET http://u@b/ HTTP/1.1\r\n" H END,
    "GET http://b:x/ HTTP/1.1\r\n" H END,
    "GET http:/b HTTP/1.1\r\n" H END,
    "GET / HTTP/1.1\n" H END,
    "GET / HTTP/1.1\r" H END,
    "GET / HTTP/1.1\r\nHost: a\n" END,
    "GET / HTTP/1.1\r\nHost: a\r\r\n" END,
    "GET / HTTP/1.1\r\nHost: a\rb\r\n" END,
    "GET / HTTP/1.1\r\n" END,         /* no Host */
    "GET http://b/ HTTP/1.1\r\n" END, /* no Host, whatever the target says */
    "GET / HTTP/1.1\r\n" H H END,
    "GET / HTTP/1.0\r\n" H H END,
    "GET / HTTP/1.1\r\nHost: a b\r\n" END,
    "GET / HTTP/1.1\r\nHost: a/b\r\n" END,
    "GET / HTTP/1.1\r\nHost: u@a\r\n" END,
    "GET / HTTP/1.1\r\nHost: a:b\r\n" END,
    "GET / HTTP/1.1\r\nHost: a:123456\r\n" END,
    "GET / HTTP/1.1\r\nHost: [::1\r\n" END,
    "GET / HTTP/1.1\r\nHost: [::1]x\r\n" END,
    "GET / HTTP/1.1\r\nHost: a, b\r\n" END,
    "GET / HTTP/1.1\r\nHost : a\r\n" END,
    "GET / HTTP/1.1\r\n Host: a\r\n" END,
    GET " folded\r\n" END,
    GET "X: a\r\n b\r\n" END,
    GET "X: a\r\n\tb\r\n" END,
    GET "X\r\n" END,
    GET ": y\r\n" END,
    GET "X y: z\r\n" END,
    GET "X\t: z\r\n" END,
    GET "X(: z\r\n" END,
    GET "X\x80: z\r\n" END,
    GET "X: a\x01\r\n" END,
    GET "X: a\x7F\r\n" END,
    GET "X: \x1B[2J\r\n" END,
    GET "Content-Length: 1\r\nContent-Length: 1\r\n" END,
    GET "Content-Length: 1\r\nContent-Length: 2\r\n" END,
    GET "Content-Length: 1, 1\r\n" END,
    GET "Content-Length: +1\r\n" END,
    GET "Content-Length: -1\r\n" END,
    GET "Content-Length: 0x1\r\n" END,
    GET "Content-Length: 1 \x0B\r\n" END,
    GET "Content-Length: \r\n" END,
    GET "Content-Length: 9223372036854775808\r\n" END,
    GET "Content-Length: 18446744073709551617\r\n" END,
    GET "Content-Length : 1\r\n" END,
    GET "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n" END,
    GET "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n" END,
    GET "Transfer-Encoding: gzip\r\n" END,
    GET "Transfer-Encoding: gzip, chunked\r\n" END,
    GET "Transfer-Encoding: chunked, chunked\r\n" END,
    GET "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" END,
    GET "Transfer-Encoding: xchunked\r\n" END,
    GET "Transfer-Encoding: chunked\t\r\n" END,
    GET "Content-Length: 1 \t \r\n" END,
    GET "Connection: close\t, x\r\n" END,
    GET "Transfer-Encoding: \r\n" END,
    GET "Transfer-Encoding: identity\r\n" END,
    "GET / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n" END,
};

static bool str_is(struct str s, const char *text)
{
    return text ? s.at && str_eq(s, str_of(text)) : !s.at;
}

static void check_good(const struct good *row, size_t number)
{
    static struct http1_request request;
    size_t len = strlen(row->bytes);
    size_t used = 0;
    const char *what;
    enum http1_result result = http1_head((struct str){ row->bytes, len }, &request, &used, &what);

    if (result != HTTP1_DONE)
        fail_msg("good %zu: result %d, %s", number, (int)result, what);
    if (used != len || request.method != row->method || !str_is(request.path, row->path) ||
        !str_is(request.query, row->query) || !str_eq(request.host, str_of(row->host)))
        fail_msg("good %zu: used %zu, path %.*s", number, used, (int)request.path.len,
                 request.path.at);
    if (request.body != row->body || request.keep_alive != row->keep_alive ||
        (row->body == BODY_LENGTH && request.content_length != row->length))
        fail_msg("good %zu: framing", number);
}

static void what_is_good_is_read_exactly(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        check_good(&good[i], i);
}

static void every_beginning_of_what_is_good_asks_for_more(void **state)
{
    static struct http1_request request;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        for (size_t len = 0; len < strlen(good[i].bytes); len++) {
            const char *what;
            size_t used;
            enum http1_result result =
                http1_head((struct str){ good[i].bytes, len }, &request, &used, &what);

            if (result != HTTP1_MORE)
                fail_msg("good %zu, %zu bytes: %d", i, len, (int)result);
        }
    }
}

static void what_lies_behind_a_head_does_not_matter(void **state)
{
    static struct http1_request request;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char bytes[256];
        size_t used = 0;
        const char *what;
        int len = snprintf(bytes, sizeof bytes, "%s\x01\r\n\r\n: :", good[i].bytes);
        enum http1_result result =
            http1_head((struct str){ bytes, (size_t)len }, &request, &used, &what);

        if (result != HTTP1_DONE || used != strlen(good[i].bytes))
            fail_msg("good %zu: %d, %zu", i, (int)result, used);
    }
}

static void what_two_readers_could_read_differently_is_malformed(void **state)
{
    static struct http1_request request;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *what = NULL;
        size_t used;
        enum http1_result result = http1_head(str_of(bad[i]), &request, &used, &what);

        if (result != HTTP1_MALFORMED || !what)
            fail_msg("bad %zu: %d: %s", i, (int)result, bad[i]);
    }
}

static void an_expectation_that_is_not_known_is_refused(void **state)
{
    static struct http1_request request;
    const char *what;
    size_t used;

    (void)state;
    assert_int_equal(http1_head(str_of(GET "Expect: rain\r\n" END), &request, &used, &what),
                     HTTP1_BAD_EXPECT);
}

/* A head of exactly `len` bytes, made long by its target or by a header. */
static enum http1_result read_long(size_t len, bool target)
{
    static struct http1_request request;
    static const char start[] = "GET /";
    static const char rest[] = " HTTP/1.1\r\nHost: a\r\nX: ";
    char *bytes = malloc(len);
    size_t fixed = strlen(start) + strlen(rest) + 4;
    size_t at = strlen(start);
    const char *what;
    size_t used = 0;
    enum http1_result result;

    assert_non_null(bytes);
    memset(bytes, 'a', len);
    memcpy(bytes, start, strlen(start));
    if (target)
        at += len - fixed;
    memcpy(bytes + at, rest, strlen(rest));
    memcpy(bytes + len - 4, "\r\n\r\n", 4);
    result = http1_head((struct str){ bytes, len }, &request, &used, &what);
    if (result == HTTP1_DONE)
        assert_int_equal(used, len);
    free(bytes);
    return result;
}

static void a_head_has_at_most_8_kib(void **state)
{
    (void)state;
    assert_int_equal(read_long(HTTP1_HEAD_BYTES_MAX - 1, false), HTTP1_DONE);
    assert_int_equal(read_long(HTTP1_HEAD_BYTES_MAX, false), HTTP1_DONE);
    assert_int_equal(read_long(HTTP1_HEAD_BYTES_MAX + 1, false), HTTP1_HEAD_TOO_LARGE);
    assert_int_equal(read_long(HTTP1_HEAD_BYTES_MAX, true), HTTP1_DONE);
    assert_int_equal(read_long(HTTP1_HEAD_BYTES_MAX + 100, true), HTTP1_URI_TOO_LONG);
}

static enum http1_result read_fields(size_t n)
{
    static struct http1_request request;
    char bytes[4096] = GET;
    const char *what;
    size_t used;

    for (size_t i = 1; i < n; i++)
        strcat(bytes, "X: y\r\n");
    strcat(bytes, END);
    return http1_head(str_of(bytes), &request, &used, &what);
}

static void a_head_has_at_most_64_fields(void **state)
{
    (void)state;
    assert_int_equal(read_fields(63), HTTP1_DONE);
    assert_int_equal(read_fields(64), HTTP1_DONE);
    assert_int_equal(read_fields(65), HTTP1_HEAD_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_good_is_read_exactly),
        cmocka_unit_test(every_beginning_of_what_is_good_asks_for_more),
        cmocka_unit_test(what_lies_behind_a_head_does_not_matter),
        cmocka_unit_test(what_two_readers_could_read_differently_is_malformed),
        cmocka_unit_test(an_expectation_that_is_not_known_is_refused),
        cmocka_unit_test(a_head_has_at_most_8_kib),
        cmocka_unit_test(a_head_has_at_most_64_fields),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
