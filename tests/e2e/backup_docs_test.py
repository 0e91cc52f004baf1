"""docs/backup.md, done as it is written: its commands, on paths of a test, answer what it says."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

import harness

TEXT = (pathlib.Path(__file__).parents[2] / "docs" / "backup.md").read_text()


def section(title):
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S).group(1)


def blocks(title):
    return re.findall(r"^```\n(.*?)^```", section(title), re.M | re.S)


class Machine:
    """Where the commands of the documentation find what they name."""

    def __init__(self, folder):
        self.state = folder / "state"
        self.mnt = folder / "mnt"
        self.bin = folder / "bin"
        for made in (self.state, self.mnt, self.bin):
            made.mkdir()
        self.daemon = harness.Daemon(self.state).start()
        self.program("tally", f'exec "{harness.TALLY}" --socket "{self.daemon.socket}" "$@"')
        self.program("tallyd", f'exec "{harness.TALLYD}" --store "sqlite:{self.daemon.store}" "$@"')
        pid = self.daemon.process.pid
        self.program("systemctl", f'[ "$*" = "stop tallyd" ] && kill {pid}')

    def program(self, name, line):
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)

    def here(self, text):
        for there, here in (("/run/tallyd/tallyd.sock", self.daemon.socket),
                            ("/var/lib/tallyd", str(self.state)), ("/mnt/backups", str(self.mnt))):
            text = text.replace(there, here)
        return text

    def run(self, command):
        done = subprocess.run(["sh", "-ec", self.here(command)], capture_output=True, text=True,
                              timeout=60, env=os.environ | {
                                  "PATH": f"{self.bin}:{os.environ['PATH']}"})
        assert done.returncode == 0, done.stderr
        if command.startswith("systemctl"):
            self.daemon.process.wait(60)
        return done.stdout

    def says(self, output, expected):
        """The same but for numbers and white space."""
        pattern = re.sub(r"\d+", r"\\d+", re.escape(self.here(expected).strip()))
        assert re.fullmatch(re.sub(r"(\\ |\\\n|\n|\s)+", r"\\s*", pattern), output.strip()), output


@pytest.fixture
def machine(tmp_path):
    one = Machine(tmp_path)
    for poll in ("p", "q"):
        one.daemon.poll(poll)
        for i in range(5):
            assert one.daemon.vote(poll, 1, f"v{i}").status == 201
    yield one
    one.daemon.end()


def test_a_backup_is_made_checked_and_restored_with_the_commands_of_the_documentation(machine):
    commands, answer = blocks("Make one")
    by_tally, by_curl = commands.split("\n", 1)
    name = by_tally.split()[-1]
    machine.run(by_tally)
    os.makedirs(machine.mnt, exist_ok=True)
    for file in (name, name + ".key"):  # "Take both files to another machine."
        shutil.move(machine.state / "backups" / file, machine.mnt / file)
    machine.says(machine.run(by_curl), re.sub(r"\s*\n\s*", "", answer))

    stop, check, good = blocks("Check a store")[0].strip().split("\n")
    machine.run(stop)
    machine.says(machine.run(check), good)

    for file in ("tally.db", "keys"):  # "what exists … move it away first"
        os.rename(machine.state / file, machine.state / (file + ".away"))
    restore, restored = blocks("Restore")[0].strip().split("\n")
    machine.says(machine.run(restore), restored)
    machine.daemon.start()
    for poll in ("p", "q"):
        assert machine.daemon.tally(poll)["votes"] == 5
        assert machine.daemon.vote(poll, 1, "v3").json()["result"] == "already"


def test_a_store_that_is_there_is_not_overwritten_as_the_documentation_says(machine):
    machine.run(blocks("Make one")[0].split("\n", 1)[0])
    name = blocks("Make one")[0].split("\n", 1)[0].split()[-1]
    machine.daemon.stop()
    done = subprocess.run([harness.TALLYD, "--restore", machine.state / "backups" / name,
                           "--store", f"sqlite:{machine.daemon.store}"], capture_output=True,
                          text=True)
    assert done.returncode == 1 and "is not overwritten; move it away" in done.stderr
