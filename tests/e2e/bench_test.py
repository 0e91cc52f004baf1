"""script/bench runs its rows to their end, and believes no figure whose votes are not stored.

Some thousand votes in place of millions, and no goal is looked at: that is for a quiet machine.
"""

import json
import os
import pathlib
import socket
import subprocess
import threading

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


def test_listeners_are_measured_and_their_memory_told():
    ran = bench("listeners", "--markdown")
    assert ran.returncode == 0, ran.stderr
    lines = [line for line in ran.stdout.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + 2
    assert lines[3].rstrip(" |").endswith(("reached", "missed"))
    found = json.loads((BUILD / "results.json").read_text())["live"]
    assert [one["own"]["last_ms"] > 0 for one in found[0]["rounds"]] == [True, True]


@pytest.fixture
def speaker(tmp_path):
    """A server that says to each listener what it is given, one after the other."""
    doors = [socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX)]
    doors[1].bind(str(tmp_path / "s"))
    doors[1].listen()
    links = []

    def listen(*words):
        def serve():
            links.append(doors[1].accept()[0])
            for word in words:
                links.append(doors[0].accept()[0])
                links[-1].sendall(b"event: tally\ndata: " + word + b"\n\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        return subprocess.run(
            [BUILD / "tests" / "audience", "tallyd", "127.0.0.1:%d" % doors[0].getsockname()[1],
             tmp_path / "s", str(os.getpid()), "p", str(len(words)), "1", "1", "1"],
            capture_output=True, text=True, timeout=ENDS_WITHIN_S, check=False)

    yield listen
    for one in doors + links:
        one.close()


def test_a_listener_who_hears_something_else_than_the_first_ends_the_run(speaker):
    ran = speaker(b"{}", b"{}", b"[]")
    assert ran.returncode == 1
    assert "a listener heard something else than the first" in ran.stderr
    assert "|" not in ran.stdout


def test_votes_that_are_not_stored_end_the_run():
    ran = bench("crowd", "--tally", "/bin/true")
    assert ran.returncode == 1
    assert "full: 5000 votes imported, 0 stored" in ran.stderr
    assert "|" not in ran.stdout


@pytest.mark.parametrize("args", [["nothing"], ["--rounds", "0"], ["carry", "--peers-only"],
                                  ["trust", "--peers-only"], ["live", "--peers-only"]])
def test_what_cannot_be_measured_is_wrong_usage(args):
    assert bench(*args).returncode == 2
