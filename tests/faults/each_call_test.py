"""Each write and each sync of a whole life fails in turn, once and for ever.

A life: start, make or change a poll, take votes, end with a checkpoint; with no store before it, or
over the log that a killed daemon left. Whatever fails in it: who was told that a vote counts keeps
it, who was refused is nowhere, and who sends the same again is counted once.
"""
import os

import pytest

import shim

EARLIER = [("x", 3), ("y", 3)]
VOTERS = [("a", 1), ("b", 2), ("c", 1), ("d", 4)]


def make(title):
    return "PUT", "/v1/polls/p", {"title": title, "options": [{"label": c} for c in "abcd"]}


class Life:
    def __init__(self, folder, over_a_log):
        folder.mkdir()
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
            assert len(self.daemon.log) == 1, self.daemon.log
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


def fail_each(tmp_path, calls, error, check):
    """Both lives, once and for ever. Returns how many calls the shorter life has."""
    return min(fail_each_of(tmp_path, calls, error, for_ever, over_a_log, check)
               for for_ever in (False, True) for over_a_log in (False, True))


def fail_each_of(tmp_path, calls, error, for_ever, over_a_log, check):
    nth = 1
    while True:
        life = Life(tmp_path / f"{error}-{for_ever}-{over_a_log}-{nth}", over_a_log)
        life.shim.arm(calls, nth=nth, for_ever=for_ever, error=error)
        life.live()
        try:
            if life.shim.failed:
                check(life)
            else:
                check_whole(life)
            trace = life.shim.trace()
            life.check_next_life()
        except Exception as wrong:
            raise AssertionError(
                f"call {nth}, for ever: {for_ever}, over a log: {over_a_log}: "
                f"{life.shim.trace()}, {life.daemon.log}") from wrong
        finally:
            life.daemon.end()
        if not any(seen.failed for seen in trace):
            return nth - 1
        nth += 1


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
    assert any("I/O" in line or "Input/output" in line or "No space" in line
               for line in life.daemon.log)
    has_log = any((seen.call, seen.kind) == ("write", "wal") for seen in trace[:fatal[0]])
    if trace[fatal[0]].call == "sync" and has_log:
        assert [seen for seen in trace[fatal[0] + 1:] if seen.call == "sync"] == []


def test_a_write_that_fails_loses_nothing(tmp_path):
    assert fail_each(tmp_path, "write", "EIO", check_broken) > 40


def test_a_sync_that_fails_loses_nothing_and_is_never_tried_again(tmp_path):
    assert fail_each(tmp_path, "sync", "EIO", check_broken) > 8


def test_a_full_disk_that_shows_in_a_sync_is_a_broken_one(tmp_path):
    assert fail_each(tmp_path, "sync", "ENOSPC", check_broken) > 8


def test_a_write_that_is_cut_short_is_carried_on(tmp_path):
    assert fail_each_of(tmp_path, "write", "short", False, False, check_whole) > 40
    assert fail_each_of(tmp_path, "write", "short", False, True, check_whole) > 40


@pytest.mark.parametrize("error", ["ENOSPC", "EDQUOT"])
def test_a_disk_that_is_full_loses_nothing(tmp_path, error):
    def check(life):
        """It goes on; only a start that has to write, and cannot, is refused."""
        if life.status == 0:
            assert not set(life.counted) & life.refused
            assert len(life.counted) + len(life.refused) in (0, len(VOTERS),
                                                             len(EARLIER + VOTERS))
        else:
            assert (life.status, len(life.daemon.log)) == (1, 1)

    assert fail_each(tmp_path, "write", error, check) > 40


@pytest.mark.parametrize("call, nth", [("write", 1), ("write", 3), ("sync", 1), ("truncate", 1)])
def test_an_idle_checkpoint_that_fails_ends_the_daemon_and_loses_nothing(daemon, call, nth):
    daemon.start()
    daemon.poll("p")
    daemon.shim.arm(call, kinds=("main",), nth=nth)
    counted = 0
    try:
        while counted < 1000 and daemon.vote("p", 1, f"v{counted}").status == 201:
            counted += 1
    except OSError:
        pass
    assert daemon.ended() == 1
    assert any("I/O" in line for line in daemon.log)
    daemon.start()
    assert daemon.vote("p", 1, f"v{counted}").status in (200, 201)
    assert daemon.tally("p")["votes"] == counted + 1


def test_a_truncate_that_fails_loses_nothing(tmp_path):
    assert fail_each(tmp_path, "truncate", "EIO", lambda life: None) > 0
