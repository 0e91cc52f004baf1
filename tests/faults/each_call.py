#!/usr/bin/python3
"""Each read, write, sync, truncate and open of a whole life fails in turn, once and for ever.

A life: start, make or change a poll, take votes, end with a checkpoint; with no store before it, or
over the log that a killed daemon left. Whatever fails in it: who was told that a vote counts keeps
it, who was refused is nowhere, and who sends the same again is counted once.
"""
import argparse
import os
import pathlib
import re
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))

import shim  # noqa: E402

EARLIER = [("x", 3), ("y", 3)]
VOTERS = [("a", 1), ("b", 2), ("c", 1), ("d", 4)]
OWN = re.compile(r"the store \S+ failed: .*; ending, the next start recovers it")
SAID = {"EIO": ("Input/output error", "disk I/O error"),
        "ENOSPC": ("No space left on device", "disk I/O error", "disk is full"),
        "EDQUOT": ("Disk quota exceeded", "disk I/O error")}
# What cannot be opened SQLite opens once more, to read, and tells of that.
SAID_OF_OPEN = ("a file beside it cannot be made; the disk may be failing",
                "it can be opened to be read alone; see whose file it is")


def make(title):
    return "PUT", "/v1/polls/p", {"title": title, "options": [{"label": c} for c in "abcd"]}


class Life:
    def __init__(self, folder, over_a_log, error):
        folder.mkdir()
        self.error = error  # of the call that fails
        self.daemon = shim.FaultyDaemon(folder)
        self.shim = self.daemon.shim
        self.counted = {}     # voter → seq, as it was acknowledged
        self.refused = set()  # heard that nothing was written
        self.made = over_a_log
        self.status = None
        if over_a_log:
            self.daemon.start()
            assert self.ask(*make("before")).status == 201
            for voter, option in EARLIER:
                self.counted[voter] = self.daemon.vote("p", option, voter).json()["receipt"]["seq"]
            self.daemon.kill()
            self.shim.forget()

    def ask(self, *request):
        """None: the daemon is gone, and with it the answer."""
        try:
            return self.daemon.admin(*request)
        except OSError:
            return None

    def live(self):
        if not self.daemon.started():
            self.status = self.daemon.ended()
            self.check_refused(self.daemon.log)
            return
        answer = self.ask(*make("now"))
        self.made |= answer is not None and answer.status == 201
        self.check(answer, 200, 201)
        for voter, option in VOTERS:
            answer = self.ask("POST", "/v1/polls/p/votes", {"option": option, "voter": voter})
            self.check(answer, 201, 404)
            if answer is not None and answer.status == 201:
                self.counted[voter] = answer.json()["receipt"]["seq"]
            elif answer is not None and answer.json()["type"] == "/problems/store-unavailable":
                self.refused.add(voter)
        self.daemon.process.terminate()
        self.status = self.daemon.ended()

    @staticmethod
    def check_refused(log):
        """One line; two where a store that could be opened has said its own before."""
        assert len(log) == (2 if log and OWN.fullmatch(log[0]) else 1), log

    @staticmethod
    def check(answer, *statuses):
        if answer is None or answer.status in statuses:
            return
        assert answer.status == 503, answer
        assert answer.json()["type"] in ("/problems/outcome-unknown",
                                         "/problems/store-unavailable"), answer
        assert int(answer.fields["retry-after"]) > 0

    def check_next_life(self):
        self.shim.disarm()
        self.daemon.start()
        if self.made:
            assert self.daemon.tally("p")["votes"] >= len(self.counted)
        self.daemon.admin(*make("after"))
        for voter, option in EARLIER + VOTERS:
            answer = self.daemon.vote("p", option, voter)
            assert answer.status in (200, 201), answer
            if voter in self.counted:
                assert answer.json()["result"] == "already", (voter, answer)
                assert answer.json()["receipt"]["seq"] == self.counted[voter]
            if voter in self.refused:
                assert answer.json()["result"] == "counted", (voter, answer)
        tally = self.daemon.tally("p")
        assert [option["votes"] for option in tally["options"]] == [2, 1, 2, 1]
        assert tally["votes"] == tally["voters"] == len(EARLIER + VOTERS)
        self.daemon.stop()


def check_whole(life):
    assert life.status == 0
    assert set(life.counted) >= {voter for voter, option in VOTERS}


def is_sqlites_own(trace, at):
    """SQLite syncs the folder of a new log and does not look at the answer. tallyd does the same,
    looks, and comes behind it, so that is no fault of its own."""
    opened = next(seen for seen in reversed(trace[:at])
                  if (seen.call, seen.kind) == ("open", "folder"))
    return trace[at].kind == "folder" and not opened.detail & os.O_DIRECTORY


