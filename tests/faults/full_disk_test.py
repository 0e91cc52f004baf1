"""A disk that is full is no broken one: votes wait, reads go on, and so does the daemon."""
import pathlib
import sqlite3
import warnings

import pytest

import full_disk
import harness
from bulk import ballot, bulk_all
from full_disk import refused

BALLAST = 8 << 20
CYCLES = 10


@pytest.fixture
def small(tmp_path):
    with full_disk.small_disk(tmp_path, warnings.warn) as daemon_and_disk:
        yield daemon_and_disk


def reads_stay_up(daemon, votes):
    assert daemon.public("GET", "/v1/polls/p/tally").json()["votes"] == votes
    assert daemon.public("GET", "/v1/polls").status == 200
    assert daemon.public("GET", "/livez").status == 200


def until_refused(daemon):
    """Votes until there is no room for one: a refusal empties the log, so the same vote may find
    room there when it is sent again. Who was counted."""
    counted = []
    for i in range(5000):
        answer = daemon.vote("p", 2, f"more{i}")
        if answer.status == 503:
            assert refused(answer), answer
            answer = daemon.vote("p", 2, f"more{i}")
        if answer.status == 503:
            assert refused(answer), answer
            return counted
        assert answer.json()["result"] == "counted", answer
        counted.append(f"more{i}")
    raise AssertionError("the disk never was full")


def freed_ballast(daemon):
    return any((seen.call, seen.kind, seen.failed) == ("unlink", "ballast", False)
               for seen in daemon.shim.trace())


def test_a_full_disk_refuses_votes_and_nothing_else_until_there_is_room(small):
    daemon, disk = small
    daemon.start()
    daemon.poll("p")
    for i in range(10):
        assert daemon.vote("p", 1, f"v{i}").status == 201
    assert (daemon.state / "tally.db.ballast").stat().st_blocks * 512 >= BALLAST

    daemon.shim.forget()
    disk.fill()
    assert refused(daemon.vote("p", 2, "late"))
    assert freed_ballast(daemon)
    reads_stay_up(daemon, 10)
    counted = [f"v{i}" for i in range(10)]
    if disk.real:
        # The ballast's room is the votes' now, and then that of the log, which was emptied.
        assert daemon.vote("p", 2, "late").json()["result"] == "counted"
        disk.fill()
        counted += ["late", *until_refused(daemon)]
        assert len(counted) > 12
    for i in range(5):
        assert refused(daemon.vote("p", 2, f"later{i}"))
        reads_stay_up(daemon, len(counted))
    daemon.stop()

    if disk.real:
        disk.fill()  # up to what the log gave back
    daemon.start()
    reads_stay_up(daemon, len(counted))
    if disk.real:
        disk.fill()
    assert refused(daemon.vote("p", 2, "later0"))
    disk.empty()
    for voter in [f"later{i}" for i in range(5)]:
        assert daemon.vote("p", 2, voter).json()["result"] == "counted"
        counted.append(voter)
    for voter in counted:
        option = 1 if voter.startswith("v") else 2
        assert daemon.vote("p", option, voter).json()["result"] == "already"
    daemon.stop()
    daemon.start()
    votes = [option["votes"] for option in daemon.tally("p")["options"]]
    assert votes == [10, len(counted) - 10, 0, 0]
    assert (daemon.state / "tally.db.ballast").exists()
    daemon.stop()


def test_an_end_on_a_full_disk_leaves_no_vote_in_the_log_alone(small):
    daemon, disk = small
    if not disk.real:
        pytest.skip("a pretended one refuses what takes no room, too")
    daemon.config += "[store]\nballast = 0\n"
    daemon.start()
    daemon.poll("p")
    for i in range(3):  # fewer than an idle moment takes out of the log
        assert daemon.vote("p", 1, f"v{i}").status == 201
    disk.fill()
    daemon.stop()
    assert not any("votes are refused" in line for line in daemon.log)
    for name in ("-wal", ".lock"):
        pathlib.Path(daemon.store + name).unlink(missing_ok=True)
    with sqlite3.connect(f"file:{daemon.store}?immutable=1", uri=True) as store:
        assert store.execute("SELECT count(*) FROM vote").fetchone() == (3,)
    store.close()
    daemon.start()
    reads_stay_up(daemon, 3)
    daemon.stop()


def test_an_end_on_a_disk_too_full_for_the_mark_leaves_the_log_and_a_whole_file(daemon):
    daemon.start()
    daemon.poll("p")
    for i in range(10):
        assert daemon.vote("p", 1, f"v{i}").status == 201
    daemon.shim.arm("write allocate", kinds=("wal", "ballast"), for_ever=True, error="ENOSPC")
    daemon.stop()
    assert not any("votes are refused" in line for line in daemon.log)
    daemon.shim.disarm()
    assert (daemon.state / "tally.db-wal").stat().st_size > 0
    with sqlite3.connect(f"file:{daemon.store}?immutable=1", uri=True) as store:
        assert store.execute("SELECT count(*) FROM vote").fetchone() == (10,)
    store.close()
    daemon.start()
    reads_stay_up(daemon, 10)
    daemon.stop()
    assert not (daemon.state / "tally.db-wal").exists()


