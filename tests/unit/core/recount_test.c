/*
 * recount_test.c - counts worked out again from rows, and rows that cannot be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/ballot.h"
#include "core/recount.h"

#define A 1U
#define B 2U
#define C 4U

static void votes_changes_retractions_and_voids_add_up(void **state)
{
    static const struct recount_row rows[] = {
        { .seq = 1, .marks = A },
        { .seq = 2, .marks = B | C },
        { .seq = 3, .marks = B, .replaces = 1, .replaced_marks = A, .same_voter = true },
        { .seq = 4, .marks = C },
        { .seq = 5, .retracted = true, .replaces = 3, .replaced_marks = B, .same_voter = true },
        { .seq = 6, .replaces = 4, .replaced_marks = C, .same_voter = true },
        { .seq = 7, .marks = UINT64_C(1) << 63 },
    };
    struct counts expected = { .marks = { 0, 1, 1, [63] = 1 }, .voters = 2 };
    struct recount recount = { .seq = 0 };

    (void)state;
    assert_true(recount_agrees(&recount, &(struct counts){ .voters = 0 }));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        recount_add(&recount, &rows[i]);
    assert_false(recount.contradicts);
    assert_int_equal(recount.seq, 7);
    assert_true(recount_agrees(&recount, &expected));
    expected.marks[63] = 2;
    assert_false(recount_agrees(&recount, &expected));
    expected.marks[63] = 1;
    expected.voters = 3;
    assert_false(recount_agrees(&recount, &expected));
}

/* Behind {1: A, 2: B}. */
static void a_row_that_cannot_follow_is_named(void **state)
{
    static const struct {
        const char *when;
        struct recount_row row;
    } rows[] = {
        { "a gap", { .seq = 4, .marks = A } },
        { "a seq twice", { .seq = 2, .marks = A } },
        { "nothing chosen", { .seq = 3 } },
        { "a retraction of nothing", { .seq = 3, .retracted = true } },
        { "a retraction with options",
          { .seq = 3,
            .marks = A,
            .retracted = true,
            .replaces = 1,
            .replaced_marks = A,
            .same_voter = true } },
        { "its own place",
          { .seq = 3, .marks = A, .replaces = 3, .replaced_marks = A, .same_voter = true } },
        { "a later one's place",
          { .seq = 3, .marks = A, .replaces = 4, .replaced_marks = A, .same_voter = true } },
        { "somebody else's place", { .seq = 3, .marks = B, .replaces = 1, .replaced_marks = A } },
        { "the place of a retraction",
          { .seq = 3, .marks = B, .replaces = 1, .replaced_marks = 0, .same_voter = true } },
        { "what does not stand",
          { .seq = 3, .marks = B, .replaces = 1, .replaced_marks = C, .same_voter = true } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct recount recount = { .seq = 0 };

        recount_add(&recount, &(struct recount_row){ .seq = 1, .marks = A });
        recount_add(&recount, &(struct recount_row){ .seq = 2, .marks = B });
        assert_false(recount.contradicts);
        recount_add(&recount, &rows[i].row);
        if (!recount.contradicts || recount.wrong_seq != rows[i].row.seq || !recount.wrong)
            fail_msg("%s: taken for good", rows[i].when);
    }
}

static void the_first_contradiction_is_kept(void **state)
{
    struct recount recount = { .seq = 0 };

    (void)state;
    recount_add(&recount, &(struct recount_row){ .seq = 2, .marks = A });
    recount_add(&recount, &(struct recount_row){ .seq = 9, .marks = A });
    assert_int_equal(recount.wrong_seq, 2);
    assert_int_equal(recount.counts.voters, 2);
}

/* Two ways to the same counts: each vote as it is decided, and all rows afterwards. */
static void a_recount_is_what_counting_each_vote_gave(void **state)
{
    enum { VOTERS = 50, ROUNDS = 5000 };
    struct {
        uint32_t seq;
        uint64_t marks;
    } stands[VOTERS] = { { 0, 0 } };
    struct recount recount = { .seq = 0 };
    struct counts counts = { .voters = 0 };
    uint64_t random = 88172645463325252U;

    (void)state;
    for (uint32_t seq = 1; seq <= ROUNDS; seq++) {
        size_t voter;
        struct recount_row row = { .seq = seq };

        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        voter = random % VOTERS;
        row.marks = stands[voter].marks != 0 && (random >> 8) % 3 == 0 ? 0 : 1 + (random >> 16) % 7;
        row.retracted = row.marks == 0;
        row.replaces = stands[voter].marks != 0 ? stands[voter].seq : 0;
        row.replaced_marks = stands[voter].marks;
        row.same_voter = row.replaces != 0;
        counts_apply(&counts, stands[voter].marks, row.marks);
        recount_add(&recount, &row);
        stands[voter].seq = seq;
        stands[voter].marks = row.marks;
        if (recount.contradicts || !recount_agrees(&recount, &counts))
            fail_msg("row %u: %s", (unsigned)seq, recount.contradicts ? recount.wrong : "differs");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(votes_changes_retractions_and_voids_add_up),
        cmocka_unit_test(a_row_that_cannot_follow_is_named),
        cmocka_unit_test(the_first_contradiction_is_kept),
        cmocka_unit_test(a_recount_is_what_counting_each_vote_gave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
