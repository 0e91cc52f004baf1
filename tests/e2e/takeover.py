"""Runs tally-import, and what it made through `tally apply`."""
import json
import os
import subprocess

import harness

TALLY_IMPORT = os.environ["TALLY_IMPORT"]
FIXTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fixtures", "takeover")
# A sanitizer needs address space of its own for its shadow.
SANITIZED = any(word in TALLY_IMPORT for word in ("asan", "tsan"))


def fixture(name):
    return os.path.join(FIXTURES, name)


def text(name):
    with open(fixture(name), encoding="utf-8") as file:
        return file.read()


def run(*words, cwd=None, status=0):
    """What it prints, and what it tells, a line each, without its own name."""
    done = subprocess.run([TALLY_IMPORT, *map(str, words)], capture_output=True, cwd=cwd,
                          timeout=120, env={**os.environ, "LC_ALL": "C.UTF-8"}, check=False)
    assert done.returncode == status, done
    told = done.stderr.decode().splitlines()
    assert all(line.startswith("tally-import: ") for line in told), told
    return done.stdout.decode(), [line[len("tally-import: "):] for line in told]


def polls(*words, cwd=None):
    out, _ = run(*words, cwd=cwd)
    return {poll["id"]: poll for poll in json.loads(out)["polls"]}


def taken_over(daemon, folder, *words):
    """The tallies after all of it went through a file and `tally apply`."""
    path = folder / "polls.json"
    run("-o", path, *words)
    done = subprocess.run([harness.TALLY, "--socket", daemon.socket, "apply", str(path)],
                          capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done
    ids = [line.split(": ")[1] for line in done.stdout.splitlines()]
    assert done.stdout == "".join(f"created: {name}\n" for name in ids)
    found = subprocess.run([harness.TALLY, "--socket", daemon.socket, "get", *ids],
                           capture_output=True, text=True, timeout=120, check=True)
    return {tally["id"]: tally for tally in map(json.loads, found.stdout.splitlines())}


def figures(tally):
    return [option["votes"] for option in tally["options"]]


def labels(tally):
    return [option["label"] for option in tally["options"]]
