"""The group `speed` of script/bench: votes beside Redis and PostgreSQL, reads beside nginx."""

import contextlib
import json
import re
import shutil
import statistics
from dataclasses import dataclass

from report import table
from servers import Failed, Nginx, Postgres, Redis, Tallyd
from stage import PEERS, installed, median, say

CARRIED = [33, 30, 24, 21]
# In place of tallyd's answer where only the peers are measured.
TALLY_STAND_IN = json.dumps({
    "id": "reads", "kind": "choice", "state": "open", "title": "Which way?", "votes": 108,
    "voters": 108, "carried": 108,
    "options": [{"option": n + 1, "label": label, "votes": votes, "percent": percent,
                 "share": round(votes / 108, 6), "shown": f"{percent}%"}
                for n, (label, votes, percent) in enumerate(
                    zip(("North", "East", "South", "West"), CARRIED, (31, 28, 22, 19)))],
    "version": 1, "updated_at": "2026-11-23T08:40:12Z"}, separators=(",", ":")).encode()


@dataclass
class Row:
    """One line of the table: the same work for tallyd and a peer."""

    key: str
    work: str
    peer: str
    connections: int
    depth: int
    goal: float

    @property
    def reads(self):
        return self.peer == "nginx"


ROWS = [
    Row("votes-50", "durable votes, 50 connections, 1 in flight each", "redis", 50, 1, 1.5),
    Row("votes-200", "durable votes, 200 connections, 1 in flight each", "redis", 200, 1, 1.5),
    Row("votes-50x16", "durable votes, 50 connections, 16 in flight each", "redis", 50, 16, 3),
    Row("votes-postgres", "durable votes, 50 connections, 1 in flight each", "postgres",
        50, 1, 10),
    Row("reads", "tally reads per CPU second, 50 connections", "nginx", 50, 1, 1.1),
    Row("reads-x16", "tally reads per CPU second, 50 connections, 16 pipelined", "nginx",
        50, 16, 6),
]
KEYS = [row.key for row in ROWS]


class Rounds:
    """How a round of each kind is measured."""

    def __init__(self, stage):
        self.stage = stage
        self.begun = 0

    def load(self, row, work, *args):
        return self.stage.load(row.key, work, row.connections, row.depth, *args)

    def votes_tallyd(self, row, server, poll):
        server.poll_create(poll)
        got = self.load(row, "http-vote", "--socket", server.socket, "--poll", poll,
                        "--cpu-of", server.process.pid)
        stored = server.votes(poll)
        return figures(row, got, stored, got["ops_per_second"])

    def votes_redis(self, row, server, poll):
        sha = server.script_load()
        got = self.load(row, "resp", "--socket", server.socket, "--poll", poll, "--script", sha,
                        "--cpu-of", server.process.pid)
        stored = server.votes(poll)
        # Not UNLINK: its thread would still be freeing the set when the next round begins.
        server.ask("DEL", f"{poll}:voters", f"{poll}:votes")
        return figures(row, got, stored, got["ops_per_second"])

    def votes_postgres(self, row, server, poll):
        number = self.begun
        server.ask(f"INSERT INTO tally SELECT {number}, n, 0 FROM generate_series(1, 4) n")
        report = server.pgbench(number, row.connections, self.stage.args.seconds)
        stored = int(server.ask(f"SELECT count(*) FROM vote WHERE poll = {number}"))
        counted = int(server.ask(f"SELECT sum(votes) FROM tally WHERE poll = {number}"))
        done = int(re.search(r"actually processed: (\d+)", report)[1])
        got = {"ops": done, "right": done, "errors": int(stored != counted),
               "ops_per_second": float(re.search(r"tps = ([\d.]+)", report)[1]),
               "mean_ms": float(re.search(r"latency average = ([\d.]+)", report)[1])}
        return figures(row, got, stored, got["ops_per_second"])

    def reads_of(self, row, port, path, body, pid):
        expected = self.stage.folder / "expected"
        expected.write_bytes(body)
        got = self.load(row, "http-get", "--tcp", f"127.0.0.1:{port}", "--path", path,
                        "--expect", expected, "--cpu-of", pid)
        return figures(row, got, got["right"], got["ops"] / got["cpu_seconds"])

    def reads_tallyd(self, row, server, poll):
        return self.reads_of(row, server.port, f"/v1/polls/{poll}/tally", server.tally(poll),
                             server.process.pid)

    def reads_nginx(self, row, server, body):
        return self.reads_of(row, server.port, "/tally", body, server.worker())


