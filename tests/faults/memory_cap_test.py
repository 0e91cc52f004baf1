"""The short setting of memory_cap.py."""
import memory_cap

CYCLES = 2
VOTES = 150


def test_a_daemon_that_may_not_grow_loses_nothing_that_it_acknowledged():
    sums, wrong = memory_cap.run(CYCLES, VOTES, seed=1)
    assert not wrong
    assert (sums["lost"], sums["phantom"]) == (0, 0)
    assert sums["acknowledged"] + sums["refused"] + sums["closed"] > 0
