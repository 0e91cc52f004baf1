"""The group `scale` of script/bench: several nodes on one PostgreSQL.

One node beside the usual design (an insert and a count update in one statement a vote) on the same
server; three nodes beside one; the same voters at three nodes at once; a million votes moved over.
"""

import concurrent.futures
import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import time
from dataclasses import asdict

from finding import HEAD, Finding, middle
from report import table
from servers import Failed, Postgres, Tallyd
from stage import say

CONNECTIONS = 200
NODES = 3
SAME_VOTERS = 10_000
USUAL_TIMES = 8
COPY_S_MAX = 60
AGREE_S = 10
KEYS = ["node-200", "nodes-3", "nodes-3x200", "same-voters", "copy"]


class Site:
    """A server with a database for each use, and nodes on one of them."""

    def __init__(self, stage, key, servers, nodes):
        self.stage, self.key = stage, key
        folder = stage.folder / key
        self.engine = servers.enter_context(Postgres(folder))
        self.engine.ask("CREATE DATABASE site")
        self.url = f"postgresql://{self.engine.user}@/site?host={self.engine.folder}"
        self.nodes = []
        for number in range(nodes):
            state = folder / f"node{number}"
            node = Tallyd(state, stage.programs["tallyd"], stage.args.threads, url=self.url)
            if self.nodes:
                shutil.copy(self.nodes[0].folder / "keys", node.folder / "keys")
            self.nodes.append(servers.enter_context(node))

    def votes(self, poll, nodes, each=CONNECTIONS):
        """Votes a second at so many nodes at once, with so many connections each."""
        self.nodes[0].poll_create(poll)
        for node in self.nodes:
            agreed(node, poll, 0)

        def one(number):
            return self.stage.load(self.key, "http-vote", each, 1, "--socket",
                                   self.nodes[number].socket, "--poll", poll, "--voters",
                                   f"n{number}-")

        with concurrent.futures.ThreadPoolExecutor(nodes) as pool:
            got = list(pool.map(one, range(nodes)))
        right = sum(one["right"] for one in got)
        if any(one["errors"] for one in got):
            raise Failed(f"{self.key}: {got}")
        for node in self.nodes:
            agreed(node, poll, right)
        return {"ops_per_second": sum(one["ops_per_second"] for one in got),
                "p99_ms": max(one["p99_ms"] for one in got)}


def agreed(node, poll, votes):
    """Until a node shows so many votes."""
    end = time.monotonic() + AGREE_S
    while True:
        with contextlib.suppress(Failed):
            found = node.votes(poll)
            if found == votes:
                return
        if time.monotonic() > end:
            raise Failed(f"{poll}: {votes} acknowledged, {found} shown")
        time.sleep(0.02)  # between looks: another node shows votes a look later, with no sign


def usual(site, number):
    report = site.engine.pgbench(number, CONNECTIONS, site.stage.args.seconds)
    said = re.search(r"tps = ([\d.]+)", report)
    if not said:
        raise Failed("pgbench had no time for a vote; --seconds takes more")
    return float(said[1])


def node_200(stage, key):
    rounds = []
    with contextlib.ExitStack() as servers:
        site = Site(stage, key, servers, 1)
        for number in range(1, stage.args.rounds + 1):
            stage.round_begins(key)
            site.engine.ask("INSERT INTO tally SELECT %d, o, 0 FROM generate_series(1, 4) o"
                            % number)
            got = site.votes(f"{key}-{number}", 1)
            rounds.append({"node_ops": got["ops_per_second"], "node_p99_ms": got["p99_ms"],
                           "usual_ops": usual(site, number)})
            say(f"{key} {number}/{stage.args.rounds}: {rounds[-1]}")
    row = Finding(key, f"durable votes, one node, {CONNECTIONS} connections",
                  f"≥ {USUAL_TIMES} ×", "an insert and a count update a vote", rounds=rounds)
    row.own = f"{middle(rounds, 'node_ops'):,.0f}/s"
    row.other = f"{middle(rounds, 'usual_ops'):,.0f}/s"
    row.ratios = [one["node_ops"] / one["usual_ops"] for one in rounds]
    row.reached = statistics.median(row.ratios) >= USUAL_TIMES
    return row


