"""In which order the daemon touches its files, and starts that cannot read them."""
import os
import subprocess

import pytest

import harness
import shim


def positions(trace, call, kind):
    return [i for i, seen in enumerate(trace) if (seen.call, seen.kind) == (call, kind)]


def total(trace, call, kind):
    return sum(seen.detail for seen in trace if (seen.call, seen.kind) == (call, kind))


def sqlites_open(trace):
    """tallyd itself opens the store only to look at its header, and never to write."""
    return next(i for i in positions(trace, "open", "main") if trace[i].detail & os.O_RDWR)


def files(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())
            if path.suffix not in (".ballast", ".lock")}


@pytest.fixture
def killed(daemon):
    """A daemon that was killed: its last votes are in the log alone."""
    daemon.start()
    daemon.poll("p")
    for i in range(5):
        assert daemon.vote("p", 1, f"v{i}").status == 201
    daemon.kill()
    daemon.shim.forget()
    return daemon


def test_the_whole_log_is_written_again_and_synced_before_sqlite_opens_the_store(killed):
    log = killed.state / "tally.db-wal"
    before = log.read_bytes()
    killed.start()
    trace = killed.shim.trace()
    start = trace[:sqlites_open(trace)]
    assert total(start, "read", "wal") >= len(before)
    assert total(start, "write", "wal") == len(before) > 0
    assert positions(start, "write", "wal")[-1] < positions(start, "sync", "wal")[-1]
    assert log.read_bytes() == before
    assert killed.tally("p")["votes"] == 5


def test_a_log_of_any_size_is_written_again_in_pieces(killed):
    log = killed.state / "tally.db-wal"
    os.truncate(log, (5 << 20) + 123)  # SQLite stops at the first frame that is none
    before = log.read_bytes()
    killed.start()
    trace = killed.shim.trace()
    start = trace[:sqlites_open(trace)]
    assert total(start, "write", "wal") == len(before)
    assert max(start[i].detail for i in positions(start, "read", "wal")) <= 1 << 20
    assert log.read_bytes() == before
    assert killed.tally("p")["votes"] == 5


def test_the_key_and_its_folder_are_synced_before_there_is_a_store(daemon):
    daemon.start()
    trace = daemon.shim.trace()
    written = positions(trace, "write", "keys")[-1]
    synced = positions(trace, "sync", "keys")[-1]
    opened = sqlites_open(trace)
    named = [at for at in positions(trace, "sync", "folder") if at < opened][-1]
    assert written < synced < named < opened


def test_no_vote_is_answered_before_its_log_is_synced(daemon):
    daemon.start()
    daemon.poll("p")
    for i in range(10):
        daemon.shim.forget()
        assert daemon.vote("p", 1, f"v{i}").status == 201
        trace = daemon.shim.trace()
        assert positions(trace, "write", "wal")[-1] < positions(trace, "sync", "wal")[-1]


def test_nothing_but_sqlite_opens_the_store_once_it_is_open(daemon):
    daemon.start()
    trace = daemon.shim.trace()
    assert positions(trace, "open", "main")[-1] == sqlites_open(trace)
    daemon.shim.forget()
    daemon.poll("p")
    for i in range(100):  # more than an idle moment leaves in the log
        assert daemon.vote("p", 1, f"v{i}").status == 201
    harness.until(lambda: positions(daemon.shim.trace(), "sync", "main"))
    assert positions(daemon.shim.trace(), "open", "main") == []


@pytest.mark.parametrize("call", ["read", "open"])
def test_a_start_that_cannot_read_its_files_says_so_and_changes_nothing(killed, call):
    before = files(killed.state)
    for nth in range(1, 200):
        killed.shim.arm(call, kinds=("main", "wal", "keys", "lock", "folder"), nth=nth)
        if killed.started():
            break
        assert killed.ended() == 1
        assert len(killed.log) == 1 and len(killed.log[0]) > 30, killed.log
        assert killed.shim.failed == 1
        assert files(killed.state) == before, (nth, killed.shim.trace())
        killed.shim.forget()
    assert nth > 3 and killed.shim.failed == 0, killed.shim.trace()
    assert killed.tally("p")["votes"] == 5


