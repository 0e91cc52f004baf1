#!/usr/bin/python3
"""Each allocation on the way of a request fails in turn, and nobody is told anything wrong.

A scenario is one request. Its first allocation fails, then its second, and so on until it passes
without a failure: once by itself, and once with all that follow. Whatever fails: the answer is the
right one, or 503, or that connection closes; nothing else has changed; who is connected beside it
is answered; and the same request sent again does what it says. Where the ledger has written and
cannot know (outcome-unknown), and where only an admin asked, the daemon may end with a sentence in
its log: what was acknowledged is there at its next start.
"""
import argparse
import json
import os
import pathlib
import re
import signal
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))

import harness  # noqa: E402
import memory  # noqa: E402
import raw  # noqa: E402
import scenarios  # noqa: E402

NTH_MAX = 20000
GONE = (raw.CLOSED,)


class Wrong(Exception):
    pass


def need(holds, *what):
    if not holds:
        raise Wrong(" ".join(str(part) for part in what))


class Run:
    def __init__(self, folder):
        self.daemon = memory.ForgetfulDaemon(folder)
        self.daemon.config += scenarios.more_config(folder)
        self.cycles = self.ended = self.busy = self.closed = 0
        self.starts = self.libc = 0
        self.nth = 0
        self.start()

    def start(self):
        self.daemon.start()
        if self.starts == 0:
            scenarios.prepare(self.daemon)
        self.starts += 1
        self.beside = self.daemon.unix()

    def ask_beside(self):
        """Somebody who was connected before is answered."""
        self.beside.send(harness.request_bytes("GET", "/v1/polls/p/tally"))
        return self.beside.answer().json()

    def stop(self):
        self.beside.close()
        self.daemon.stop()

    def restart_after(self, scenario):
        status = self.daemon.ended()
        last = self.daemon.log[-1] if self.daemon.log else ""
        said = [line for line in self.daemon.log if "memory" in line]
        need(said, scenario.name, "ended with", status, "without saying why:", last)
        allowed = {1} if not scenario.admin else {1, -signal.SIGABRT}
        need(status in allowed, scenario.name, "ended with", status, self.daemon.log[-3:])
        self.ended += 1
        self.beside.close()
        self.start()

    def one(self, scenario, nth, for_ever):
        """Returns whether something failed."""
        daemon = self.daemon
        self.nth = nth
        case = scenario.case(daemon)
        daemon.memory.arm(nth, for_ever)
        outcome = raw.ask(case.connect, case.data)
        daemon.memory.disarm()
        failed = daemon.memory.failed > 0
        self.cycles += 1
        if outcome.status in GONE or outcome.status == 503:
            self.closed += outcome.status in GONE
            self.busy += outcome.status == 503
            need(failed, "nothing failed, and", outcome)
        if self.has_ended(outcome):
            need(scenario.writes, "a read ended the daemon:", self.daemon.process.wait())
            self.restart_after(scenario)
        case.check(outcome)
        self.ask_beside()
        return failed

    def has_ended(self, outcome):
        """A daemon that aborts closes the connection a moment before it is gone."""
        if outcome.whole and outcome.status != 503:
            return False
        try:
            self.ask_beside()
            return False
        except (ConnectionError, OSError):
            return True

    def each(self, scenario, for_ever):
        nth = 1
        while True:
            try:
                failed = self.one(scenario, nth, for_ever)
            except (Wrong, AssertionError, OSError, ValueError, KeyError) as wrong:
                raise Wrong(f"{scenario.name}, allocation {nth}, for ever {for_ever}: {wrong!r}\n"
                            f"{self.daemon.log[-3:]}\n{self.daemon.memory.where()}") from wrong
            if not failed:
                return nth - 1
            need(nth < NTH_MAX, scenario.name, "has no end")
            nth += 1

    def check_ledger(self):
        """What is on disk is what was said, also to the next daemon."""
        before = [self.daemon.tally(poll) for poll in scenarios.POLLS]
        self.stop()
        self.start()
        after = [self.daemon.tally(poll) for poll in scenarios.POLLS]
        need(before == after, "after a restart:", before, after)
        verified = self.daemon.admin("POST", "/v1/verify", {}).json()
        need(verified["ok"], verified)


def libc_is_at_fault(daemon):
    """glibc 2.36, as it first looks for a group, uses what it did not get, or asserts it."""
    return daemon.process.wait() in (-signal.SIGSEGV, -signal.SIGABRT) and \
        "libc.so.6(__nss_" in daemon.memory.where()


