"""Forgetting that is cut off: what was begun is done by the next start, or never was."""
import pytest

import export_test
import shim


def contents(daemon):
    return b"".join(path.read_bytes() for path in sorted(daemon.state.iterdir())
                    if path.name.startswith("tally.db"))


def voters(daemon, poll):
    """The hash of each row, by seq."""
    return {row["seq"]: bytes.fromhex(row["voter"])
            for row in export_test.rows(daemon, f"/v1/polls/{poll}/votes?all=1")}


def begin(folder):
    folder.mkdir()
    daemon = shim.FaultyDaemon(folder)
    daemon.start()
    daemon.poll("p")
    for voter in ("a", "b", "c"):
        assert daemon.vote("p", 1, voter).status == 201
    assert daemon.admin("PATCH", "/v1/polls/p", {"state": "closed"}).status == 200
    return daemon


def forget(daemon, body):
    """None: the daemon is gone, and with it the answer."""
    try:
        return daemon.admin("POST", "/v1/polls/p/forget", body)
    except OSError:
        return None


@pytest.mark.parametrize("call", ["write", "sync", "truncate"])
def test_a_forgetting_that_the_disk_cuts_off_is_ended_by_the_next_start(tmp_path, call):
    ended_by_a_start = 0
    for nth in range(1, 60):
        daemon = begin(tmp_path / str(nth))
        try:
            old = voters(daemon, "p")
            daemon.shim.forget()
            daemon.shim.arm(call, kinds=("main", "wal"), nth=nth)
            answer = forget(daemon, {"voter": "b"})
            daemon.shim.disarm()
            if not daemon.shim.failed:
                assert answer.status == 200 and old[2] not in contents(daemon)
                break
            assert answer is None or answer.json()["type"] == "/problems/outcome-unknown"
            assert daemon.ended() == 1
            remembered = old[2] in contents(daemon)
            daemon.start()
            new = voters(daemon, "p")
            assert new[1] == old[1] and new[3] == old[3]
            if new[2] != old[2]:
                assert old[2] not in contents(daemon), (nth, daemon.shim.trace())
                ended_by_a_start += remembered
            assert forget(daemon, {"voter": "c"}).status == 200
            assert old[3] not in contents(daemon)
            assert daemon.admin("POST", "/v1/verify").json()["ok"]
            assert daemon.tally("p")["votes"] == 3
        finally:
            if daemon.process:
                daemon.stop()
    assert nth > 1 and not daemon.shim.failed
    # The log was emptied before: where only that fails the second time, nothing is left in it.
    assert ended_by_a_start > 0 or call == "truncate"


def test_a_forgetting_that_is_killed_behind_its_commit_is_ended_by_the_next_start(tmp_path):
    daemon = begin(tmp_path / "killed")
    try:
        old = voters(daemon, "p")
        # On a full disk the old page stays in the log, and the daemon goes on.
        for nth in range(1, 100):
            daemon.shim.arm("write", kinds=("main",), nth=nth, for_ever=True, error="ENOSPC")
            answer = forget(daemon, {"voter": "a"})
            if answer.json()["type"] == "/problems/outcome-unknown":
                break
            assert answer.json()["type"] == "/problems/store-unavailable"
            assert voters(daemon, "p") == old  # nothing was done
            daemon.shim.disarm()
        assert nth > 1
        again = forget(daemon, {})  # and again while it is full: not answered as if it were done
        assert again.json()["type"] == "/problems/store-unavailable"
        assert old[1] in contents(daemon)
        daemon.kill()
        daemon.start()  # it is still full
        assert voters(daemon, "p")[1] != old[1]
        assert old[1] in contents(daemon)
        daemon.kill()
        daemon.shim.disarm()
        daemon.start()
        assert old[1] not in contents(daemon)
        assert daemon.admin("POST", "/v1/verify").json()["ok"]
        daemon.stop()
        assert old[1] not in contents(daemon)
    finally:
        daemon.shim.disarm()
        if daemon.process:
            daemon.kill()
