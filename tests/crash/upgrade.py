#!/usr/bin/python3
"""Opens a store of the first released version with today's tallyd, and kills it on the way.

A cycle: a copy of tests/crash/first, a start that is killed (-9) in place of its nth write, sync or
truncate, then one that is left alone. All polls, tallies and rows must be as the first version showed
them, every voter must still be known, and a recount must agree. The first cycles take each call of
the start in turn; those behind it kill two starts in a row, at calls that are drawn.
"""
import argparse
import gzip
import json
import pathlib
import random
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "e2e"))
sys.path.insert(0, str(HERE.parent / "faults"))

import first  # pylint: disable=wrong-import-position
import shim  # pylint: disable=wrong-import-position

CALLS = "write sync truncate"
KILLED = -9


class Wrong(Exception):
    pass


class Upgrade:
    def __init__(self, folder):
        self.daemon = shim.FaultyDaemon(folder)
        for name in first.FILES:
            with gzip.open(HERE / "first" / (name + ".gz")) as packed:
                path = self.daemon.state / name
                path.touch(mode=0o600)
                path.write_bytes(packed.read())

    def start_killed(self, nth):
        """False: it has come up, the start has fewer calls than that."""
        self.daemon.shim.arm(CALLS, nth=nth, kinds=shim.KINDS, error="KILL")
        up = self.daemon.started()
        self.daemon.shim.disarm()
        if up:
            self.daemon.kill()
        else:
            status = self.daemon.ended()
            if status != KILLED:
                raise Wrong(f"it ends by itself with {status}: {self.daemon.log}")
        return not up

    def check(self, expected):
        self.daemon.start()
        found = first.seen(self.daemon)
        for what, value in expected.items():
            if at_least(found[what], value) != value:
                raise Wrong(f"{what}: {found[what]} instead of {value}")
        for poll in first.POLLS:
            if poll != "shut":  # its ten minutes are over
                self.check_voters(poll, expected["rows"][poll])
        verified = self.daemon.admin("POST", "/v1/verify", {}).json()
        if not verified["ok"]:
            raise Wrong(f"verify: {verified}")
        self.daemon.stop()

    def check_voters(self, poll, rows):
        """Who has voted is known by name or address: the same again is already there."""
        replaced = {row["replaces"] for row in rows}
        for row in rows:
            if row["seq"] in replaced or not row["options"]:
                continue
            answer = self.again(poll, row).json()
            if (answer["result"], answer["receipt"]["seq"]) != ("already", row["seq"]):
                raise Wrong(f"{poll} {row}: {answer}")

    def again(self, poll, row):
        """Row `seq` of these polls is reader seq - 1's, but for those that replace another."""
        number = (row["replaces"] or row["seq"]) - 1
        body = {"options": row["options"]} if poll != "stars" else {"rating": row["options"][0]}
        path = f"/v1/polls/{poll}/votes"
        if poll != "neighbours":
            return self.daemon.admin("POST", path, {**body, "voter": f"reader {number}"})
        return first.from_address(self.daemon, 1 + number, poll, body)


def at_least(found, expected):
    """What was there before; members may have been added since."""
    if isinstance(expected, dict):
        return {name: at_least(found.get(name), value) for name, value in expected.items()}
    if isinstance(expected, list) and len(found) == len(expected):
        return [at_least(one, value) for one, value in zip(found, expected)]
    return found


def one(kills, expected):
    """How many of the kills came: a start may have fewer calls."""
    with tempfile.TemporaryDirectory(prefix="tallyd-upgrade-") as folder:
        upgrade = Upgrade(folder)
        try:
            came = [upgrade.start_killed(nth) for nth in kills]
            upgrade.check(expected)
            return sum(came)
        except (AssertionError, OSError) as error:
            raise Wrong(f"{error!r}, {upgrade.daemon.log}") from error
        finally:
            if upgrade.daemon.process:
                upgrade.daemon.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    rng = random.Random(args.seed)
    expected = json.loads((HERE / "first" / "seen.json").read_text(encoding="utf-8"))
    calls = None  # of a start; not known before it has come up
    killed = wrong = 0
    for cycle in range(1, args.cycles + 1):
        kills = [cycle] if calls is None else [rng.randint(1, calls), rng.randint(1, calls)]
        try:
            came = one(kills, expected)
            killed += came
            if came == 0 and calls is None:
                calls = cycle - 1
        except Wrong as found:
            wrong += 1
            print(f"killed at {kills}: {found}", file=sys.stderr)
    print(f"cycles {args.cycles}, calls of the start {calls or 'more'}, killed {killed}, "
          f"not as before {wrong}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
