"""Backups that are held at one of their calls: killed there, ended there, or asked for a second."""
import os
import select
import subprocess

import pytest

import harness

CALLS = "open write sync rename unlink"
SLICE_BYTES = 1 << 20  # what is copied between two turns of the writer
KINDS = ("draft", "other")  # drafts, the folder that backups lie in, and what has its name


def drafts(daemon):
    return [path for path in (daemon.state / "backups").glob("*") if ".part-" in path.name]


def named(daemon, name):
    """Whether the backup and its key have their names."""
    path = daemon.state / "backups" / name
    return path.exists(), path.with_name(name + ".key").exists()


def backup(daemon, name):
    return daemon.admin("POST", "/v1/backup", {"path": name})


def held_at(daemon, name, calls, nth=1, kinds=KINDS):
    """A backup that stands still at this call, or is done before: a wire for its answer."""
    daemon.shim.hold(calls, kinds, nth)
    wire = daemon.unix()
    wire.send(harness.request_bytes("POST", "/v1/backup", {"path": name}))
    harness.until(lambda: daemon.shim.held or select.select([wire.socket], [], [], 0)[0])
    return wire


def restore(daemon, name, folder):
    folder.mkdir()
    return subprocess.run(
        [harness.TALLYD, "--restore", str(daemon.state / "backups" / name), "--store",
         f"sqlite:{folder / 'tally.db'}"], capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def voted(daemon):
    daemon.start()
    daemon.poll("p")
    for i in range(5):
        assert daemon.vote("p", 1, f"v{i}").status == 201
    return daemon


def test_a_kill_at_any_call_leaves_no_backup_that_is_half(voted, tmp_path):
    seen = set()
    for nth in range(1, 200):
        name = f"b{nth}"
        wire = held_at(voted, name, CALLS, nth)
        if not voted.shim.held:
            assert wire.answer().status == 200
            break
        voted.kill()
        voted.shim.disarm()
        wire.close()
        whole, keyed = named(voted, name)  # the key is named first
        seen.add((bool(drafts(voted)), whole, keyed))
        assert keyed or not whole
        if whole:
            done = restore(voted, name, tmp_path / name)
            assert done.returncode == 0 and done.stdout.endswith(": 1 poll, 5 votes\n"), done
        voted.start()
        assert backup(voted, name).status == (409 if keyed else 200)
        for draft in drafts(voted):
            draft.unlink()
    assert nth < 199
    assert seen == {(False, False, False), (True, False, False), (True, False, True),
                    (False, True, True)}


def takes_connections(daemon):
    try:
        daemon.unix().close()
    except OSError:
        return False
    return True


def tell_to_end(daemon):
    """Until it takes no more connections: then its writer has been told, too."""
    daemon.process.terminate()
    harness.until(lambda: not takes_connections(daemon))


def answer_to(wire):
    answer = wire.answer()
    wire.close()
    return answer


def assert_given_up(daemon, answer):
    assert (answer.status, answer.json()["type"]) == (503, "/problems/store-unavailable"), answer
    assert "given up" in answer.json()["detail"]
    daemon.shim.disarm()
    assert daemon.ended() == 0
    assert named(daemon, "b") == (False, False) and not drafts(daemon)


def test_who_ends_gives_up_a_backup_that_is_being_copied(voted):
    """A store of several slices: it is held in the first, and ends before the second."""
    for i in range(60):
        voted.poll(f"long{i}", options=[{"label": "x" * 900}] * 60)
    voted.stop()
    voted.start()  # what was in its log lies in the store
    assert os.path.getsize(voted.store) > 2 * SLICE_BYTES
    wire = held_at(voted, "b", "write", kinds=("draft",))
    assert voted.shim.held
    tell_to_end(voted)
    voted.shim.disarm()
    assert_given_up(voted, answer_to(wire))


@pytest.mark.parametrize("nth", [1, 2])
def test_who_ends_gives_up_a_backup_whose_draft_or_key_is_being_synced(voted, nth):
    wire = held_at(voted, "b", "sync", nth, kinds=("draft",))
    assert voted.shim.held and drafts(voted)
    tell_to_end(voted)
    assert_given_up(voted, answer_to(wire))


@pytest.mark.parametrize("nth", [1, 2])
def test_who_ends_waits_for_a_backup_that_is_being_named(voted, nth):
    wire = held_at(voted, "b", "rename", nth)
    assert voted.shim.held
    tell_to_end(voted)
    voted.shim.disarm()
    assert answer_to(wire).status == 200
    assert voted.ended() == 0
    assert named(voted, "b") == (True, True) and not drafts(voted)


def test_of_two_at_once_one_is_busy_and_says_why(voted):
    for call in ("sync", "rename"):
        wire = held_at(voted, f"first-{call}", call)
        assert voted.shim.held
        busy = backup(voted, f"second-{call}")
        assert (busy.status, busy.json()["type"]) == (503, "/problems/busy")
        assert "another backup" in busy.json()["detail"]
        voted.shim.disarm()
        assert wire.answer().status == 200
        assert named(voted, f"second-{call}") == (False, False)
        assert backup(voted, f"second-{call}").status == 200


def test_a_backup_that_is_held_holds_up_no_vote(voted):
    wire = held_at(voted, "b", "sync")
    assert voted.shim.held
    for i in range(5):
        assert voted.vote("p", 2, f"later{i}").status == 201
    voted.shim.disarm()
    assert wire.answer().json()["votes"] == 5
    assert voted.tally("p")["votes"] == 10