def figures(row, got, stored, rate):
    """A round's figures, after what was acknowledged is found stored."""
    if stored != got["right"] or got["errors"]:
        raise Failed(f"{row.key}: {got['right']} acknowledged, {stored} stored, "
                     f"{got['errors']} errors")
    return {"rate": rate, **got}


def measure(stage, row, rounds_of):
    """All rounds of a row: {"tallyd": [figures...], "peer": [figures...]}."""
    rounds = {"tallyd": [], "peer": []}
    folder, tallyd = stage.folder / row.key, stage.programs["tallyd"]
    with contextlib.ExitStack() as servers:
        body, own, peer = TALLY_STAND_IN, None, None
        if tallyd:
            threads = 1 if row.reads else stage.args.threads
            own = servers.enter_context(Tallyd(folder, tallyd, threads))
        if own and row.reads:
            own.poll_create("reads", carried=CARRIED)
            body = own.tally("reads")
        if installed(row.peer):
            kinds = {"redis": Redis, "postgres": Postgres}
            peer = servers.enter_context(
                Nginx(folder, body) if row.reads else kinds[row.peer](folder))
        for number in range(stage.args.rounds):
            rounds_of.begun += 1
            poll = f"{row.key}-{number + 1}"
            stage.round_begins(row.key)
            if own:
                measured = (rounds_of.reads_tallyd(row, own, "reads") if row.reads
                            else rounds_of.votes_tallyd(row, own, poll))
                rounds["tallyd"].append(measured)
            if peer:
                run = getattr(rounds_of, f"{'reads' if row.reads else 'votes'}_{row.peer}")
                rounds["peer"].append(run(row, peer, body if row.reads else poll))
            say(f"{row.key} {number + 1}/{stage.args.rounds}: " + ", ".join(
                f"{name} {rounds[who][-1]['rate']:,.0f}"
                for who, name in (("tallyd", "tallyd"), ("peer", row.peer)) if rounds[who])
                + f"; others {stage.others[row.key][-1]:.2f} cores")
    shutil.rmtree(folder, ignore_errors=True)
    return rounds


HEAD = ["work", "peer", "tallyd /s", "peer /s", "p99 ms", "peer p99 ms", "ratio", "goal", ""]


def line(row, rounds):
    """The cells of a row of the table."""
    ratios = [a["rate"] / b["rate"] for a, b in zip(rounds["tallyd"], rounds["peer"])]
    ratio = statistics.median(ratios) if ratios else None

    def cell(value, form):
        return "-" if value is None else format(value, form)

    end = "not measured" if ratio is None else "reached" if ratio >= row.goal else "missed"
    if not installed(row.peer):
        end = "left out: not installed"
    return [row.work, PEERS[row.peer][0], cell(median(rounds["tallyd"], "rate"), ",.0f"),
            cell(median(rounds["peer"], "rate"), ",.0f"),
            cell(median(rounds["tallyd"], "p99_ms"), ".2f"),
            cell(median(rounds["peer"], "p99_ms"), ".2f"),
            cell(ratio, ".2f"), f"≥ {row.goal:g}", end]


def run(stage, keys):
    """Measures these rows; what was measured, as data and as text."""
    rows = [row for row in ROWS if row.key in keys]
    rounds_of = Rounds(stage)
    rounds = {row.key: measure(stage, row, rounds_of) for row in rows}
    args = stage.args
    method = (
        f"Medians of {args.rounds} rounds of {args.seconds} s that take turns; the load generator "
        "runs on the same cores. Votes of distinct voters over Unix sockets, named by an admin "
        "caller; reads of one loop thread over loopback TCP, keep-alive. Peers: "
        + "; ".join(f"{name}, {what}" for peer, (name, what, _) in PEERS.items()
                    if installed(peer)) + ".")
    lines = [line(row, rounds[row.key]) for row in rows]
    return rounds, f"{method}\n\n{table(HEAD, lines, args.markdown)}"
