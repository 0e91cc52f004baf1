/*
 * top_test.c - scores, and the order of the best polls.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/top.h"

/* A rating with these counts by star, or a choice. */
static struct published *make(const char *id, enum poll_kind kind, size_t n_options,
                              const uint64_t *marks)
{
    AUTO(poll) poll = poll_new();
    struct counts counts = { .version = 1 };
    struct published *published;

    assert_non_null(poll);
    (void)snprintf(poll->id, sizeof poll->id, "%s", id);
    poll->kind = kind;
    poll->n_options = n_options;
    for (size_t i = 0; i < n_options; i++) {
        counts.marks[i] = marks[i];
        counts.voters += marks[i];
    }
    published = published_new(poll, &counts, PHASE_OPEN, 1);
    assert_non_null(published);
    return published;
}

struct row {
    const char *id;
    size_t scale; /* 0: a choice of two */
    uint64_t marks[10];
};

static struct top *list(const struct row *rows, size_t n, enum top_sort sort, size_t limit,
                        uint64_t votes_min)
{
    struct published *all[32];
    struct top *top = top_new(sort, limit);

    assert_non_null(top);
    assert_true(n <= sizeof all / sizeof all[0]);
    for (size_t i = 0; i < n; i++) {
        bool rated = rows[i].scale > 0;

        all[i] = make(rows[i].id, rated ? POLL_RATING : POLL_CHOICE, rated ? rows[i].scale : 2,
                      rows[i].marks);
        top_weigh(top, all[i]);
    }
    for (size_t i = 0; i < n; i++) {
        top_offer(top, all[i], votes_min);
        published_free(all[i]);
    }
    return top;
}

/* "b 4.41, a 4.2, c -": ids and scores in their order. */
static void assert_list(const struct top *top, const char *expected)
{
    char got[512] = "";

    for (size_t i = 0; i < top_count(top); i++) {
        const struct top_row *row = top_row(top, i);
        char score[24] = "-";

        if (row->scored)
            tally_decimal(row->score_hundredths, 2, score);
        (void)snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s %s", i > 0 ? ", " : "",
                       row->published->poll->id, score);
    }
    assert_string_equal(got, expected);
}

static void one_five_does_not_lead(void **state)
{
    static const struct row rows[] = {
        { "one", 5, { 0, 0, 0, 0, 1 } },
        { "many", 5, { 0, 0, 0, 10, 90 } },
        { "bad", 5, { 20, 0, 0, 0, 0 } },
    };
    AUTO(top) top = list(rows, 3, TOP_SCORE, 10, 1);
    AUTO(top) by_rating = list(rows, 3, TOP_RATING, 10, 1);
    AUTO(top) by_votes = list(rows, 3, TOP_VOTES, 10, 1);

    (void)state;
    /* M = (5 + 490 + 20) / 121 = 4.2562; (10 M + 5) / 11, (10 M + 490) / 110, (10 M + 20) / 30 */
    assert_list(top, "many 4.84, one 4.32, bad 2.09");
    assert_list(by_rating, "one 4.32, many 4.84, bad 2.09");
    assert_list(by_votes, "many 4.84, bad 2.09, one 4.32");
}

static void a_score_is_rounded_half_up(void **state)
{
    /* (10 M + 571) / 200 is 3.005 where M is 3 … */
    static const struct row half[] = {
        { "a", 5, { 0, 0, 190, 0, 0 } },
        { "b", 5, { 0, 0, 189, 1, 0 } },
        { "c", 5, { 0, 1, 189, 0, 0 } },
    };
    /* … and not yet where M is a hundred-millionth of a star less. */
    static const struct row below[] = {
        { "b", 5, { 0, 0, 189, 1, 0 } },
        { "c", 5, { 0, 2, 100000000, 0, 0 } },
    };
    /* M is 3.0055, the finest that matters, of 9: (10 M + 3) / 11 is 3.005. */
    static const struct row fine[] = {
        { "b", 9, { 0, 0, 1, 0, 0 } },
        { "c", 9, { 0, 0, 1988, 11, 0 } },
    };
    AUTO(top) top = list(half, 3, TOP_SCORE, 10, 1);
    AUTO(top) less = list(below, 2, TOP_SCORE, 10, 1);
    AUTO(top) finest = list(fine, 2, TOP_SCORE, 10, 1);

    (void)state;
    assert_list(top, "b 3.01, a 3, c 3");
    assert_list(less, "c 3, b 3");
    assert_list(finest, "c 3.01, b 3.01");
}

static void a_half_is_seen_on_each_scale(void **state)
{
    static const uint64_t none[10] = { 0 };

    (void)state;
    /* All at one place of the scale, so each score is the mean: 1 + steps / 2. */
    for (size_t scale = 2; scale <= 10; scale++) {
        struct row row = { "p", scale, { 0 } };
        char expected[32];
        char mean[24];

        memcpy(row.marks, none, sizeof none);
        row.marks[0] = 100;
        row.marks[scale - 1] = 100;
        {
            AUTO(top) top = list(&row, 1, TOP_SCORE, 1, 1);

            tally_decimal(100 + (scale - 1) * 50, 2, mean);
            (void)snprintf(expected, sizeof expected, "p %s", mean);
            assert_list(top, expected);
        }
    }
}

