"""What all rows of script/bench share: the programs, the folder, the load generator, the noise."""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

from servers import Failed, program

WARMUP_MS = 500
ROUND_MARGIN_S = 40  # beyond warm-up and measuring: starting, draining, checking
QUIET_SAMPLE_S = 0.25
OTHERS_CORES_MAX = 0.1  # that may be busy with something else before figures are in doubt

# What each peer is called, how it is set up, and the programs that it needs.
PEERS = {
    "redis": ("Redis", "appendfsync always, SADD + HINCRBY in one script", ["redis-server"]),
    "postgres": ("PostgreSQL", "an insert and a count update a vote", ["postgres", "pgbench"]),
    "nginx": ("nginx", "one worker, a static file of the same bytes", ["nginx"]),
}


def say(line):
    print(line, file=sys.stderr, flush=True)


def installed(peer):
    return all(program(name) for name in PEERS[peer][2])


def busy_s():
    """The time that all cores together have been at work since the start of the machine."""
    user, nice, system, _idle, _wait, irq, softirq, steal = map(
        int, pathlib.Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def others_cores():
    """How many cores others keep busy now, while all servers of ours are idle.

    A neighbour bends every figure, the ones per CPU second too: with one core taken, nginx and
    the load generator shared the other, and nginx did over 40 % more pipelined reads a CPU second.
    """
    before, begun = busy_s(), time.monotonic()
    time.sleep(QUIET_SAMPLE_S)  # what others use of the machine is seen over a time only
    return (busy_s() - before) / (time.monotonic() - begun)


def median(rounds, what):
    """The median over the rounds, or None where nothing was measured."""
    values = [got[what] for got in rounds if what in got]
    return statistics.median(values) if values else None


class Stage:
    """Where everything is measured: the options, the programs, and one folder for all servers."""

    def __init__(self, args, programs, folder):
        self.args, self.programs, self.folder = args, programs, folder
        self.others = {}  # the cores that others kept busy before each round, by row

    def round_begins(self, key):
        """Notes whether the machine is quiet."""
        self.others.setdefault(key, []).append(others_cores())

    def load(self, key, work, connections, depth, *args, seconds=None, warmup_ms=WARMUP_MS):
        """One run of the load generator; its figures."""
        seconds = seconds or self.args.seconds
        command = [self.programs["load"], work, "--connections", str(connections),
                   "--depth", str(depth), "--seconds", str(seconds),
                   "--warmup-ms", str(warmup_ms), "--json", *map(str, args)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False,
                             timeout=seconds + ROUND_MARGIN_S)
        if ran.returncode != 0:
            raise Failed(f"{key}: {ran.stderr.strip() or 'the load generator failed'}")
        return json.loads(ran.stdout)
