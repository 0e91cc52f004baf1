"""Flipped bytes in a small store, sampled; and that the driver finds what sums are there for."""
import os
import pathlib
import re
import subprocess

FLIP = pathlib.Path(os.environ["TALLYD_BUILD"]) / "tests" / "flip"


def figures(*arguments):
    done = subprocess.run([FLIP, *arguments], timeout=500, stdout=subprocess.PIPE, text=True)
    last = done.stdout.splitlines()[-1]
    return done.returncode, {name: int(n) for name, n in re.findall(r"([\w -]+) (\d+)", last)}


def test_no_flipped_byte_of_600_makes_a_count_wrong_in_silence_or_the_daemon_crash():
    status, found = figures("--cycles", "600")
    assert status == 0, found
    assert found["cycles"] > 600


def test_flips_that_no_sum_tells_of_are_seen_to_change_counts_in_silence():
    status, found = figures("--cycles", "400", "--plant", "no-sums")
    assert status == 1
