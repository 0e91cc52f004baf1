#!/usr/bin/python3
"""Kills tallyd at random moments under load, and counts.

A cycle: start, let clients vote over several connections with retries, SIGKILL at a random moment,
start again, and check that every acknowledged vote is there exactly once, at the seq it was given.
Voters whose ballots were not answered repeat them after the restart; at the end the tally must be
the number of voters, no more and no less.
"""
import argparse
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

CONNECTIONS = 4
DEPTH = 8
START_S = 30


def request(method, path, body):
    data = json.dumps(body).encode()
    return (f"{method} {path} HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(data)}\r\n\r\n").encode() + data


def answers(sock, left):
    """Whole answers, as they come: (status, body)."""
    while True:
        while b"\r\n\r\n" not in left[0]:
            data = sock.recv(65536)
            if not data:
                return
            left[0] += data
        head, rest = left[0].split(b"\r\n\r\n", 1)
        status = int(head[9:12])
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(rest) < length:
            data = sock.recv(65536)
            if not data:
                return
            rest += data
        left[0] = rest[length:]
        yield status, json.loads(rest[:length])


class Wrong(Exception):
    pass


class Ledger:
    """What the clients know: which ballots were answered, and how."""

    def __init__(self):
        self.lock = threading.Lock()
        self.seqs = {}      # (poll, voter) → seq that was acknowledged
        self.open = []      # ballots without an answer: (poll, voter, option)
        self.options = {}   # (poll, voter) → option
        self.made = 0
        self.version = {}

    def next(self, rng):
        with self.lock:
            if self.open:
                return self.open.pop()
            self.made += 1
            ballot = (f"p{self.made % 2}", f"v{self.made}", rng.randint(1, 4))
            self.options[ballot[:2]] = ballot[2]
            return ballot

    def unanswered(self, ballots):
        with self.lock:
            self.open.extend(ballots)

    def acknowledged(self, ballot, status, body):
        key = ballot[:2]
        if status not in (200, 201):
            raise Wrong(f"{ballot}: {status} {body}")
        seq = body["receipt"]["seq"]
        with self.lock:
            if self.seqs.setdefault(key, seq) != seq:
                raise Wrong(f"{ballot}: row {seq}, acknowledged as {self.seqs[key]} before")