def test_a_start_that_cannot_sync_its_log_or_folder_changes_nothing_and_tries_it_once(killed):
    before = files(killed.state)
    for kind in ("wal", "folder"):
        for for_ever in (False, True):
            killed.shim.forget()
            killed.shim.arm("sync", kinds=(kind,), for_ever=for_ever)
            assert killed.start_refused()[0] == 1
            assert len(killed.log) == 1 and killed.state.name in killed.log[0], killed.log
            assert killed.shim.failed == 1
            assert files(killed.state) == before


def test_a_running_daemon_that_cannot_read_its_ledger_ends_and_loses_nothing(killed):
    killed.start()
    killed.shim.arm("read", for_ever=True)
    answer = killed.vote("p", 1, "late")  # who has voted is read now
    assert (answer.status, answer.json()["type"]) == (503, "/problems/outcome-unknown")
    assert killed.ended() == 1
    killed.shim.disarm()
    killed.start()
    assert killed.vote("p", 1, "late").json()["result"] == "counted"
    assert killed.vote("p", 1, "v3").json()["result"] == "already"
    assert killed.tally("p")["votes"] == 6


def without_a_log(daemon):
    """A store as --restore leaves it: its header says that it has a journal."""
    daemon.start()
    daemon.poll("p")
    daemon.stop()
    with open(daemon.state / "tally.db", "r+b") as store:
        store.seek(18)
        store.write(b"\x01\x01")


def test_a_start_that_could_not_switch_to_the_log_is_none(tmp_path):
    for nth in range(1, 100):
        folder = tmp_path / str(nth)
        folder.mkdir()
        daemon = shim.FaultyDaemon(folder)
        without_a_log(daemon)
        daemon.shim.arm("write", kinds=("journal",), nth=nth)
        if not daemon.started():
            assert daemon.ended() == 1
            continue
        try:
            daemon.shim.forget()
            assert daemon.vote("p", 1, "v").status == 201
            assert positions(daemon.shim.trace(), "write", "wal"), daemon.shim.trace()
        finally:
            daemon.end()
        if not daemon.shim.failed:
            break
    assert 3 < nth < 99


@pytest.mark.parametrize("error", ["EACCES", "EPERM"])
@pytest.mark.parametrize("nth", [1, 2])  # to read it, and to write it again
def test_a_log_that_belongs_to_somebody_else_is_no_disk_that_fails(killed, nth, error):
    killed.shim.arm("open", kinds=("wal",), nth=nth, error=error)
    status, log = killed.start_refused()
    assert status == 1 and killed.shim.failed
    assert "owner" in log[-1] and "disk" not in log[-1], log


def test_a_start_that_is_cut_off_before_the_first_version_is_told_to_be_that(daemon):
    told = 0
    for nth in range(1, 200):
        for path in daemon.state.iterdir():
            path.unlink()
        daemon.shim.arm("write sync truncate", kinds=("main", "wal", "folder"), nth=nth,
                        error="KILL")
        if daemon.started():
            break
        assert daemon.ended() < 0
        daemon.shim.disarm()
        if (daemon.state / "tally.db").exists():
            with daemon.shimmed():
                done = subprocess.run(
                    [harness.TALLYD, "--check-store", "--store", f"sqlite:{daemon.store}"],
                    capture_output=True, text=True)
            said = done.stdout + done.stderr
            assert "restore" not in said and "no such table" not in said, (nth, said)
            if done.returncode != 0:
                assert "very first start; start tallyd" in said, (nth, said)
                told += 1
        daemon.start()
        daemon.stop()
    assert told > 1, told
