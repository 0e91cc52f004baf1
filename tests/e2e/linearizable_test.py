"""What concurrent clients hear of a poll could have come one by one; and who judges that is awake.

The recorded histories are judged as they are, and then with a lie put in: a read that is behind an
answer which was there before it was asked, and a vote that is counted twice.
"""
import random

import pytest

import histories
from linearizable import Op, Poll, Tally, explain, linearize

TWO = Poll(voters=2, options=2, revote=True)


def op(asked, answered, kind, voter=None, option=None, result="done", seq=None, tally=None):
    return Op(kind, voter, option, result, seq, tally and Tally(*tally), asked, answered)


EMPTY, ONE = ((0, 0), "open", 1), ((1, 0), "open", 2)
FIRST = op(1, 2, "vote", 0, 1, "counted", 1, ONE)

GOOD = {
    "one by one": [FIRST, op(3, 4, "read", tally=ONE)],
    "a read beside a vote sees it": [op(1, 5, "vote", 0, 1, "counted", 1, ONE),
                                     op(2, 3, "read", tally=ONE)],
    "or does not": [op(1, 5, "vote", 0, 1, "counted", 1, ONE), op(2, 3, "read", tally=EMPTY)],
    "an answer shows a later tally": [op(1, 9, "vote", 0, 1, "counted", 1, ((1, 1), "open", 3)),
                                      op(2, 8, "vote", 1, 2, "counted", 2, ((1, 1), "open", 3))],
    "of two that are the same one is already": [
        op(1, 5, "vote", 0, 1, "already", 1, ONE), op(2, 6, "vote", 0, 1, "counted", 1, ONE)],
    "a vote and its retraction that nobody saw": [
        op(1, 9, "vote", 0, 1, "counted", 1, ((0, 0), "open", 2)),
        op(2, 8, "retract", 0, result="retracted", tally=((0, 0), "open", 2))],
    "a vote beside the close is refused": [
        op(1, 5, "close", tally=((0, 0), "closed", 2)),
        op(2, 6, "vote", 0, 1, "poll-closed")],
}
BAD = {
    "a stale read": [FIRST, op(3, 4, "read", tally=EMPTY)],
    "a vote that is counted twice": [FIRST, op(3, 4, "read", tally=((2, 0), "open", 3))],
    "a repeated vote that is another": [
        FIRST, op(3, 4, "vote", 0, 1, "counted", 2, ((1, 0), "open", 3))],
    "two firsts": [op(1, 5, "vote", 0, 1, "counted", 1, ONE),
                   op(2, 6, "vote", 1, 2, "counted", 1, ((1, 1), "open", 3))],
    "a vote that is gone again": [FIRST, op(3, 4, "read", tally=ONE),
                                  op(5, 6, "read", tally=((0, 0), "open", 3))],
    "an answer without its own vote": [op(1, 2, "vote", 0, 1, "counted", 1, EMPTY)],
    "a version that goes back": [FIRST, op(3, 4, "read", tally=((1, 0), "open", 3)),
                                 op(5, 6, "read", tally=ONE)],
    "a version that grows for nothing": [FIRST, op(3, 4, "read", tally=((1, 0), "open", 3))],
    "a version that stays though votes come": [
        FIRST, op(3, 4, "vote", 1, 1, "counted", 2, ((2, 0), "open", 2))],
    "a vote behind the close": [
        op(1, 2, "close", tally=((0, 0), "closed", 2)),
        op(3, 4, "vote", 0, 1, "counted", 1, ((1, 0), "closed", 3))],
    "two reads that disagree on the order": [
        op(1, 20, "vote", 0, 1, "counted", 1, ((1, 1), "open", 3)),
        op(2, 21, "vote", 1, 2, "counted", 2, ((1, 1), "open", 3)),
        op(3, 4, "read", tally=((1, 0), "open", 2)),
        op(5, 6, "read", tally=((0, 1), "open", 2))],
}


@pytest.mark.parametrize("what", GOOD)
def test_what_one_poll_could_have_said_is_explained(what):
    assert linearize(TWO, GOOD[what]), what


@pytest.mark.parametrize("what", BAD)
def test_what_no_poll_could_have_said_is_not(what):
    assert linearize(TWO, BAD[what]) is None, what


@pytest.fixture
def recorded(daemon):
    """40 histories of the daemon, each with whether votes may be changed in it."""
    recorder = histories.Recorder(daemon, random.Random(20261125))
    found = [(recorder.record(f"h{i}", i % 3 > 0), i % 3 > 0) for i in range(40)]
    recorder.close()
    return found


def stale(history):
    """The last read, which was alone, as somebody before it saw the poll; None: nothing moved."""
    last = history[-1]
    older = [op.tally for op in history if op.tally and op.tally.version < last.tally.version
             and op.tally[:2] != last.tally[:2]]
    return [*history[:-1], last._replace(tally=older[0])] if older else None


def twice(history):
    last = history[-1]
    votes = (last.tally.votes[0] + 1, *last.tally.votes[1:])
    return [*history[:-1], last._replace(tally=last.tally._replace(votes=votes))]


def test_40_histories_are_linearizable_and_none_is_with_a_lie_in_it(recorded):
    lies = 0
    for history, revote in recorded:
        assert histories.judge(history, revote), explain(history)
        assert not histories.judge(twice(history), revote), explain(history)
        lie = stale(history)
        if lie:
            lies += 1
            assert not histories.judge(lie, revote), explain(lie)
    assert lies > 0
