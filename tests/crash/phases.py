#!/usr/bin/python3
"""Kills tallyd (-9) in each of its phases, in place of a file call that is drawn, and counts.

Phases: the first start, a start over a log, a checkpoint, a backup, a bulk import, the end by SIGTERM,
a reload. Clients vote meanwhile. A cycle kills one of them at its nth call; those of a phase are taken
in turn until it has no more, then they are drawn. The next start must come up, know every
vote that was acknowledged at its seq, and count what was not acknowledged once when it is repeated.
A backup that has its name must be whole.
"""
import argparse
import collections
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "e2e"))
sys.path.insert(0, str(HERE.parent / "faults"))

import harness  # pylint: disable=wrong-import-position
import shim  # pylint: disable=wrong-import-position

WRITES = "write sync truncate"
LEDGER = ("main", "wal", "journal", "folder")
CLIENTS = 3
BEFORE = 40        # votes there are before
BULK = 600         # lines
WHILE = 60         # votes that a phase is given to be killed in, where it does not end by itself
RELOAD_S = 0.02    # a reload has no calls on the store: it is killed at a moment within so much
KILLED = -9


class Wrong(Exception):
    pass


class Life:
    """One store, from its first vote to the recount behind its last death."""

    def __init__(self, folder, rng):
        self.daemon = shim.FaultyDaemon(folder)
        self.rng = rng
        self.lock = threading.Lock()
        self.seqs = {}     # voter: seq, as acknowledged
        self.asked = {}    # voter: option
        self.hung = 0
        self.wrong = []
        self.killed = False  # from outside
        self.over = threading.Event()

    def arm(self, nth, calls=WRITES, kinds=LEDGER):
        self.daemon.shim.arm(calls, nth=nth, kinds=kinds, error="KILL")

    def acknowledged(self, voter, seq):
        with self.lock:
            if self.seqs.setdefault(voter, seq) != seq:
                raise Wrong(f"{voter}: seq {seq}, acknowledged as {self.seqs[voter]} before")

    def vote(self, wire, voter, option):
        self.asked[voter] = option
        wire.send(harness.request_bytes("POST", "/v1/polls/p/votes",
                                        {"option": option, "voter": voter}))
        answer = wire.answer()
        if answer.status not in (200, 201):
            raise Wrong(f"{voter}: {answer}")
        body = answer.json()
        self.acknowledged(voter, body["receipt"]["seq"])
        return body["result"]

    def votes(self, number, most):
        """Until the daemon is gone, or there are enough."""
        try:
            wire = self.daemon.unix()
            for i in range(most):
                self.vote(wire, f"{number}-{i}", 1 + i % 4)
                if self.over.is_set():
                    break
            wire.close()
        except OSError:
            pass
        except Wrong as wrong:
            self.wrong.append(str(wrong))

    def clients(self, most):
        threads = [threading.Thread(target=self.votes, args=(f"c{i}", most))
                   for i in range(CLIENTS)]
        for thread in threads:
            thread.start()
        return threads

    def join(self, threads):
        for thread in threads:
            thread.join(harness.START_S)
            self.hung += thread.is_alive()

    def begin(self):
        """A store with votes, and a daemon that serves it."""
        self.daemon.start()
        self.daemon.poll("p")
        wire = self.daemon.unix()
        for i in range(BEFORE):
            self.vote(wire, f"before-{i}", 1 + i % 4)
        wire.close()

    def is_dead(self):
        """Whether the kill came; else it is ended here."""
        came = self.daemon.shim.failed or self.killed
        self.daemon.shim.disarm()
        if self.wrong:
            raise Wrong(*self.wrong[:3])
        if not came and self.daemon.process.poll() is None:
            self.daemon.kill()
            return False
        status = self.daemon.ended()
        if status != (KILLED if came else 0):
            raise Wrong(f"it ended by itself with {status}: {self.daemon.log}")
        return came

    def check(self):
        self.daemon.start()
        if self.daemon.admin("GET", "/v1/polls/p").status == 404:
            if self.seqs:
                raise Wrong("the poll is gone")
            self.daemon.poll("p")
        lost = max(0, len(self.seqs) - self.daemon.tally("p")["votes"])
        known = set(self.seqs)
        wire = self.daemon.unix()
        for voter, option in self.asked.items():
            result = self.vote(wire, voter, option)
            lost += voter in known and result != "already"
        wire.close()
        tally = self.daemon.tally("p")
        phantom = max(0, tally["votes"] - len(self.asked))
        lost += max(0, len(self.asked) - tally["votes"])
        if not self.daemon.admin("POST", "/v1/verify", {}).json()["ok"]:
            raise Wrong("a recount does not agree")
        self.daemon.stop()
        return len(known), lost, phantom


def start_first(life, nth):
    """Of a store that is made."""
    life.arm(nth, kinds=shim.KINDS)
    life.daemon.started()


def start_over_log(life, nth):
    """Behind a death: the log is written again and recovered."""
    life.begin()
    life.daemon.kill()
    life.arm(nth)
    life.daemon.started()


