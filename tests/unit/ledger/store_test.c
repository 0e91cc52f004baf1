/*
 * store_test.c - what the ledger keeps, over a close and a new start.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/ledger_fixture.h"

#define OPTIONS "\"options\":[{\"label\":\"a\"},{\"label\":\"b\"}]"

static void open_again(struct fixture *fixture)
{
    fixture_close(fixture);
    assert_null(fixture_open(fixture));
}

static void votes_changes_and_retractions_stand_after_a_new_start(void **state)
{
    struct fixture *fixture = *state;

    fixture_put(fixture, "p", "{\"title\":\"t\",\"revote\":true," OPTIONS "}");
    assert_int_equal(fixture_vote(fixture, "p", "anna", 1, 0).result, JOB_COUNTED);
    assert_int_equal(fixture_vote(fixture, "p", "ben", 1, 0).result, JOB_COUNTED);
    assert_int_equal(fixture_vote(fixture, "p", "anna", 2, 0).result, JOB_CHANGED);
    assert_int_equal(fixture_retract(fixture, "p", "ben").result, JOB_RETRACTED);
    for (int start = 0; start < 3; start++) {
        struct answer answer = fixture_vote(fixture, "p", "anna", 2, 0);

        assert_int_equal(answer.result, JOB_ALREADY);
        assert_int_equal(answer.seq, 3);
        assert_int_equal(answer.votes, 1);
        assert_int_equal(fixture_retract(fixture, "p", "ben").problem, PROBLEM_NO_SUCH_VOTE);
        open_again(fixture);
        assert_int_equal(fixture_votes(fixture, "p"), 1);
    }
    assert_int_equal(fixture_vote(fixture, "p", "ben", 1, 0).result, JOB_COUNTED);
}

static void who_voted_again_is_known_by_the_newest_row(void **state)
{
    struct fixture *fixture = *state;

    fixture_put(fixture, "p", "{\"title\":\"t\",\"again_after\":60," OPTIONS "}");
    assert_int_equal(fixture_vote(fixture, "p", "anna", 1, 0).result, JOB_COUNTED);
    fixture->wall_ms += 59999;
    assert_int_equal(fixture_vote(fixture, "p", "anna", 1, 0).result, JOB_ALREADY);
    fixture->wall_ms += 1;
    assert_int_equal(fixture_vote(fixture, "p", "anna", 1, 0).seq, 2);
    open_again(fixture);
    assert_int_equal(fixture_vote(fixture, "p", "anna", 1, 0).seq, 2);
    assert_int_equal(fixture_votes(fixture, "p"), 2);
}

static void an_address_has_its_share_also_after_a_new_start_and_gets_one_back(void **state)
{
    struct fixture *fixture = *state;

    fixture_put(fixture, "p", "{\"title\":\"t\",\"revote\":true,\"per_address\":2," OPTIONS "}");
    assert_int_equal(fixture_vote(fixture, "p", "a", 1, 7).result, JOB_COUNTED);
    assert_int_equal(fixture_vote(fixture, "p", "b", 1, 7).result, JOB_COUNTED);
    assert_int_equal(fixture_vote(fixture, "p", "c", 1, 7).problem, PROBLEM_ADDRESS_LIMIT);
    assert_int_equal(fixture_vote(fixture, "p", "c", 1, 8).result, JOB_COUNTED);
    assert_int_equal(fixture_vote(fixture, "p", "a", 2, 9).result, JOB_CHANGED);
    open_again(fixture);
    assert_int_equal(fixture_vote(fixture, "p", "d", 1, 7).problem, PROBLEM_ADDRESS_LIMIT);
    assert_int_equal(fixture_retract(fixture, "p", "a").result, JOB_RETRACTED);
    assert_int_equal(fixture_vote(fixture, "p", "d", 1, 7).result, JOB_COUNTED);
    open_again(fixture);
    assert_int_equal(fixture_vote(fixture, "p", "e", 1, 7).problem, PROBLEM_ADDRESS_LIMIT);
}

static void a_limit_that_is_set_later_counts_those_before(void **state)
{
    struct fixture *fixture = *state;

    fixture_put(fixture, "p", "{\"title\":\"t\"," OPTIONS "}");
    assert_int_equal(fixture_vote(fixture, "p", "a", 1, 7).result, JOB_COUNTED);
    fixture_put(fixture, "p", "{\"title\":\"t\",\"per_address\":1," OPTIONS "}");
    assert_int_equal(fixture_vote(fixture, "p", "b", 1, 7).problem, PROBLEM_ADDRESS_LIMIT);
    assert_int_equal(fixture_vote(fixture, "p", "b", 1, 8).result, JOB_COUNTED);
}

static void a_poll_opens_and_closes_by_the_clock_to_the_millisecond(void **state)
{
    struct fixture *fixture = *state;
    struct queue_list answered = { NULL, NULL, 0 };
    struct published *published;
    int64_t next_ms;

    fixture->wall_ms = 1780000000000; /* 2026-05-28T20:26:40Z */
    fixture_put(fixture, "p",
                "{\"title\":\"t\",\"opens_at\":\"2026-05-28T20:26:41Z\","
                "\"closes_at\":\"2026-05-28T20:26:50Z\"," OPTIONS "}");
    assert_int_equal(fixture_vote(fixture, "p", "a", 1, 0).problem, PROBLEM_NOT_YET_OPEN);
    assert_int_equal(store_work(fixture->store, true, &answered, &next_ms), STORE_DONE);
    assert_true(next_ms > 0 && next_ms <= 500);
    fixture->wall_ms += 9999;
    fixture->mono_ms += 9999;
    assert_int_equal(fixture_vote(fixture, "p", "a", 1, 0).result, JOB_COUNTED);
    fixture->wall_ms += 1;
    fixture->mono_ms += 500;
    assert_int_equal(fixture_vote(fixture, "p", "b", 1, 0).problem, PROBLEM_POLL_CLOSED);
    assert_int_equal(store_work(fixture->store, true, &answered, &next_ms), STORE_DONE);
    published = board_get(fixture->board, STR("p"));
    assert_int_equal(published->phase, PHASE_CLOSED);
    assert_int_equal(published->counts.version, 3);
    published_free(published);
    fixture->wall_ms += ALREADY_AFTER_CLOSE_MS;
    assert_int_equal(fixture_vote(fixture, "p", "a", 1, 0).result, JOB_ALREADY);
    fixture->wall_ms += 1;
    assert_int_equal(fixture_vote(fixture, "p", "a", 1, 0).problem, PROBLEM_POLL_CLOSED);
}

