#!/usr/bin/python3
"""Restarts tallyd under load behind sockets that stay open, as systemd does it, and counts.

The listening sockets are held here and handed to one daemon after the other (LISTEN_FDS). A cycle:
clients vote and read, SIGTERM comes at a random moment, and the next daemon is started when the
last one has ended. Nobody may notice: a connection is never refused, the first request of each is
answered, a connection that was kept open ends between two answers and never within one, and what it
had been sent and not answered is sent again and counted once.
"""
import argparse
import collections
import os
import pathlib
import random
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))

import harness  # pylint: disable=wrong-import-position
os.environ.setdefault("TALLYD_CAIRO", "0")  # service_test asks; nothing here draws
import service_test  # pylint: disable=wrong-import-position

ANSWERS = 60         # between two restarts, at least
DELAY_S = 0.05       # and then a random moment within so much
HESITATES_S = 0.05   # the longest that a client waits between connecting and asking
LATE_S = 0.5         # who asked as late as this after connecting (tallyd waits 1 s) proves nothing


class Wrong(Exception):
    pass


class Client:
    """One connection, made again when it has ended between answers."""

    def __init__(self, run, dial):
        self.run = run
        self.dial = dial
        self.wire = None
        self.answered = 0  # on this connection

    def connect(self, hesitates=0.0):
        try:
            self.wire = self.dial()
        except OSError as error:
            raise Wrong(f"refused: {error!r}") from error
        self.connected = time.monotonic()
        self.answered = 0
        self.run.stop.wait(hesitates)  # a client that is slow to ask

    def send(self, data):
        """False: the connection had ended, and nothing of this was heard."""
        late = time.monotonic() - self.connected > LATE_S and self.answered == 0
        try:
            self.wire.send(data)
        except OSError as error:
            return self.ended(error, late)
        self.late = late or (self.answered == 0 and time.monotonic() - self.connected > LATE_S)
        return True

    def answer(self):
        """None: the connection has ended before it."""
        try:
            answer = self.wire.answer()
        except OSError as error:
            self.ended(error, self.late)
            return None
        self.answered += 1
        if answer.fields.get("connection") == "close":
            self.close()
        return answer

    def ended(self, error, late):
        if self.wire.left:
            raise Wrong(f"ended within an answer: {self.wire.left[:80]!r}")
        if self.answered == 0 and not late:
            raise Wrong(f"ended before the first answer: {error!r}")
        self.run.count("late" if self.answered == 0 else "ended")
        self.close()
        return False

    def close(self):
        self.wire.close()
        self.wire = None


class Run:
    def __init__(self, folder, seed):
        self.service = service_test.Service(folder)
        self.service.local.listen(4096)  # as systemd's Backlog= does
        self.service.http.listen(4096)
        self.rng = random.Random(seed)
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.wrong = []

    def count(self, what, n=1):
        with self.lock:
            self.counts[what] += n

    def votes(self, number, rng, depth):
        """`depth` ballots at once on one connection, each until it is answered."""
        client = Client(self, self.service.unix)
        made = 0
        unanswered = []
        while unanswered or not self.stop.is_set():
            if client.wire is None:
                client.connect()
            while len(unanswered) < depth and not self.stop.is_set():
                unanswered.append((f"{number}-{made}", rng.randint(1, 4)))
                made += 1
            sent = client.send(b"".join(harness.request_bytes(
                "POST", "/v1/polls/p/votes", {"option": option, "voter": voter})
                for voter, option in unanswered))
            while sent and unanswered and client.wire:
                answer = client.answer()
                if answer is None:
                    break
                if answer.status not in (200, 201):
                    raise Wrong(f"vote: {answer}")
                unanswered.pop(0)
                self.count("acknowledged")

    def reads(self, _, rng, hesitates):
        """A connection for each request, as most programs do it."""
        while not self.stop.is_set():
            client = Client(self, self.service.tcp)
            client.connect(rng.uniform(0, hesitates))
            if client.send(harness.request_bytes("GET", "/v1/polls/p/tally")):
                answer = client.answer()
                if answer is not None and answer.status != 200:
                    raise Wrong(f"read: {answer}")
                self.count("read", int(answer is not None))
            if client.wire:
                client.close()

    def client(self, what, *args):
        try:
            what(*args)
        except Exception as wrong:  # pylint: disable=broad-except
            with self.lock:
                self.wrong.append(f"{what.__name__}: {wrong!r}")

    def more_answers(self):
        end = self.counts["acknowledged"] + ANSWERS
        harness.until(lambda: self.counts["acknowledged"] >= end or self.wrong)

    def cycles(self, n):
        for _ in range(n):
            self.more_answers()
            if self.wrong:
                return
            time.sleep(self.rng.uniform(0, DELAY_S))  # the random moment is the test
            self.service.stop()
            self.service.start()
            self.count("restarts")
        self.more_answers()

    def all(self, n):
        self.service.start()
        self.service.port = self.service.http.getsockname()[1]
        self.service.poll("p")
        work = [(self.votes, i, random.Random(self.rng.random()), depth)
                for i, depth in enumerate((1, 1, 1, 8))]
        work += [(self.reads, i, random.Random(self.rng.random()), hesitates)
                 for i, hesitates in enumerate((0.0, 0.0, HESITATES_S))]
        threads = [threading.Thread(target=self.client, args=one) for one in work]
        for thread in threads:
            thread.start()
        try:
            self.cycles(n)
        finally:
            self.stop.set()
            for thread in threads:
                thread.join(harness.START_S)
        self.count("hung", sum(thread.is_alive() for thread in threads))
        tally = self.service.tally("p")
        self.count("lost", max(0, self.counts["acknowledged"] - tally["votes"]))
        self.count("phantom", max(0, tally["votes"] - self.counts["acknowledged"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="tallyd-restart-") as folder:
        run = Run(folder, args.seed)
        try:
            run.all(args.cycles)
        finally:
            run.service.end()
    for wrong in run.wrong[:20]:
        print(wrong, file=sys.stderr)
    counts = run.counts
    print(f"cycles {counts['restarts']}, acknowledged {counts['acknowledged']}, "
          f"lost {counts['lost']}, phantom {counts['phantom']}, read {counts['read']}, "
          f"refused or cut off {len(run.wrong)}, hung {counts['hung']}, "
          f"ended between answers and repeated {counts['ended']}")
    return 1 if run.wrong or counts["lost"] or counts["phantom"] or counts["hung"] else 0


if __name__ == "__main__":
    sys.exit(main())
