#!/usr/bin/python3
"""Votes and reads against a daemon that may not grow: it stays up, or ends with a sentence.

A cycle: start, cap the memory that it may write to a little above what it has (RLIMIT_DATA; the
address space would not do, for allocators reserve far more of it than they use), and let clients
vote and read until far more was asked for than fits. Every answer is a good one or 503; then the
cap is lifted, every vote is sent again, and each counts once: those that were acknowledged are
there already.
"""
import argparse
import pathlib
import random
import resource
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))

import harness  # noqa: E402

CLIENTS = 4
DEPTH = 16
ROOM_KB = (0, 128, 512, 2048)
READS = ("/v1/polls/p/tally", "/p/p", "/v1/polls/p/chart.svg", "/v1/polls/p/history",
         "/v1/polls?limit=1000")


class Cycle:
    def __init__(self, folder, room_kb, votes):
        self.daemon = harness.Daemon(folder)
        self.room_kb = room_kb
        self.votes = votes
        self.counted = set()
        self.wrong = []
        self.refused = self.closed = self.ended = 0

    def data_kb(self):
        with open(f"/proc/{self.daemon.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmData:"))

    def limit(self, kb):
        most = resource.RLIM_INFINITY if kb is None else kb * 1024
        resource.prlimit(self.daemon.process.pid, resource.RLIMIT_DATA,
                         (most, resource.RLIM_INFINITY))

    def vote(self, client):
        """Pipelined votes, each by a voter whose name is as long as it may be."""
        voters = [f"{client}-{i}-".ljust(250, "x") for i in range(self.votes)]
        while voters and not self.has_ended():
            try:
                wire = self.daemon.unix()
                while voters:
                    part = voters[:DEPTH]
                    wire.send(b"".join(harness.request_bytes(
                        "POST", "/v1/polls/p/votes", {"option": 1, "voter": voter})
                        for voter in part))
                    for voter in part:
                        self.told(voter, wire.answer())
                        voters.pop(0)
                wire.close()
            except OSError:
                self.closed += 1
                if voters:
                    voters.pop(0)  # the one that may have been too much: others shall be tried

    def told(self, voter, answer):
        if answer.status in (200, 201):
            self.counted.add(voter)
        elif answer.status == 503:
            self.refused += 1
        else:
            self.wrong.append(f"{voter[:20]}: {answer}")

    def read(self):
        for i in range(self.votes):
            try:
                wire = self.daemon.unix()
                wire.send(harness.request_bytes("GET", READS[i % len(READS)]))
                answer = wire.answer()
                wire.close()
            except OSError:
                self.closed += 1
                continue
            self.refused += answer.status == 503
            if answer.status not in (200, 503):
                self.wrong.append(str(answer))

    def has_ended(self):
        return self.daemon.process.poll() is not None

    def is_over(self):
        """Lifts the cap. Whether it has ended, or is about to."""
        try:
            self.limit(None)
            wire = self.daemon.unix()
            wire.send(harness.request_bytes("GET", "/readyz"))
            if wire.answer().status == 200:
                return False
        except OSError:
            pass
        self.daemon.process.wait(60)
        return True

    def run(self):
        daemon = self.daemon.start()
        for i in range(200):
            daemon.poll(f"other{i}", title="x" * 1500)
        daemon.poll("p", title="y" * 1500)
        daemon.vote("p", 1, "first")
        self.limit(self.data_kb() + self.room_kb)
        threads = [threading.Thread(target=self.vote, args=(i,)) for i in range(CLIENTS)]
        threads.append(threading.Thread(target=self.read))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.is_over():
            status = daemon._ended()
            self.ended = 1
            if status >= 0 and not any("memory" in line for line in daemon.log) or status == -11:
                said = [line for line in daemon.log if "created it" not in line]
                self.wrong.append(f"ended with {status}: {said}")
            daemon.start()
        return self.settle()

    def settle(self):
        """How many acknowledged votes are gone, and how many there are too many."""
        lost = 0
        for client in range(CLIENTS):
            wire = self.daemon.unix()
            for i in range(self.votes):
                voter = f"{client}-{i}-".ljust(250, "x")
                wire.send(harness.request_bytes("POST", "/v1/polls/p/votes",
                                                {"option": 1, "voter": voter}))
                result = wire.answer().json()["result"]
                lost += voter in self.counted and result != "already"
            wire.close()
        phantom = self.daemon.tally("p")["votes"] - CLIENTS * self.votes - 1
        if not self.daemon.admin("POST", "/v1/verify", {}).json()["ok"]:
            self.wrong.append("verify finds another tally")
        self.daemon.stop()
        return lost, phantom


def run(cycles, votes, seed):
    """Sums over all cycles; each has a room of its own."""
    rng = random.Random(seed)
    sums = {name: 0 for name in ("acknowledged", "lost", "phantom", "refused", "closed", "ended")}
    wrong = []
    for n in range(cycles):
        with tempfile.TemporaryDirectory(prefix="tallyd-cap-") as folder:
            room_kb = ROOM_KB[n] if n < len(ROOM_KB) else rng.randrange(16 * 1024)
            cycle = Cycle(folder, room_kb, votes)
            try:
                lost, phantom = cycle.run()
            finally:
                if cycle.daemon.process and not cycle.has_ended():
                    cycle.daemon.kill()
        sums["acknowledged"] += len(cycle.counted)
        sums["lost"] += lost
        sums["phantom"] += phantom
        for name in ("refused", "closed", "ended"):
            sums[name] += getattr(cycle, name)
        wrong += cycle.wrong
    return sums, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=4)
    parser.add_argument("--votes", type=int, default=5000, help="of each client, in a cycle")
    parser.add_argument("--seed", type=int, default=None)
    args = parser.parse_args()
    seed = args.seed if args.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    sums, wrong = run(args.cycles, args.votes, seed)
    for line in wrong[:20]:
        print(line, file=sys.stderr)
    print(f"cycles {args.cycles}, acknowledged {sums['acknowledged']}, lost {sums['lost']}, "
          f"phantom {sums['phantom']}, refused {sums['refused']}, closed {sums['closed']}, "
          f"ended with a sentence {sums['ended']}, wrong {len(wrong)}")
    return 1 if wrong or sums["lost"] or sums["phantom"] else 0


if __name__ == "__main__":
    sys.exit(main())