static void thousands_of_voters_are_loaded_in_slices(void **state)
{
    struct fixture *fixture = *state;
    int n = fixture_is_shared() ? 1000 : 20000; /* there none is loaded, and each is a commit */
    char voter[32];

    fixture_put(fixture, "p", "{\"title\":\"t\"," OPTIONS "}");
    for (int i = 0; i < n; i++) {
        (void)snprintf(voter, sizeof voter, "v%d", i);
        assert_int_equal(fixture_vote(fixture, "p", voter, 1, 0).result, JOB_COUNTED);
    }
    open_again(fixture);
    for (int i = 0; i < n; i += 97) {
        (void)snprintf(voter, sizeof voter, "v%d", i);
        assert_int_equal(fixture_vote(fixture, "p", voter, 1, 0).seq, i + 1);
    }
    assert_int_equal(fixture_votes(fixture, "p"), n);
}

/* There is no tally any more that their answers could show. */
static void what_a_deletion_of_the_same_batch_follows_is_refused_too(void **state)
{
    struct fixture *fixture = *state;
    struct refusal refusals[4] = { { .problem = PROBLEM_NONE } };
    struct job jobs[] = {
        { .kind = JOB_VOTE, .ballot = { .marks = 1, .voter.bytes = { 1 } } },
        { .kind = JOB_RETRACT, .ballot = { .voter.bytes = { 1 } } },
        { .kind = JOB_ASK, .ballot = { .voter.bytes = { 1 } } },
        { .kind = JOB_DELETE, .id = "p" },
    };
    struct job *room[4];
    struct batch batch = { .jobs = room, .n = 4, .now_ms = fixture->wall_ms };
    size_t kept;

    fixture_put(fixture, "p", "{\"title\":\"t\",\"revote\":true," OPTIONS "}");
    for (size_t i = 0; i < 4; i++) {
        jobs[i].refusal = &refusals[i];
        jobs[i].ballot.kind = VOTER_NAMED;
        jobs[i].ballot.poll = 1;
        room[i] = &jobs[i];
    }
    assert_int_equal(store_commit(fixture->store, &batch, &kept), STORE_DONE);
    for (size_t i = 0; i < 3; i++) {
        assert_null(jobs[i].published);
        assert_int_equal(jobs[i].result, JOB_REFUSED);
        assert_int_equal(refusals[i].problem, PROBLEM_NO_SUCH_POLL);
    }
    assert_int_equal(jobs[3].result, JOB_DELETED);
}

static void a_second_store_on_the_same_file_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct fixture other = *fixture;
    const char *why;

    if (fixture_is_shared())
        skip(); /* several nodes on one engine are what that store is for */
    other.board = NULL;
    other.store = NULL;
    other.keys = NULL;
    why = fixture_open(&other);
    assert_non_null(why);
    assert_non_null(strstr(why, "another tallyd"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(votes_changes_and_retractions_stand_after_a_new_start,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(who_voted_again_is_known_by_the_newest_row, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(
            an_address_has_its_share_also_after_a_new_start_and_gets_one_back, fixture_setup,
            fixture_teardown),
        cmocka_unit_test_setup_teardown(a_limit_that_is_set_later_counts_those_before,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_poll_opens_and_closes_by_the_clock_to_the_millisecond,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(thousands_of_voters_are_loaded_in_slices, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(what_a_deletion_of_the_same_batch_follows_is_refused_too,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_second_store_on_the_same_file_is_refused, fixture_setup,
                                        fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