def test_a_ballast_does_not_take_the_last_room(small):
    daemon, disk = small
    if not disk.real:
        pytest.skip("only a real disk has a last room")
    disk.fill(left=BALLAST + (1 << 20))
    daemon.start()
    assert any("no room for a ballast" in line for line in daemon.log)
    assert not (daemon.state / "tally.db.ballast").exists()
    daemon.poll("p")
    for i in range(10):
        assert daemon.vote("p", 1, f"v{i}").status == 201
    daemon.stop()


@pytest.mark.parametrize("error", ["ENOSPC", "EDQUOT"])
@pytest.mark.parametrize("kinds", [("wal",), ("wal", "main")])
def test_a_refused_vote_that_is_sent_again_is_counted_once_there_is_room(daemon, error, kinds):
    daemon.start()
    daemon.poll("p")
    daemon.vote("p", 1, "a")
    daemon.shim.forget()
    daemon.shim.arm("write", kinds=kinds, for_ever=True, error=error)
    for _ in range(3):
        assert refused(daemon.vote("p", 2, "b"))
        assert daemon.vote("p", 1, "a").json()["result"] == "already"
        reads_stay_up(daemon, 1)
    assert refused(daemon.admin("PUT", "/v1/polls/q", {"title": "T", "kind": "rating"}))
    assert daemon.public("GET", "/v1/polls/q").status == 404
    assert freed_ballast(daemon)
    assert sum("is full" in line for line in daemon.log) <= 2  # not once a vote
    daemon.shim.disarm()
    answer = daemon.vote("p", 2, "b").json()
    assert (answer["result"], answer["receipt"]["seq"]) == ("counted", 2)
    assert daemon.poll("q", kind="rating").status == 201
    daemon.stop()
    daemon.start()
    assert [option["votes"] for option in daemon.tally("p")["options"]] == [1, 1, 0, 0]


def test_no_line_in_bulk_is_refused_for_another_that_was_not_counted(daemon):
    daemon.start()
    daemon.poll("p")
    lines = [ballot("p", 1, "a"), ballot("p", 2, "a"), ballot("p", 9, "b"), ballot("p", 1, "c")]
    daemon.shim.arm("write", kinds=("wal",), for_ever=True, error="ENOSPC")
    refused_lines = bulk_all(daemon, *lines)
    assert [line["status"] for line in refused_lines] == [503, 503, 422, 503]
    assert {line["error"] for line in refused_lines} == {"store-unavailable", "invalid"}
    daemon.shim.disarm()
    again = bulk_all(daemon, *lines)
    assert [line.get("result", line.get("error")) for line in again] == [
        "counted", "already-voted", "invalid", "counted"]


@pytest.mark.parametrize("error", ["ENOSPC", "EDQUOT"])
def test_a_poll_deleted_on_a_full_disk_is_gone_and_so_is_the_log_once_there_is_room(daemon, error):
    daemon.start()
    for poll in "pq":
        daemon.poll(poll)
        daemon.vote(poll, 1, "a")
    for nth in range(1, 100):  # the write of a page from which on there is no room
        daemon.shim.arm("write", kinds=("main",), nth=nth, for_ever=True, error=error)
        answer = daemon.admin("DELETE", "/v1/polls/q")
        if answer.json()["type"] == "/problems/outcome-unknown":
            break
        assert refused(answer), answer  # nothing was done
        assert daemon.public("GET", "/v1/polls/q/tally").json()["votes"] == 1
        assert daemon.vote("q", 1, "a").json()["result"] == "already"
        daemon.shim.disarm()
    assert nth > 1 and "this is done" in answer.json()["detail"]
    reads_stay_up(daemon, 1)
    assert daemon.vote("p", 1, "b").json()["result"] == "counted"
    assert daemon.public("GET", "/v1/polls/q").status == 404
    assert (daemon.state / "tally.db-wal").stat().st_size > 0
    daemon.shim.forget()
    daemon.shim.disarm()
    assert daemon.admin("GET", "/v1/status").status == 200  # a turn of the writer, without a write
    harness.until(lambda: any((seen.call, seen.kind, seen.failed) == ("truncate", "wal", False)
                              for seen in daemon.shim.trace()))
    assert daemon.vote("p", 1, "c").json()["result"] == "counted"
    daemon.stop()


@pytest.mark.parametrize("error", ["ENOSPC", "EDQUOT"])
def test_a_log_that_cannot_be_emptied_is_kept_and_emptied_later(daemon, error):
    daemon.start()
    daemon.poll("p")
    daemon.shim.arm("write", kinds=("main",), for_ever=True, error=error)
    for i in range(100):  # more than an idle moment leaves in the log
        assert daemon.vote("p", 1, f"v{i}").status == 201
    harness.until(lambda: daemon.shim.failed > 0)
    reads_stay_up(daemon, 100)
    daemon.stop()
    assert (daemon.state / "tally.db-wal").stat().st_size > 0
    daemon.shim.disarm()
    daemon.start()
    assert daemon.tally("p")["votes"] == 100
    daemon.stop()
    assert not (daemon.state / "tally.db-wal").exists()


def test_a_disk_that_fills_again_and_again_loses_no_vote_and_keeps_no_daemon_from_ending():
    sums = full_disk.run(CYCLES, seed=7, tell=warnings.warn)
    assert sums.clean(), vars(sums)
    assert sums.refused > 0 and sums.acknowledged > 0
    assert sums.freed > 0
