/*
 * ballot_test.c - whether a ballot counts: the poll's rules, a row each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/ballot.h"

#define NOW 1780000000000

struct rules { /* what differs from an open poll with four options */
    bool revote;
    int64_t again_after_s;
    uint64_t per_address;
    int64_t opens_at_ms;
    int64_t closes_at_ms;
    int64_t closed_at_ms; /* by hand */
    bool forgotten;
};

static struct poll *make_poll(const struct rules *rules)
{
    struct poll *poll = poll_new();

    assert_non_null(poll);
    poll->kind = POLL_CHOICE;
    poll->n_options = 4;
    poll->revote = rules->revote;
    poll->again_after_s = rules->again_after_s;
    poll->per_address = rules->per_address;
    poll->opens_at_ms = rules->opens_at_ms ? rules->opens_at_ms : WHEN_NEVER;
    poll->closes_at_ms = rules->closes_at_ms ? rules->closes_at_ms : WHEN_NEVER;
    poll->state = rules->closed_at_ms ? STATE_CLOSED : STATE_OPEN;
    poll->closed_at_ms = rules->closed_at_ms ? rules->closed_at_ms : WHEN_NEVER;
    poll->forgotten = rules->forgotten;
    return poll;
}

/* A vote for option 1 where `standing` stands (0 marks with a seq: voided; seq 0: none). */
static const struct {
    const char *when;
    struct rules rules;
    struct standing standing;
    uint64_t address_standing;
    enum decision decision;
    enum problem problem;
} votes[] = {
    { "a first vote", { 0 }, { 0 }, 0, DECIDED_COUNTED, PROBLEM_NONE },
    { "the same again", { 0 }, { 1, NOW, 1, false, 0 }, 0, DECIDED_ALREADY, PROBLEM_NONE },
    { "another", { 0 }, { 1, NOW, 2, false, 0 }, 0, DECIDED_REFUSED, PROBLEM_ALREADY_VOTED },
    { "another, revote",
      { .revote = true },
      { 1, NOW, 2, false, 0 },
      0,
      DECIDED_CHANGED,
      PROBLEM_NONE },
    { "voided",
      { .revote = true },
      { 1, NOW, 0, false, 0 },
      0,
      DECIDED_REFUSED,
      PROBLEM_VOTE_VOIDED },
    { "again too soon",
      { .again_after_s = 10 },
      { 1, NOW - 9999, 1, false, 0 },
      0,
      DECIDED_ALREADY,
      PROBLEM_NONE },
    { "again",
      { .again_after_s = 10 },
      { 1, NOW - 10000, 1, false, 0 },
      0,
      DECIDED_COUNTED,
      PROBLEM_NONE },
    { "again, another",
      { .again_after_s = 10 },
      { 1, NOW - 10000, 2, false, 0 },
      0,
      DECIDED_COUNTED,
      PROBLEM_NONE },
    { "too early", { .opens_at_ms = NOW + 1 }, { 0 }, 0, DECIDED_REFUSED, PROBLEM_NOT_YET_OPEN },
    { "as it opens", { .opens_at_ms = NOW }, { 0 }, 0, DECIDED_COUNTED, PROBLEM_NONE },
    { "just before the close",
      { .closes_at_ms = NOW + 1 },
      { 0 },
      0,
      DECIDED_COUNTED,
      PROBLEM_NONE },
    { "as it closes", { .closes_at_ms = NOW }, { 0 }, 0, DECIDED_REFUSED, PROBLEM_POLL_CLOSED },
    { "repeated behind the close",
      { .closes_at_ms = NOW - ALREADY_AFTER_CLOSE_MS },
      { 1, NOW, 1, false, 0 },
      0,
      DECIDED_ALREADY,
      PROBLEM_NONE },
    { "repeated too late",
      { .closes_at_ms = NOW - ALREADY_AFTER_CLOSE_MS - 1 },
      { 1, NOW, 1, false, 0 },
      0,
      DECIDED_REFUSED,
      PROBLEM_POLL_CLOSED },
    { "changed behind the close",
      { .revote = true, .closed_at_ms = NOW - 1 },
      { 1, NOW, 2, false, 0 },
      0,
      DECIDED_REFUSED,
      PROBLEM_POLL_CLOSED },
    { "below the limit", { .per_address = 5 }, { 0 }, 4, DECIDED_COUNTED, PROBLEM_NONE },
    { "at the limit", { .per_address = 5 }, { 0 }, 5, DECIDED_REFUSED, PROBLEM_ADDRESS_LIMIT },
    { "a change at the limit",
      { .per_address = 5, .revote = true },
      { 1, NOW, 2, false, 0 },
      5,
      DECIDED_CHANGED,
      PROBLEM_NONE },
    { "again at the limit",
      { .per_address = 5, .again_after_s = 1 },
      { 1, NOW - 1000, 1, false, 0 },
      5,
      DECIDED_REFUSED,
      PROBLEM_ADDRESS_LIMIT },
    { "forgotten", { .forgotten = true }, { 0 }, 0, DECIDED_REFUSED, PROBLEM_POLL_FORGOTTEN },
};

static void a_vote_is_decided_by_the_rules_of_its_poll(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof votes / sizeof votes[0]; i++) {
        AUTO(poll) poll = make_poll(&votes[i].rules);
        const struct counts counts = { .voters = 0 };
        const struct ballot ballot = { .kind = VOTER_NAMED, .marks = 1, .has_address = true };
        const struct standing *standing = votes[i].standing.seq > 0 ? &votes[i].standing : NULL;
        struct refusal refusal = { .problem = PROBLEM_NONE };
        enum decision decision = ballot_decide(poll, &counts, &ballot, standing,
                                               votes[i].address_standing, NOW, &refusal);

        if (decision != votes[i].decision || refusal.problem != votes[i].problem)
            fail_msg("%s: %d, problem %d", votes[i].when, (int)decision, (int)refusal.problem);
    }
}

