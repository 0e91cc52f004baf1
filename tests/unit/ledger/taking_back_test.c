/*
 * taking_back_test.c - voids and forgetting, as the store decides them: what a batch that fails
 * leaves, and what the sets say when they are loaded again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "ledger/ledger_fixture.h"

#define OPTIONS "\"options\":[{\"label\":\"a\"},{\"label\":\"b\"}]"
#define CLOSED "{\"title\":\"t\",\"state\":\"closed\"," OPTIONS "}"

static void open_again(struct fixture *fixture)
{
    fixture_close(fixture);
    assert_null(fixture_open(fixture));
}

static void a_void_of_two_votes_takes_back_those_that_stand(void **state)
{
    struct fixture *fixture = *state;
    const uint32_t seqs[] = { 1, 2, 3 };
    struct answer answer;

    fixture_put(fixture, "p", "{\"title\":\"t\",\"revote\":true,\"per_address\":1," OPTIONS "}");
    assert_int_equal(fixture_vote(fixture, "p", "a", 1, 7).result, JOB_COUNTED);
    assert_int_equal(fixture_vote(fixture, "p", "b", 1, 8).result, JOB_COUNTED);
    assert_int_equal(fixture_vote(fixture, "p", "a", 2, 7).result, JOB_CHANGED); /* 3 for 1 */
    answer = fixture_void(fixture, "p", seqs, 3);
    assert_int_equal(answer.result, JOB_READ);
    assert_int_equal(answer.voided, 2);
    assert_int_equal(answer.votes, 0);
    for (int start = 0; start < 2; start++) {
        assert_int_equal(fixture_vote(fixture, "p", "a", 1, 7).problem, PROBLEM_VOTE_VOIDED);
        assert_int_equal(fixture_retract(fixture, "p", "b").problem, PROBLEM_VOTE_VOIDED);
        assert_int_equal(fixture_void(fixture, "p", seqs, 3).voided, 0);
        open_again(fixture);
    }
    /* Their addresses have got theirs back. */
    assert_int_equal(fixture_vote(fixture, "p", "c", 1, 7).result, JOB_COUNTED);
    assert_int_equal(fixture_vote(fixture, "p", "d", 1, 7).problem, PROBLEM_ADDRESS_LIMIT);
}

static void an_older_vote_that_was_voided_beside_a_newer_one_is_loaded_again(void **state)
{
    struct fixture *fixture = *state;
    const uint32_t older[] = { 1 };
    const uint32_t newer[] = { 2 };

    fixture_put(fixture, "p",
                "{\"title\":\"t\",\"revote\":true,\"again_after\":60,\"per_address\":2," OPTIONS
                "}");
    assert_int_equal(fixture_vote(fixture, "p", "a", 1, 7).seq, 1);
    fixture->wall_ms += 60000;
    assert_int_equal(fixture_vote(fixture, "p", "a", 2, 7).seq, 2);
    assert_int_equal(fixture_vote(fixture, "p", "b", 1, 7).problem, PROBLEM_ADDRESS_LIMIT);
    assert_int_equal(fixture_void(fixture, "p", older, 1).voided, 1); /* row 3 */
    open_again(fixture);
    assert_int_equal(fixture_votes(fixture, "p"), 1);
    assert_int_equal(fixture_vote(fixture, "p", "a", 2, 7).result, JOB_ALREADY);
    assert_int_equal(fixture_vote(fixture, "p", "a", 1, 7).seq, 4); /* still the newest: changed */
    assert_int_equal(fixture_void(fixture, "p", newer, 1).voided, 0);
    open_again(fixture);
    assert_int_equal(fixture_vote(fixture, "p", "b", 1, 7).result, JOB_COUNTED);
    assert_int_equal(fixture_vote(fixture, "p", "c", 1, 7).problem, PROBLEM_ADDRESS_LIMIT);
}

