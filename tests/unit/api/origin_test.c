/*
 * origin_test.c - pages of ours, of friends and of strangers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/origin.h"

#define PUBLIC_URL "https://Polls.example.org/vote/"
#define ALLOWED                                                                                    \
    "https://news.example  http://localhost:3000 capacitor://localhost https://[2001:db8::7]"

static struct http1_request request_of(enum http1_method method, const char *host,
                                       const char *origin, const char *site)
{
    struct http1_request request = { .method = method, .host = str_of(host) };

    if (origin)
        request.fields[request.n_fields++] = (struct http1_field){ STR("Origin"), str_of(origin) };
    if (site)
        request.fields[request.n_fields++] =
            (struct http1_field){ STR("Sec-Fetch-Site"), str_of(site) };
    return request;
}

static struct origins *make(const char *public_url, const char *allowed)
{
    struct why why = { "" };
    struct origins *origins = origins_new(str_of(public_url), str_of(allowed), &why);

    if (!origins)
        fail_msg("%s", why.text);
    return origins;
}

static void with_a_public_url_only_its_origin_is_our_own(void **state)
{
    static const struct {
        const char *origin;
        enum origin is;
    } rows[] = {
        { NULL, ORIGIN_ABSENT },
        { "https://polls.example.org", ORIGIN_OWN },
        { "https://POLLS.Example.ORG", ORIGIN_OWN },
        { "HTTPS://polls.example.org", ORIGIN_OWN },
        { "https://polls.example.org:443", ORIGIN_OWN },
        { "https://polls.example.org:8443", ORIGIN_FOREIGN },
        { "http://polls.example.org", ORIGIN_FOREIGN },
        { "http://polls.example.org:443", ORIGIN_FOREIGN },
        { "https://polls.example.org.evil.example", ORIGIN_FOREIGN },
        { "https://evil.example", ORIGIN_FOREIGN },
        { "https://rebound.example", ORIGIN_FOREIGN }, /* equal to Host, which says nothing now */
        { "https://news.example", ORIGIN_ALLOWED },
        { "https://news.example:443", ORIGIN_ALLOWED },
        { "https://News.Example", ORIGIN_ALLOWED },
        { "http://news.example", ORIGIN_FOREIGN },
        { "https://www.news.example", ORIGIN_FOREIGN },
        { "http://localhost:3000", ORIGIN_ALLOWED },
        { "http://localhost", ORIGIN_FOREIGN },
        { "capacitor://localhost", ORIGIN_ALLOWED },
        { "capacitor://localhost:1", ORIGIN_FOREIGN },
        { "https://[2001:DB8::7]", ORIGIN_ALLOWED },
        { "null", ORIGIN_FOREIGN },
        { "", ORIGIN_FOREIGN },
        { "*", ORIGIN_FOREIGN },
        { "polls.example.org", ORIGIN_FOREIGN },
        { "//polls.example.org", ORIGIN_FOREIGN },
        { "https:polls.example.org", ORIGIN_FOREIGN },
        { "https://polls.example.org/", ORIGIN_FOREIGN },
        { "https://polls.example.org https://evil.example", ORIGIN_FOREIGN },
        { "https://user@polls.example.org", ORIGIN_FOREIGN },
        { "https://polls.example.org:", ORIGIN_FOREIGN },
        { "https://polls.example.org:0443x", ORIGIN_FOREIGN },
        { "https://polls.example.org:65979", ORIGIN_FOREIGN }, /* 443 + 65536 */
        { "https://", ORIGIN_FOREIGN },
        { "https://[", ORIGIN_FOREIGN },
        { "https://[]", ORIGIN_FOREIGN },
        { "https://[2001:db8::7", ORIGIN_FOREIGN },
        { "https://[2001:db8::7]443", ORIGIN_FOREIGN },
    };
    AUTO(origins) origins = make(PUBLIC_URL, ALLOWED);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http1_request request =
            request_of(METHOD_GET, "rebound.example", rows[i].origin, NULL);

        if (origin_of(origins, &request) != rows[i].is)
            fail_msg("%s: %d", rows[i].origin, (int)origin_of(origins, &request));
    }
}

