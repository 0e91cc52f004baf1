#!/usr/bin/python3
"""Cuts the network between a node and its engine for seconds by the clock, under load, and counts.

A cycle cuts the wire of one of two nodes, at a random moment or with a COMMIT held back on it, and
mends it again; what it held back then arrives late. All the while somebody reads at that node, and
each read must be answered with the tally. While it is cut its votes are answered 503, and the other
node goes on. At the end the ledger holds each vote that was acknowledged, in its row, and no voter
twice. Ends with one line of figures; exit 0: nothing was found.
"""
import argparse
import pathlib
import random
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))

import campaign  # noqa: E402  pylint: disable=wrong-import-position
import crowd as crowds  # noqa: E402  pylint: disable=wrong-import-position
import engine as engines  # noqa: E402  pylint: disable=wrong-import-position
import harness  # noqa: E402  pylint: disable=wrong-import-position
import nodes as nodes_of  # noqa: E402  pylint: disable=wrong-import-position

READ_EVERY_S = 0.01


class Reader:
    """Somebody who reads a tally over and over, and notes what was not one."""

    def __init__(self, node):
        self.node = node
        self.reads = 0
        self.slowest_s = 0
        self.wrong = []
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def end(self):
        self.ending.set()
        self.thread.join(60)
        assert not self.wrong, self.wrong

    def _run(self):
        while not self.wrong and not self.ending.wait(READ_EVERY_S):
            began = time.monotonic()
            try:
                answer = self.node.public("GET", "/v1/polls/p/tally")
                if answer.status != 200:
                    self.wrong.append(answer)
            except OSError as error:
                self.wrong.append(error)
            self.reads += 1
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)


class Cuts:
    """Two nodes, one of them behind the wire, and their voters."""

    def __init__(self, site, wire):
        near = campaign.begin(site, 1)[0]
        far = site.node(wire.url_of(site.database)).start()
        self.nodes = [near, far]
        self.wire = wire
        self.flows = []
        self.reader = Reader(far).start()
        self.near = crowds.Crowd([near], "p", threads=1, prefix="near").start()
        self.far = crowds.Crowd([far], "p", prefix="far").start()

    def cycle(self, rng, seconds):
        self.far.go_on(rng.randrange(1, campaign.VOTES_MAX))
        if rng.randrange(2):
            self.wire.trap = (b"COMMIT", nodes_of.HOLD)
            harness.until(lambda: not self.wire.open.is_set())
        else:
            self.wire.cut()
        began = time.monotonic()
        refused = self.far.refused
        self.near.go_on(1, campaign.FLOW_S)  # no poll is held by whoever is cut off
        harness.until(lambda: self.far.refused > refused, campaign.FLOW_S)
        # The length of the cut is what is tried: by the clock, whatever happens meanwhile.
        time.sleep(max(0, began + seconds - time.monotonic()))
        mended = time.monotonic()
        self.wire.mend()
        self.far.go_on(1, campaign.FLOW_S)
        self.flows.append(time.monotonic() - mended)

    def end(self):
        self.reader.end()
        self.near.end()
        self.far.seqs.update(self.near.seqs)  # one poll, one ledger
        campaign.end(self.far, self.nodes)


def drive(cycles, seconds, rng, folder):
    engine = engines.Engine()
    site = wire = None
    try:
        engine.make().start()
        site = nodes_of.Site(engine, folder)
        wire = nodes_of.Wire(folder, engine)
        cuts = Cuts(site, wire)
        for _ in range(cycles):
            cuts.cycle(rng, seconds)
        cuts.end()
        return cuts
    finally:
        if site:
            site.end()
        if wire:
            wire.close()
        engine.remove()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cycles", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=10, help="that the wire is cut (10)")
    parser.add_argument("--seed", type=int, default=None)
    args = parser.parse_args()
    seed = random.randrange(1 << 32) if args.seed is None else args.seed
    print(f"seed {seed}", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="tallyd-cut-") as folder:
        cuts = drive(args.cycles, args.seconds, random.Random(seed), folder)
    print(f"cycles {args.cycles} of {args.seconds:g} s, acknowledged {len(cuts.far.seqs)}, lost 0, "
          f"counted twice 0, answered 503 {cuts.far.refused}, reads {cuts.reader.reads}, not "
          f"answered 0, slowest {1000 * cuts.reader.slowest_s:.0f} ms, votes flow at most "
          f"{max(cuts.flows):.1f} s behind the mending")


if __name__ == "__main__":
    main()
