/*
 * forwarded_test.c - who the client is behind proxies, and who only says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/forwarded.h"

/* Trusted in every row: 10.0.0.0/8, 127.0.0.1, ::1 and 2001:db8:ffff::/48. */
static struct cidr trusted[4];

static int trust(void **state)
{
    static const char *const blocks[] = { "10.0.0.0/8", "127.0.0.1", "::1", "2001:db8:ffff::/48" };

    (void)state;
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        if (!cidr_parse(str_of(blocks[i]), &trusted[i], NULL))
            return -1;
    }
    return 0;
}

static void add(struct http1_request *request, const char *name, const char *value)
{
    request->fields[request->n_fields++] = (struct http1_field){ str_of(name), str_of(value) };
}

/* `client` an address, "absent" or "unreadable" */
static void check(const struct http1_request *request, const char *when, const char *client)
{
    struct address expected = { .v6 = false };
    struct address got = { .v6 = false };
    enum forwarded result = forwarded_client(request, trusted, 4, &got);

    if (strcmp(client, "absent") == 0 || strcmp(client, "unreadable") == 0) {
        if (result != (client[0] == 'a' ? FORWARDED_ABSENT : FORWARDED_UNREADABLE))
            fail_msg("%s: not %s", when, client);
        return;
    }
    if (!address_parse(str_of(client), &expected))
        fail_msg("%s: the test is wrong", when);
    if (result != FORWARDED_CLIENT || !address_eq(&expected, &got))
        fail_msg("%s: not %s", when, client);
}