static void without_a_public_url_it_is_the_one_that_equals_host(void **state)
{
    static const struct {
        const char *host;
        const char *origin;
        bool own;
    } rows[] = {
        { "polls.example.org", "https://polls.example.org", true },
        { "polls.example.org", "http://polls.example.org", true },
        { "POLLS.example.org", "http://polls.example.org", true },
        { "polls.example.org:443", "https://polls.example.org", true },
        { "polls.example.org:80", "http://polls.example.org:80", true },
        { "polls.example.org:80", "https://polls.example.org", false },
        { "polls.example.org:8080", "http://polls.example.org:8080", true },
        { "polls.example.org:8080", "http://polls.example.org", false },
        { "polls.example.org", "http://polls.example.org:8080", false },
        { "polls.example.org", "capacitor://polls.example.org", false },
        { "127.0.0.1:7377", "http://127.0.0.1:7377", true },
        { "127.0.0.1:7377", "http://localhost:7377", false },
        { "[::1]:7377", "http://[::1]:7377", true },
        { "[::1]", "http://[::1]", true },
        { "", "http://polls.example.org", false },
        { "polls.example.org:", "http://polls.example.org", false },
        { "null", "null", false },
    };
    AUTO(origins) origins = make("", "");

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http1_request request = request_of(METHOD_GET, rows[i].host, rows[i].origin, NULL);

        if ((origin_of(origins, &request) == ORIGIN_OWN) != rows[i].own)
            fail_msg("Host %s, Origin %s: %d", rows[i].host, rows[i].origin, !rows[i].own);
    }
}

static void two_origins_in_one_request_are_foreign(void **state)
{
    AUTO(origins) origins = make(PUBLIC_URL, ALLOWED);
    struct http1_request request = request_of(METHOD_POST, "x", "https://polls.example.org", NULL);

    (void)state;
    request.fields[request.n_fields++] =
        (struct http1_field){ STR("origin"), STR("https://polls.example.org") };
    assert_int_equal(origin_of(origins, &request), ORIGIN_FOREIGN);
}

static void a_page_of_a_stranger_changes_nothing(void **state)
{
    static const struct {
        const char *origin;
        const char *site;
        bool may;
    } rows[] = {
        { NULL, NULL, true }, /* curl, an app */
        { NULL, "none", true },
        { NULL, "same-origin", true },
        { NULL, "same-site", true },
        { NULL, "cross-site", false },
        { NULL, "Cross-Site", false },
        { "https://polls.example.org", NULL, true },
        { "https://polls.example.org", "same-origin", true },
        { "https://polls.example.org", "cross-site", true },
        { "https://news.example", "cross-site", true },
        { "https://evil.example", NULL, false },
        { "https://evil.example", "same-origin", false },
        { "https://evil.example", "cross-site", false },
        { "null", NULL, false },
        { "null", "same-origin", false },
        { "", NULL, false },
    };
    static const enum http1_method changing[] = { METHOD_POST, METHOD_PUT, METHOD_PATCH,
                                                  METHOD_DELETE, METHOD_OTHER };
    static const enum http1_method reading[] = { METHOD_GET, METHOD_HEAD, METHOD_OPTIONS };
    AUTO(origins) origins = make(PUBLIC_URL, ALLOWED);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t m = 0; m < sizeof changing / sizeof changing[0]; m++) {
            struct http1_request request =
                request_of(changing[m], "evil.example", rows[i].origin, rows[i].site);
            const char *detail = NULL;

            if (origin_may_change(origins, &request, &detail) != rows[i].may ||
                (detail == NULL) != rows[i].may)
                fail_msg("row %zu, method %d", i, (int)changing[m]);
        }
        for (size_t m = 0; m < sizeof reading / sizeof reading[0]; m++) {
            struct http1_request request =
                request_of(reading[m], "evil.example", rows[i].origin, rows[i].site);
            const char *detail;

            if (!origin_may_change(origins, &request, &detail))
                fail_msg("row %zu, method %d", i, (int)reading[m]);
        }
    }
}

