"""Calls of a whole life that fail in turn, sampled (each_call.py has all), and some by themselves."""
import pytest

import each_call

SAMPLED = 12  # lives of a setting; a life has 8 to 70 of its calls


@pytest.mark.parametrize("name", each_call.SETTINGS)
def test_a_call_that_fails_loses_nothing_and_says_which_file(tmp_path, name):
    calls, figures = each_call.fail_each(tmp_path, name, SAMPLED)
    assert calls > 0 and figures.cycles >= SAMPLED // 2


@pytest.mark.parametrize("call, nth", [("write", 1), ("write", 3), ("sync", 1), ("truncate", 1)])
def test_an_idle_checkpoint_that_fails_ends_the_daemon_and_loses_nothing(daemon, call, nth):
    daemon.start()
    daemon.poll("p")
    daemon.shim.arm(call, kinds=("main",), nth=nth)
    counted = 0
    try:
        while counted < 1000 and daemon.vote("p", 1, f"v{counted}").status == 201:
            counted += 1
    except OSError:
        pass
    assert daemon.ended() == 1
    assert any("I/O" in line for line in daemon.log)
    daemon.start()
    assert daemon.vote("p", 1, f"v{counted}").status in (200, 201)
    assert daemon.tally("p")["votes"] == counted + 1