class Run:
    def __init__(self, binary, folder, seed):
        self.binary = binary
        self.folder = folder
        self.socket = os.path.join(folder, "s")
        self.rng = random.Random(seed)
        self.ledger = Ledger()
        self.errors = []
        self.process = None
        self.store = os.path.join(folder, "tally.db")
        self.environment = None

    def start(self):
        self.process = subprocess.Popen(
            [self.binary, "--socket", self.socket, "--threads", "2",
             "--store", "sqlite:" + self.store],
            stderr=subprocess.PIPE, env=self.environment)

    def wait_ready(self):
        for line in self.process.stderr:
            if line.startswith(b"listening on"):
                return
        raise Wrong(f"it does not start: {self.process.wait()}")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(START_S)
        self.process.stderr.close()

    def connect(self):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(START_S)
        sock.connect(self.socket)
        return sock

    def ask(self, method, path, body=None):
        sock = self.connect()
        sock.sendall(request(method, path, body or {}))
        for answer in answers(sock, [b""]):
            sock.close()
            return answer
        raise Wrong(f"{method} {path}: no answer")

    def client(self, seed, stop):
        rng = random.Random(seed)
        waiting = []
        try:
            sock = self.connect()
            got = answers(sock, [b""])
            while not stop.is_set():
                while len(waiting) < DEPTH:
                    ballot = self.ledger.next(rng)
                    waiting.append(ballot)
                    sock.sendall(request("POST", f"/v1/polls/{ballot[0]}/votes",
                                         {"option": ballot[2], "voter": ballot[1]}))
                answer = next(got, None)
                if answer is None:
                    break
                self.ledger.acknowledged(waiting[0], *answer)
                waiting.pop(0)
        except (OSError, ConnectionError):
            pass
        except Wrong as wrong:
            self.errors.append(str(wrong))
        self.ledger.unanswered(waiting)

    def load_until_killed(self):
        stop = threading.Event()
        threads = [threading.Thread(target=self.client, args=(self.rng.random(), stop))
                   for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        time.sleep(self.rng.uniform(0.0, 0.12))  # the random moment is the test
        self.kill()
        stop.set()
        for thread in threads:
            thread.join(START_S)
            if thread.is_alive():
                self.errors.append("a client hangs")

    def check_versions(self):
        for poll in ("p0", "p1"):
            _, tally = self.ask("GET", f"/v1/polls/{poll}/tally")
            if tally["version"] < self.ledger.version.get(poll, 0):
                self.errors.append(f"{poll}: the version went back")
            self.ledger.version[poll] = tally["version"]
            known = sum(1 for key in self.ledger.seqs if key[0] == poll)
            if tally["votes"] < known:
                self.errors.append(f"{poll}: {known - tally['votes']} acknowledged votes are gone")

    def make_polls(self):
        if not self.ledger.version:
            for poll in ("p0", "p1"):
                self.ask("PUT", f"/v1/polls/{poll}",
                         {"title": poll, "options": [{"label": c} for c in "abcd"]})

    def cycle(self):
        if self.rng.random() < 0.15:  # during the start
            self.start()
            time.sleep(self.rng.uniform(0.0, 0.01))  # as random: the moment is the test
            self.kill()
        self.start()
        self.wait_ready()
        self.make_polls()
        self.check_versions()
        self.load_until_killed()

    def repeat(self, ballots):
        """Sends ballots and returns their results; each must be answered."""
        sock = self.connect()
        got = answers(sock, [b""])
        results = []
        for start in range(0, len(ballots), DEPTH):
            part = ballots[start:start + DEPTH]
            sock.sendall(b"".join(request("POST", f"/v1/polls/{b[0]}/votes",
                                          {"option": b[2], "voter": b[1]}) for b in part))
            for ballot in part:
                status, body = next(got)
                self.ledger.acknowledged(ballot, status, body)
                results.append(body["result"])
        sock.close()
        return results

    def settle(self):
        """Repeats what was not answered, then every ballot there ever was."""
        self.start()
        self.wait_ready()
        self.check_versions()
        acknowledged = len(self.ledger.seqs)
        self.repeat(self.ledger.open)
        self.ledger.open = []
        everybody = [(*key, option) for key, option in self.ledger.options.items()]
        lost = sum(result != "already" for result in self.repeat(everybody))
        phantom = 0
        for poll in ("p0", "p1"):
            _, tally = self.ask("GET", f"/v1/polls/{poll}/tally")
            for option in tally["options"]:
                expected = sum(1 for key, chosen in self.ledger.options.items()
                               if key[0] == poll and chosen == option["option"])
                phantom += max(0, option["votes"] - expected)
                lost += max(0, expected - option["votes"])
        self.process.send_signal(signal.SIGTERM)
        crashed = self.process.wait(START_S) != 0
        self.process.stderr.close()
        return acknowledged, lost, phantom, crashed


def main(kind=Run, description=__doc__):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--cycles", type=int, default=50)
    parser.add_argument("--seed", type=int, default=None)
    args = parser.parse_args()
    seed = args.seed if args.seed is not None else random.SystemRandom().randrange(1 << 32)
    root = pathlib.Path(__file__).parents[2]
    binary = os.environ.get("TALLYD", str(root / "build" / "test" / "tallyd"))
    print(f"seed {seed}", flush=True)
    short = None if len(tempfile.gettempdir()) < 60 else "/tmp"  # a socket lies in it
    with tempfile.TemporaryDirectory(prefix="tallyd-kill-", dir=short) as folder:
        run = kind(binary, folder, seed)
        try:
            for _ in range(args.cycles):
                run.cycle()
            acknowledged, lost, phantom, crashed = run.settle()
        except Wrong as wrong:  # it does not start any more: nothing can be compared
            run.errors.append(str(wrong))
            acknowledged, lost, phantom, crashed = len(run.ledger.seqs), 0, 0, True
        finally:
            if run.process.poll() is None:
                run.kill()
    hung = sum("hangs" in error for error in run.errors)
    print(f"cycles {args.cycles}, acknowledged {acknowledged}, lost {lost}, phantom {phantom}, "
          f"hung {hung}, crashed {int(crashed)}")
    for error in run.errors[:20]:
        print(error, file=sys.stderr)
    return 1 if run.errors or lost or phantom or crashed else 0


if __name__ == "__main__":
    sys.exit(main())
