"""Kinds of requests whose allocations fail in turn (scenarios.py has them).

A scenario makes a case: one request over a connection of its own, and a check of what came back.
Readers compare with the same request when nothing fails, for both of two standings of the poll that
they read; writers send the request again and count what the ledger holds.
"""
import itertools
import re

import raw

# What grows with every change, or with the time.
MOVES = re.compile(rb'"version":\d+|"updated_at":"[^"]*"|"created_at":"[^"]*"|"at":"[^"]*"|'
                   rb'Z,|\bv=\d+|<time[^>]*>[^<]*</time>|\d{4}-\d\d-\d\d[T ]\d\d:\d\dZ?|'
                   rb'content="\d+"|data-version="\d+"')
FIGURES = re.compile(rb'"\d{4}-[^"]*Z"|\bnull\b|(?<=[ :])\d[\d.e+-]*')
FIELDS_MOVE = ("date", "etag", "content-length")
numbers = itertools.count(1)


class Wrong(AssertionError):
    pass


def need(holds, *what):
    if not holds:
        raise Wrong(" ".join(str(part) for part in what))


def steady(outcome):
    fields = {k: v for k, v in outcome.fields.items() if k not in FIELDS_MOVE}
    return outcome.status, fields, MOVES.sub(b"", outcome.body)


def figures(outcome):
    """Of what counts and measures: all but the numbers, and that some memory is in use."""
    need(b"process_resident_memory_bytes 0\n" not in outcome.body, "no memory is in use")
    status, fields, _ = steady(outcome)
    return status, fields, FIGURES.sub(b"n", outcome.body)


def refused(outcome):
    """503 as it must look, also on a page."""
    if outcome.status != 503:
        return False
    if not outcome.whole:
        return True
    need(int(outcome.fields["retry-after"]) > 0, outcome)
    if outcome.fields["content-type"] == "application/problem+json":
        need(outcome.json()["status"] == 503, outcome)
    return True


def no_answer(outcome):
    return outcome.status == raw.CLOSED or refused(outcome) or not outcome.whole


class Case:
    def __init__(self, connect, data, check):
        self.connect = connect
        self.data = data
        self.check = check


class Reader:
    writes = False
    admin = False

    def __init__(self, name, method, path, fields=None, local=False, body=None, steady=steady,
                 bare=False):
        self.name = name
        self.bare = bare  # of what is no HTTP the status alone is told where memory is short
        self.data = raw.closing(method, path, body, fields)
        self.local = local
        self.steady = steady
        self.known = {}

    def connect(self, daemon):
        return daemon.unix if self.local else daemon.tcp

    def flip(self, daemon):
        """The poll changes with each case, so that nothing which was rendered can be used again."""
        side = next(numbers) % 2
        answer = daemon.vote("p", 1 + side, "the one who flips")
        need(answer.status in (200, 201), answer)
        answer = daemon.public("POST", "/v1/polls/address/votes", {"option": 1 + side})
        need(answer.status in (200, 201), answer)
        return side

    def known_of(self, daemon, side, anew=False):
        while anew or side not in self.known:
            flipped = self.flip(daemon)
            self.known[flipped] = self.steady(raw.ask(self.connect(daemon), self.data))
            anew = anew and flipped != side
        return self.known[side]

    def case(self, daemon):
        self.known_of(daemon, 0), self.known_of(daemon, 1)
        side = self.flip(daemon)

        def check(outcome):
            if no_answer(outcome):
                return
            if self.bare and outcome.body == b"":
                need(outcome.status == self.known[side][0], outcome)
                return
            got = self.steady(outcome)
            if got != self.known_of(daemon, side):  # it may be another hour by now
                want = self.known_of(daemon, side, anew=True)
                need(got == want, "read", got, "in place of", want)

        return Case(self.connect(daemon), self.data, check)


class Writer:
    """`request(n)` is sent, and again: one of both counts. `count(daemon)` says what there is."""
    writes = True

    def __init__(self, name, request, count, grows=1, local=True, good=(200, 201), again=None,
                 admin=False, before=None):
        self.name = name
        self.request = request
        self.count = count
        self.grows = grows
        self.local = local
        self.good = good
        self.again = again or good
        self.admin = admin
        self.before = before

    def case(self, daemon):
        n = next(numbers)
        if self.before:
            self.before(daemon, n)
        data = self.request(n)
        connect = daemon.unix if self.local else daemon.tcp
        had = self.count(daemon, n)

        def check(outcome):
            now = self.count(daemon, n)
            if outcome.status == 503 and outcome.whole and b"/outcome-unknown" not in outcome.body:
                need(now == had, "refused, and there:", had, now, outcome)
            need(now in (had, had + self.grows), had, now, outcome)
            if not no_answer(outcome):
                need(outcome.status in self.good, outcome)
                need(now == had + self.grows, "acknowledged, and lost:", had, now, outcome)
            refused(outcome)
            again = raw.ask(daemon.unix if self.local else daemon.tcp, data)
            need(again.status in self.good + self.again and again.whole, "sent again:", again)
            need(self.count(daemon, n) == had + self.grows, had, self.count(daemon, n))

        return Case(connect, data, check)


class Doer:
    """Its answer is a good one or none, and sent again it is a good one."""
    writes = True

    def __init__(self, name, request, good, local=True, admin=True, again=None, before=None):
        self.name = name
        self.request = request
        self.good = good
        self.local = local
        self.admin = admin
        self.again = again or good
        self.before = before

    def case(self, daemon):
        n = next(numbers)
        if self.before:
            self.before(daemon, n)
        data = self.request(n)
        connect = daemon.unix if self.local else daemon.tcp

        def check(outcome):
            done = not no_answer(outcome)
            need(not done or outcome.status in self.good, outcome)
            again = raw.ask(daemon.unix if self.local else daemon.tcp, data)
            need(again.whole and again.status in self.good + self.again, "sent again:", again)

        return Case(connect, data, check)
