#!/usr/bin/python3
"""Mixed load for a long while: memory, descriptors and latency have to stay where they are.

Voters change and retract their votes, readers read, streams and long polls come and go, an
administrator makes polls and deletes them, edits, exports, verifies and backs up, and the
configuration is read again all the while. The voters are always the same ones, for tallyd keeps an
entry in memory for each. Every second (--cycles says how many) the daemon's memory and descriptors
are noted beside the latencies of what was asked in it; at the end a line through the second half
says whether they grow, and every poll is compared with what its voters were told.
"""
import argparse
import collections
import os
import pathlib
import random
import signal
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))

import harness  # pylint: disable=wrong-import-position
import soak_plot  # pylint: disable=wrong-import-position

POLLS = [f"s{i}" for i in range(4)]
VOTERS = 2000        # of each voting client, in each poll
# Where memory is judged, what is kept by design is full from the start: SQLite's cache by so many
# votes, the store of pictures (16 MiB) by so many, drawn by every loop in the heap of its thread.
SEEDED = 400000
PICTURES = 14000
JUDGED_S = 300       # from so many seconds on a line through the second half means something
GROWTH_MAX = 0.05    # of the memory, over the second half
BAD_CONFIG = "[log]\nlevel = loud\n"
READS = ("/v1/polls/s0/tally", "/v1/tallies?ids=s0,s1,s2,nobody", "/v1/polls?limit=20",
         "/v1/polls/s1", "/v1/top?sort=votes", "/p/s0,s1?lang=ru", "/v1/polls/s2/chart.svg",
         "/v1/polls/s3/history", "/p/", "/livez")


