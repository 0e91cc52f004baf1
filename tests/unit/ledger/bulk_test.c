/*
 * bulk_test.c - bulks that wait for the voters of their polls.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/ledger_fixture.h"

#define POLL "{\"title\":\"t\",\"options\":[{\"label\":\"a\"},{\"label\":\"b\"}]}"
#define BULKS (2 * BATCH_JOBS_MAX / BULK_LINES_MAX + 1) /* more than two batches of them */
#define TURNS_MAX 100

static uint64_t number_of(struct fixture *fixture, const char *id)
{
    struct published *published = board_get(fixture->board, str_of(id));
    uint64_t number;

    assert_non_null(published);
    number = published->poll->number;
    published_free(published);
    return number;
}

struct bulks {
    struct job jobs[BULKS];
    struct refusal refusals[BULKS];
    struct bulk bulks[BULKS];
    struct job *last; /* behind them, or NULL */
};

/* Each line another voter, the polls by turns. */
static struct bulks *bulks_make(const uint64_t polls[2])
{
    struct bulks *all = calloc(1, sizeof *all);
    uint32_t voter = 0;

    assert_non_null(all);
    for (size_t i = 0; i < BULKS; i++) {
        all->jobs[i] =
            (struct job){ .kind = JOB_BULK, .bulk = &all->bulks[i], .refusal = &all->refusals[i] };
        all->bulks[i].n = BULK_LINES_MAX;
        for (size_t line = 0; line < BULK_LINES_MAX; line++) {
            struct ballot *ballot = &all->bulks[i].lines[line].ballot;

            *ballot = (struct ballot){ .poll = polls[line % 2], .kind = VOTER_NAMED, .marks = 1 };
            voter++;
            memcpy(ballot->voter.bytes, &voter, sizeof voter);
        }
    }
    return all;
}

/* Hands all of them over as the writer would. Returns how many came back. */
static size_t hand_over(struct fixture *fixture, struct bulks *all)
{
    struct queue_list from = { NULL, NULL, 0 };
    struct queue_list answered = { NULL, NULL, 0 };
    struct job *room[BULKS + 1];
    size_t n = BULKS + (all->last != NULL);
    size_t back = 0;
    int64_t next_ms;

    for (size_t i = 0; i < BULKS; i++)
        queue_list_add(&from, &all->jobs[i].node);
    if (all->last)
        queue_list_add(&from, &all->last->node);
    while (from.n > 0) {
        struct batch batch = { .jobs = room, .now_ms = fixture->wall_ms };
        size_t kept;

        batch_fill(&batch, &from, BATCH_JOBS_MAX);
        assert_int_equal(store_commit(fixture->store, &batch, &kept), STORE_DONE);
        back += batch.n;
    }
    for (int turn = 0; turn < TURNS_MAX && back + answered.n < n; turn++)
        assert_int_equal(store_work(fixture->store, false, &answered, &next_ms), STORE_DONE);
    for (const struct queue_node *node = answered.first; node; node = node->next)
        published_free(((const struct job *)node)->published);
    return back + answered.n;
}

static void two_polls_that_have_voters(struct fixture *fixture, uint64_t ret_polls[2])
{
    fixture_put(fixture, "p", POLL);
    fixture_put(fixture, "q", POLL);
    assert_int_equal(fixture_vote(fixture, "p", "anna", 1, 0).result, JOB_COUNTED);
    assert_int_equal(fixture_vote(fixture, "q", "anna", 1, 0).result, JOB_COUNTED);
    fixture_close(fixture);
    assert_null(fixture_open(fixture));
    ret_polls[0] = number_of(fixture, "p");
    ret_polls[1] = number_of(fixture, "q");
}

static void bulks_that_wait_for_one_poll_after_the_other_all_come_back(void **state)
{
    struct fixture *fixture = *state;
    struct bulks *all;
    uint64_t polls[2];

    two_polls_that_have_voters(fixture, polls);
    all = bulks_make(polls);
    assert_int_equal(hand_over(fixture, all), BULKS);
    for (size_t i = 0; i < BULKS; i++)
        assert_int_equal(all->jobs[i].result, JOB_READ);
    assert_int_equal(fixture_votes(fixture, "p"), 1 + BULKS * BULK_LINES_MAX / 2);
    assert_int_equal(fixture_votes(fixture, "q"), 1 + BULKS * BULK_LINES_MAX / 2);
    free(all);
}

static void a_poll_that_is_deleted_takes_its_own_lines_along_and_no_others(void **state)
{
    struct fixture *fixture = *state;
    struct refusal refusal = { .problem = PROBLEM_NONE };
    struct job deletion = { .kind = JOB_DELETE, .id = "p", .refusal = &refusal };
    struct bulks *all;
    uint64_t polls[2];

    two_polls_that_have_voters(fixture, polls);
    all = bulks_make(polls);
    all->last = &deletion;
    assert_int_equal(hand_over(fixture, all), BULKS + 1);
    assert_int_equal(deletion.result, JOB_DELETED);
    for (size_t i = 0; i < BULKS; i++) {
        assert_int_equal(all->jobs[i].result, JOB_READ);
        for (size_t line = 0; line < BULK_LINES_MAX; line += 2) {
            if (fixture_is_shared()) /* no line waited: they came before the deletion */
                assert_int_equal(all->bulks[i].lines[line].result, JOB_COUNTED);
            else
                assert_int_equal(all->bulks[i].lines[line].problem, PROBLEM_NO_SUCH_POLL);
            assert_int_equal(all->bulks[i].lines[line + 1].result, JOB_COUNTED);
        }
        buf_free(&all->bulks[i].details);
    }
    assert_int_equal(fixture_votes(fixture, "q"), 1 + BULKS * BULK_LINES_MAX / 2);
    free(all);
}

static void each_line_hears_of_its_own_row_or_why_there_is_none(void **state)
{
    struct fixture *fixture = *state;
    const struct bulk_line *lines;
    struct bulks *all;
    uint64_t polls[2];

    two_polls_that_have_voters(fixture, polls);
    all = bulks_make(polls);
    lines = all->bulks[0].lines;
    all->bulks[0].lines[2].ballot.voter = lines[0].ballot.voter; /* again */
    all->bulks[0].lines[4].ballot.marks = 1U << 31;              /* there is no such option */
    all->bulks[0].lines[6].ballot.poll = UINT32_MAX;             /* nor such a poll */
    assert_int_equal(hand_over(fixture, all), BULKS);
    assert_int_equal(lines[0].seq, 2); /* behind anna's */
    assert_int_equal(lines[1].seq, 2);
    assert_int_equal(lines[2].result, JOB_ALREADY);
    assert_int_equal(lines[2].seq, 2);
    assert_int_equal(lines[4].result, JOB_REFUSED);
    assert_int_equal(lines[4].problem, PROBLEM_INVALID);
    assert_int_equal(lines[6].result, JOB_REFUSED);
    assert_int_equal(lines[6].problem, PROBLEM_NO_SUCH_POLL);
    assert_true(lines[6].detail_len > 0);
    assert_int_equal(lines[8].result, JOB_COUNTED);
    assert_int_equal(lines[8].seq, 3);
    buf_free(&all->bulks[0].details);
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bulks_that_wait_for_one_poll_after_the_other_all_come_back,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(
            a_poll_that_is_deleted_takes_its_own_lines_along_and_no_others, fixture_setup,
            fixture_teardown),
        cmocka_unit_test_setup_teardown(each_line_hears_of_its_own_row_or_why_there_is_none,
                                        fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
