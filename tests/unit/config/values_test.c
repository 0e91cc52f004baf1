/*
 * unit/config/values_test.c - single values, taken and refused.
 */
#include "config/values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define REFUSED (-1)

static void modes_are_octal_and_at_most_0777(void **state)
{
    static const struct {
        const char *text;
        int mode;
    } rows[] = { { "0666", 0666 },  { "660", 0660 },
                 { "0", 0 },        { "0777", 0777 },
                 { "", REFUSED },   { "1000", REFUSED },
                 { "68", REFUSED }, { "-1", REFUSED },
                 { " 6", REFUSED }, { "00000000000000000000000000666", 0666 } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned mode = 0;
        bool ok = value_mode(str_of(rows[i].text), &mode);

        if (ok != (rows[i].mode >= 0) || (ok && mode != (unsigned)rows[i].mode))
            fail_msg("%s: %d %o", rows[i].text, ok, mode);
    }
}

static void sizes_take_k_m_g_and_never_wrap(void **state)
{
    static const struct {
        const char *text;
        int64_t bytes;
    } rows[] = { { "0", 0 },
                 { "4096", 4096 },
                 { "512K", 524288 },
                 { "8M", 8388608 },
                 { "1G", 1073741824 },
                 { "1024G", 1LL << 40 },
                 { "1025G", REFUSED },
                 { "18014398509481984K", REFUSED }, /* 2^64 */
                 { "18446744073709551616", REFUSED },
                 { "K", REFUSED },
                 { "8k", REFUSED },
                 { "8MB", REFUSED },
                 { "8 M", REFUSED },
                 { "-8M", REFUSED },
                 { "", REFUSED } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t bytes = 0;
        bool ok = value_size(str_of(rows[i].text), 1ULL << 40, &bytes);

        if (ok != (rows[i].bytes >= 0) || (ok && bytes != (uint64_t)rows[i].bytes))
            fail_msg("%s: %d %llu", rows[i].text, ok, (unsigned long long)bytes);
    }
}

static void times_take_s_m_h_d_and_never(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } rows[] = {
        { "90", 90 },         { "90s", 90 },     { "15m", 900 },          { "12h", 43200 },
        { "10d", 864000 },    { "0", 0 },        { "never", TIME_NEVER }, { "11d", 11 * 86400 },
        { "12d", REFUSED },   { "1w", REFUSED }, { "d", REFUSED },        { "1h30m", REFUSED },
        { "Never", REFUSED }, { "", REFUSED }
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t seconds = 0;
        bool ok = value_time(str_of(rows[i].text), 1000000, &seconds);

        if (ok != (rows[i].seconds >= 0) || (ok && seconds != rows[i].seconds))
            fail_msg("%s: %d %lld", rows[i].text, ok, (long long)seconds);
    }
}

static void switches_and_choices_are_exact_words(void **state)
{
    bool on = false;
    unsigned which = 9;

    (void)state;
    assert_true(value_switch(STR("yes"), &on) && on);
    assert_true(value_switch(STR("no"), &on) && !on);
    assert_false(value_switch(STR("true"), &on));
    assert_false(value_switch(STR(""), &on));
    assert_true(value_choice(STR("json"), "text json", &which) && which == 1);
    assert_false(value_choice(STR("js"), "text json", &which));
    assert_false(value_choice(STR("text json"), "text json", &which));
}

static void an_address_to_listen_on_has_a_port(void **state)
{
    static const struct {
        const char *text;
        bool ok;
    } rows[] = { { "127.0.0.1:8080", true }, { "[::1]:0", true },
                 { "*:80", true },           { ":80", true },
                 { "name:65535", true },     { "127.0.0.1", false },
                 { "127.0.0.1:", false },    { "a:65536", false },
                 { "::1:80", false },        { "[]:80", false },
                 { "[::1:80", false },       { "a b:80", false },
                 { "/run/x:80", false },     { "a:000080", false },
                 { "a:-1", false },          { "", false } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (value_address(str_of(rows[i].text)) != rows[i].ok)
            fail_msg("%s", rows[i].text);
    }
}

