/*
 * core/ballot.c - whether a ballot counts, by the poll's rules.
 *
 * Threads: any; nothing is shared.
 */
#include "core/ballot.h"

#include <assert.h>
#include <inttypes.h>

#include "base/ckd.h"

size_t ballot_index(unsigned option)
{
    assert(option >= 1 && option <= OPTIONS_MAX);
    return option - 1;
}

uint64_t ballot_mark(unsigned option)
{
    return UINT64_C(1) << ballot_index(option);
}

bool ballot_marks_ok(const struct poll *poll, uint64_t marks, const char *pointer,
                     struct refusal *reterr)
{
    unsigned chosen = (unsigned)__builtin_popcountll(marks);

    if (poll->n_options < OPTIONS_MAX && marks >> poll->n_options != 0)
        return refuse_member(reterr, pointer, "there are only %zu options", poll->n_options);
    if (chosen < poll->min_choices)
        return refuse_member(reterr, pointer, "choose at least %u", poll->min_choices);
    if (chosen > poll->max_choices)
        return refuse_member(reterr, pointer, "choose at most %u", poll->max_choices);
    return true;
}

bool ballot_voter_ok(const struct poll *poll, enum voter_kind kind, struct refusal *reterr)
{
    if (kind == VOTER_NAMED || poll->voters == VOTERS_ADDRESS)
        return true;
    if (kind == VOTER_ADDRESS)
        return refuse(reterr, PROBLEM_UNAUTHORIZED,
                      "votes in this poll need a voter token; an address is not enough");
    if (poll->voters == VOTERS_ACCOUNT)
        return refuse(reterr, PROBLEM_FORBIDDEN,
                      "votes in this poll need a name; an anonymous token is not enough");
    return true;
}

static bool may_vote_again(const struct poll *poll, const struct standing *standing, int64_t now_ms)
{
    int64_t wait_ms;
    int64_t from_ms;

    if (poll->again_after_s == 0)
        return false;
    return !ckd_mul(&wait_ms, poll->again_after_s, 1000) &&
           !ckd_add(&from_ms, standing->at_ms, wait_ms) && now_ms >= from_ms;
}

static enum decision refused(struct refusal *reterr, enum problem problem, const char *detail)
{
    refuse(reterr, problem, "%s", detail);
    return DECIDED_REFUSED;
}

/* After the close nothing counts any more, but a repeated vote is told that it stands. */
static enum decision decide_closed(const struct poll *poll, const struct ballot *ballot,
                                   const struct standing *standing, int64_t now_ms,
                                   struct refusal *reterr)
{
    int64_t until_ms;

    if (standing && standing->marks == ballot->marks &&
        !ckd_add(&until_ms, poll_closed_since_ms(poll, now_ms), ALREADY_AFTER_CLOSE_MS) &&
        now_ms <= until_ms)
        return DECIDED_ALREADY;
    return refused(reterr, PROBLEM_POLL_CLOSED, "this poll is closed; its tally stands");
}

static enum decision decide_new(const struct poll *poll, const struct counts *counts,
                                const struct ballot *ballot, uint64_t address_standing,
                                struct refusal *reterr)
{
    struct counts after = *counts;

    if (poll->per_address > 0 && ballot->has_address && address_standing >= poll->per_address) {
        refuse(reterr, PROBLEM_ADDRESS_LIMIT, "at most %" PRIu64 " votes from one address",
               poll->per_address);
        return DECIDED_REFUSED;
    }
    counts_apply(&after, 0, ballot->marks);
    if (!counts_fit(poll, &after)) {
        refuse_member(reterr, "", "the count would be beyond 2^63 - 1");
        return DECIDED_REFUSED;
    }
    return DECIDED_COUNTED;
}

enum decision ballot_decide(const struct poll *poll, const struct counts *counts,
                            const struct ballot *ballot, const struct standing *standing,
                            uint64_t address_standing, int64_t now_ms, struct refusal *reterr)
{
    if (poll->forgotten)
        return refused(reterr, PROBLEM_POLL_FORGOTTEN, "who voted here was forgotten for good");
    if (!ballot_marks_ok(poll, ballot->marks, "", reterr))
        return DECIDED_REFUSED;
    switch (poll_phase(poll, now_ms)) {
    case PHASE_SCHEDULED:
        return refused(reterr, PROBLEM_NOT_YET_OPEN, "this poll opens later; see opens_at");
    case PHASE_CLOSED:
        return decide_closed(poll, ballot, standing, now_ms, reterr);
    case PHASE_OPEN:
        break;
    }
    if (standing && standing->marks == 0)
        return refused(reterr, PROBLEM_VOTE_VOIDED, "the operator took this voter's vote back");
    if (!standing || may_vote_again(poll, standing, now_ms))
        return decide_new(poll, counts, ballot, address_standing, reterr);
    if (standing->marks == ballot->marks)
        return DECIDED_ALREADY;
    if (!poll->revote)
        return refused(reterr, PROBLEM_ALREADY_VOTED, "a vote in this poll cannot be changed");
    return DECIDED_CHANGED;
}

enum decision ballot_decide_retraction(const struct poll *poll, const struct ballot *ballot,
                                       const struct standing *standing, int64_t now_ms,
                                       struct refusal *reterr)
{
    (void)ballot;
    if (poll->forgotten)
        return refused(reterr, PROBLEM_POLL_FORGOTTEN, "who voted here was forgotten for good");
    switch (poll_phase(poll, now_ms)) {
    case PHASE_SCHEDULED:
        return refused(reterr, PROBLEM_NOT_YET_OPEN, "this poll opens later; see opens_at");
    case PHASE_CLOSED:
        return refused(reterr, PROBLEM_POLL_CLOSED, "this poll is closed; its tally stands");
    case PHASE_OPEN:
        break;
    }
    if (!standing)
        return refused(reterr, PROBLEM_NO_SUCH_VOTE, "this voter has no vote in this poll");
    if (standing->marks == 0)
        return refused(reterr, PROBLEM_VOTE_VOIDED, "the operator took this voter's vote back");
    if (!poll->revote)
        return refused(reterr, PROBLEM_REVOTE_NOT_ALLOWED,
                       "a vote in this poll cannot be taken back");
    if (may_vote_again(poll, standing, now_ms))
        return refused(reterr, PROBLEM_REVOTE_NOT_ALLOWED,
                       "this vote is older than again_after and can no longer be taken back");
    return DECIDED_RETRACTED;
}

static void add_marks(struct counts *counts, uint64_t marks)
{
    for (; marks != 0; marks &= marks - 1)
        counts->marks[__builtin_ctzll(marks)]++;
}

static void take_marks(struct counts *counts, uint64_t marks)
{
    for (; marks != 0; marks &= marks - 1) {
        uint64_t *votes = &counts->marks[__builtin_ctzll(marks)];

        assert(*votes > 0);
        (*votes)--;
    }
}

void counts_apply(struct counts *counts, uint64_t old_marks, uint64_t new_marks)
{
    take_marks(counts, old_marks);
    add_marks(counts, new_marks);
    if (old_marks == 0 && new_marks != 0) {
        counts->voters++;
    } else if (old_marks != 0 && new_marks == 0) {
        assert(counts->voters > 0);
        counts->voters--;
    }
}
