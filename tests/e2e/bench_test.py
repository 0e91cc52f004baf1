"""script/bench runs its rows to their end, and believes no figure whose votes are not stored.

Some thousand votes in place of millions, and no goal is looked at: that is for a quiet machine.
"""

import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ["TALLYD_BUILD"])
ENDS_WITHIN_S = 240
# Not `import`: it is left out where PostgreSQL is; importing is a part of each of the others.
ROWS = ["crowd", "memory", "start-1m", "read-export"]


def bench(*args):
    return subprocess.run(
        [ROOT / "script" / "bench", "--no-build", "--build", BUILD, "--dir", BUILD / "bench",
         "--million", "1000", "--rounds", "2", "--seconds", "1", *args],
        capture_output=True, text=True, timeout=ENDS_WITHIN_S, check=False)


def test_rows_of_many_votes_are_measured_and_told():
    ran = bench(*ROWS, "--markdown")
    assert ran.returncode == 0, ran.stderr
    lines = [line for line in ran.stdout.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(ROWS)
    assert all(line.rstrip(" |").endswith(("reached", "missed")) for line in lines[2:])
    found = json.loads((BUILD / "results.json").read_text())["carry"]
    assert [row["key"] for row in found] == ROWS


def test_votes_with_tokens_are_measured_beside_named_ones():
    ran = bench("tokens-50", "--markdown")
    assert ran.returncode == 0, ran.stderr
    lines = [line for line in ran.stdout.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + 2
    found = json.loads((BUILD / "results.json").read_text())["trust"]
    assert all(one["tokens_ops"] > 0 and one["named_ops"] > 0 for one in found[0]["rounds"])
    assert len(found[0]["rounds"]) == 2


def test_votes_that_are_not_stored_end_the_run():
    ran = bench("crowd", "--tally", "/bin/true")
    assert ran.returncode == 1
    assert "full: 5000 votes imported, 0 stored" in ran.stderr
    assert "|" not in ran.stdout


@pytest.mark.parametrize("args", [["nothing"], ["--rounds", "0"], ["carry", "--peers-only"],
                                  ["trust", "--peers-only"]])
def test_what_cannot_be_measured_is_wrong_usage(args):
    assert bench(*args).returncode == 2
