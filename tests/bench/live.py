"""The group `live` of script/bench: many who listen to one poll, beside Redis's subscribers."""

import contextlib
import json
import statistics
import subprocess
from dataclasses import asdict

from finding import HEAD, Finding, middle
from report import table
from servers import Failed, Redis, Tallyd, free_port, program
from stage import ROUND_MARGIN_S, installed, say

LISTENERS = 10_000  # for a million; --million makes it less, for a trial
EVERY_MS = 200      # 5 votes a second
MEMORY_MAX = 4096   # bytes of a listener
RATIO_MAX = 0.7
KEYS = ["listeners"]


class PubSub(Redis):
    """A Redis whose subscribers come over TCP, as readers do to tallyd."""

    def __init__(self, folder):
        super().__init__(folder)
        self.port = free_port()

    def launch(self):
        self.spawn(program("redis-server"), "--bind", "127.0.0.1", "--port", str(self.port),
                   "--protected-mode", "no", "--unixsocket", self.socket, "--dir", self.folder,
                   "--maxclients", str(LISTENERS + 1000), "--save", "", "--appendonly", "no")


class Live:
    """The servers, and one round of each."""

    def __init__(self, stage, servers):
        self.stage = stage
        self.listeners = max(10, LISTENERS * stage.args.million // 1_000_000)
        self.events = stage.args.seconds * 1000 // EVERY_MS
        self.begun = 0
        folder = stage.folder / "live"
        self.own = servers.enter_context(
            Tallyd(folder, stage.programs["tallyd"], stage.args.threads))
        self.own.poll_create("live")
        self.other = servers.enter_context(PubSub(folder)) if installed("redis") else None
        self.payload = folder / "payload"
        self.payload.write_bytes(self.own.tally("live"))

    def hear(self, tongue, server, last):
        """Everybody comes, hears every event, and leaves."""
        ran = subprocess.run(
            [self.stage.programs["audience"], tongue, f"127.0.0.1:{server.port}",
             str(server.socket), str(server.process.pid), "live", str(self.listeners),
             str(self.events), str(EVERY_MS), str(last)],
            capture_output=True, text=True, check=False,
            timeout=self.stage.args.seconds + ROUND_MARGIN_S)
        if ran.returncode != 0:
            raise Failed(f"listeners of {server.name}: {ran.stderr.strip() or 'they failed'}")
        got = json.loads(ran.stdout)
        return {"last_ms": statistics.median(got["last_ms"]),
                "first_ms": statistics.median(got["first_ms"]),
                "cpu_ms": got["cpu_ms"] / self.events,
                "bytes": (max(got["there"]["rss"], got["after"]["rss"]) - got["before"]["rss"])
                / self.listeners,
                "kernel_bytes": (got["there"]["kernel"] - got["before"]["kernel"])
                / self.listeners}

    def round(self):
        """Each votes' voters are new ones; what is stored is compared with what was heard."""
        first = 1 + self.begun * self.events
        self.begun += 1
        before = self.own.votes("live")
        own = self.hear("tallyd", self.own, first)
        if self.own.votes("live") - before != self.events:
            raise Failed(f"listeners: {self.events} votes heard, "
                         f"{self.own.votes('live') - before} stored")
        other = self.hear("redis", self.other, self.payload) if self.other else None
        return own, other


def findings(live, rounds):
    """The two lines of the table. The memory is that of the first round: what was given back
    then is taken again by the next."""
    count = f"{live.listeners:,} listeners on one poll"
    late = Finding("listeners", f"5 votes/s, {count}: until the last has it", f"≤ {RATIO_MAX:g}",
                   "Redis pub/sub")
    memory = Finding("listeners", f"memory of a listener, {count}", "≤ 4 KiB", "Redis pub/sub")
    own = [one for one, _ in rounds]
    late.own = f"{middle(own, 'last_ms'):.1f} ms"
    memory.own = f"{own[0]['bytes']:,.0f} B"
    memory.reached = own[0]["bytes"] <= MEMORY_MAX
    if live.other:
        other = [one for _, one in rounds]
        late.other = f"{middle(other, 'last_ms'):.1f} ms"
        memory.other = f"{other[0]['bytes']:,.0f} B"
        late.ratios = [a["last_ms"] / b["last_ms"] for a, b in rounds]
        late.reached = statistics.median(late.ratios) <= RATIO_MAX
    else:
        late.why_not = "left out: not installed"
    late.rounds = [{"own": one, "other": two} for one, two in rounds]
    return [late, memory]


def run(stage, _keys):
    """Measures both; what was measured, as data and as text."""
    rounds = []
    with contextlib.ExitStack() as servers:
        live = Live(stage, servers)
        for number in range(stage.args.rounds):
            stage.round_begins("listeners")
            rounds.append(live.round())
            say(f"listeners {number + 1}/{stage.args.rounds}: " + ", ".join(
                f"{name} {one['last_ms']:.1f} ms, {one['cpu_ms']:.1f} ms CPU, {one['bytes']:.0f} B"
                for name, one in zip(("tallyd", "redis"), rounds[-1]) if one))
        found = findings(live, rounds)
    kernel = statistics.median(own["kernel_bytes"] for own, _ in rounds)
    method = (
        f"Medians of {len(rounds)} rounds of {live.events} events that take turns, in brackets the "
        "least and the most. One client of one thread listens and publishes, over loopback TCP and "
        "a Unix socket; what is published through Redis are the bytes of a tally. tallyd's time "
        "has a vote and its commit in it. Memory is resident memory of the server that came with "
        f"its first listeners; the kernel takes {kernel / 1024:.1f} KiB more for a connection, of "
        "both ends.")
    text = f"{method}\n\n{table(HEAD, [row.cells() for row in found], stage.args.markdown)}"
    return [asdict(row) for row in found], text