def nodes_3(stage, key):
    return three_nodes(stage, key, CONNECTIONS // NODES, f"{CONNECTIONS} connections in all")


def nodes_3x200(stage, key):
    return three_nodes(stage, key, CONNECTIONS, f"{CONNECTIONS} connections each")


def three_nodes(stage, key, each, words):
    rounds = []
    with contextlib.ExitStack() as servers:
        site = Site(stage, key, servers, NODES)
        for number in range(1, stage.args.rounds + 1):
            stage.round_begins(key)
            three = site.votes(f"{key}-{number}", NODES, each)
            one = site.votes(f"{key}-one-{number}", 1)
            rounds.append({"three_ops": three["ops_per_second"], "one_ops": one["ops_per_second"],
                           "three_p99_ms": three["p99_ms"], "one_p99_ms": one["p99_ms"]})
            say(f"{key} {number}/{stage.args.rounds}: {rounds[-1]}")
    row = Finding(key, f"{NODES} nodes, all in one poll, {words}", "≥ 1 ×",
                  f"one node, {CONNECTIONS} connections",
                  rounds=rounds)
    row.own = f"{middle(rounds, 'three_ops'):,.0f}/s"
    row.other = f"{middle(rounds, 'one_ops'):,.0f}/s"
    row.ratios = [one["three_ops"] / one["one_ops"] for one in rounds]
    row.reached = statistics.median(row.ratios) >= 1
    return row


def lines_of(path, poll, count):
    with open(path, "w", encoding="utf-8") as file:
        for number in range(count):
            file.write(json.dumps({"poll": poll, "option": 1 + number % 4,
                                   "voter": f"v{number}"}) + "\n")
    return path


def begin_import(stage, node, path):
    return subprocess.Popen([stage.programs["tally"], "--socket", node.socket, "import", path],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def same_voters(stage, key):
    with contextlib.ExitStack() as servers:
        site = Site(stage, key, servers, NODES)
        site.nodes[0].poll_create(key)
        for node in site.nodes:
            agreed(node, key, 0)
        path = lines_of(stage.folder / "same.ndjson", key, SAME_VOTERS)
        running = [begin_import(stage, node, path) for node in site.nodes]
        for one in running:
            one.wait(120)
        for node in site.nodes:
            agreed(node, key, SAME_VOTERS)
        verified = json.loads(site.nodes[0].ask("POST", "/v1/verify", {"polls": [key]}))
    row = Finding(key, f"the same {SAME_VOTERS:,} voters at {NODES} nodes at once",
                  "0 counted twice", "", rounds=[verified])
    row.own = f"{verified['votes']:,} votes"
    row.reached = verified["ok"] and verified["votes"] == SAME_VOTERS
    return row


def copy(stage, key):
    votes = stage.args.million
    with contextlib.ExitStack() as servers:
        site = Site(stage, key, servers, 0)
        old = Tallyd(stage.folder / key / "old", stage.programs["tallyd"], stage.args.threads)
        with old:
            old.poll_create(key)
            done = begin_import(stage, old, lines_of(stage.folder / "copy.ndjson", key, votes))
            done.wait(300)
            agreed(old, key, votes)
        state = stage.folder / key / "new"
        state.mkdir()
        began = time.monotonic()
        ran = subprocess.run([stage.programs["tallyd"], "--copy-store", f"sqlite:{old.store}",
                              site.url], env=dict(os.environ, STATE_DIRECTORY=str(state)),
                             capture_output=True, text=True, timeout=600, check=False)
        took_s = time.monotonic() - began
    if ran.returncode != 0:
        raise Failed(f"{key}: {ran.stderr.strip()}")
    row = Finding(key, f"--copy-store of {votes:,} votes", f"equal, < {COPY_S_MAX} s", "",
                  rounds=[{"took_s": took_s, "said": ran.stdout.strip()}])
    row.own = f"{took_s:.1f} s"
    row.reached = took_s < COPY_S_MAX and "totals are equal" in ran.stdout
    return row


MEASURES = {"node-200": node_200, "nodes-3": nodes_3, "nodes-3x200": nodes_3x200,
            "same-voters": same_voters, "copy": copy}


def run(stage, keys):
    """Measures these rows; what was measured, as data and as text."""
    found = []
    for key in KEYS:
        if key in keys:
            found.append(MEASURES[key](stage, key))
            shutil.rmtree(stage.folder / key, ignore_errors=True)
    args = stage.args
    method = (
        f"Medians of {args.rounds} rounds of {args.seconds} s that take turns, in brackets the "
        "least and the most; the last two rows once. Nodes and PostgreSQL share this machine; "
        "PostgreSQL runs with its defaults, which sync every commit.")
    return [asdict(row) for row in found], (
        f"{method}\n\n{table(HEAD, [row.cells() for row in found], args.markdown)}")