def check_broken(life):
    """It ended by itself, and never tried again what could not be synced."""
    trace = life.shim.trace()
    fatal = [i for i, seen in enumerate(trace)
             if seen.failed and not (seen.kind == "folder" and is_sqlites_own(trace, i))]
    if not fatal:
        check_whole(life)
        return
    assert life.status == 1
    check_told(life)
    has_log = any((seen.call, seen.kind) == ("write", "wal") for seen in trace[:fatal[0]])
    if trace[fatal[0]].call == "sync" and has_log:
        assert [seen for seen in trace[fatal[0] + 1:] if seen.call == "sync"] == []


def check_full(life):
    """It goes on; only a start that has to write, and cannot, is refused."""
    if life.status == 0:
        assert not set(life.counted) & life.refused
        assert len(life.counted) + len(life.refused) in (0, len(VOTERS), len(EARLIER + VOTERS))
    else:
        assert (life.status, len(life.daemon.log)) == (1, 1)
        check_told(life)


def check_told(life, said=()):
    """Whoever reads the log knows which file it was, and what the system said: by each line that
    names one."""
    said = SAID[life.error] + said
    told = [line for line in life.daemon.log if str(life.daemon.state) in line]
    assert told, life.daemon.log
    assert all(any(error in line for error in said) for line in told), life.daemon.log


def check_ended(life, said=()):
    """A start or a daemon that cannot read or open ends, or did without; nothing is lost."""
    assert life.status in (0, 1)
    if life.status == 1:
        check_told(life, said)
    assert not any("damaged" in line for line in life.daemon.log), life.daemon.log


def check_unopened(life):
    check_ended(life, SAID_OF_OPEN)


KINDS = shim.STORE + ("draft",)  # a new store is made under another name

# Which calls fail with what, for ever too or only once, and what has to become of it.
SETTINGS = {
    "write EIO": ("write", "EIO", (False, True), check_broken),
    "sync EIO": ("sync", "EIO", (False, True), check_broken),
    "sync ENOSPC": ("sync", "ENOSPC", (False, True), check_broken),
    "sync EDQUOT": ("sync", "EDQUOT", (False, True), check_broken),
    "write ENOSPC": ("write", "ENOSPC", (False, True), check_full),
    "write EDQUOT": ("write", "EDQUOT", (False, True), check_full),
    "write short": ("write", "short", (False,), check_whole),
    "read short": ("read", "short", (False, True), check_whole),
    "read EIO": ("read", "EIO", (False, True), check_ended),
    "open EIO": ("open", "EIO", (False, True), check_unopened),
    "truncate EIO": ("truncate", "EIO", (False, True), check_ended),
}


class Figures:
    def __init__(self):
        self.cycles = self.acknowledged = 0


def one(folder, calls, error, nth, for_ever, over_a_log, check, figures):
    """A life whose nth such call fails. The trace of it."""
    life = Life(folder, over_a_log, error)
    life.shim.arm(calls, kinds=KINDS, nth=nth, for_ever=for_ever, error=error)
    life.live()
    try:
        if life.shim.failed:
            check(life)
        else:
            check_whole(life)
        trace = life.shim.trace()
        life.check_next_life()
    except Exception as wrong:
        raise AssertionError(f"{calls} {error}, call {nth}, for ever: {for_ever}, over a log: "
                             f"{over_a_log}: {life.shim.trace()}, {life.daemon.log}") from wrong
    finally:
        life.daemon.end()
        shutil.rmtree(folder)
    figures.cycles += 1
    figures.acknowledged += len(life.counted)
    return trace


def fail_each(folder, name, most=None):
    """Each such call of both lives in turn, or about `most` of them, evenly, the first and the last
    included. The shorter life's number of calls, and the figures."""
    calls, error, ways, check = SETTINGS[name]
    figures = Figures()
    shortest = None
    for over_a_log in (False, True):
        trace = one(folder / "whole", calls, error, 0, False, over_a_log, check, figures)
        n = sum(seen.call in calls.split() and seen.kind in KINDS for seen in trace)
        shortest = n if shortest is None else min(n, shortest)
        step = max(1, n * len(ways) * 2 // most) if most else 1
        for for_ever in ways:
            for nth in sorted({*range(1, n + 1, step), n}):
                one(folder / f"{nth}", calls, error, nth, for_ever, over_a_log, check, figures)
    return shortest, figures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cycles", type=int, default=0, help="about so many lives (0: all)")
    parser.add_argument("--seed", type=int, help="nothing is drawn by chance")
    args = parser.parse_args()
    found = []
    total = Figures()
    for name in SETTINGS:
        with tempfile.TemporaryDirectory(prefix="tallyd-calls-") as folder:
            try:
                _, figures = fail_each(pathlib.Path(folder), name,
                                       args.cycles and max(1, args.cycles // len(SETTINGS)))
                total.cycles += figures.cycles
                total.acknowledged += figures.acknowledged
            except AssertionError as wrong:
                found.append(wrong)
                print(f"{wrong}: {wrong.__cause__}", file=sys.stderr)
    print(f"cycles {total.cycles}, acknowledged {total.acknowledged}, found {len(found)}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
