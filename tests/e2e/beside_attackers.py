#!/usr/bin/python3
"""A good client beside each attack of swarm.py: every request of it is answered.

A cycle: each attack in turn, and then all of them at once. The good client votes and reads over a
connection that it had before, and over new ones; its slowest hundredth, the processor's time and
the memory of the daemon are printed. The memory must stay under a bound: 32 MiB, 16 KiB for each
connection, and 3 MiB for each whose answers nobody reads.
"""
import argparse
import contextlib
import os
import pathlib
import resource
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import harness  # noqa: E402
import swarm  # noqa: E402

REQUESTS = 400
NEW_EVERY = 20
KEPT_S = 10  # surely; the daemon closes what is idle for 15
SANITIZED = "asan" in harness.TALLYD or "tsan" in harness.TALLYD  # they keep what was freed
UNREAD = ("slow reader", "pipeline", "streams")


class Wrong(Exception):
    pass


def bound_kb(names, counts):
    held = sum(counts[name] for name in names)
    unread = sum(counts[name] for name in names if name in UNREAD)
    return 32 * 1024 + 16 * held + 3 * 1024 * unread


class Beside:
    def __init__(self, folder, long):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.counts = {name: row[2 if long else 1] for name, row in swarm.ATTACKS.items()}
        self.daemon = harness.Daemon(folder)
        self.daemon.start()
        self.daemon.poll("p", options=[{"label": "x" * 500} for _ in range(20)])
        self.good = self.daemon.unix()
        self.good_since = time.monotonic()
        self.votes = self.answered = self.bound_kb = 0

    def cpu_s(self):
        with open(f"/proc/{self.daemon.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_kb(self):
        with open(f"/proc/{self.daemon.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))

    def one(self, n):
        """The time in ms that one request took."""
        new = n % NEW_EVERY == 0
        voting = n % 2
        if time.monotonic() - self.good_since > KEPT_S:  # by now it may be closed with good reason
            self.good.close()
            self.good = self.daemon.unix()
        since = time.monotonic()
        wire = self.daemon.tcp() if new else self.good
        if voting and not new:
            self.votes += 1
            wire.send(harness.request_bytes("POST", "/v1/polls/p/votes",
                                            {"option": 1, "voter": f"v{self.votes}"}))
        else:
            wire.send(harness.request_bytes("GET", "/v1/polls/p/tally"))
        answer = wire.answer()
        if answer.status not in (200, 201) or "votes" not in answer.body.decode():
            raise Wrong(f"request {n}: {answer}")
        if new:
            wire.close()
        else:
            self.good_since = time.monotonic()
        self.answered += 1
        return (time.monotonic() - since) * 1000

    def under(self, names, requests=REQUESTS, at_rest_s=0):
        """Under these attacks at once: the slowest hundredth in ms, and of CPU what share."""
        with contextlib.ExitStack() as stack:
            for name in names:
                stack.enter_context(swarm.Attack(swarm.ATTACKS[name][0], self.daemon.port,
                                                 self.counts[name]))
            cpu_s, since = self.cpu_s(), time.monotonic()
            took = sorted(self.one(n) for n in range(requests))
            most_kb = self.resident_kb()
            share = (self.cpu_s() - cpu_s) / (time.monotonic() - since)
            # Nobody asks for anything: what is held must cost nothing.
            quiet_s, since = self.cpu_s(), time.monotonic()
            time.sleep(at_rest_s)  # what a spin costs is time, so time must pass
            quiet = (self.cpu_s() - quiet_s) / max(time.monotonic() - since, 1e-3)
        # What was held once may stay with the allocator.
        self.bound_kb = max(self.bound_kb, bound_kb(names, self.counts))
        if most_kb > self.bound_kb and not SANITIZED:
            raise Wrong(f"{names}: {most_kb} KiB, over {self.bound_kb}")
        if self.daemon.tally("p")["votes"] != self.votes:
            raise Wrong(f"{names}: {self.votes} acknowledged, {self.daemon.tally('p')}")
        return took[len(took) * 99 // 100], share, quiet, most_kb

    def end(self):
        self.good.close()
        self.daemon.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=1)
    parser.add_argument("--seed", type=int, help="of no use: nothing here is drawn by chance")
    args = parser.parse_args()
    wrong, hung, crashed, worst_ms, most_kb = 0, 0, 0, 0, 0
    with tempfile.TemporaryDirectory(prefix="tallyd-swarm-") as folder:
        beside = Beside(folder, long=True)
        try:
            for _ in range(args.cycles):
                for names in [(name,) for name in swarm.ATTACKS] + [tuple(swarm.ATTACKS)]:
                    p99, share, quiet, kb = beside.under(names, 2000, 2)
                    worst_ms, most_kb = max(worst_ms, p99), max(most_kb, kb)
                    print(f"{names[0] if len(names) == 1 else 'all'}: p99 {p99:.1f} ms, "
                          f"CPU {share:.2f}, at rest {quiet:.2f}, {kb // 1024} MiB", flush=True)
            beside.end()
        except (Wrong, AssertionError, OSError) as found:
            print(repr(found), file=sys.stderr)
            wrong, hung = 1, int(isinstance(found, TimeoutError))
            crashed = int(beside.daemon.process is None or
                          beside.daemon.process.poll() is not None)
        finally:
            if beside.daemon.process and beside.daemon.process.poll() is None:
                beside.daemon.kill()
    print(f"cycles {args.cycles}, good requests {beside.answered}, unanswered {wrong}, "
          f"p99 at most {worst_ms:.1f} ms, memory at most {most_kb // 1024} MiB, "
          f"hung {hung}, crashed {crashed}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
