/*
 * histogram_test.c - which bucket a value falls into.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger/histogram.h"

static void a_bound_belongs_to_the_bucket_below_it(void **state)
{
    static const struct histogram_scale scale = { 3, { 1, 10, 100 } };
    static const uint64_t values[] = { 0, 1, 2, 10, 11, 100, 101, 5000000000 };
    static const uint64_t counts[] = { 2, 2, 2, 2 };
    struct histogram histogram = { 0 };
    struct histogram_figures figures;

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        histogram_note(&histogram, &scale, values[i]);
    histogram_read(&histogram, &figures);
    for (size_t i = 0; i <= scale.n; i++)
        assert_int_equal(figures.counts[i], counts[i]);
    assert_int_equal(figures.sum, 5000000225);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bound_belongs_to_the_bucket_below_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