def checkpoint(life, nth):
    """Only a checkpoint writes to the file itself. Idle ones come from 1 MiB of log on."""
    life.begin()
    life.arm(nth, kinds=("main",))
    life.join(life.clients(400))


def backup(life, nth):
    life.begin()
    life.arm(nth, kinds=("draft", "other", "folder"))
    threads = life.clients(WHILE)
    path = str(life.daemon.state / "backup")
    try:
        life.daemon.admin("POST", "/v1/backup", {"path": path})
    except OSError:
        pass
    life.over.set()
    life.join(threads)
    if os.path.exists(path):
        check_backup(life, path)


def check_backup(life, path):
    """What has the name is whole, and good for a store of its own."""
    restored = os.path.join(life.daemon.folder, "restored", "tally.db")
    os.mkdir(os.path.dirname(restored))
    for how in (["--restore", path], ["--check-store"]):
        done = subprocess.run([harness.TALLYD, *how, "--store", "sqlite:" + restored],
                              capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise Wrong(f"the backup has its name and is not whole: {done.stdout}{done.stderr}")


def bulk_import(life, nth):
    life.begin()
    life.arm(nth)
    lines = b""
    for i in range(BULK):
        life.asked[f"bulk-{i}"] = 1 + i % 4
        lines += b'{"poll":"p","option":%d,"voter":"bulk-%d"}\n' % (1 + i % 4, i)
    wire = life.daemon.unix()
    try:
        wire.send(harness.request_bytes("POST", "/v1/votes", lines,
                                        {"Content-Type": "application/x-ndjson"}))
        while not wire.left.endswith(b"0\r\n\r\n"):
            wire._more()  # pylint: disable=protected-access
    except OSError:
        pass
    for line in wire.left.split(b"\n"):
        if line.startswith(b'{"line"') and line.endswith(b"}"):
            answer = harness.json.loads(line)
            life.acknowledged(f"bulk-{answer['line'] - 1}", answer["seq"])


def drain(life, nth):
    """From SIGTERM to the last checkpoint."""
    life.begin()
    threads = life.clients(WHILE)
    life.arm(nth)
    life.daemon.process.send_signal(signal.SIGTERM)
    life.daemon.process.wait(harness.START_S)
    life.join(threads)


def reload(life, _):
    life.begin()
    threads = life.clients(WHILE)
    life.daemon.process.send_signal(signal.SIGHUP)
    time.sleep(life.rng.uniform(0, RELOAD_S))  # a random moment within it is the test
    life.daemon.process.send_signal(signal.SIGKILL)
    life.daemon.process.wait(harness.START_S)
    life.killed = True
    life.join(threads)


PHASES = (start_first, start_over_log, checkpoint, backup, bulk_import, drain, reload)


class Count:
    def __init__(self, rng, step):
        self.rng = rng
        self.step = step
        self.calls = {reload: 1}  # of a phase, once it is known
        self.next = collections.Counter()
        self.killed = collections.Counter()
        self.sums = collections.Counter()

    def nth(self, phase):
        if phase in self.calls:
            return self.rng.randint(1, self.calls[phase])
        self.next[phase] += self.step if self.next[phase] else 1
        return self.next[phase]

    def cycle(self, phase):
        nth = self.nth(phase)
        with tempfile.TemporaryDirectory(prefix="tallyd-phases-") as folder:
            life = Life(folder, self.rng)
            try:
                phase(life, nth)
                killed = life.is_dead()
                self.killed[phase] += killed
                found = life.check()
            except (Wrong, AssertionError, OSError) as wrong:
                self.sums["wrong"] += 1
                print(f"{phase.__name__} at call {nth}: {wrong!r}, {life.daemon.log[-5:]}",
                      file=sys.stderr)
                return
            finally:
                if life.daemon.process:
                    life.daemon.kill()
        if not killed and phase not in self.calls and nth > 1:
            self.calls[phase] = nth - 1
        for name, n in zip(("acknowledged", "lost", "phantom"), found):
            self.sums[name] += n
        self.sums["hung"] += life.hung


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=70)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--step", type=int, default=1, help="takes every so many-th call in turn")
    parser.add_argument("--phase", choices=[phase.__name__ for phase in PHASES], help="this alone")
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    count = Count(random.Random(args.seed), args.step)
    phases = [phase for phase in PHASES if args.phase in (None, phase.__name__)]
    for cycle in range(args.cycles):
        count.cycle(phases[cycle % len(phases)])
    for phase in phases:
        print(f"{phase.__name__}: killed {count.killed[phase]}, "
              f"calls {count.calls.get(phase, 'more')}")
    sums = count.sums
    idle = [phase.__name__ for phase in phases if count.killed[phase] == 0]
    if idle:
        print(f"never killed in: {', '.join(idle)}", file=sys.stderr)
    print(f"cycles {args.cycles}, killed {sum(count.killed.values())}, "
          f"acknowledged {sums['acknowledged']}, lost {sums['lost']}, phantom {sums['phantom']}, "
          f"hung {sums['hung']}, crashed or wrong {sums['wrong']}")
    return 1 if idle or any(sums[name] for name in ("lost", "phantom", "hung", "wrong")) else 0


if __name__ == "__main__":
    sys.exit(main())
