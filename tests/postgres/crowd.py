"""Voters at several nodes at once, who send again until they are answered, and remember it."""
import itertools
import json
import threading

import harness

DEPTH = 4
RETRY_STATUS = 503


class Crowd:
    """Each voter votes once; each thread walks from node to node when one does not answer."""

    def __init__(self, nodes, poll, threads=4, prefix="c"):
        self.nodes = nodes
        self.poll = poll
        self.prefix = prefix
        self.lock = threading.Lock()
        self.numbers = itertools.count()
        self.seqs = {}     # voter: the row that was acknowledged
        self.refused = 0   # answers 503
        self.wrong = []
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(i,), daemon=True)
                        for i in range(threads)]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def acknowledged(self):
        with self.lock:
            return len(self.seqs)

    def go_on(self, more=50, seconds=60):
        """Waits until so many more votes are acknowledged."""
        goal = self.acknowledged() + more
        harness.until(lambda: self.wrong or self.acknowledged() >= goal, seconds)
        assert not self.wrong, self.wrong

    def end(self):
        """Everybody who has begun is answered."""
        self.ending.set()
        for thread in self.threads:
            thread.join(120)
        assert not self.wrong, self.wrong

    def check(self, node):
        """The ledger holds every voter of this crowd once, in the row that was acknowledged."""
        harness.until(lambda: node.tally(self.poll)["votes"] == len(self.seqs))
        assert len(set(self.seqs.values())) == len(self.seqs)
        verified = node.admin("POST", "/v1/verify", {}).json()
        assert verified["ok"] and verified["votes"] == len(self.seqs), verified

    def _answer(self, voter, answer):
        if answer.status == RETRY_STATUS:
            with self.lock:
                self.refused += 1
            return False
        if answer.status not in (200, 201):
            self.wrong.append((voter, answer))
            return True
        seq = json.loads(answer.body)["receipt"]["seq"]
        with self.lock:
            if self.seqs.setdefault(voter, seq) != seq:
                self.wrong.append((voter, seq, self.seqs[voter]))
        return True

    def _send(self, wire, voters):
        for voter in voters:
            wire.send(harness.request_bytes("POST", f"/v1/polls/{self.poll}/votes",
                                            {"option": 1, "voter": voter}))
        return [voter for voter in voters if not self._answer(voter, wire.answer())]

    def _run(self, number):
        left = []
        wire = None
        for turn in itertools.count(number):
            if not left:
                if self.ending.is_set() or self.wrong:
                    return
                left = [f"{self.prefix}{next(self.numbers)}" for _ in range(DEPTH)]
            try:
                wire = wire or self.nodes[turn % len(self.nodes)].unix()
                left = self._send(wire, left)
            except OSError:
                wire = None
            if left:
                threading.Event().wait(0.02)  # as Retry-After asks, but for a test
                if wire:
                    wire.close()
                wire = None