static void a_void_whose_batch_fails_never_was(void **state)
{
    struct fixture *fixture = *state;
    const uint32_t seqs[] = { 1, 2 };
    sqlite3_int64 before;
    int failed = 0;

    if (fixture_is_shared())
        skip(); /* it is SQLite that finds no memory here */
    fixture_put(fixture, "p", "{\"title\":\"t\",\"per_address\":1," OPTIONS "}");
    assert_int_equal(fixture_vote(fixture, "p", "a", 1, 7).result, JOB_COUNTED);
    assert_int_equal(fixture_vote(fixture, "p", "b", 2, 8).result, JOB_COUNTED);
    /* SQLite finds less and less memory, until it finds none and until it is enough. */
    for (sqlite3_int64 room = 0;; room += 256) {
        struct answer answer;

        before = sqlite3_hard_heap_limit64(sqlite3_memory_used() + 1 + room);
        answer = fixture_void(fixture, "p", seqs, 2);
        (void)sqlite3_hard_heap_limit64(before > 0 ? before : 0);
        if (answer.result == JOB_READ)
            break;
        failed++;
        assert_int_not_equal(answer.store, STORE_DONE);
        if (answer.store == STORE_BROKEN) { /* in the commit: only a start can tell */
            open_again(fixture);
            if (fixture_votes(fixture, "p") == 0)
                break;
        }
        assert_int_equal(fixture_votes(fixture, "p"), 2);
        assert_int_equal(fixture_vote(fixture, "p", "a", 1, 7).result, JOB_ALREADY);
        assert_int_equal(fixture_vote(fixture, "p", "c", 1, 8).problem, PROBLEM_ADDRESS_LIMIT);
    }
    assert_true(failed > 0);
    assert_int_equal(fixture_votes(fixture, "p"), 0);
    assert_int_equal(fixture_vote(fixture, "p", "a", 1, 7).problem, PROBLEM_VOTE_VOIDED);
    assert_int_equal(fixture_vote(fixture, "p", "c", 1, 8).result, JOB_COUNTED);
}

static void a_forgetting_whose_batch_fails_never_was(void **state)
{
    struct fixture *fixture = *state;
    int failed = 0;

    if (fixture_is_shared())
        skip(); /* it is SQLite that finds no memory here */
    fixture_put(fixture, "p", "{\"title\":\"t\"," OPTIONS "}");
    assert_int_equal(fixture_vote(fixture, "p", "a", 1, 7).result, JOB_COUNTED);
    fixture_put(fixture, "p", CLOSED);
    for (sqlite3_int64 room = 0;; room += 256) {
        struct answer answer;

        (void)sqlite3_hard_heap_limit64(sqlite3_memory_used() + 1 + room);
        answer = fixture_forget(fixture, "p", NULL, 0);
        (void)sqlite3_hard_heap_limit64(0);
        if (answer.result == JOB_READ)
            break;
        failed++;
        if (answer.problem == PROBLEM_OUTCOME_UNKNOWN) {
            if (answer.store == STORE_BROKEN)
                open_again(fixture);
            break; /* committed, or nobody knows */
        }
        assert_int_equal(fixture_vote(fixture, "p", "a", 1, 7).result, JOB_ALREADY);
    }
    assert_true(failed > 0);
    assert_int_equal(fixture_forget(fixture, "p", NULL, 0).result, JOB_READ);
    assert_int_equal(fixture_vote(fixture, "p", "a", 1, 7).problem, PROBLEM_POLL_FORGOTTEN);
    open_again(fixture);
    assert_int_equal(fixture_vote(fixture, "p", "a", 1, 7).problem, PROBLEM_POLL_FORGOTTEN);
    assert_int_equal(fixture_votes(fixture, "p"), 1);
}

