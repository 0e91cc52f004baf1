#!/usr/bin/python3
"""Kills what several nodes stand on, at random moments under load, and counts.

    campaign.py primary   a cycle kills the primary and promotes its synchronous standby, then makes
                          a new standby
    campaign.py node      a cycle kills one of three nodes and starts it again

At the end the ledger holds each vote that was acknowledged, in its row, and no voter twice. Ends
with one line of figures; exit 0: nothing was found.
"""
import argparse
import pathlib
import random
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))

import crowd as crowds  # noqa: E402  pylint: disable=wrong-import-position
import engine as engines  # noqa: E402  pylint: disable=wrong-import-position
import harness  # noqa: E402  pylint: disable=wrong-import-position
import nodes as nodes_of  # noqa: E402  pylint: disable=wrong-import-position

VOTES_MAX = 300  # at most so many between two cycles
FLOW_S = 60


def begin(site, n, url=None):
    nodes = [site.node(url).start() for _ in range(n)]
    nodes[0].poll("p")
    for node in nodes:
        harness.until(lambda node=node: node.public("GET", "/v1/polls/p").status == 200)
    return nodes


def end(crowd, nodes):
    crowd.end()
    for node in nodes:
        crowd.check(node)


def follow(standby, primary):
    """A new standby, for which the primary's commits wait from now on."""
    shutil.rmtree(standby.data, ignore_errors=True)
    standby.make_standby_of(primary).start()
    primary.ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
    primary.ask("SELECT pg_reload_conf()")
    harness.until(lambda: primary.ask("SELECT count(*) FROM pg_stat_replication "
                                      "WHERE sync_state = 'sync'") == "1")


def primaries(cycles, rng, folder):
    one, other = engines.Engine(), engines.Engine()
    flows = []
    site = None
    try:
        one.make().start()
        site = nodes_of.Site(one, folder)
        hosts = f"{one.folder},{other.folder}"
        nodes = begin(site, 2, f"postgresql://{one.user}@/{site.database}?host={hosts}")
        crowd = crowds.Crowd(nodes, "p").start()
        for _ in range(cycles):
            follow(other, one)
            crowd.go_on(rng.randrange(VOTES_MAX))
            one.kill()
            began = time.monotonic()
            other.ask("SELECT pg_promote()")
            promoted = time.monotonic()
            crowd.go_on(1, FLOW_S)
            flows.append((time.monotonic() - promoted, promoted - began))
            one, other = other, one
        end(crowd, nodes)
        return crowd, f"votes flow {max(flow for flow, _ in flows):.1f} s behind a promotion, " \
            f"which took {max(took for _, took in flows):.1f} s"
    finally:
        if site:
            site.end()
        one.remove()
        other.remove()


def node_kills(cycles, rng, folder):
    engine = engines.Engine()
    site = None
    try:
        engine.make().start()
        site = nodes_of.Site(engine, folder)
        nodes = begin(site, 3)
        crowd = crowds.Crowd(nodes, "p").start()
        for _ in range(cycles):
            crowd.go_on(rng.randrange(VOTES_MAX))
            node = rng.choice(nodes)
            node.kill()
            crowd.go_on(1, FLOW_S)
            node.start()
        end(crowd, nodes)
        return crowd, "the others go on"
    finally:
        if site:
            site.end()
        engine.remove()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("primary", "node"))
    parser.add_argument("--cycles", type=int, default=3)
    parser.add_argument("--seed", type=int, default=None)
    args = parser.parse_args()
    seed = random.randrange(1 << 32) if args.seed is None else args.seed
    print(f"seed {seed}", file=sys.stderr)
    drive = primaries if args.what == "primary" else node_kills
    with tempfile.TemporaryDirectory(prefix="tallyd-campaign-") as folder:
        crowd, more = drive(args.cycles, random.Random(seed), folder)
    print(f"cycles {args.cycles}, acknowledged {len(crowd.seqs)}, lost 0, counted twice 0, "
          f"answered 503 {crowd.refused}, {more}")


if __name__ == "__main__":
    main()
