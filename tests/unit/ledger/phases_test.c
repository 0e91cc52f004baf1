/*
 * phases_test.c - polls that open and close by time, where the wall clock is set to and fro.
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
#define LOOK_MS 500 /* polls with times are looked at as often at least */
#define DAY_MS (24 * 3600 * (int64_t)1000)

#define AT_2026 1780000000000   /* 2026-05-28T20:26:40Z */
#define AT_2038 2147483648000   /* one second behind what 32 bits hold */
#define AT_9999 253402300799000 /* the last second that has a name */

static const struct {
    const char *id;
    const char *times;
} polls[] = {
    { "never", "" },
    { "soon", "\"closes_at\":\"2026-05-28T20:26:50Z\"," },
    { "at2038", "\"opens_at\":\"2026-05-28T20:26:50Z\",\"closes_at\":\"2038-01-19T03:14:08Z\"," },
    { "behind", "\"opens_at\":\"2038-01-19T03:14:08Z\"," },
    { "last", "\"closes_at\":\"9999-12-31T23:59:59Z\"," },
};

#define N_POLLS (sizeof polls / sizeof polls[0])

/* In this order, some of them twice. */
static const int64_t jumps[] = {
    AT_2026,     AT_2026 + 9999, AT_2026 + 10000,  AT_2026 - 1,    0,
    AT_2038 - 1, AT_2038,        AT_2026,          AT_2038 - 1000, 2 * AT_2038,
    AT_9999 - 1, AT_9999,        AT_9999 + DAY_MS, 946684800000,   AT_2026 + 10000,
    AT_9999,     AT_2026,        -DAY_MS,          AT_2038,
};

static void make_polls(struct fixture *fixture)
{
    for (size_t i = 0; i < N_POLLS; i++) {
        char json[256];

        (void)snprintf(json, sizeof json, "{\"title\":\"t\",%s" OPTIONS "}", polls[i].times);
        fixture_put(fixture, polls[i].id, json);
    }
}

/* One turn of the writer, half a second later by the clock that never jumps. When it is next. */
static int64_t turn(struct fixture *fixture)
{
    struct queue_list answered = { NULL, NULL, 0 };
    int64_t next_ms;

    fixture->mono_ms += LOOK_MS;
    assert_int_equal(store_work(fixture->store, true, &answered, &next_ms), STORE_DONE);
    return next_ms;
}

static void is_shown_as_the_clock_says(struct fixture *fixture, size_t i, uint64_t *version)
{
    struct published *published = board_get(fixture->board, str_of(polls[i].id));

    assert_non_null(published);
    if (published->phase != poll_phase(published->poll, fixture->wall_ms))
        fail_msg("poll %s is shown %s at %lld", polls[i].id, poll_phase_word(published->phase),
                 (long long)fixture->wall_ms);
    if (published->counts.version < *version)
        fail_msg("poll %s: version %llu behind %llu", polls[i].id,
                 (unsigned long long)published->counts.version, (unsigned long long)*version);
    *version = published->counts.version;
    published_free(published);
}

static void votes_as_it_is_shown(struct fixture *fixture, size_t i, size_t n, uint64_t *votes)
{
    struct published *published = board_get(fixture->board, str_of(polls[i].id));
    static const enum problem refused[] = {
        [PHASE_SCHEDULED] = PROBLEM_NOT_YET_OPEN, [PHASE_CLOSED] = PROBLEM_POLL_CLOSED
    };
    char voter[32];
    struct answer answer;

    (void)snprintf(voter, sizeof voter, "v%zu", n);
    answer = fixture_vote(fixture, polls[i].id, voter, 1, 0);
    if (published->phase == PHASE_OPEN) {
        assert_int_equal(answer.result, JOB_COUNTED);
        (*votes)++;
    } else {
        assert_int_equal(answer.problem, refused[published->phase]);
    }
    assert_int_equal(fixture_votes(fixture, polls[i].id), *votes);
    published_free(published);
}

