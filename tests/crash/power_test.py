"""Power cuts: thousands under the store alone, some under the daemon; and that they find faults."""
import os
import pathlib
import re
import subprocess
import sys

import pytest

POWER = pathlib.Path(os.environ["TALLYD_BUILD"]) / "tests" / "power"
CUT = pathlib.Path(__file__).with_name("cut.py")


def figures(*command, **environment):
    """The exit status, and what the last line counts."""
    done = subprocess.run([str(part) for part in command], timeout=500, stdout=subprocess.PIPE,
                          text=True, env=os.environ | environment)
    last = done.stdout.splitlines()[-1]
    return done.returncode, {name: int(n) for name, n in re.findall(r"(\w+) (\d+)", last)}


def test_400_power_cuts_lose_nothing_that_was_acknowledged():
    status, found = figures(POWER, "--cycles", 400, "--seed", 1)
    assert (status, found["lost"], found["phantom"], found["crashed"]) == (0, 0, 0, 0)
    assert found["cycles"] == 400 and found["acknowledged"] > 4000


@pytest.mark.parametrize("planted", ["normal", "no-rewrite", "no-folder-sync"])
def test_a_ledger_that_leaves_out_one_sync_is_seen_to_lose_votes(planted):
    status, found = figures(POWER, "--cycles", 100, "--seed", 1, "--plant", planted)
    assert status == 1 and found["lost"] > 0


def test_10_power_cuts_under_a_daemon_at_work_lose_no_acknowledged_vote():
    status, found = figures(sys.executable, CUT, "--cycles", 10, "--seed", 1)
    assert (status, found["lost"], found["phantom"], found["crashed"]) == (0, 0, 0, 0)


def test_a_daemon_whose_syncs_do_nothing_is_seen_to_lose_votes():
    status, found = figures(sys.executable, CUT, "--cycles", 10, "--seed", 1, CUT_NO_SYNC="1")
    assert status == 1 and found["lost"] + found["crashed"] > 0
