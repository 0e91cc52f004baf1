"""The group `trust` of script/bench: what it costs to know who votes, and how often.

Beside votes that an admin names stand votes as a proxy hands them on: each brings a token, which is
checked, the client's address is read, hashed and kept with the vote, and limits are counted. They
go over a Unix socket as well, so that the difference is none of TCP's.
"""

import base64
import contextlib
import pwd
import os
import secrets
import shutil
import statistics
from dataclasses import asdict

from finding import HEAD, Finding, middle
from report import table
from servers import Failed, Tallyd
from stage import WARMUP_MS, say

CONNECTIONS = 50
KEEPS = 0.85
CHECK_US_MAX = 5
LIMIT = 1_000_000_000
DEPTHS = {"tokens-50": 1, "tokens-50x16": 16}
KEYS = list(DEPTHS)
# Votes a second for which tokens are signed before; a round ends early where they are not enough.
RATES_MAX = {1: 200_000, 16: 400_000}
NAMED, TOKENS = "named", "tokens"


def secret_file(path, text):
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def behind_a_proxy(stage, folder):
    """A tallyd whose only caller is a proxy, and which trusts it for addresses alone."""
    folder.mkdir(parents=True)
    role = secrets.token_hex(16)
    secret = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    key = secret_file(folder / "site-keys", f"bench {secret}\n")
    token = secret_file(folder / "role-token", f"{role}\n")
    config = {
        "server": {"proxy_users": pwd.getpwuid(os.geteuid()).pw_name},
        "roles": {"admin_token_file": token},
        "voters": {"site_key_file": key},
        "limits": {"votes_per_minute": LIMIT, "tokens_per_hour": LIMIT, "reads_per_second": LIMIT}}
    fields = {"Authorization": f"Bearer {role}", "X-Forwarded-For": "192.0.2.1"}
    return Tallyd(folder, stage.programs["tallyd"], stage.args.threads, config, fields), key


class Pair:
    """The two tallyds of a row; a round of either."""

    def __init__(self, stage, key, servers):
        self.stage, self.key = stage, key
        folder = stage.folder / key
        proxied, self.site_key = behind_a_proxy(stage, folder / "proxied")
        self.servers = {
            NAMED: servers.enter_context(
                Tallyd(folder / "direct", stage.programs["tallyd"], stage.args.threads)),
            TOKENS: servers.enter_context(proxied)}

    def round(self, who, number):
        """The figures of a round, after what was acknowledged is found stored."""
        server, poll = self.servers[who], f"{self.key}-{number}"
        count = (self.stage.args.seconds * 1000 + WARMUP_MS) * RATES_MAX[DEPTHS[self.key]] // 1000
        more = ["--site-key", self.site_key, "--forwarded", "--count", count]
        server.poll_create(poll)
        got = self.stage.load(self.key, "http-vote", CONNECTIONS, DEPTHS[self.key],
                              "--socket", server.socket, "--poll", poll,
                              "--cpu-of", server.process.pid, *(more if who == TOKENS else []))
        stored = server.votes(poll)
        if stored != got["right"] or got["errors"]:
            raise Failed(f"{self.key}: {got['right']} acknowledged, {stored} stored, "
                         f"{got['errors']} errors")
        return {"cpu_us": 1e6 * got["cpu_seconds"] / got["ops"], **got}


def measure(stage, key):
    """All rounds of a row, and the lines that tell of them."""
    rounds = []
    with contextlib.ExitStack() as servers:
        pair = Pair(stage, key, servers)
        for number in range(1, stage.args.rounds + 1):
            stage.round_begins(key)
            got = {who: pair.round(who, number) for who in (TOKENS, NAMED)}
            rounds.append({f"{who}_{what}": one[what] for who, one in got.items()
                           for what in ("ops_per_second", "cpu_us", "p99_ms", "ops")})
            say(f"{key} {number}/{stage.args.rounds}: " + ", ".join(
                f"{who} {one['ops_per_second']:,.0f}/s, {one['cpu_us']:.2f} us CPU each"
                for who, one in got.items()))
    shutil.rmtree(stage.folder / key, ignore_errors=True)
    return lines(key, rounds)


def lines(key, rounds):
    work = f"votes with tokens and limits, {CONNECTIONS} connections, {DEPTHS[key]} in flight each"
    rate = Finding(key, work, f"≥ {KEEPS:g} ×", "named by an admin", rounds=rounds)
    rate.own = f"{middle(rounds, 'tokens_ops_per_second'):,.0f}/s"
    rate.other = f"{middle(rounds, 'named_ops_per_second'):,.0f}/s"
    rate.ratios = [one["tokens_ops_per_second"] / one["named_ops_per_second"] for one in rounds]
    rate.reached = statistics.median(rate.ratios) >= KEEPS
    cpu = Finding(key, "the same, CPU time of tallyd a vote", f"< {CHECK_US_MAX} µs more",
                  "named by an admin")
    cpu.own = f"{middle(rounds, 'tokens_cpu_us'):.2f} µs"
    cpu.other = f"{middle(rounds, 'named_cpu_us'):.2f} µs"
    cpu.ratios = [one["tokens_cpu_us"] / one["named_cpu_us"] for one in rounds]
    cpu.reached = statistics.median(
        one["tokens_cpu_us"] - one["named_cpu_us"] for one in rounds) < CHECK_US_MAX
    return [rate, cpu]


def run(stage, keys):
    """Measures these rows; what was measured, as data and as text."""
    found = [row for key in KEYS if key in keys for row in measure(stage, key)]
    args = stage.args
    method = (
        f"Medians of {args.rounds} rounds of {args.seconds} s that take turns, in brackets the "
        "least and the most. Votes over Unix sockets: with a site's token each, as a proxy hands "
        "them on from 100 addresses, under limits that refuse none; and named by an admin caller.")
    return [asdict(row) for row in found], (
        f"{method}\n\n{table(HEAD, [row.cells() for row in found], args.markdown)}")