static void polls_are_as_the_clock_says_wherever_it_is_set_and_versions_only_grow(void **state)
{
    struct fixture *fixture = *state;
    uint64_t versions[N_POLLS] = { 0 };
    uint64_t votes[N_POLLS] = { 0 };

    make_polls(fixture);
    for (size_t n = 0; n < sizeof jumps / sizeof jumps[0]; n++) {
        fixture->wall_ms = jumps[n];
        (void)turn(fixture);
        for (size_t i = 0; i < N_POLLS; i++) {
            is_shown_as_the_clock_says(fixture, i, &versions[i]);
            votes_as_it_is_shown(fixture, i, n, &votes[i]);
        }
        if (n % 3 != 2)
            continue;
        fixture_close(fixture); /* a start may find any time, too */
        assert_null(fixture_open(fixture));
        for (size_t i = 0; i < N_POLLS; i++) {
            is_shown_as_the_clock_says(fixture, i, &versions[i]);
            assert_int_equal(fixture_votes(fixture, polls[i].id), votes[i]);
        }
    }
}

static void polls_with_times_are_looked_at_within_half_a_second_wherever_the_clock_is(void **state)
{
    struct fixture *fixture = *state;

    make_polls(fixture);
    for (size_t n = 0; n < sizeof jumps / sizeof jumps[0]; n++) {
        int64_t next_ms;

        fixture->wall_ms = jumps[n];
        next_ms = turn(fixture);
        if (next_ms < 1 || next_ms > LOOK_MS)
            fail_msg("at %lld the next look is in %lld ms", (long long)jumps[n],
                     (long long)next_ms);
    }
}

/* Whoever has voted is known, also where the sets of a poll that was closed for long are gone. */
static void a_clock_that_was_set_ahead_and_back_lets_nobody_vote_twice(void **state)
{
    struct fixture *fixture = *state;

    make_polls(fixture);
    assert_int_equal(fixture_vote(fixture, "soon", "anna", 1, 0).result, JOB_COUNTED);
    for (size_t n = 0; n < sizeof jumps / sizeof jumps[0]; n++) {
        struct answer answer;

        fixture->wall_ms = jumps[n];
        fixture->mono_ms += 60 * LOOK_MS; /* sets that nobody needs are given up by now */
        (void)turn(fixture);
        answer = fixture_vote(fixture, "soon", "anna", 1, 0);
        if (jumps[n] <= AT_2026 + 10000 + ALREADY_AFTER_CLOSE_MS)
            assert_int_equal(answer.result, JOB_ALREADY);
        else
            assert_int_equal(answer.problem, PROBLEM_POLL_CLOSED);
        assert_int_equal(fixture_votes(fixture, "soon"), 1);
    }
}

/* Between the look that it is given and the last one nothing is shown anew, wherever the clock is:
 * what is next is counted on the clock that never jumps. */
static void the_next_look_is_not_hastened_by_a_wall_clock_that_jumps(void **state)
{
    struct fixture *fixture = *state;
    struct queue_list answered = { NULL, NULL, 0 };
    struct published *published;
    int64_t next_ms;

    make_polls(fixture);
    (void)turn(fixture);
    fixture->wall_ms = AT_9999;
    fixture->mono_ms += LOOK_MS - 1;
    assert_int_equal(store_work(fixture->store, true, &answered, &next_ms), STORE_DONE);
    assert_int_equal(next_ms, 1);
    published = board_get(fixture->board, STR("soon"));
    assert_int_equal(published->phase, PHASE_OPEN);
    published_free(published);
    /* A vote does not wait for that look. */
    assert_int_equal(fixture_vote(fixture, "soon", "ben", 1, 0).problem, PROBLEM_POLL_CLOSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            polls_are_as_the_clock_says_wherever_it_is_set_and_versions_only_grow, fixture_setup,
            fixture_teardown),
        cmocka_unit_test_setup_teardown(
            polls_with_times_are_looked_at_within_half_a_second_wherever_the_clock_is,
            fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_clock_that_was_set_ahead_and_back_lets_nobody_vote_twice,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(the_next_look_is_not_hastened_by_a_wall_clock_that_jumps,
                                        fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
