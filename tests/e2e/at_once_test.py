"""Everything at once: an import, an export and a backup while votes come in, and every figure is
exact afterwards."""
import json
import os
import subprocess
import threading

import harness

# Sanitizers prove races and lifetimes, not amounts.
VOTES = 20_000 if any(word in harness.TALLYD for word in ("asan", "tsan")) else 1_000_000
OPTIONS = 4
BEFORE = 5_000


def tally(daemon, *args, **more):
    return subprocess.run([harness.TALLY, "--socket", daemon.socket, *args], check=False,
                          capture_output=True, text=True, timeout=300, **more)


def write_ballots(path, poll, prefix, count):
    with open(path, "w", encoding="ascii") as file:
        for i in range(count):
            file.write(f'{{"poll":"{poll}","option":{i % OPTIONS + 1},"voter":"{prefix}{i}"}}\n')


class Others(threading.Thread):
    """Votes one by one until told to stop; remembers what was counted."""

    def __init__(self, daemon, name):
        super().__init__()
        self.daemon_of, self.who, self.counted, self.stop = daemon, name, 0, threading.Event()

    def run(self):
        wire = self.daemon_of.unix()
        while not self.stop.is_set():
            wire.send(harness.request_bytes(
                "POST", "/v1/polls/busy/votes",
                {"option": 1, "voter": f"{self.who}-{self.counted}"}))
            assert wire.answer().json()["result"] == "counted"
            self.counted += 1


def test_an_import_an_export_and_a_backup_run_at_once_while_votes_come_in(daemon, tmp_path):
    for poll in ("busy", "old"):
        daemon.poll(poll)
    write_ballots(tmp_path / "old", "old", "o", BEFORE)
    assert tally(daemon, "import", str(tmp_path / "old"), cwd=tmp_path).returncode == 0
    write_ballots(tmp_path / "new", "busy", "n", VOTES)
    others = [Others(daemon, f"t{i}") for i in range(3)]
    for other in others:
        other.start()
    done = {}

    def run(name, *args):
        done[name] = tally(daemon, *args, cwd=tmp_path)

    work = [threading.Thread(target=run, args=row) for row in (
        ("import", "import", str(tmp_path / "new")),
        ("export", "export", "old", "-o", str(tmp_path / "export")),
        ("busy", "export", "busy", "-o", str(tmp_path / "moment")),
        ("backup", "backup", str(tmp_path / "copy.db")))]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    for other in others:
        other.stop.set()
        other.join()
    for name, ran in done.items():
        assert ran.returncode == 0, (name, ran.stderr)
    assert f"{VOTES} counted" in done["import"].stdout

    # The tally is the sum of what was answered, and the rows say the same.
    singles = sum(other.counted for other in others)
    expected = [VOTES // OPTIONS + singles] + [VOTES // OPTIONS] * (OPTIONS - 1)
    assert [option["votes"] for option in daemon.tally("busy")["options"]] == expected
    verified = daemon.admin("POST", "/v1/verify").json()
    assert verified == {"ok": True, "polls": 2, "votes": VOTES + singles + BEFORE,
                        "mismatches": []}
    # The export of the other poll is whole, and that of the busy one is of a moment: no gaps.
    with open(tmp_path / "export", encoding="ascii") as file:
        assert [json.loads(line)["seq"] for line in file] == list(range(1, BEFORE + 1))
    with open(tmp_path / "moment", encoding="ascii") as file:
        seqs = [json.loads(line)["seq"] for line in file]
    assert seqs == list(range(1, len(seqs) + 1))
    # The backup is a store by itself.
    os.makedirs(tmp_path / "else")
    restored = subprocess.run(
        [harness.TALLYD, "--restore", str(tmp_path / "copy.db"), "--store",
         f"sqlite:{tmp_path}/else/tally.db"], capture_output=True, text=True, check=False,
        timeout=120)
    assert restored.returncode == 0, restored.stderr
    assert "2 polls" in restored.stdout