static void only_a_closed_poll_forgets_and_only_what_was_found_in_it(void **state)
{
    struct fixture *fixture = *state;
    const uint32_t seqs[] = { 1 };

    fixture_put(fixture, "p", "{\"title\":\"t\"," OPTIONS "}");
    assert_int_equal(fixture_vote(fixture, "p", "a", 1, 0).result, JOB_COUNTED);
    assert_int_equal(fixture_forget(fixture, "p", NULL, 0).problem, PROBLEM_POLL_OPEN);
    assert_int_equal(fixture_forget(fixture, "p", seqs, 1).problem, PROBLEM_POLL_OPEN);
    assert_int_equal(fixture_vote(fixture, "p", "b", 1, 0).result, JOB_COUNTED);
    fixture_put(fixture, "p", CLOSED);
    /* Found before the second vote, which may have been this voter's too. */
    assert_int_equal(fixture_forget_found(fixture, "p", seqs, 1, 1).problem, PROBLEM_BUSY);
    assert_int_equal(fixture_forget(fixture, "p", seqs, 1).result, JOB_READ);
    assert_int_equal(fixture_vote(fixture, "p", "a", 1, 0).problem, PROBLEM_POLL_CLOSED);
    assert_int_equal(fixture_votes(fixture, "p"), 2);
    /* Reopened, the forgotten one is somebody new. */
    fixture_put(fixture, "p", "{\"title\":\"t\",\"state\":\"open\"," OPTIONS "}");
    assert_int_equal(fixture_vote(fixture, "p", "a", 1, 0).result, JOB_COUNTED);
}

static void forgetting_while_voters_are_being_loaded_begins_their_sets_anew(void **state)
{
    struct fixture *fixture = *state;
    const uint32_t seqs[] = { 1, 20000 };
    struct answer asked;

    if (fixture_is_shared())
        skip(); /* no voters are loaded there */
    fixture_put(fixture, "p", "{\"title\":\"t\"," OPTIONS "}");
    fixture_vote_many(fixture, "p", 20000); /* three slices */
    fixture_put(fixture, "p", CLOSED);
    open_again(fixture);
    fixture_begin_asking(fixture, "p", "v1"); /* kept: the sets are not there */
    fixture_work(fixture, 1);                 /* some of them are */
    assert_int_equal(fixture_forget(fixture, "p", seqs, 2).result, JOB_READ);
    asked = fixture_end_asking(fixture);
    assert_int_equal(asked.result, JOB_NOT_FOUND);
    assert_int_equal(fixture_vote(fixture, "p", "v20000", 1, 0).problem, PROBLEM_POLL_CLOSED);
    assert_int_equal(fixture_vote(fixture, "p", "v2", 1, 0).result, JOB_ALREADY);
    assert_int_equal(fixture_vote(fixture, "p", "v19999", 1, 0).seq, 19999);
    assert_int_equal(fixture_votes(fixture, "p"), 20000);
}

static void a_poll_forgotten_while_its_voters_are_being_loaded_knows_nobody(void **state)
{
    struct fixture *fixture = *state;

    if (fixture_is_shared())
        skip(); /* no voters are loaded there */
    fixture_put(fixture, "p", "{\"title\":\"t\"," OPTIONS "}");
    fixture_vote_many(fixture, "p", 20000); /* three slices */
    fixture_put(fixture, "p", CLOSED);
    open_again(fixture);
    fixture_begin_asking(fixture, "p", "v1");
    fixture_work(fixture, 1);
    assert_int_equal(fixture_forget(fixture, "p", NULL, 0).result, JOB_READ);
    assert_int_equal(fixture_end_asking(fixture).result, JOB_NOT_FOUND);
    assert_int_equal(fixture_votes(fixture, "p"), 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_void_of_two_votes_takes_back_those_that_stand,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(
            an_older_vote_that_was_voided_beside_a_newer_one_is_loaded_again, fixture_setup,
            fixture_teardown),
        cmocka_unit_test_setup_teardown(a_void_whose_batch_fails_never_was, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_forgetting_whose_batch_fails_never_was, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(only_a_closed_poll_forgets_and_only_what_was_found_in_it,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(
            forgetting_while_voters_are_being_loaded_begins_their_sets_anew, fixture_setup,
            fixture_teardown),
        cmocka_unit_test_setup_teardown(
            a_poll_forgotten_while_its_voters_are_being_loaded_knows_nobody, fixture_setup,
            fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