static void scales_are_compared_by_how_far_up_they_are(void **state)
{
    static const struct row rows[] = {
        { "five", 5, { 0, 0, 0, 0, 100 } },
        { "ten", 10, { 0, 0, 0, 0, 0, 0, 0, 100, 0, 0 } },
        { "two", 2, { 100, 0 } },
    };
    AUTO(top) by_rating = list(rows, 3, TOP_RATING, 10, 1);

    (void)state;
    /* The mean place is (1 + 7/9 + 0) / 3 = 16/27. On a scale of ten that is 1 + 9 * 16/27 = 6.33:
     * (63.3 + 800) / 110. */
    assert_list(by_rating, "five 4.85, ten 7.85, two 1.05");
}

static void what_has_no_stars_has_no_score_and_comes_last(void **state)
{
    static const struct row rows[] = {
        { "choice", 0, { 500, 1 } },
        { "none", 5, { 0 } },
        { "low", 5, { 1, 0, 0, 0, 0 } },
    };
    AUTO(top) all = list(rows, 3, TOP_SCORE, 10, 0);
    AUTO(top) some = list(rows, 3, TOP_SCORE, 10, 1);
    AUTO(top) many = list(rows, 3, TOP_VOTES, 10, 2);

    (void)state;
    assert_list(all, "low 1, choice -, none -");
    assert_list(some, "low 1, choice -");
    assert_list(many, "choice -");
}

static void equals_are_ordered_by_votes_then_by_id(void **state)
{
    static const struct row rows[] = {
        { "c", 5, { 0, 0, 0, 2, 0 } },
        { "b", 5, { 0, 0, 0, 1, 0 } },
        { "a", 5, { 0, 0, 0, 1, 0 } },
        { "bb", 5, { 0, 0, 0, 1, 0 } },
    };

    (void)state;
    for (enum top_sort sort = TOP_SCORE; sort <= TOP_VOTES; sort++) {
        AUTO(top) top = list(rows, 4, sort, 10, 1);

        assert_list(top, "c 4, a 4, b 4, bb 4");
    }
}

static void only_the_best_are_kept_whatever_order_they_come_in(void **state)
{
    static const struct row rows[] = {
        { "d", 0, { 4 } }, { "a", 0, { 1 } }, { "e", 0, { 5 } },
        { "c", 0, { 3 } }, { "f", 0, { 6 } }, { "b", 0, { 2 } },
    };
    AUTO(top) three = list(rows, 6, TOP_VOTES, 3, 0);
    AUTO(top) one = list(rows, 6, TOP_VOTES, 1, 0);

    (void)state;
    assert_list(three, "f -, e -, d -");
    assert_list(one, "f -");
}

static void the_largest_counts_do_not_wrap(void **state)
{
    static const struct row rows[] = {
        { "a", 10, { 0, 0, 0, 0, 0, 0, 0, 0, 0, INT64_MAX / 10 } },
        { "b", 10, { 0, 0, 0, 0, 0, 0, 0, 0, 0, INT64_MAX / 10 } },
        { "c", 2, { INT64_MAX, 0 } },
        { "d", 3, { 0, 0, 1 } },
    };
    AUTO(top) top = list(rows, 4, TOP_SCORE, 10, 1);

    (void)state;
    /* The mean place is (2/10) / (12/10) = 1/6: (10 (1 + 2/6) + 3) / 11 = 1.48 */
    assert_list(top, "a 10, b 10, d 1.48, c 1");
}

static void carried_ratings_count_with_and_without_known_stars(void **state)
{
    static const uint64_t none[5] = { 0 };
    AUTO(top) top = top_new(TOP_SCORE, 10);
    AUTO(poll) poll = poll_new();
    struct counts counts = { .version = 1 };
    struct published *both[2];

    (void)state;
    assert_non_null(top);
    assert_non_null(poll);
    (void)snprintf(poll->id, sizeof poll->id, "sum");
    poll->kind = POLL_RATING;
    poll->n_options = 5;
    poll->carried.sum_only = true;
    poll->carried.count = 10;
    poll->carried.sum = 45;
    both[0] = published_new(poll, &counts, PHASE_OPEN, 1);
    both[1] = make("none", POLL_RATING, 5, none);
    for (size_t i = 0; i < 2; i++) {
        assert_non_null(both[i]);
        top_weigh(top, both[i]);
    }
    for (size_t i = 0; i < 2; i++) {
        top_offer(top, both[i], 1);
        published_free(both[i]);
    }
    assert_list(top, "sum 4.5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_five_does_not_lead),
        cmocka_unit_test(a_score_is_rounded_half_up),
        cmocka_unit_test(a_half_is_seen_on_each_scale),
        cmocka_unit_test(scales_are_compared_by_how_far_up_they_are),
        cmocka_unit_test(what_has_no_stars_has_no_score_and_comes_last),
        cmocka_unit_test(equals_are_ordered_by_votes_then_by_id),
        cmocka_unit_test(only_the_best_are_kept_whatever_order_they_come_in),
        cmocka_unit_test(the_largest_counts_do_not_wrap),
        cmocka_unit_test(carried_ratings_count_with_and_without_known_stars),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
