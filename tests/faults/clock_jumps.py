#!/usr/bin/python3
"""Sets the wall clock hours, years and millennia to and fro under voters, and looks at all it rules.

A cycle: a jump, to a moment beside an opening or a close, a change to or from summer time, 2038,
9999, or anywhere; now and then a restart there. Behind each: every poll is scheduled, open or
closed as the clock says, and takes votes or says why not; versions only grow; what was
acknowledged is there; the history ends with the tally; and streams and idle connections have not
noticed, for deadlines go by the monotonic clock.
"""
import argparse
import pathlib
import random
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))

import harness  # noqa: E402

import clock  # noqa: E402
from clock import seconds, stamp  # noqa: E402

BASE_S = seconds("2026-11-25T12:00:00Z")
OPENS_S = BASE_S + 2 * 3600
CLOSES_S = BASE_S + 5 * 3600
LAST_S = seconds("9999-12-31T23:59:00Z")
KEPT_S = 10  # surely; the daemon closes what is idle for 15
NEAR_S = 30  # how far from an edge a jump lands, so that a slow machine does not drift over it
MOMENTS = [seconds(text) for text in (
    "2026-03-29T00:59:50Z", "2026-03-29T01:00:10Z",  # to summer time in Berlin, and from it
    "2026-10-25T00:59:50Z", "2026-10-25T01:00:10Z",
    "2028-02-29T12:00:00Z", "2038-01-19T03:14:00Z", "2038-01-19T03:14:30Z",
    "2106-02-07T06:28:30Z", "2000-01-01T00:00:00Z", "1970-01-02T00:00:00Z")]
EDGES = [edge + side * NEAR_S * 10 for edge in (OPENS_S, CLOSES_S) for side in (-1, 1)]


class Wrong(Exception):
    pass


def need(holds, *what):
    if not holds:
        raise Wrong(" ".join(str(part) for part in what))


class Run:
    def __init__(self, folder, seed):
        self.rng = random.Random(seed)
        self.daemon = clock.TimedDaemon(folder)
        self.daemon.set(BASE_S)
        self.daemon.start()
        self.daemon.poll("always", revote=True)
        self.daemon.poll("window", opens_at=stamp(OPENS_S), closes_at=stamp(CLOSES_S))
        self.daemon.poll("late", closes_at="9999-12-31T23:59:59Z")
        self.versions = {}
        self.counted = {"always": 0, "window": 0, "late": 0}
        self.n = 0
        self.follow()

    def follow(self):
        """Connections that outlive the jumps."""
        self.stream = self.daemon.tcp()
        self.stream.send(harness.request_bytes("GET", "/v1/events?ids=always"))
        self.sit()
        while b"event: tally" not in self.stream.left:
            self.stream._more()

    def sit(self):
        """A connection that says nothing until the clock has jumped."""
        self.idle = self.daemon.tcp()
        self.idle_since = time.monotonic()

    def moment(self):
        kind = self.rng.randrange(4)
        if kind == 0:
            return BASE_S + self.rng.randrange(-10 * 3600, 10 * 3600)
        if kind == 1:
            return self.rng.choice(EDGES)
        if kind == 2:
            return self.rng.choice(MOMENTS)
        return self.rng.randrange(int(BASE_S), int(LAST_S))

    @staticmethod
    def phase(at_s):
        return "scheduled" if at_s < OPENS_S else "open" if at_s < CLOSES_S else "closed"

    def jump(self):
        at_s = self.moment()
        if min(abs(at_s - edge) for edge in (OPENS_S, CLOSES_S)) < NEAR_S:
            at_s += 2 * NEAR_S
        self.daemon.set(at_s)
        if self.rng.random() < 0.1:
            self.stream.close()
            self.idle.close()
            self.daemon.stop()
            self.daemon.start()
            self.follow()
        self.check(at_s)

    def check(self, at_s):
        phase = self.phase(at_s)
        harness.until(lambda: self.daemon.tally("window")["state"] == phase)
        for poll in self.counted:
            self.vote(poll, at_s, phase if poll == "window" else "open")
            self.look(poll)
        self.hear()

    def vote(self, poll, at_s, phase):
        self.n += 1
        answer = self.daemon.vote(poll, 1 + self.n % 4, f"v{self.n}")
        if phase == "open":
            need(answer.status == 201, poll, stamp(at_s), answer)
            self.counted[poll] += 1
            updated_s = seconds(answer.json()["tally"]["updated_at"])
            need(abs(updated_s - self.daemon.now_s()) < harness.START_S, answer)
        else:
            slug = {"scheduled": "not-yet-open", "closed": "poll-closed"}[phase]
            need(answer.status == 409 and slug in answer.json()["type"], stamp(at_s), answer)

    def look(self, poll):
        tally = self.daemon.tally(poll)
        need(tally["votes"] == self.counted[poll], poll, tally)
        need(tally["version"] >= self.versions.get(poll, 0), poll, "went back:", tally)
        self.versions[poll] = tally["version"]
        history = self.daemon.admin("GET", f"/v1/polls/{poll}/history?step=604800")
        need(history.status == 200, history)
        points = history.json()["points"]
        moments = [seconds(point["at"]) for point in points]
        need(all(a < b for a, b in zip(moments, moments[1:])), "points out of order:", history)
        need(not points or sum(points[-1]["votes"]) == tally["votes"], tally, history)

    def hear(self):
        """The stream has the last version, and who was silent is still answered."""
        while f"id: {self.versions['always']}\n".encode() not in self.stream.left:
            self.stream._more()
        self.stream.left = self.stream.left[-2000:]
        if time.monotonic() - self.idle_since > KEPT_S:  # by now it may be closed with good reason
            self.idle.close()
            self.sit()
        self.idle.send(harness.request_bytes("GET", "/v1/polls/always/tally"))
        answer = self.idle.answer()
        need(answer.status == 200 and seconds(answer.json()["updated_at"]) > 0, answer)
        self.idle_since = time.monotonic()

    def settle(self):
        """At another restart, long ago: all of it is there."""
        self.daemon.set(seconds("1999-12-31T23:59:59Z"))
        self.stream.close()
        self.idle.close()
        self.daemon.stop()
        self.daemon.start()
        lost = sum(self.counted[poll] - self.daemon.tally(poll)["votes"] for poll in self.counted)
        need(self.daemon.admin("POST", "/v1/verify", {}).json()["ok"], "verify")
        self.daemon.stop()
        return lost


def run(folder, cycles, seed):
    one = Run(folder, seed)
    try:
        for _ in range(cycles):
            one.jump()
        return sum(one.counted.values()), one.settle()
    finally:
        if one.daemon.process:
            one.daemon.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--seed", type=int, default=None)
    args = parser.parse_args()
    seed = args.seed if args.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    acknowledged, lost, wrong = 0, 0, 0
    with tempfile.TemporaryDirectory(prefix="tallyd-clock-") as folder:
        try:
            acknowledged, lost = run(folder, args.cycles, seed)
        except (Wrong, AssertionError, OSError) as found:
            print(repr(found), file=sys.stderr)
            wrong = 1
    print(f"jumps {args.cycles}, acknowledged {acknowledged}, lost {lost}, wrong {wrong}")
    return 1 if lost or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