static void a_network_has_nothing_behind_its_prefix(void **state)
{
    static const struct {
        const char *text;
        int bits; /* REFUSED, or */
        bool v6;
        unsigned char first[4];
    } rows[] = {
        { "10.0.0.0/8", 8, false, { 10, 0, 0, 0 } },
        { "192.0.2.1", 32, false, { 192, 0, 2, 1 } },
        { "0.0.0.0/0", 0, false, { 0, 0, 0, 0 } },
        { "2001:db8::/32", 32, true, { 0x20, 0x01, 0x0d, 0xb8 } },
        { "::1", 128, true, { 0, 0, 0, 0 } },
        { "::ffff:192.0.2.0/120", 24, false, { 192, 0, 2, 0 } },
        { "10.0.0.1/8", REFUSED, false, { 0 } },
        { "2001:db8::1/64", REFUSED, false, { 0 } },
        { "10.0.0.0/33", REFUSED, false, { 0 } },
        { "::/129", REFUSED, false, { 0 } },
        { "10.0.0.0/", REFUSED, false, { 0 } },
        { "10.0.0.0/8/8", REFUSED, false, { 0 } },
        { "10.0.0", REFUSED, false, { 0 } },
        { "/8", REFUSED, false, { 0 } },
        { "localhost", REFUSED, false, { 0 } },
        { "", REFUSED, false, { 0 } },
        { "1111111111111111111111111111111111111111111111111111111111111111111111",
          REFUSED,
          false,
          { 0 } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct config_network network = { .bits = 0 };
        bool ok = value_network(str_of(rows[i].text), &network);

        if (ok != (rows[i].bits >= 0) ||
            (ok && (network.bits != (unsigned)rows[i].bits || network.v6 != rows[i].v6 ||
                    memcmp(network.bytes, rows[i].first, 4) != 0)))
            fail_msg("%s: %d /%u", rows[i].text, ok, network.bits);
    }
}

static void an_origin_is_written_as_browsers_send_it(void **state)
{
    static const struct {
        const char *text;
        const char *origin; /* NULL: refused */
        bool wild;
    } rows[] = {
        { "https://example.org", "https://example.org", false },
        { "http://Example.ORG:8080", "http://example.org:8080", false },
        { "https://example.org:443", "https://example.org", false },
        { "http://example.org:80", "http://example.org", false },
        { "https://example.org:80", "https://example.org:80", false },
        { "http://[::1]:8080", "http://[::1]:8080", false },
        { "http://[2001:DB8::1]", "http://[2001:db8::1]", false },
        { "https://*.example.org", "https://*.example.org", true },
        { "https://*.example.org", NULL, false },
        { "https://*.", NULL, true },
        { "https://a.*.org", NULL, true },
        { "https://example.org/", NULL, false },
        { "https://example.org/path", NULL, false },
        { "https://", NULL, false },
        { "https://:80", NULL, false },
        { "https://a:", NULL, false },
        { "https://a:65536", NULL, false },
        { "https://user@a", NULL, false },
        { "https://a'; script-src *", NULL, true },
        { "ftp://a", NULL, false },
        { "example.org", NULL, false },
        { "null", NULL, false },
        { "*", NULL, true },
        { "", NULL, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char origin[ORIGIN_BYTES_MAX + 1] = "";
        bool ok = value_origin(str_of(rows[i].text), rows[i].wild, origin);

        if (ok != (rows[i].origin != NULL) || (ok && strcmp(origin, rows[i].origin) != 0))
            fail_msg("%s: %d %s", rows[i].text, ok, origin);
    }
}

static void a_url_may_have_a_path_and_loses_its_last_slash(void **state)
{
    static const struct {
        const char *text;
        const char *url; /* NULL: refused */
    } rows[] = {
        { "https://Votes.example.org", "https://votes.example.org" },
        { "https://example.org/", "https://example.org" },
        { "https://example.org/Votes//", "https://example.org/Votes" },
        { "https://example.org/a?b", NULL },
        { "https://example.org/a#b", NULL },
        { "https://example.org/a b", NULL },
        { "https:///a", NULL },
        { "/a", NULL },
        { "http:/", NULL },
        { "", NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char url[URL_BYTES_MAX + 1] = "";
        bool ok = value_url(str_of(rows[i].text), url);

        if (ok != (rows[i].url != NULL) || (ok && strcmp(url, rows[i].url) != 0))
            fail_msg("%s: %d %s", rows[i].text, ok, url);
    }
}

static void prefixes_are_two_lengths(void **state)
{
    static const char *const bad[] = { "",     "32",   "32 129", "33 64",
                                       "0 64", "32 0", "a 64",   "32 64 1" };
    struct config_prefixes prefixes;

    (void)state;
    assert_true(value_prefixes(STR("24  56"), &prefixes));
    assert_true(prefixes.v4 == 24 && prefixes.v6 == 56);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (value_prefixes(str_of(bad[i]), &prefixes))
            fail_msg("%s", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modes_are_octal_and_at_most_0777),
        cmocka_unit_test(sizes_take_k_m_g_and_never_wrap),
        cmocka_unit_test(times_take_s_m_h_d_and_never),
        cmocka_unit_test(switches_and_choices_are_exact_words),
        cmocka_unit_test(an_address_to_listen_on_has_a_port),
        cmocka_unit_test(a_network_has_nothing_behind_its_prefix),
        cmocka_unit_test(an_origin_is_written_as_browsers_send_it),
        cmocka_unit_test(a_url_may_have_a_path_and_loses_its_last_slash),
        cmocka_unit_test(prefixes_are_two_lengths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
