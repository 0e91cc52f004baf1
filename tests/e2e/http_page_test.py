"""docs/http.md: its lines are run as they are, and print what the page shows; its examples vote."""
import os
import pathlib
import re
import subprocess

import pytest

import harness

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "http.md").read_text()
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
KEY = "site1 6wE1NZlC6aD5sglusSHBcg0u8Sdu5Bhia0IWfGzYryc"
RUN_S = 60
CLIENTS = [("php", "client.php"), ("/usr/bin/python3", "client.py"), ("node", "client.mjs")]


def steps():
    """Each command with what it prints."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.S):
        for step in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, printed = step.partition("\n")
            found.append((command, printed))
    return found


def test_the_lines_of_the_page_print_what_it_shows(daemon, tmp_path):
    """In one shell, as a reader would type them: variables and files stay."""
    assert steps() and PAGE.count("```") == 2 * PAGE.count("```console")
    script = "".join(f"{command}\nprintf '\\0'\n" for command, _ in steps())
    script = script.replace("/run/tallyd/tallyd.sock", daemon.socket)
    script = script.replace("127.0.0.1:8080", f"127.0.0.1:{daemon.port}")
    done = subprocess.run(["bash"], input=script, capture_output=True, text=True, timeout=RUN_S,
                          cwd=tmp_path, check=False)
    printed = done.stdout.split("\0")
    assert (done.stderr, len(printed)) == ("", len(steps()) + 1)
    for (command, shown), got in zip(steps(), printed):
        # What cut leaves, and a body, ends without a line end; a terminal shows no difference.
        assert TIME.sub("TIME", got).rstrip("\n") == TIME.sub("TIME", shown).rstrip("\n"), command


@pytest.fixture
def with_key(daemon):
    path = os.path.join(daemon.folder, "site.keys")
    with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(KEY + "\n")
    daemon.stop()
    daemon.config += f"[voters]\nsite_key_file = {path}\n"
    return daemon.start()


@pytest.mark.parametrize("interpreter, name", CLIENTS)
def test_the_examples_sign_and_vote(with_key, interpreter, name):
    with_key.poll("p", voters="account")
    args = [interpreter, DOCS / "examples" / name, f"http://127.0.0.1:{with_key.port}", KEY, "p"]

    def run(*more):
        done = subprocess.run([*args, *more], capture_output=True, text=True, timeout=RUN_S,
                              check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()

    assert run("Анна", "2") == ["counted", "a 0 0%", "b 1 100%", "c 0 0%", "d 0 0%"]
    assert run("Анна", "2")[0] == "already"
    assert run("Анна", "1")[0] == "409 a vote in this poll cannot be changed"
    assert with_key.vote("p", 2, "Анна").json()["result"] == "already"


@pytest.mark.parametrize("_, name", CLIENTS)
def test_the_examples_are_short(_, name):
    assert len((DOCS / "examples" / name).read_text().splitlines()) < 60
