/*
 * tally_test.c - percentages, shares and means.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/tally.h"

static void percents_of_a_single_choice_poll_sum_to_100(void **state)
{
    static const struct {
        const char *when;
        size_t n;
        uint64_t votes[4];
        unsigned percent[4];
    } rows[] = {
        { "the first poll", 4, { 33, 30, 24, 21 }, { 31, 28, 22, 19 } },
        { "ties go to the lower option", 4, { 1, 1, 1, 0 }, { 34, 33, 33, 0 } },
        { "what others show as 101", 3, { 4, 4, 6 }, { 29, 28, 43 } },
        { "what others show as 99", 3, { 2, 2, 3 }, { 29, 28, 43 } },
        { "remainders below a half", 3, { 12, 4, 1 }, { 71, 23, 6 } },
        { "two halves", 2, { 101, 99 }, { 51, 49 } },
        { "199 of 200", 2, { 199, 1 }, { 100, 0 } },
        { "nobody", 3, { 0, 0, 0 }, { 0, 0, 0 } },
        { "everybody", 3, { 0, 7, 0 }, { 0, 100, 0 } },
        { "the largest counts", 2, { INT64_MAX - 1, 1 }, { 100, 0 } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned got[4] = { 0 };

        tally_percents(rows[i].votes, rows[i].n, got);
        if (memcmp(got, rows[i].percent, sizeof got) != 0)
            fail_msg("%s: got %u %u %u %u", rows[i].when, got[0], got[1], got[2], got[3]);
    }
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void percents_of_any_votes_sum_to_100_and_keep_their_order(void **state)
{
    uint64_t seed = 88172645463325252U;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        uint64_t votes[OPTIONS_MAX];
        unsigned percents[OPTIONS_MAX];
        size_t n = 2 + next_random(&seed) % (OPTIONS_MAX - 1);
        unsigned shift = 7 + (unsigned)(next_random(&seed) % 57);
        unsigned sum = 0;

        for (size_t i = 0; i < n; i++)
            votes[i] = next_random(&seed) >> shift;
        votes[0]++;
        tally_percents(votes, n, percents);
        for (size_t i = 0; i < n; i++) {
            sum += percents[i];
            for (size_t j = i + 1; j < n; j++) {
                if ((votes[i] >= votes[j]) != (percents[i] >= percents[j]) &&
                    percents[i] != percents[j])
                    fail_msg("round %d: option %zu and %zu change places", round, i, j);
            }
        }
        if (sum != 100)
            fail_msg("round %d: the sum is %u", round, sum);
    }
}

static struct poll *make_poll(enum poll_kind kind, size_t n_options, unsigned max_choices)
{
    struct poll *poll = poll_new();

    assert_non_null(poll);
    poll->kind = kind;
    poll->n_options = n_options;
    poll->max_choices = max_choices;
    return poll;
}

static void several_answers_are_shares_of_the_voters(void **state)
{
    static const unsigned percents[] = { 42, 17, 33, 8, 8 };
    AUTO(poll) poll = make_poll(POLL_CHOICE, 5, 5);
    const struct counts counts = { .marks = { 5, 2, 4, 1, 1 }, .voters = 12 };
    struct tally tally;

    (void)state;
    tally_work_out(poll, &counts, &tally);
    assert_int_equal(tally.votes, 13);
    assert_int_equal(tally.voters, 12);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(tally.options[i].percent, percents[i]);
    assert_int_equal(tally.options[0].share_millionths, 416667);
}

static void what_is_shown_never_rounds_a_vote_to_nothing_nor_to_all(void **state)
{
    AUTO(poll) poll = make_poll(POLL_CHOICE, 3, 1);
    const struct counts counts = { .marks = { 199, 1, 0 }, .voters = 200 };
    struct tally tally;

    (void)state;
    tally_work_out(poll, &counts, &tally);
    assert_string_equal(tally.options[0].shown, ">99%");
    assert_string_equal(tally.options[1].shown, "<1%");
    assert_string_equal(tally.options[2].shown, "0%");
}

static void a_mean_is_rounded_half_up_in_whole_numbers(void **state)
{
    static const struct {
        uint64_t count;
        uint64_t sum;
        uint64_t hundredths;
    } rows[] = {
        { 2, 10, 500 },    { 40, 107, 268 },
        { 200, 201, 101 }, { 3, 11, 367 },
        { 2, 9, 450 },     { 1, 1, 100 },
        { 200, 999, 500 }, { 1000000000000000000, 4999999999999999999, 500 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO(poll) poll = make_poll(POLL_RATING, 5, 1);
        const struct counts counts = { .voters = 0 };
        struct tally tally;

        poll->carried = (struct carried){
            .sum_only = true, .count = rows[i].count, .sum = rows[i].sum, .voters = rows[i].count
        };
        tally_work_out(poll, &counts, &tally);
        if (!tally.rated || tally.rating_hundredths != rows[i].hundredths)
            fail_msg("%llu of %llu: %llu", (unsigned long long)rows[i].sum,
                     (unsigned long long)rows[i].count,
                     (unsigned long long)tally.rating_hundredths);
        assert_int_equal(tally.options[4].percent, 0);
        assert_int_equal(tally.votes, rows[i].count);
    }
}

static void carried_stars_count_beside_votes(void **state)
{
    AUTO(poll) poll = make_poll(POLL_RATING, 5, 1);
    const struct counts counts = { .marks = { 0, 1, 0, 0, 0 }, .voters = 1 };
    struct tally tally;

    (void)state;
    poll->carried = (struct carried){ .marks = { 0, 0, 0, 0, 2 }, .voters = 2 };
    tally_work_out(poll, &counts, &tally);
    assert_int_equal(tally.votes, 3);
    assert_int_equal(tally.voters, 3);
    assert_int_equal(tally.carried, 2);
    assert_int_equal(tally.rating_hundredths, 400);
    assert_int_equal(tally.options[4].percent, 67);
}

static void nobody_rated_means_no_mean(void **state)
{
    AUTO(poll) poll = make_poll(POLL_RATING, 5, 1);
    const struct counts counts = { .voters = 0 };
    struct tally tally;

    (void)state;
    tally_work_out(poll, &counts, &tally);
    assert_false(tally.rated);
}

static void counts_fit_up_to_2_to_the_63_less_1(void **state)
{
    AUTO(poll) poll = make_poll(POLL_CHOICE, 2, 1);
    struct counts counts = { .marks = { INT64_MAX / 3, 0 }, .voters = INT64_MAX / 3 };

    (void)state;
    assert_true(counts_fit(poll, &counts));
    poll->carried.marks[0] = INT64_MAX;
    assert_false(counts_fit(poll, &counts));
    poll->carried.marks[0] = 0;
    counts.marks[1] = UINT64_MAX;
    assert_false(counts_fit(poll, &counts));
}

static void decimals_have_no_trailing_zeros(void **state)
{
    static const struct {
        uint64_t n;
        unsigned decimals;
        const char *text;
    } rows[] = {
        { 500, 2, "5" },           { 450, 2, "4.5" },    { 367, 2, "3.67" },
        { 305556, 6, "0.305556" }, { 0, 6, "0" },        { 1000000, 6, "1" },
        { 500000, 6, "0.5" },      { 1, 6, "0.000001" }, { 1000, 2, "10" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[24];

        tally_decimal(rows[i].n, rows[i].decimals, text);
        if (strcmp(text, rows[i].text) != 0)
            fail_msg("%s became %s", rows[i].text, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percents_of_a_single_choice_poll_sum_to_100),
        cmocka_unit_test(percents_of_any_votes_sum_to_100_and_keep_their_order),
        cmocka_unit_test(several_answers_are_shares_of_the_voters),
        cmocka_unit_test(what_is_shown_never_rounds_a_vote_to_nothing_nor_to_all),
        cmocka_unit_test(a_mean_is_rounded_half_up_in_whole_numbers),
        cmocka_unit_test(carried_stars_count_beside_votes),
        cmocka_unit_test(nobody_rated_means_no_mean),
        cmocka_unit_test(counts_fit_up_to_2_to_the_63_less_1),
        cmocka_unit_test(decimals_have_no_trailing_zeros),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