static void answers_name_who_may_read_them(void **state)
{
    static const char all[] = "Access-Control-Allow-Origin: *\r\n"
                              "Access-Control-Expose-Headers: ETag, Retry-After\r\n";
    static const struct {
        const char *origin;
        enum origin_readers readers;
        const char *fields;
    } rows[] = {
        { NULL, READERS_ALL, all },
        { "https://evil.example", READERS_ALL, all },
        { "https://news.example", READERS_ALL, all },
        { NULL, READERS_KNOWN, "Vary: Origin\r\n" },
        { "null", READERS_KNOWN, "Vary: Origin\r\n" },
        { "https://evil.example", READERS_KNOWN, "Vary: Origin\r\n" },
        { "https://News.example", READERS_KNOWN,
          "Vary: Origin\r\n"
          "Access-Control-Allow-Origin: https://News.example\r\n"
          "Access-Control-Expose-Headers: ETag, Retry-After\r\n" },
        { "https://polls.example.org", READERS_KNOWN,
          "Vary: Origin\r\n"
          "Access-Control-Allow-Origin: https://polls.example.org\r\n"
          "Access-Control-Expose-Headers: ETag, Retry-After\r\n" },
    };
    AUTO(origins) origins = make(PUBLIC_URL, ALLOWED);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http1_request request = request_of(METHOD_GET, "x", rows[i].origin, NULL);
        AUTO_BUF out = { 0 };

        origin_write_fields(origin_known(origins, &request), rows[i].readers, NULL, &out);
        assert_true(buf_ok(&out));
        if (!str_eq(buf_str(&out), str_of(rows[i].fields)))
            fail_msg("row %zu: %.*s", i, (int)out.len, out.bytes);
    }
}

static void a_preflight_tells_friends_what_they_may_send(void **state)
{
    static const char rest[] = "Access-Control-Allow-Methods: GET, HEAD, POST\r\n"
                               "Access-Control-Allow-Headers: Authorization, Content-Type, "
                               "If-None-Match\r\n"
                               "Access-Control-Max-Age: 86400\r\n";
    static const struct {
        const char *origin;
        const char *start;
    } rows[] = {
        { "https://news.example", "Vary: Origin\r\n"
                                  "Access-Control-Allow-Origin: https://news.example\r\n" },
        { "https://evil.example", "Vary: Origin\r\n" },
        { "null", "Vary: Origin\r\n" },
    };
    AUTO(origins) origins = make(PUBLIC_URL, ALLOWED);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http1_request request = request_of(METHOD_OPTIONS, "x", rows[i].origin, NULL);
        AUTO_BUF out = { 0 };
        AUTO_BUF expected = { 0 };

        buf_text(&expected, rows[i].start);
        buf_text(&expected, rest);
        origin_write_preflight(origins, &request, STR("GET, HEAD, POST"), &out);
        assert_true(buf_ok(&out));
        if (!str_eq(buf_str(&out), buf_str(&expected)))
            fail_msg("row %zu: %.*s", i, (int)out.len, out.bytes);
    }
}

static void options_without_a_wanted_method_is_no_preflight(void **state)
{
    struct http1_request request = request_of(METHOD_OPTIONS, "x", "https://news.example", NULL);

    (void)state;
    assert_false(origin_is_preflight(&request));
    request.fields[request.n_fields++] =
        (struct http1_field){ STR("Access-Control-Request-Method"), STR("POST") };
    assert_true(origin_is_preflight(&request));
    request.method = METHOD_GET;
    assert_false(origin_is_preflight(&request));
}

