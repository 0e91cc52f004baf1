/*
 * cidr_test.c - addresses and blocks of them, as people and proxies write them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>

#include <cmocka.h>

#include "net/cidr.h"

static struct address address_of(const char *text)
{
    struct address address = { .v6 = false };

    if (!address_parse(str_of(text), &address))
        fail_msg("%s was not read", text);
    return address;
}

static void an_address_is_read_and_a_mapped_one_is_ipv4(void **state)
{
    static const struct {
        const char *text;
        bool v6;
        const char *same; /* as inet_pton() knows it */
    } rows[] = {
        { "1.2.3.4", false, "1.2.3.4" },
        { "255.255.255.255", false, "255.255.255.255" },
        { "::1", true, "::1" },
        { "2001:DB8::7", true, "2001:db8::7" },
        { "2001:0db8:0000:0000:0000:0000:0000:0007", true, "2001:db8::7" },
        { "::ffff:1.2.3.4", false, "1.2.3.4" },
        { "::FFFF:102:304", false, "1.2.3.4" },
        { "0:0:0:0:0:ffff:1.2.3.4", false, "1.2.3.4" },
        { "::1.2.3.4", true, "::102:304" },
        { "1:2:3:4:5:6:255.255.255.255", true, "1:2:3:4:5:6:ffff:ffff" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct address address = address_of(rows[i].text);
        unsigned char bytes[16] = { 0 };

        assert_int_equal(inet_pton(rows[i].v6 ? AF_INET6 : AF_INET, rows[i].same, bytes), 1);
        if (address.v6 != rows[i].v6 || memcmp(address.bytes, bytes, sizeof bytes) != 0)
            fail_msg("%s: another address", rows[i].text);
    }
}

static void what_is_nearly_an_address_is_none(void **state)
{
    static const struct str rows[] = {
        STR(""),
        STR("1.2.3"),
        STR("1.2.3.4.5"),
        STR("1.2.3.256"),
        STR("01.2.3.4"),
        STR("0x1.2.3.4"),
        STR("16909060"),
        STR("1.2.3.4 "),
        STR(" 1.2.3.4"),
        STR("1.2.3.4:80"),
        STR("1.2.3.4\0"),
        STR("1.2.3.4\0.example"),
        STR("::1%lo"),
        STR("fe80::1%1"),
        STR("[::1]"),
        STR("::1::"),
        STR(":::"),
        STR("12345::"),
        STR("1:2:3:4:5:6:7:8:9"),
        STR("0000:0000:0000:0000:0000:0000:255.255.255.2550000000"),
        STR("localhost"),
        STR("unknown"),
        STR("-"),
        STR("\xD9\xA1.2.3.4"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct address address;

        if (address_parse(rows[i], &address))
            fail_msg("row %zu, %s, was read", i, rows[i].at);
    }
}

static void a_block_holds_what_shares_its_prefix(void **state)
{
    static const struct {
        const char *block;
        const char *address;
        bool inside;
    } rows[] = {
        { "10.0.0.0/8", "10.255.255.255", true },
        { "10.0.0.0/8", "11.0.0.0", false },
        { "10.9.9.9/8", "10.1.1.1", true },
        { "127.0.0.1", "127.0.0.1", true },
        { "127.0.0.1", "127.0.0.2", false },
        { "192.0.2.128/25", "192.0.2.127", false },
        { "192.0.2.128/25", "192.0.2.129", true },
        { "0.0.0.0/0", "203.0.113.9", true },
        { "0.0.0.0/0", "::1", false },
        { "::/0", "2001:db8::1", true },
        { "::/0", "1.2.3.4", false },
        { "::/0", "::ffff:1.2.3.4", false },
        { "::ffff:10.0.0.0/104", "10.2.3.4", true },
        { "::ffff:10.0.0.0/104", "::ffff:10.2.3.4", true },
        { "::ffff:0.0.0.0/96", "8.8.8.8", true },
        { "2001:db8::/33", "2001:db8:7fff::1", true },
        { "2001:db8::/33", "2001:db8:8000::1", false },
        { "::1/128", "::1", true },
        { "::1/128", "::2", false },
        { "10.0.0.0/8", "::10.0.0.1", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct address address = address_of(rows[i].address);
        struct cidr cidr;

        if (!cidr_parse(str_of(rows[i].block), &cidr, NULL))
            fail_msg("%s was not read", rows[i].block);
        if (cidr_contains(&cidr, &address) != rows[i].inside)
            fail_msg("%s in %s: %d", rows[i].address, rows[i].block, !rows[i].inside);
    }
}

static void a_broken_block_is_named(void **state)
{
    static const char *const rows[] = {
        "",
        "/",
        "/8",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/8/8",
        "10.0.0.0/ 8",
        "::/129",
        "::1%lo/128",
        "::ffff:10.0.0.0/95",
        "10.0.0/8",
        "10.0.0.0/255.0.0.0",
        "all",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct why why = { "" };
        struct cidr cidr;

        if (cidr_parse(str_of(rows[i]), &cidr, &why))
            fail_msg("%s was read", rows[i]);
        assert_non_null(strstr(why.text, rows[i]));
    }
}

static void one_block_of_several_is_enough(void **state)
{
    struct cidr cidrs[2];
    struct address address = address_of("192.0.2.7");

    (void)state;
    assert_true(cidr_parse(STR("10.0.0.0/8"), &cidrs[0], NULL));
    assert_true(cidr_parse(STR("192.0.2.0/24"), &cidrs[1], NULL));
    assert_true(cidrs_contain(cidrs, 2, &address));
    assert_false(cidrs_contain(cidrs, 1, &address));
    assert_false(cidrs_contain(NULL, 0, &address));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_read_and_a_mapped_one_is_ipv4),
        cmocka_unit_test(what_is_nearly_an_address_is_none),
        cmocka_unit_test(a_block_holds_what_shares_its_prefix),
        cmocka_unit_test(a_broken_block_is_named),
        cmocka_unit_test(one_block_of_several_is_enough),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