def each_of_a_start(folder, step=1, tell=None):
    """A start ends with a sentence, or what came up is whole; the next one always is."""
    one = Run(folder)
    one.daemon.vote("p", 1, "before the start")
    before = [one.daemon.tally(poll) for poll in scenarios.POLLS]
    one.stop()
    daemon = one.daemon
    nth = 1
    while True:
        daemon.memory.arm(nth)
        try:
            daemon.start()
            came_up = True
        except AssertionError:
            came_up = False
        daemon.memory.disarm()
        one.cycles += 1
        if came_up:
            need(before == [daemon.tally(poll) for poll in scenarios.POLLS], "start", nth)
            daemon.stop()
        elif libc_is_at_fault(daemon):
            daemon.ended()
            one.libc += 1
        else:
            status = daemon.ended()
            one.ended += 1
            # 127: the dynamic linker, which says so itself
            need(status in (1, 6, 127, -signal.SIGABRT), "start", nth, "ended with", status,
                 daemon.log, daemon.memory.where())
            said = daemon.log[-1].lower() if daemon.log else ""
            # A thread that finds no memory is told EAGAIN.
            need("memory" in said or "temporarily" in said, "start", nth, daemon.log,
                 daemon.memory.where())
        if not daemon.memory.failed:
            need(came_up, "start", nth, daemon.log)
            break
        nth += step
    if tell:
        tell(f"a start: {nth - 1} allocations, {one.ended} ends with a sentence, "
             f"{one.libc} within libc")
    return one


def each_of_a_reload(folder, tell=None):
    """It is reloaded, goes on with what it had and says so, or ends with a sentence."""
    one = Run(folder)
    nth = 1
    while True:
        daemon = one.daemon
        told = len(daemon.log)
        daemon.memory.arm(nth)
        daemon.process.send_signal(signal.SIGHUP)
        harness.until(lambda: daemon.has_ended() or any(
            "is reloaded" in line or "going on with" in line for line in daemon.log[told:]))
        daemon.memory.disarm()
        one.cycles += 1
        failed = daemon.memory.failed
        if daemon.has_ended():
            status = daemon.ended()
            need(status == -signal.SIGABRT and "no memory" in daemon.log[-1], "reload", nth,
                 "ended with", status, daemon.log[-2:], daemon.memory.where())
            one.ended += 1
            one.start()
        need(daemon.vote("p", 1, f"reload {nth}").status == 201)
        need(daemon.public("POST", "/v1/voters").status == 201)
        if not failed:
            break
        nth += 1
    one.check_ledger()
    one.stop()
    if tell:
        tell(f"a reload: {nth - 1} allocations, {one.ended} ends with a sentence")
    return one


def run(folder, names=None, for_evers=(False, True), tell=None):
    one = Run(folder)
    counts = {}
    try:
        for scenario in scenarios.ALL:
            if names and scenario.name not in names:
                continue
            for for_ever in for_evers:
                counts[scenario.name] = one.each(scenario, for_ever)
            if tell:
                tell(f"{scenario.name}: {counts[scenario.name]} allocations")
        one.check_ledger()
        one.stop()
    finally:
        if one.daemon.process and not one.daemon.has_ended():
            one.daemon.kill()
    return one, counts


def all_of_it(tell):
    """One pass through everything."""
    runs = []
    for part in (lambda folder: run(folder, tell=tell)[0],
                 lambda folder: each_of_a_reload(folder, tell=tell),
                 lambda folder: each_of_a_start(folder, tell=tell)):
        with tempfile.TemporaryDirectory(prefix="tallyd-memory-") as folder:
            runs.append(part(folder))
    return runs


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=1, help="how often through everything")
    parser.add_argument("--seed", type=int, help="of no use: nothing here is drawn by chance")
    args = parser.parse_args()
    runs, wrong = [], None
    try:
        for _ in range(args.cycles):
            runs += all_of_it(print)
    except Wrong as found:
        wrong = found
        print(wrong, file=sys.stderr)
    sums = {name: sum(getattr(one, name) for one in runs)
            for name in ("cycles", "busy", "closed", "ended", "libc")}
    print(f"failed allocations {sums['cycles']}, answered 503 {sums['busy']}, connections closed "
          f"{sums['closed']}, ended with a sentence {sums['ended']}, within libc {sums['libc']}, "
          f"wrong {int(wrong is not None)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
