#!/usr/bin/python3
"""Backups of a store under full load, some cut off, each opened by another daemon.

A cycle: three clients vote as fast as they are answered, and a backup is asked for. Four in seven
are left alone; in the others the daemon is killed in place of a call on the backup's files, or at a
random moment, or told to end, where the backup is not answered before. What has the name then is
restored, checked and opened by a second daemon: it has each vote that was answered before it was
asked for, at its seq, it is one moment of both polls, and a recount agrees. What was not answered
may not be there, but never half of it.
"""
import argparse
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
from bulk import ballot, bulk_all  # pylint: disable=wrong-import-position

POLLS = ("first", "second")
EARLIER = 20000      # votes there are before: a copy of several slices
CLIENTS = 3
DEPTH = 8
STORE_CYCLES = 20    # of a store, before it grows too large to be looked at each time
SAMPLE = 200         # voters of a client, the latest, who are asked for again
BATCHES = 5          # of each client, before a backup is asked for
CALLS = 25           # at least as many as a backup makes on its files; beyond, nothing is killed
WITHIN_S = 0.1
WRITES = "open write sync rename unlink truncate"


class Wrong(Exception):
    pass


class Client:
    """Votes in the first poll and, once that is answered, in the second, eight at a time."""

    def __init__(self, number):
        self.number = number
        self.batch = 0                       # the one that is not answered in both yet
        self.seqs = {poll: {} for poll in POLLS}

    def voters(self):
        return [f"c{self.number}-{self.batch}-{i}" for i in range(DEPTH)]

    def vote_in(self, wire, poll):
        voters = self.voters()
        wire.send(b"".join(harness.request_bytes(
            "POST", f"/v1/polls/{poll}/votes", {"option": 1, "voter": voter})
            for voter in voters))
        for voter in voters:
            answer = wire.answer()
            if answer.status not in (200, 201):
                raise Wrong(f"{voter}: {answer}")
            self.seqs[poll][voter] = answer.json()["receipt"]["seq"]

    def vote(self, wire):
        for poll in POLLS:
            self.vote_in(wire, poll)
        self.batch += 1


class Load:
    """Clients that vote until they are told to stop, or the daemon is gone."""

    def __init__(self, daemon, clients):
        self.daemon = daemon
        self.clients = clients
        self.over = threading.Event()
        self.errors = []
        self.hung = 0
        before = [client.batch for client in clients]
        self.threads = [threading.Thread(target=self.vote, args=(client,), daemon=True)
                        for client in clients]
        for thread in self.threads:
            thread.start()
        harness.until(lambda: self.errors or all(
            client.batch >= was + BATCHES for client, was in zip(clients, before)))

    def vote(self, client):
        try:
            wire = self.daemon.unix()
            while not self.over.is_set():
                client.vote(wire)
            wire.close()
        except TimeoutError:
            self.hung += 1
        except OSError:
            pass
        except Wrong as wrong:
            self.errors.append(str(wrong))

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()
        if self.errors:
            raise Wrong(*self.errors[:3])


class Sums:
    def __init__(self):
        self.made = self.cut_off = self.there = self.acknowledged = 0
        self.lost = self.torn = self.hung = 0
        self.wrong = []

    def clean(self):
        return not (self.lost or self.torn or self.hung or self.wrong)