static void a_broken_configuration_is_named(void **state)
{
    static const struct {
        const char *public_url;
        const char *allowed;
        const char *named;
    } rows[] = {
        { "polls.example.org", "", "\"polls.example.org\" is no public_url" },
        { "ftp://polls.example.org/", "", "is no public_url" },
        { "https:///vote", "", "is no public_url" },
        { "https://user@polls.example.org/", "", "is no public_url" },
        { "", "https://a.example *", "\"*\" is no origin" },
        { "", "null", "\"null\" is no origin" },
        { "", "https://a.example/", "\"https://a.example/\" is no origin" },
        { "", "a.example", "is no origin" },
        { "https://polls.example.org", "https://*.example", "is no origin" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct why why = { "" };

        if (origins_new(str_of(rows[i].public_url), str_of(rows[i].allowed), &why))
            fail_msg("row %zu was taken", i);
        if (!strstr(why.text, rows[i].named))
            fail_msg("row %zu: %s", i, why.text);
    }
}

static void a_url_of_ours_is_known_by_its_origin_and_its_path(void **state)
{
    static const struct {
        const char *public_url;
        const char *url;
        const char *base; /* NULL: not ours */
        const char *rest;
    } rows[] = {
        { PUBLIC_URL, "https://polls.example.org/vote/p/a?b", "https://Polls.example.org/vote",
          "/p/a?b" },
        { PUBLIC_URL, "HTTPS://polls.example.org:443/vote/", "https://Polls.example.org/vote",
          "/" },
        { PUBLIC_URL, "https://polls.example.org/vote", NULL, NULL },
        { PUBLIC_URL, "https://polls.example.org/voters/p/a", NULL, NULL },
        { PUBLIC_URL, "https://polls.example.org/p/a", NULL, NULL },
        { PUBLIC_URL, "http://polls.example.org/vote/p/a", NULL, NULL },
        { PUBLIC_URL, "https://host.example/vote/p/a", NULL, NULL },
        { PUBLIC_URL, "https://polls.example.org@evil.example/vote/p/a", NULL, NULL },
        { PUBLIC_URL, "https://evil.example/https://polls.example.org/vote/p/a", NULL, NULL },
        { PUBLIC_URL, "/vote/p/a", NULL, NULL },
        { PUBLIC_URL, "", NULL, NULL },
        { "https://polls.example.org", "https://polls.example.org/p/a", "https://polls.example.org",
          "/p/a" },
        { "", "http://host.example/p/a", "http://host.example", "/p/a" },
        { "", "https://Host.example/p/a#b", "https://Host.example", "/p/a#b" },
        { "", "http://host.example", NULL, NULL },
        { "", "http://host.example?/p/a", NULL, NULL },
        { "", "http://host.example:81/p/a", NULL, NULL },
        { "", "ftp://host.example/p/a", NULL, NULL },
        { "", "http://evil.example/p/a", NULL, NULL },
        { "", "javascript:alert(1)", NULL, NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO(origins) origins = make(rows[i].public_url, "");
        struct http1_request request = request_of(METHOD_GET, "host.example", NULL, NULL);
        struct str base = { NULL, 0 };
        struct str rest = { NULL, 0 };
        bool own = origin_own_url(origins, &request, str_of(rows[i].url), &base, &rest);

        if (own != (rows[i].base != NULL) || !str_eq(base, str_of(rows[i].base)) ||
            !str_eq(rest, str_of(rows[i].rest)))
            fail_msg("%s under \"%s\": %.*s %.*s", rows[i].url, rows[i].public_url, (int)base.len,
                     base.at, (int)rest.len, rest.at);
    }
}

static void only_so_many_origins_are_compared(void **state)
{
    AUTO_BUF list = { 0 };
    struct why why = { "" };
    struct origins *origins;

    (void)state;
    for (int i = 0; i < ORIGINS_MAX; i++)
        buf_format(&list, "https://a%d.example ", i);
    origins = origins_new(STR(""), buf_str(&list), &why);
    assert_non_null(origins);
    origins_free(origins);
    buf_text(&list, "https://one.more");
    assert_null(origins_new(STR(""), buf_str(&list), &why));
    assert_non_null(strstr(why.text, "256"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_a_public_url_only_its_origin_is_our_own),
        cmocka_unit_test(without_a_public_url_it_is_the_one_that_equals_host),
        cmocka_unit_test(two_origins_in_one_request_are_foreign),
        cmocka_unit_test(a_page_of_a_stranger_changes_nothing),
        cmocka_unit_test(answers_name_who_may_read_them),
        cmocka_unit_test(a_preflight_tells_friends_what_they_may_send),
        cmocka_unit_test(options_without_a_wanted_method_is_no_preflight),
        cmocka_unit_test(a_url_of_ours_is_known_by_its_origin_and_its_path),
        cmocka_unit_test(a_broken_configuration_is_named),
        cmocka_unit_test(only_so_many_origins_are_compared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
