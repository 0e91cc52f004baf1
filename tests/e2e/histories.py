#!/usr/bin/python3
"""Records what concurrent clients ask of a poll and hear, and has each history judged.

A history (--cycles says how many): a new poll, some clients that each have one request under way at
any time, on connections to every loop of the daemon, and few voters, so that they meet. One thread
sends and receives for all of them, and counts both: so the order of what was asked and answered is
exact. linearizable.py looks for an order in which one poll, one thing at a time, says the same.
"""
import argparse
import json
import pathlib
import random
import selectors
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import harness  # pylint: disable=wrong-import-position
from linearizable import Op, Poll, Tally, explain, linearize  # pylint: disable=wrong-import-position

CLIENTS = 6
ASKS = 6  # of each client
VOTERS = 3
OPTIONS = 3
WAIT_S = 120


def draw(rng):
    """(kind, voter, option) of a client's next request."""
    kind = rng.choices(("vote", "retract", "read", "close", "open"), (55, 10, 27, 3, 5))[0]
    voter = rng.randrange(VOTERS) if kind in ("vote", "retract") else None
    return kind, voter, rng.randint(1, OPTIONS) if kind == "vote" else None


def request_for(poll, kind, voter, option):
    path = f"/v1/polls/{poll}"
    if kind == "vote":
        return harness.request_bytes("POST", path + "/votes",
                                     {"voter": f"v{voter}", "option": option})
    if kind == "retract":
        return harness.request_bytes("DELETE", path + "/votes", {"voter": f"v{voter}"})
    if kind == "read":
        return harness.request_bytes("GET", path + "/tally")
    return harness.request_bytes("PATCH", path, {"state": "closed" if kind == "close" else "open"})


def tally_of(body):
    return Tally(tuple(option["votes"] for option in body["options"]), body["state"],
                 body["version"])


def heard(kind, answer):
    """(result, seq, tally) as linearizable.py knows them."""
    body = answer.json()
    if answer.status == 409 or answer.status == 404:
        return body["type"].rsplit("/", 1)[1], body.get("standing", {}).get("seq"), None
    assert answer.status in (200, 201), answer
    if kind == "vote":
        return body["result"], body["receipt"]["seq"], tally_of(body["tally"])
    if kind == "retract":
        return "retracted", None, tally_of(body["tally"])
    if kind == "read":
        return "done", None, tally_of(body)
    return "done", None, tally_of(body["tally"])


class Client:
    """A connection with one request under way."""

    def __init__(self, wire):
        self.wire = wire
        self.left = 0
        self.asked = None

    def ask(self, poll, moment, what):
        self.what = what
        self.asked = moment
        self.left -= 1
        self.wire.send(request_for(poll, *what))

    def answered(self, moment):
        """The whole operation."""
        result, seq, tally = heard(self.what[0], self.wire.answer())
        return Op(*self.what, result, seq, tally, self.asked, moment)


class Recorder:
    def __init__(self, daemon, rng):
        self.daemon = daemon
        self.rng = rng
        self.selector = selectors.DefaultSelector()
        self.clients = [Client(daemon.unix()) for _ in range(CLIENTS)]
        for client in self.clients:
            self.selector.register(client.wire.socket, selectors.EVENT_READ, client)

    def record(self, poll, revote):
        """All that was asked of a new poll."""
        self.daemon.poll(poll, revote=revote,
                         options=[{"label": str(i)} for i in range(OPTIONS)])
        history = []
        moment = 0
        for client in self.clients:
            client.left = ASKS
            moment += 1
            client.ask(poll, moment, draw(self.rng))
        under_way = CLIENTS
        while under_way > 0:
            ready = self.selector.select(WAIT_S)
            if not ready:
                raise AssertionError("a request was not answered")
            self.rng.shuffle(ready)
            for key, _ in ready:  # the answer is there; who asks next does so behind all of them
                moment += 1
                history.append(key.data.answered(moment))
                under_way -= 1
            for key, _ in ready:
                if key.data.left > 0:
                    moment += 1
                    key.data.ask(poll, moment, draw(self.rng))
                    under_way += 1
        self.clients[0].ask(poll, moment + 1, ("read", None, None))  # alone, behind all of them
        return [*history, self.clients[0].answered(moment + 2)]

    def close(self):
        for client in self.clients:
            client.wire.close()
        self.selector.close()


def overlaps(history):
    """How many pairs of operations were under way at once: what makes it worth judging."""
    return sum(a.asked < b.answered and b.asked < a.answered
               for i, a in enumerate(history) for b in history[:i])


def judge(history, revote):
    """Whether some order explains it."""
    return linearize(Poll(VOTERS, OPTIONS, revote), history) is not None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    rng = random.Random(args.seed)
    asked = met = wrong = 0
    with tempfile.TemporaryDirectory(prefix="tallyd-histories-") as folder:
        daemon = harness.Daemon(folder).start()
        try:
            recorder = Recorder(daemon, rng)
            for number in range(args.cycles):
                revote = number % 3 > 0
                history = recorder.record(f"h{number}", revote)
                asked += len(history)
                met += overlaps(history)
                if not judge(history, revote):
                    wrong += 1
                    print(f"no order explains history {number}:\n{explain(history)}",
                          file=sys.stderr)
            recorder.close()
        finally:
            daemon.end()
    print(f"cycles {args.cycles}, operations {asked}, pairs at once {met}, "
          f"not linearizable {wrong}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