static void the_client_is_the_last_hop_that_is_not_trusted(void **state)
{
    static const struct {
        const char *field;
        const char *client;
    } rows[] = {
        { "203.0.113.9", "203.0.113.9" },
        { "203.0.113.9, 10.0.0.1", "203.0.113.9" },
        { "203.0.113.9, 10.0.0.1, 10.255.0.1", "203.0.113.9" },
        { "6.6.6.6, 203.0.113.9, 10.0.0.1", "203.0.113.9" },
        { "10.0.0.7, 203.0.113.9", "203.0.113.9" },
        { "10.0.0.7, 10.0.0.1", "10.0.0.7" },
        { "10.0.0.7", "10.0.0.7" },
        { "2001:db8::9, ::1", "2001:db8::9" },
        { "2001:db8::9, 2001:db8:ffff::1", "2001:db8::9" },
        { "203.0.113.9, ::ffff:10.0.0.1", "203.0.113.9" },
        { "::ffff:203.0.113.9", "203.0.113.9" },
        { "203.0.113.9:4711", "203.0.113.9" },
        { "203.0.113.9:4711, 10.0.0.1:80", "203.0.113.9" },
        { "[2001:db8::9]", "2001:db8::9" },
        { "[2001:db8::9]:4711 , [::1]:80", "2001:db8::9" },
        { "[::ffff:203.0.113.9]:1", "203.0.113.9" },
        { "203.0.113.9:0", "203.0.113.9" },
        { "203.0.113.9:65535", "203.0.113.9" },
        { " \t203.0.113.9\t,\t10.0.0.1 ", "203.0.113.9" },
        { "203.0.113.9,10.0.0.1", "203.0.113.9" },
        { ",203.0.113.9,,10.0.0.1, ,", "203.0.113.9" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http1_request request = { .n_fields = 0 };

        add(&request, "X-Forwarded-For", rows[i].field);
        check(&request, rows[i].field, rows[i].client);
    }
}

static void a_hop_that_does_not_parse_ends_the_search(void **state)
{
    static const struct {
        const char *field;
        const char *client;
    } rows[] = {
        { "203.0.113.9, unknown, 10.0.0.1", "10.0.0.1" },
        { "203.0.113.9, _hidden, 10.0.0.2, 10.0.0.1", "10.0.0.2" },
        { "garbage, 203.0.113.9", "203.0.113.9" },
        { "203.0.113.9, garbage", "unreadable" },
        { "unknown", "unreadable" },
        { "", "unreadable" },
        { " , ,", "unreadable" },
        { "203.0.113.9 10.0.0.1", "unreadable" },
        { "203.0.113.9;10.0.0.1", "unreadable" },
        { "203.0.113.9:", "unreadable" },
        { "203.0.113.9:65536", "unreadable" },
        { "203.0.113.9:http", "unreadable" },
        { "203.0.113.9:80:80", "unreadable" },
        { "203.0.113.9:-1", "unreadable" },
        { "[203.0.113.9]", "unreadable" },
        { "[203.0.113.9]:80", "unreadable" },
        { "[::1", "unreadable" },
        { "[]", "unreadable" },
        { "[", "unreadable" },
        { "::1]", "unreadable" },
        { "[::1]80", "unreadable" },
        { "[::1]:", "unreadable" },
        { "[[::1]]", "unreadable" },
        { "[::1%lo]", "unreadable" },
        { "fe80::1%eth0", "unreadable" },
        { "\"203.0.113.9\"", "unreadable" },
        { "\"[2001:db8::9]:80\"", "unreadable" },
        { "for=203.0.113.9", "unreadable" },
        { "example.org", "unreadable" },
        { "example.org:80", "unreadable" },
        { "203.0.113.09", "unreadable" },
        { "3405803785", "unreadable" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http1_request request = { .n_fields = 0 };

        add(&request, "X-Forwarded-For", rows[i].field);
        check(&request, rows[i].field, rows[i].client);
    }
}

static void fields_are_joined_in_their_order(void **state)
{
    struct http1_request request = { .n_fields = 0 };

    (void)state;
    add(&request, "Host", "example.org");
    add(&request, "X-Forwarded-For", "6.6.6.6, 203.0.113.9");
    add(&request, "Accept", "*/*");
    add(&request, "x-forwarded-for", "10.0.0.2");
    check(&request, "two fields", "203.0.113.9");
    add(&request, "X-FORWARDED-FOR", "");
    check(&request, "an empty third", "203.0.113.9");
    add(&request, "X-Forwarded-For", "10.0.0.3, nonsense");
    check(&request, "the last one is broken", "unreadable");
    add(&request, "X-Forwarded-For", "10.0.0.4");
    check(&request, "a hop behind the broken one", "10.0.0.4");
}

static void other_fields_say_nothing(void **state)
{
    struct http1_request request = { .n_fields = 0 };

    (void)state;
    check(&request, "no fields", "absent");
    add(&request, "Forwarded", "for=203.0.113.9");
    add(&request, "X-Real-IP", "203.0.113.9");
    add(&request, "X-Forwarded-For-Real", "203.0.113.9");
    add(&request, "X-Forwarded", "203.0.113.9");
    check(&request, "only others", "absent");
    add(&request, "X-Forwarded-For", "198.51.100.1");
    check(&request, "beside others", "198.51.100.1");
}

static void a_hundred_hops_are_walked(void **state)
{
    char field[4096];
    int len = snprintf(field, sizeof field, "203.0.113.9");
    struct http1_request request = { .n_fields = 0 };

    (void)state;
    for (int i = 0; i < 100; i++)
        len += snprintf(field + len, sizeof field - (size_t)len, ", 10.0.0.%d", i);
    add(&request, "X-Forwarded-For", field);
    check(&request, "100 trusted hops", "203.0.113.9");
}

static void without_trusted_hops_the_last_one_is_the_client(void **state)
{
    struct http1_request request = { .n_fields = 0 };
    struct address expected;
    struct address got;

    (void)state;
    add(&request, "X-Forwarded-For", "203.0.113.9, 10.0.0.1");
    assert_true(address_parse(STR("10.0.0.1"), &expected));
    assert_int_equal(forwarded_client(&request, NULL, 0, &got), FORWARDED_CLIENT);
    assert_true(address_eq(&expected, &got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_client_is_the_last_hop_that_is_not_trusted),
        cmocka_unit_test(a_hop_that_does_not_parse_ends_the_search),
        cmocka_unit_test(fields_are_joined_in_their_order),
        cmocka_unit_test(other_fields_say_nothing),
        cmocka_unit_test(a_hundred_hops_are_walked),
        cmocka_unit_test(without_trusted_hops_the_last_one_is_the_client),
    };

    return cmocka_run_group_tests(tests, trust, NULL);
}
