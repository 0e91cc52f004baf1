"""The group `carry` of script/bench: what many votes cost, in time, memory and on disk."""

import contextlib
import statistics
import time
from dataclasses import asdict, dataclass

import crowd
from finding import HEAD, Finding, middle
from report import table
from servers import Failed, Postgres, Redis, Server, Tallyd
from stage import installed, say

MILLION = 1_000_000          # --million makes it less, for a trial
AGE_DAYS = 1                 # of a poll whose rows are weighed
CONNECTIONS, DEPTH = 50, 16  # of votes
READ_RATE = 2000             # a second, over CONNECTIONS
IDLE_S = 20
START_S = 120
STARTS_MAX = 3               # rounds of starting: Redis takes its time
MIB = 1 << 20


@dataclass
class Filled:
    """A server with votes in it, and what it had in memory before and after they came."""

    server: Server
    votes: int
    rss_before: int
    rss_after: int
    crashes: int = 0


class Carry:
    """The rows, and the filled servers that several of them share: each is filled when it is
    first needed, and all are ended together."""

    def __init__(self, stage, servers):
        self.stage, self.servers, self.args = stage, servers, stage.args
        self.million = stage.args.million
        self.many = 5 * self.million
        self.copied = stage.folder / "votes.copy"
        self.filled = {}

    def votes_words(self, count):
        """The million as it is called, or the number it is in a trial."""
        return f"{count // MILLION} M votes" if self.million == MILLION else f"{count:,} votes"

    def tallyd(self, name):
        return self.servers.enter_context(
            Tallyd(self.stage.folder / name, self.stage.programs["tallyd"], self.args.threads))

    def with_votes(self, count):
        """A tallyd with so many voters in the poll `full`, a day old, and an empty one."""
        if count not in self.filled:
            server = self.tallyd(f"full-{count}")
            server.poll_create("empty")
            server.poll_create("full")
            server.stop()
            server.poll_age("full", AGE_DAYS)
            server.start()
            before = server.rss_bytes()
            crowd.fill(self.stage, server, "full", count)
            self.filled[count] = Filled(server, count, before, server.rss_bytes())
        return self.filled[count]

    def redis_with_votes(self):
        """A Redis with a million."""
        if "redis" not in self.filled:
            server = self.servers.enter_context(Redis(self.stage.folder / "1m"))
            before = server.rss_bytes()
            self.stage.load("redis", "resp", CONNECTIONS, DEPTH, "--socket", server.socket,
                            "--poll", "full", "--script", server.script_load(),
                            "--count", self.million, seconds=START_S, warmup_ms=0)
            self.filled["redis"] = Filled(server, self.million, before, server.rss_bytes())
            if server.votes("full") != self.million:
                raise Failed(f"redis: {server.votes('full')} votes in place of {self.million}")
        return self.filled["redis"]

    def postgres(self):
        """A PostgreSQL; the file of a million votes that it copies is made with it."""
        if "postgres" not in self.filled:
            server = self.servers.enter_context(Postgres(self.stage.folder / "1m"))
            crowd.write_copy(self.copied, 1, crowd.voters(0, self.million))
            self.filled["postgres"] = server
        return self.filled["postgres"]

    def copy_s(self, server):
        begun = time.monotonic()
        server.copy_votes(self.copied)
        took = time.monotonic() - begun
        if server.votes_stored() != self.million:
            raise Failed("postgres: rows are missing")
        return took

    def imports(self):
        row = Finding("import", f"votes/s of `tally import`, {self.votes_words(self.million)}",
                      "≥ 2", "PostgreSQL COPY, unique (poll, voter)")
        if not installed("postgres"):
            row.why_not = "left out: not installed"
            return [row]
        path = self.stage.folder / "votes.ndjson"
        crowd.write_ndjson(path, "import", crowd.voters(0, self.million))
        own, other = self.tallyd("import"), self.postgres()
        for _ in range(self.args.rounds):
            self.stage.round_begins(row.key)
            own.poll_create("import")
            begun = time.monotonic()
            crowd.import_votes(self.stage, own, path)
            own_s = time.monotonic() - begun
            if own.votes("import") != self.million:
                raise Failed(f"import: {own.votes('import')} votes stored")
            own.ask("DELETE", "/v1/polls/import")
            other_s = self.copy_s(other)
            other.votes_forget()
            self.note(row, own_s=own_s, other_s=other_s, ratio=other_s / own_s)
        own.stop()
        path.unlink()
        row.own = f"{self.million / middle(row.rounds, 'own_s'):,.0f}"
        row.other = f"{self.million / middle(row.rounds, 'other_s'):,.0f}"
        row.reached = statistics.median(row.ratios) >= 2
        return [row]

    def note(self, row, **figures):
        """A round's figures."""
        row.rounds.append(figures)
        if "ratio" in figures:
            row.ratios.append(figures["ratio"])
        say(f"{row.key} {len(row.rounds)}: "
            + ", ".join(f"{name} {value:,.6g}" for name, value in figures.items()))

    def votes(self, row, server, poll):
        """A round of votes of new voters; how many a second."""
        before = server.votes(poll)
        got = self.stage.load(row.key, "http-vote", CONNECTIONS, DEPTH, "--socket", server.socket,
                              "--poll", poll, "--voters", f"{row.key}-{len(row.rounds)}-")
        stored = server.votes(poll) - before
        if stored != got["right"]:
            raise Failed(f"{row.key}: {got['right']} acknowledged, {stored} stored")
        return got["ops_per_second"]

    def crowded(self):
        row = Finding("crowd", f"votes/s, {self.votes_words(self.many)} in the poll", "≥ 0.8",
                      "an empty poll")
        server = self.with_votes(self.many).server
        for number in range(self.args.rounds):
            self.stage.round_begins(row.key)
            empty = f"empty-{number}"
            server.poll_create(empty)
            own = self.votes(row, server, "full")
            other = self.votes(row, server, empty)
            self.note(row, own=own, other=other, ratio=own / other)
        row.own = f"{middle(row.rounds, 'own'):,.0f}"
        row.other = f"{middle(row.rounds, 'other'):,.0f}"
        row.reached = statistics.median(row.ratios) >= 0.8
        return [row]

    def memory(self):
        row = Finding("memory", f"resident memory, {self.votes_words(self.million)} in one poll",
                      "≤ 16 MiB + 16 B a voter", "Redis")
        full = self.with_votes(self.million)
        server = full.server
        most = 16 * MIB + 16 * self.million
        # The larger of two: as the votes came in, and as a start loads them for the first vote.
        server.stop()
        server.start()
        server.ask("POST", "/v1/polls/empty/votes", {"option": 1, "voter": "a"})
        server.ask("POST", "/v1/polls/full/votes", {"option": 1, "voter": crowd.name(0)})
        figures = {"before": full.rss_before, "after_import": full.rss_after,
                   "after_start": server.rss_bytes()}
        rss = max(figures["after_import"], figures["after_start"])
        own = (rss - full.rss_before) / self.million
        row.own = f"{rss / MIB:.1f} MiB, {own:.1f} B a voter"
        row.reached = rss <= most
        if installed("redis"):
            redis = self.redis_with_votes()
            other = (redis.rss_after - redis.rss_before) / self.million
            figures |= {"redis": redis.rss_after, "redis_voter": other}
            row.other = f"{redis.rss_after / MIB:.1f} MiB, {other:.1f} B a voter"
        self.note(row, **figures)
        return [row]

    def small_ledger(self, kind, count):
        """The bytes that so many votes add to a store: each from its address, or named."""
        server = self.tallyd(f"small-{kind}")
        server.poll_create("other")
        server.poll_create("small", voters="address")
        server.stop()
        server.poll_age("small", AGE_DAYS)
        before = server.ledger_bytes()
        server.start()
        if kind == "address":
            crowd.vote_from_addresses(server, "small", count)
        else:
            crowd.fill(self.stage, server, "small", count)
        stored = server.votes("small")
        server.stop()
        if stored != count:
            raise Failed(f"{kind}: {stored} votes in place of {count}")
        return server.ledger_bytes() - before

    def disk(self):
        row = Finding("disk", f"bytes a vote on disk, {self.votes_words(self.million)}", "≤ 42")
        addressed = Finding("disk", "the same with an address hash", "≤ 50")
        server = self.with_votes(self.million).server
        votes = server.votes("full") + server.votes("empty")
        server.stop()
        own = server.ledger_bytes() / votes
        server.start()
        few = self.million // 50
        hashed = own + (self.small_ledger("address", few) - self.small_ledger("named", few)) / few
        figures, peers = {"own": own, "with_address": hashed}, []
        if installed("redis"):
            figures["redis"] = self.redis_with_votes().server.log_bytes() / self.million
            peers.append(("Redis AOF", figures["redis"]))
        if installed("postgres"):
            postgres = self.postgres()
            self.copy_s(postgres)
            figures["postgres"] = postgres.votes_bytes() / self.million
            postgres.votes_forget()
            peers.append(("PostgreSQL table + index", figures["postgres"]))
        row.beside = ", ".join(name for name, _ in peers) or "-"
        row.other = ", ".join(f"{size:.0f}" for _, size in peers) or "-"
        row.own, addressed.own = f"{own:.1f}", f"{hashed:.1f}"
        row.reached, addressed.reached = own <= 42, hashed <= 50
        self.note(row, **figures)
        return [row, addressed]

    def started_s(self, server, votes, expected):
        """Starts it; the time until votes() gives what is expected."""
        begun = time.monotonic()
        server.launch()
        while votes() != expected:
            if server.process.poll() is not None or time.monotonic() - begun > START_S:
                raise Failed(f"{server.name}: not there with {expected} votes")
            time.sleep(0.001)  # between looks: one that never rests slows what it measures
        return time.monotonic() - begun

    def tallyd_starts(self, full):
        """Votes, a crash behind the last answer, a start: until it is ready and shows them, and
        from there until the first vote is decided, for which the voters are loaded."""
        server = full.server
        self.stage.load("start", "http-vote", CONNECTIONS, DEPTH, "--socket", server.socket,
                        "--poll", "full", "--voters", f"crash-{full.crashes}-",
                        "--count", self.million // 50, seconds=START_S, warmup_ms=0)
        full.crashes += 1
        expected = server.votes("full")
        server.kill()

        def votes():
            with contextlib.suppress(OSError, Failed):
                if server.ask("GET", "/readyz") == b"ready\n":
                    return server.votes("full")
            return None

        ready_s = self.started_s(server, votes, expected)
        begun = time.monotonic()
        server.ask("POST", "/v1/polls/full/votes", {"option": 1, "voter": crowd.name(0)},
                   timeout=START_S)
        first_s = time.monotonic() - begun
        server.wait(server.listens)  # its TCP port is another one now
        return ready_s, first_s

    def starts(self, key, count):
        row = Finding(key, "start behind a crash until ready and a tally, "
                           f"{self.votes_words(count)}", "< 1 s")
        full, redis = self.with_votes(count), None
        if count == self.million and installed("redis"):
            redis, row.beside = self.redis_with_votes().server, "Redis"
        for _ in range(min(self.args.rounds, STARTS_MAX)):
            self.stage.round_begins(row.key)
            ready_s, first_s = self.tallyd_starts(full)
            figures = {"own": ready_s, "first_vote": first_s}
            if redis:
                redis.kill()
                other_s = self.started_s(redis, lambda: redis.votes_once_loaded("full"), count)
                figures |= {"other": other_s, "ratio": other_s / ready_s}
            self.note(row, **figures)
        row.own = (f"{middle(row.rounds, 'own'):.3f} s, first vote "
                   f"{middle(row.rounds, 'first_vote'):.2f} s later")
        if redis:
            row.other = f"{middle(row.rounds, 'other'):.2f} s"
        row.reached = max(one["own"] for one in row.rounds) < 1
        return [row]

    def start_1m(self):
        return self.starts("start-1m", self.million)

    def start_5m(self):
        return self.starts("start-5m", self.many)

    def read_p99_ms(self, row, server, expected):
        got = self.stage.load(row.key, "http-get", CONNECTIONS, 1,
                              "--tcp", f"127.0.0.1:{server.port}",
                              "--path", "/v1/polls/full/tally", "--expect", expected,
                              "--rate", READ_RATE)
        return got["p99_ms"]

    def reads(self, key, what, work):
        """Reads by the clock, in turns: while nothing else is done, and while work() is."""
        row = Finding(key, f"a read's p99 while {what} of {self.votes_words(self.many)} runs",
                      "≤ 3", "itself idle")
        server = self.with_votes(self.many).server
        expected = self.stage.folder / "expected"
        expected.write_bytes(server.tally("full"))
        work(server, None)
        for _ in range(self.args.rounds):
            self.stage.round_begins(row.key)
            other = self.read_p99_ms(row, server, expected)
            with crowd.Meanwhile(lambda stop: work(server, stop)):
                own = self.read_p99_ms(row, server, expected)
            self.note(row, own=own, other=other, ratio=own / other)
        row.own = f"{middle(row.rounds, 'own'):.2f} ms"
        row.other = f"{middle(row.rounds, 'other'):.2f} ms"
        row.reached = statistics.median(row.ratios) <= 3
        return [row]

    def read_export(self):
        def work(server, stop):
            """The first one is counted; it stands for those beside which is measured."""
            if stop:
                crowd.export(server, "full", stop)
            elif (lines := crowd.export(server, "full", count_lines=True)) != server.votes("full"):
                raise Failed(f"an export of {lines} lines")

        return self.reads("read-export", "an export", work)

    def read_backup(self):
        return self.reads("read-backup", "a backup",
                          lambda server, _stop: crowd.backup(server, self.stage.folder))

    def idle(self):
        row = Finding("idle", f"idle: resident memory, CPU in {IDLE_S} s", "< 8 MiB, none")
        server = self.tallyd("idle")
        server.poll_create("idle")
        self.stage.round_begins(row.key)
        before = server.cpu_ticks()
        time.sleep(IDLE_S)  # doing nothing for so long is what is measured
        ticks, rss = server.cpu_ticks() - before, server.rss_bytes()
        server.stop()
        self.note(row, ticks=ticks, rss=rss)
        row.own = f"{rss / MIB:.1f} MiB, {ticks} ticks of 10 ms"
        row.reached = rss < 8 * MIB and ticks == 0
        return [row]


# In this order: what is measured before the servers are filled, then what they are filled for.
ROWS = {
    "import": Carry.imports,
    "crowd": Carry.crowded,
    "memory": Carry.memory,
    "disk": Carry.disk,
    "start-1m": Carry.start_1m,
    "start-5m": Carry.start_5m,
    "read-export": Carry.read_export,
    "read-backup": Carry.read_backup,
    "idle": Carry.idle,
}
KEYS = list(ROWS)


def run(stage, keys):
    """Measures these rows; what was measured, as data and as text."""
    with contextlib.ExitStack() as servers:
        carry = Carry(stage, servers)
        found = [row for key in KEYS if key in keys for row in ROWS[key](carry)]
    args = stage.args
    method = (
        f"Medians of {args.rounds} rounds that take turns ({STARTS_MAX} at most of starts), in "
        "brackets the least and the most; memory, disk and idle are looked at once. Votes with "
        f"{CONNECTIONS} connections and {DEPTH} in flight each, {args.seconds} s a round; reads "
        f"with {CONNECTIONS} connections, {READ_RATE:,} a second by the clock, a reply's time from "
        f"when its request was due. Polls whose rows are weighed are {AGE_DAYS} day old. Peers: "
        f"Redis as for votes; PostgreSQL reading the file of votes itself, one transaction.")
    text = f"{method}\n\n{table(HEAD, [row.cells() for row in found], args.markdown)}"
    return [asdict(row) for row in found], text
