/*
 * busiest_test.c - who is counted by name, who together, and that both add up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/busiest.h"

#define HOUR_MS ((int64_t)BUSIEST_KEPT_MS)

static void vote(struct busiest *busiest, uint64_t number, int64_t mono_ms)
{
    char id[24];

    (void)snprintf(id, sizeof id, "poll-%u", (unsigned)number);
    busiest_add(busiest, number, id, VOTE_COUNTED, mono_ms);
}

static const struct busiest_poll *find(const struct busiest_figures *figures, uint64_t number)
{
    for (size_t i = 0; i < figures->n; i++) {
        if (figures->polls[i].number == number)
            return &figures->polls[i];
    }
    return NULL;
}

static uint64_t votes_of(const struct busiest_figures *figures, uint64_t number,
                         enum vote_result result)
{
    const struct busiest_poll *poll = find(figures, number);

    if (!poll)
        fail_msg("poll %u has no place", (unsigned)number);
    return poll ? poll->votes[result] : 0;
}

static void votes_are_counted_by_poll_and_by_result(void **state)
{
    AUTO(busiest) busiest = busiest_new();
    char longest[POLL_ID_BYTES_MAX + 1];
    struct busiest_figures figures;

    (void)state;
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    busiest_add(busiest, 7, longest, VOTE_COUNTED, 0);
    busiest_add(busiest, 7, longest, VOTE_CHANGED, 0);
    busiest_add(busiest, 8, "b", VOTE_RETRACTED, 0);
    busiest_add(busiest, 7, longest, VOTE_COUNTED, 0);
    busiest_read(busiest, &figures);
    assert_int_equal(figures.n, 2);
    assert_string_equal(figures.polls[0].id, longest);
    assert_int_equal(votes_of(&figures, 7, VOTE_COUNTED), 2);
    assert_int_equal(votes_of(&figures, 7, VOTE_CHANGED), 1);
    assert_int_equal(votes_of(&figures, 7, VOTE_ALREADY), 0);
    assert_string_equal(figures.polls[1].id, "b");
    assert_int_equal(votes_of(&figures, 8, VOTE_RETRACTED), 1);
    assert_int_equal(figures.all[VOTE_COUNTED], 2);
    assert_int_equal(figures.rest[VOTE_COUNTED], 0);
}

static void who_finds_no_place_is_counted_among_the_rest(void **state)
{
    AUTO(busiest) busiest = busiest_new();
    struct busiest_figures figures;

    (void)state;
    for (uint64_t number = 1; number <= BUSIEST_PLACES + 20; number++)
        vote(busiest, number, HOUR_MS - 1);
    busiest_read(busiest, &figures);
    assert_int_equal(figures.n, BUSIEST_PLACES);
    assert_non_null(find(&figures, 1));
    assert_null(find(&figures, BUSIEST_PLACES + 1));
    assert_int_equal(figures.rest[VOTE_COUNTED], 20);
    assert_int_equal(figures.all[VOTE_COUNTED], BUSIEST_PLACES + 20);
}

static void no_name_goes_within_its_first_hour(void **state)
{
    AUTO(busiest) busiest = busiest_new();
    struct busiest_figures figures;

    (void)state;
    for (uint64_t number = 1; number <= BUSIEST_PLACES; number++)
        vote(busiest, number, 1000);
    for (int i = 0; i < 100000; i++)
        vote(busiest, 99, 1000 + HOUR_MS - 1);
    busiest_read(busiest, &figures);
    assert_null(find(&figures, 99));
    vote(busiest, 99, 1000 + HOUR_MS);
    busiest_read(busiest, &figures);
    assert_non_null(find(&figures, 99));
    assert_int_equal(votes_of(&figures, 99, VOTE_COUNTED), 1);
    assert_int_equal(figures.n, BUSIEST_PLACES);
}

/* One poll that gets every third vote, among ever new ones. */
static void a_poll_with_many_votes_keeps_its_place_whoever_comes(void **state)
{
    AUTO(busiest) busiest = busiest_new();
    struct busiest_figures figures;
    uint64_t number = 100;
    uint64_t votes = 0;

    (void)state;
    for (int64_t i = 0; i < 200000; i++) {
        vote(busiest, i % 3 == 0 ? 1 : number++, i * HOUR_MS);
        votes += i % 3 == 0;
    }
    busiest_read(busiest, &figures);
    assert_non_null(find(&figures, 1));
    assert_int_equal(votes_of(&figures, 1, VOTE_COUNTED), votes);
}

static void a_place_that_is_over_goes_to_who_is_voted_in_now(void **state)
{
    AUTO(busiest) busiest = busiest_new();
    struct busiest_figures figures;

    (void)state;
    for (uint64_t number = 1; number <= BUSIEST_PLACES; number++) {
        for (int i = 0; i < 1000; i++)
            vote(busiest, number, 0);
    }
    for (int i = 0; i < 100 * BUSIEST_PLACES; i++)
        vote(busiest, 99, 2 * HOUR_MS);
    busiest_read(busiest, &figures);
    assert_non_null(find(&figures, 99));
    assert_true(figures.rest[VOTE_COUNTED] > 0);
    assert_int_equal(figures.rest[VOTE_COUNTED] + votes_of(&figures, 99, VOTE_COUNTED),
                     100 * BUSIEST_PLACES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(votes_are_counted_by_poll_and_by_result),
        cmocka_unit_test(who_finds_no_place_is_counted_among_the_rest),
        cmocka_unit_test(no_name_goes_within_its_first_hour),
        cmocka_unit_test(a_poll_with_many_votes_keeps_its_place_whoever_comes),
        cmocka_unit_test(a_place_that_is_over_goes_to_who_is_voted_in_now),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