class Soak:
    def __init__(self, folder, seed):
        self.daemon = harness.Daemon(folder)
        self.rng = random.Random(seed)
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.latencies = []  # ms, of the second at hand
        self.failed = []
        self.counts = collections.Counter()
        self.standing = {}   # (poll, voter): option, as acknowledged
        self.samples = []

    def pause(self, seconds):
        """The pace of a client: this is a soak, not a bench."""
        self.stop.wait(seconds)

    def ask(self, wire, method, path, body=None, fields=None, expected=(200,)):
        began = time.monotonic()
        wire.send(harness.request_bytes(method, path, body, fields))
        answer = wire.answer()
        took_ms = (time.monotonic() - began) * 1000
        with self.lock:
            self.latencies.append(took_ms)
            self.counts["requests"] += 1
        if answer.status not in expected:
            raise AssertionError(f"{method} {path}: {answer}")
        return answer

    def votes(self, number, rng):
        wire = self.daemon.unix()
        while not self.stop.is_set():
            poll, voter = rng.choice(POLLS), f"{number}-{rng.randrange(VOTERS)}"
            if rng.random() < 0.1 and (poll, voter) in self.standing:
                self.ask(wire, "DELETE", f"/v1/polls/{poll}/votes", {"voter": voter})
                del self.standing[poll, voter]
            else:
                option = rng.randint(1, 4)
                answer = self.ask(wire, "POST", f"/v1/polls/{poll}/votes",
                                  {"option": option, "voter": voter}, expected=(200, 201))
                before = self.standing.get((poll, voter))
                result = ("counted" if before is None else
                          "already" if before == option else "changed")
                if answer.json()["result"] != result:
                    raise AssertionError(f"{poll} {voter}: {answer} instead of {result}")
                self.standing[poll, voter] = option
            self.counts["acknowledged"] += 1
            self.pause(0.02)
        wire.close()

    def reads(self, _, rng):
        while not self.stop.is_set():
            wire = self.daemon.tcp()
            for _ in range(rng.randint(1, 40)):
                self.ask(wire, "GET", rng.choice(READS))
                self.pause(0.02)
            wire.close()

    def streams(self, _, rng):
        while not self.stop.is_set():
            wire = self.daemon.tcp()
            wire.send(harness.request_bytes("GET", "/v1/events?ids=s0,s1,s2,s3"))
            events = rng.randint(4, 30)
            while wire.left.count(b"event: tally") < events and not self.stop.is_set():
                wire._more()  # pylint: disable=protected-access
            self.counts["streams"] += 1
            wire.close()

    def waits(self, *_):
        wire = self.daemon.tcp()
        version = 0
        while not self.stop.is_set():
            wire.send(harness.request_bytes(
                "GET", f"/v1/polls/s0/tally?wait=5&version={version}"))
            now = wire.answer().json()["version"]
            if now < version:
                raise AssertionError(f"version {now} behind {version}")
            version = now
        wire.close()

    def bulk(self, wire, poll, n):
        lines = b"".join(b'{"poll":"%s","option":%d,"voter":"%d"}\n' % (poll.encode(), 1 + i % 4, i)
                         for i in range(n))
        wire.send(harness.request_bytes("POST", "/v1/votes", lines,
                                        {"Content-Type": "application/x-ndjson"}))
        until(wire, b"\r\n0\r\n\r\n")
        with self.lock:
            self.counts["requests"] += 1

    def administers(self, _, rng):
        wire = self.daemon.unix()
        turn = 0
        while not self.stop.is_set():
            turn += 1
            poll = f"passing-{turn % 3}"
            self.ask(wire, "PUT", f"/v1/polls/{poll}", {
                "title": "T", "options": [{"label": c} for c in "abcd"]}, expected=(201,))
            self.bulk(wire, poll, 50)
            self.ask(wire, "PATCH", f"/v1/polls/{rng.choice(POLLS)}", {"title": f"T{turn}"})
            self.ask(wire, "PATCH", f"/v1/polls/{poll}", {"state": "closed"})
            self.ask(wire, "DELETE", f"/v1/polls/{poll}", expected=(204,))
            if turn % 10 == 0:
                self.backs_up(wire, turn)
            self.pause(0.5)
        wire.close()

    def backs_up(self, wire, turn):
        path = os.path.join(self.daemon.folder, f"backup-{turn}")
        answer = self.ask(wire, "POST", "/v1/backup", {"path": path}).json()
        os.unlink(path)
        os.unlink(answer["key"])
        self.ask(wire, "POST", "/v1/verify", {})
        export = self.daemon.unix()
        export.send(harness.request_bytes("GET", "/v1/polls/s0/votes"))
        until(export, b"\r\n0\r\n\r\n")
        export.close()

    def reloads(self, *_):
        path = os.path.join(self.daemon.folder, "tallyd.conf")
        turn = 0
        while not self.stop.is_set():
            turn += 1
            more = BAD_CONFIG if turn % 3 == 0 else f"[voters]\ntoken_lifetime = {turn}d\n"
            with open(path + ".new", "w", encoding="utf-8") as file:
                file.write(self.daemon.config + more)
            os.replace(path + ".new", path)
            self.daemon.process.send_signal(signal.SIGHUP)
            self.counts["reloads"] += 1
            self.pause(2)

    def client(self, what, number):
        try:
            what(number, random.Random(self.rng.random()))
        except Exception as wrong:  # pylint: disable=broad-except
            self.failed.append(f"{what.__name__}: {wrong!r}")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.daemon.process.pid}/fd"))

    def memory_kib(self):
        with open(f"/proc/{self.daemon.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))

    def sample(self):
        with self.lock:
            latencies, self.latencies = sorted(self.latencies), []
        if latencies:
            self.samples.append(soak_plot.Sample(
                len(self.samples), self.memory_kib(), self.descriptors(),
                latencies[len(latencies) // 2], latencies[len(latencies) * 99 // 100]))

    def prepare(self, part):
        """What is open before anybody has come. Fills what is to be full, or a part of it."""
        self.daemon.start()
        at_rest = self.descriptors()
        for poll in [*POLLS, "seeded"]:
            self.daemon.poll(poll, revote=True)
        wires = [self.daemon.unix() for _ in range(self.daemon.threads)]  # they are handed round
        for _ in range(0, int(SEEDED * part), 10000):
            self.bulk_seed(wires[0], 10000)
        for i in range(int(PICTURES * part)):
            self.ask(wires[i % len(wires)], "GET",
                     f"/v1/polls/{POLLS[i // 3600 % 4]}/chart.svg?width={200 + i % 1800}"
                     f"&theme={'light' if i // 1800 % 2 else 'dark'}")
        for wire in wires:
            wire.close()
        self.latencies = []
        return at_rest

    def bulk_seed(self, wire, n):
        first = self.counts["seeded"]
        self.counts["seeded"] += n
        lines = b"".join(b'{"poll":"seeded","option":1,"voter":"%d"}\n' % i
                         for i in range(first, first + n))
        wire.send(harness.request_bytes("POST", "/v1/votes", lines,
                                        {"Content-Type": "application/x-ndjson"}))
        until(wire, b"\r\n0\r\n\r\n")

    def run(self, seconds):
        at_rest = self.prepare(1.0 if seconds >= JUDGED_S else 0.05)
        clients = [threading.Thread(target=self.client, args=one) for one in (
            (self.votes, 0), (self.votes, 1), (self.reads, 0), (self.reads, 1),
            (self.streams, 0), (self.streams, 1), (self.waits, 0), (self.administers, 0),
            (self.reloads, 0))]
        for client in clients:
            client.start()
        began = time.monotonic()
        for second in range(1, seconds + 1):
            time.sleep(max(0.0, began + second - time.monotonic()))  # a sample each second
            self.sample()
            if self.failed:
                break
        self.stop.set()
        self.is_quiet()
        for client in clients:
            client.join(harness.START_S)
        self.counts["hung"] = sum(client.is_alive() for client in clients)
        harness.until(self.is_quiet)
        try:
            harness.until(lambda: self.descriptors() <= at_rest)
        except AssertionError:
            pass  # the verdict says how many
        return self.descriptors() - at_rest

    def is_quiet(self):
        """Whether nobody is connected. Each edit wakes who streams or waits; that a reader of a
        stream has left shows when something is sent to it."""
        self.counts["edits"] += 1
        self.daemon.poll("s0", revote=True, title=f"the end {self.counts['edits']}")
        return self.connections() == 1

    def connections(self):
        """The one that asks is one of them."""
        return self.daemon.admin("GET", "/v1/status").json()["connections"]

    def lost(self):
        """Votes that are not in the tally as their voters were told."""
        wrong = 0
        for poll in POLLS:
            told = collections.Counter(option for key, option in self.standing.items()
                                       if key[0] == poll)
            wrong += sum(abs(option["votes"] - told[option["option"]])
                         for option in self.daemon.tally(poll)["options"])
        verified = self.daemon.admin("POST", "/v1/verify", {}).json()
        return wrong + len(verified["mismatches"])


def until(wire, end):
    """All of a streamed answer."""
    while not wire.left.endswith(end):
        wire._more()  # pylint: disable=protected-access
    wire.left = b""


def verdict(samples, left_open):
    """What a line through the second half says, and whether that is flat."""
    half = samples[len(samples) // 2:]
    memory = soak_plot.slope([s.memory_kib for s in half])
    descriptors = soak_plot.slope([s.descriptors for s in half])
    text = (f"memory {half[-1].memory_kib / 1024:.1f} MiB {memory * 60:+.2f} KiB/min, "
            f"descriptors {half[-1].descriptors} {descriptors * 60:+.3f}/min, left open {left_open}")
    flat = left_open == 0
    if len(samples) >= JUDGED_S:
        flat = (flat and memory * len(half) <= GROWTH_MAX * half[0].memory_kib
                and descriptors * len(half) < 1)
    return text, flat


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=20, help="seconds (%(default)s)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--plot", type=pathlib.Path, help="draws what was seen, as SVG")
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="tallyd-soak-") as folder:
        soak = Soak(folder, args.seed)
        try:
            left_open = soak.run(args.cycles)
            lost = soak.lost()
        finally:
            soak.stop.set()
            soak.daemon.end()
    text, flat = verdict(soak.samples, left_open)
    if args.plot:
        args.plot.parent.mkdir(exist_ok=True)
        args.plot.write_text(soak_plot.svg(soak.samples), encoding="utf-8")
    p99 = sorted(s.p99_ms for s in soak.samples)[len(soak.samples) // 2]
    for failure in soak.failed:
        print(failure, file=sys.stderr)
    counts = soak.counts
    print(f"cycles {len(soak.samples)}, requests {counts['requests']}, "
          f"acknowledged {counts['acknowledged']}, reloads {counts['reloads']}, lost {lost}, "
          f"failed {len(soak.failed)}, hung {counts['hung']}, median of p99 {p99:.1f} ms, {text}"
          f": {'flat' if flat else 'GROWING'}")
    return 1 if soak.failed or lost or counts["hung"] or not flat else 0


if __name__ == "__main__":
    sys.exit(main())