class Store:
    def __init__(self, folder, rng, sums):
        self.folder = pathlib.Path(folder)
        self.daemon = shim.FaultyDaemon(folder)
        self.rng = rng
        self.sums = sums
        self.clients = [Client(i) for i in range(CLIENTS)]

    def begin(self):
        self.daemon.start()
        for poll in POLLS:
            self.daemon.poll(poll)
        for at in range(0, EARLIER, 1000):
            bulk_all(self.daemon, *(ballot(poll, 1 + i % 4, f"e{i}") for poll in POLLS
                                    for i in range(at, at + 1000)))

    def known(self):
        """What is acknowledged now: how many votes of each poll, and the latest by name."""
        counts = {poll: EARLIER + sum(len(client.seqs[poll]) for client in self.clients)
                  for poll in POLLS}
        latest = {poll: [item for client in self.clients
                         for item in list(client.seqs[poll].items())[-SAMPLE:]] for poll in POLLS}
        return counts, latest

    def ask(self, path, told):
        """In a thread of its own: whoever is killed does not answer."""
        try:
            told.append(self.daemon.admin("POST", "/v1/backup", {"path": str(path)}))
        except OSError:
            pass

    def interrupt(self, how):
        if how in ("moment", "end"):
            time.sleep(self.rng.uniform(0, WITHIN_S))  # the random moment is the test
            self.daemon.process.send_signal(signal.SIGKILL if how == "moment" else signal.SIGTERM)

    def cycle(self, number):
        how = self.rng.choice(("none", "none", "none", "none", "call", "moment", "end"))
        path = self.daemon.state / "backups" / f"b{number}"
        told = []
        load = Load(self.daemon, self.clients)
        known = self.known()
        if how == "call":
            self.daemon.shim.arm(WRITES, nth=self.rng.randint(1, CALLS), kinds=("draft", "other"),
                                 error="KILL")
        asking = threading.Thread(target=self.ask, args=(path.name, told), daemon=True)
        asking.start()
        self.interrupt(how)
        asking.join(harness.START_S)
        self.sums.hung += asking.is_alive()
        gone = self.is_gone(how)
        load.stop()
        self.sums.hung += load.hung
        self.look(path, known, told, gone)
        if gone:
            self.daemon.start()

    def is_gone(self, how):
        """Waits for whom it has killed, or told to end."""
        killed = self.daemon.shim.failed > 0 if how == "call" else how == "moment"
        self.daemon.shim.disarm()
        if not killed and how != "end":
            return False
        status = self.daemon.ended()
        if status != (-signal.SIGKILL if killed else 0):
            raise Wrong(f"it ended with {status}: {self.daemon.log[-3:]}")
        return True

    def look(self, path, known, told, gone):
        status = told[0].status if told else None
        if status not in (200, None, 503) or (status == 503 and not gone):
            raise Wrong(f"a backup: {told[0]}")
        key = path.with_name(path.name + ".key")
        there = path.exists()
        self.sums.made += status == 200
        self.sums.cut_off += status != 200
        self.sums.there += there
        if status == 200 and not there:
            self.sums.lost += 1
        if status == 503 and (there or key.exists()):
            raise Wrong("what was given up is there")
        if not there:
            return
        if not key.exists():
            raise Wrong("a backup without its key")
        self.open_it(path, known, told)
        path.unlink()
        key.unlink()

    def open_it(self, path, known, told):
        with tempfile.TemporaryDirectory(prefix="restored-", dir=self.folder) as folder:
            for how in (["--restore", str(path)], ["--check-store"]):
                done = subprocess.run(
                    [harness.TALLYD, *how, "--store", f"sqlite:{folder}/tally.db"],
                    capture_output=True, text=True, timeout=harness.START_S, check=False)
                if done.returncode != 0:
                    self.sums.torn += 1
                    raise Wrong(f"it has its name and is not whole: {done.stdout}{done.stderr}")
            other = harness.Daemon(folder).start()
            try:
                self.compare(other, known, told)
            finally:
                other.end()

    def compare(self, other, known, told):
        counts, latest = known
        votes = {poll: other.tally(poll)["votes"] for poll in POLLS}
        self.sums.lost += sum(max(0, counts[poll] - votes[poll]) for poll in POLLS)
        if told and sum(votes.values()) != told[0].json()["votes"]:
            raise Wrong(f"it has {votes} votes, and was answered {told[0].json()}")
        if not votes["second"] <= votes["first"] <= votes["second"] + CLIENTS * DEPTH:
            raise Wrong(f"it is no moment that there was: {votes}")
        if not other.admin("POST", "/v1/verify").json()["ok"]:
            raise Wrong("a recount does not agree")
        wire = other.unix()
        for poll in POLLS:
            for voter, seq in latest[poll]:
                wire.send(harness.request_bytes("POST", f"/v1/polls/{poll}/votes",
                                                {"option": 1, "voter": voter}))
                got = wire.answer().json()
                self.sums.lost += (got["result"] != "already" or got["receipt"]["seq"] != seq)
        wire.close()


def of_a_store(first, cycles, rng, sums):
    with tempfile.TemporaryDirectory(prefix="tallyd-backups-") as folder:
        store = Store(folder, rng, sums)
        try:
            store.begin()
            for number in range(first, first + cycles):
                store.cycle(number)
        except TimeoutError:
            sums.hung += 1
        except (Wrong, AssertionError, OSError, KeyError) as wrong:
            sums.wrong.append(f"{wrong!r}, {store.daemon.log[-3:]}")
        finally:
            if store.daemon.process:
                store.daemon.kill()
        sums.acknowledged += sum(store.known()[0].values())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=15)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    rng = random.Random(args.seed)
    sums = Sums()
    for at in range(0, args.cycles, STORE_CYCLES):
        of_a_store(at, min(STORE_CYCLES, args.cycles - at), rng, sums)
    for wrong in sums.wrong[:20]:
        print(wrong, file=sys.stderr)
    print(f"cycles {args.cycles}, acknowledged {sums.acknowledged}, backups answered {sums.made}, "
          f"cut off {sums.cut_off}, opened {sums.there}, votes lost {sums.lost}, half under the "
          f"name {sums.torn}, hung {sums.hung}, wrong {len(sums.wrong)}")
    return 0 if sums.clean() and sums.there else 1


if __name__ == "__main__":
    sys.exit(main())
