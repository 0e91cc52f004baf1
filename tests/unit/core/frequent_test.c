/*
 * frequent_test.c - the most frequent keys are found, however many others there are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/frequent.h"

static uint64_t mixed(uint64_t n)
{
    return n * UINT64_C(0x9E3779B97F4A7C15); /* spread over the table, one to one */
}

static void few_keys_are_counted_exactly_in_their_order(void **state)
{
    static const uint64_t keys[] = { 7, 9, 7, 1, 9, 7, 3, 1 };
    struct frequent_key got[3];
    AUTO(frequent) frequent = frequent_new();

    (void)state;
    assert_non_null(frequent);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        frequent_add(frequent, keys[i]);
    assert_true(frequent_is_exact(frequent));
    assert_int_equal(frequent_largest(frequent, got, 3), 4);
    assert_int_equal(got[0].key, 7);
    assert_int_equal(got[0].times, 3);
    assert_int_equal(got[1].key, 1); /* the smaller of equals */
    assert_int_equal(got[2].key, 9);
    assert_int_equal(got[2].times, 2);
}

static void frequent_keys_are_found_among_a_million_others(void **state)
{
    struct frequent_key got[2];
    AUTO(frequent) frequent = frequent_new();

    (void)state;
    assert_non_null(frequent);
    for (int pass = 0; pass < 2; pass++) {
        for (uint64_t i = 0; i < 1000000; i++) {
            uint64_t key = i % 5000 == 0 ? 1 : i % 9000 == 1 ? 2 : mixed(i + 10);

            if (pass == 0)
                frequent_add(frequent, mixed(key));
            else
                frequent_count(frequent, mixed(key));
        }
        if (pass == 0) {
            assert_false(frequent_is_exact(frequent));
            frequent_count_again(frequent);
        }
    }
    (void)frequent_largest(frequent, got, 2);
    assert_int_equal(got[0].key, mixed(1));
    assert_int_equal(got[0].times, 200);
    assert_int_equal(got[1].key, mixed(2));
    assert_int_equal(got[1].times, 112);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_keys_are_counted_exactly_in_their_order),
        cmocka_unit_test(frequent_keys_are_found_among_a_million_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