static const struct {
    const char *when;
    struct rules rules;
    struct standing standing;
    enum decision decision;
    enum problem problem;
} retractions[] = {
    { "what stands", { .revote = true }, { 1, NOW, 2, false, 0 }, DECIDED_RETRACTED, PROBLEM_NONE },
    { "nothing stands", { .revote = true }, { 0 }, DECIDED_REFUSED, PROBLEM_NO_SUCH_VOTE },
    { "not allowed", { 0 }, { 1, NOW, 2, false, 0 }, DECIDED_REFUSED, PROBLEM_REVOTE_NOT_ALLOWED },
    { "too old",
      { .revote = true, .again_after_s = 1 },
      { 1, NOW - 1000, 2, false, 0 },
      DECIDED_REFUSED,
      PROBLEM_REVOTE_NOT_ALLOWED },
    { "closed",
      { .revote = true, .closed_at_ms = NOW - 1 },
      { 1, NOW, 2, false, 0 },
      DECIDED_REFUSED,
      PROBLEM_POLL_CLOSED },
    { "voided", { .revote = true }, { 1, NOW, 0, false, 0 }, DECIDED_REFUSED, PROBLEM_VOTE_VOIDED },
};

static void a_retraction_is_decided_by_the_rules_of_its_poll(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof retractions / sizeof retractions[0]; i++) {
        AUTO(poll) poll = make_poll(&retractions[i].rules);
        const struct ballot ballot = { .kind = VOTER_NAMED };
        const struct standing *standing =
            retractions[i].standing.seq > 0 ? &retractions[i].standing : NULL;
        struct refusal refusal = { .problem = PROBLEM_NONE };
        enum decision decision = ballot_decide_retraction(poll, &ballot, standing, NOW, &refusal);

        if (decision != retractions[i].decision || refusal.problem != retractions[i].problem)
            fail_msg("%s: %d, problem %d", retractions[i].when, (int)decision,
                     (int)refusal.problem);
    }
}

static void who_may_vote_depends_on_the_kind_of_voter(void **state)
{
    static const struct {
        enum poll_voters voters;
        enum voter_kind kind;
        enum problem problem;
    } rows[] = {
        { VOTERS_ADDRESS, VOTER_ADDRESS, PROBLEM_NONE },
        { VOTERS_ADDRESS, VOTER_NAMED, PROBLEM_NONE },
        { VOTERS_TOKEN, VOTER_ADDRESS, PROBLEM_UNAUTHORIZED },
        { VOTERS_TOKEN, VOTER_ANONYMOUS, PROBLEM_NONE },
        { VOTERS_TOKEN, VOTER_NAMED, PROBLEM_NONE },
        { VOTERS_ACCOUNT, VOTER_ADDRESS, PROBLEM_UNAUTHORIZED },
        { VOTERS_ACCOUNT, VOTER_ANONYMOUS, PROBLEM_FORBIDDEN },
        { VOTERS_ACCOUNT, VOTER_NAMED, PROBLEM_NONE },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO(poll) poll = make_poll(&(struct rules){ 0 });
        struct refusal refusal = { .problem = PROBLEM_NONE };
        bool ok;

        poll->voters = rows[i].voters;
        ok = ballot_voter_ok(poll, rows[i].kind, &refusal);
        if (ok != (rows[i].problem == PROBLEM_NONE) || refusal.problem != rows[i].problem)
            fail_msg("row %zu: problem %d", i, (int)refusal.problem);
    }
}

static void a_vote_beyond_the_largest_count_is_refused(void **state)
{
    AUTO(poll) poll = make_poll(&(struct rules){ 0 });
    const struct counts counts = { .voters = 0 };
    const struct ballot ballot = { .kind = VOTER_NAMED, .marks = 1 };
    struct refusal refusal = { .problem = PROBLEM_NONE };

    (void)state;
    poll->carried.marks[0] = INT64_MAX;
    poll->carried.voters = INT64_MAX;
    assert_int_equal(ballot_decide(poll, &counts, &ballot, NULL, 0, NOW, &refusal),
                     DECIDED_REFUSED);
    assert_int_equal(refusal.problem, PROBLEM_INVALID);
}

static void counts_follow_a_vote_a_change_and_a_retraction(void **state)
{
    struct counts counts = { .voters = 0 };

    (void)state;
    counts_apply(&counts, 0, 5);
    assert_int_equal(counts.marks[0], 1);
    assert_int_equal(counts.marks[2], 1);
    assert_int_equal(counts.voters, 1);
    counts_apply(&counts, 5, 6);
    assert_int_equal(counts.marks[0], 0);
    assert_int_equal(counts.marks[1], 1);
    assert_int_equal(counts.voters, 1);
    counts_apply(&counts, 6, 0);
    assert_int_equal(counts.marks[1], 0);
    assert_int_equal(counts.voters, 0);
    counts_apply(&counts, 0, UINT64_C(1) << 63);
    assert_int_equal(counts.marks[63], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vote_is_decided_by_the_rules_of_its_poll),
        cmocka_unit_test(a_retraction_is_decided_by_the_rules_of_its_poll),
        cmocka_unit_test(who_may_vote_depends_on_the_kind_of_voter),
        cmocka_unit_test(a_vote_beyond_the_largest_count_is_refused),
        cmocka_unit_test(counts_follow_a_vote_a_change_and_a_retraction),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
