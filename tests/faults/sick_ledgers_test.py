"""Ledgers that a disk, or a hand, has damaged: a start says so and what to do, and touches nothing."""
import os
import shutil
import sqlite3
import subprocess

import pytest

import harness
from bulk import bulk_all

PAGE = 4096


@pytest.fixture
def folder(tmp_path):
    """A killed daemon's: the last commits are in the log alone."""
    (tmp_path / "d").mkdir()
    daemon = harness.Daemon(tmp_path / "d").start()
    daemon.poll("p")
    for i in range(20):
        assert daemon.vote("p", 1 + i % 4, f"v{i}").status == 201
    daemon.kill()
    yield daemon
    daemon.end()


def closed(daemon):
    daemon.start()
    daemon.stop()
    return daemon


def start(daemon):
    """A start that is to end: its one line."""
    done = subprocess.run(
        [harness.TALLYD, "--socket", daemon.socket, "--store", f"sqlite:{daemon.store}"],
        capture_output=True, text=True, timeout=60)
    lines = done.stderr.splitlines()
    assert (done.returncode, len(lines)) == (1, 1), lines
    return lines[0]


def refused(daemon, *words):
    line = start(daemon)
    assert all(word in line for word in words), line
    return line


def change(path, at, bytes_):
    with open(path, "r+b") as file:
        file.seek(at, os.SEEK_SET if at >= 0 else os.SEEK_END)
        file.write(bytes_)


def test_each_page_that_is_zeroed_is_told_of(folder):
    daemon = closed(folder)
    whole = open(daemon.store, "rb").read()
    silent = []
    for at in range(0, len(whole), PAGE):
        change(daemon.store, at, bytes(PAGE))
        checked = subprocess.run([harness.TALLYD, "--check-store", "--store",
                                  f"sqlite:{daemon.store}"], capture_output=True, text=True)
        if checked.returncode == 0:
            silent.append(at // PAGE + 1)
        with open(daemon.store, "wb") as file:
            file.write(whole)
    with sqlite3.connect(daemon.store) as store:
        free = store.execute("PRAGMA freelist_count").fetchone()[0]
    store.close()
    assert len(silent) <= free  # what is on a free page is nobody's


def test_a_poll_under_another_id_than_its_definition_has_is_told_of(folder):
    daemon = closed(folder)
    with sqlite3.connect(daemon.store) as store:
        store.execute("UPDATE poll SET id = 'q'")
    store.close()
    checked = subprocess.run([harness.TALLYD, "--check-store", "--store", f"sqlite:{daemon.store}"],
                             capture_output=True, text=True)
    lines = checked.stdout.splitlines()
    assert (checked.returncode, checked.stderr) == (1, "")
    assert lines[0] == "poll q: its definition is that of poll p" and "restore" in lines[-1]
    refused(daemon, "a poll has two ids", "restore")


def test_a_recount_finds_a_row_that_counts_the_same_and_is_another(folder):
    daemon = closed(folder)
    with sqlite3.connect(daemon.store) as store:
        store.execute("UPDATE vote SET at = at + 1 WHERE row & 4294967295 = 3")
    store.close()
    daemon.start()
    assert daemon.admin("POST", "/v1/verify").json() == {
        "ok": False, "polls": 1, "votes": 20,
        "mismatches": [{"poll": "p", "detail": "some row of it is not as it was written"}]}
    daemon.stop()


def check_store(daemon):
    done = subprocess.run([harness.TALLYD, "--check-store", "--store", f"sqlite:{daemon.store}"],
                          capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_a_store_whose_log_is_gone_is_refused_until_somebody_goes_on_without(folder):
    os.unlink(folder.store + "-wal")
    before = open(folder.store, "rb").read()
    for _ in range(2):  # the first start does not make the second one good
        refused(folder, folder.store + "-wal is gone", "restore", "unless another program",
                "empty file", "owner")
        assert open(folder.store, "rb").read() == before
        status, said = check_store(folder)
        assert status == 1 and "-wal is gone" in said
    open(folder.store + "-wal", "wb").close()
    folder.start()
    folder.stop()
    assert not os.path.exists(folder.store + "-wal")
    assert check_store(folder)[0] == 0
    folder.start()
    folder.stop()


def copied(daemon, folder):
    """The store's file and its keys, and nothing else that lies there."""
    folder.mkdir()
    for name in ("tally.db", "keys"):
        shutil.copy(os.path.join(daemon.folder, name), folder)
    return harness.Daemon(folder)


def restore(daemon, folder):
    shutil.copy(os.path.join(daemon.folder, "keys"), daemon.store + ".key")
    return subprocess.run(
        [harness.TALLYD, "--restore", daemon.store, "--store", f"sqlite:{folder}/tally.db"],
        capture_output=True, text=True)


def test_a_copy_of_the_file_alone_is_good_only_of_a_store_that_was_ended(folder, tmp_path):
    killed = copied(folder, tmp_path / "killed")
    refused(killed, "-wal is gone")
    new = tmp_path / "new"
    new.mkdir()
    restored = restore(killed, new)
    assert restored.returncode == 1 and not (new / "tally.db").exists()
    assert "tally backup" in restored.stderr and "empty file" not in restored.stderr
    folder.start()
    assert folder.vote("p", 1, "late").status == 201
    refused(copied(folder, tmp_path / "running"), "-wal is gone")
    folder.stop()
    ended = copied(folder, tmp_path / "ended").start()
    assert ended.tally("p")["votes"] == 21
    ended.stop()


def test_an_empty_journal_beside_it_is_no_log(folder):
    os.unlink(folder.store + "-wal")
    open(folder.store + "-journal", "wb").close()
    refused(folder, "-wal is gone")
    status, said = check_store(folder)
    assert status == 1 and "-wal is gone" in said


def test_what_is_restored_of_a_copy_with_an_empty_log_starts(folder, tmp_path):
    killed = copied(folder, tmp_path / "killed")
    open(killed.store + "-wal", "wb").close()
    new = tmp_path / "new"
    new.mkdir()
    restored = restore(killed, new)
    assert restored.returncode == 0, restored.stderr
    assert (new / "tally.db").read_bytes()[18:20] == b"\1\1"  # no log, until the next start
    daemon = harness.Daemon(new).start()
    daemon.stop()


@pytest.mark.parametrize("left", [0.9, 0.5, 0])
def test_a_store_that_is_cut_short_is_refused_and_stays_as_it_is(folder, left):
    daemon = closed(folder)
    os.truncate(daemon.store, int(os.path.getsize(daemon.store) * left) // PAGE * PAGE)
    before = open(daemon.store, "rb").read()
    refused(daemon, daemon.store, "restore")
    assert open(daemon.store, "rb").read() == before


def test_a_log_with_a_bad_byte_in_the_midst_is_refused_and_stays_as_it_is(folder):
    log = folder.store + "-wal"
    change(log, os.path.getsize(log) // 2, b"\xff\x00\xff")
    before = open(log, "rb").read()
    refused(folder, log, "commits behind", "--restore")
    assert open(log, "rb").read() == before
    checked = subprocess.run([harness.TALLYD, "--check-store", "--store",
                              f"sqlite:{folder.store}"], capture_output=True, text=True)
    assert checked.returncode == 1 and "is damaged" in checked.stderr


def test_a_log_that_ends_in_the_midst_of_a_transaction_is_none_of_a_sick_disk(folder):
    """As a power cut leaves it: the last vote had not been answered then."""
    os.truncate(folder.store + "-wal", os.path.getsize(folder.store + "-wal") - 100)
    folder.start()
    assert folder.tally("p")["votes"] == 19
    folder.end()


def test_a_log_without_its_store_is_named_and_not_removed(folder):
    os.rename(folder.store, folder.store + ".away")
    before = open(folder.store + "-wal", "rb").read()
    refused(folder, folder.store + "-wal", "without its store", "restore")
    assert open(folder.store + "-wal", "rb").read() == before
    assert not os.path.exists(folder.store)
    os.rename(folder.store + ".away", folder.store)
    folder.start()
    assert folder.tally("p")["votes"] == 20
    folder.end()


@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_a_directory_in_place_of_a_file_is_named(folder, suffix):
    path = folder.store + suffix
    os.unlink(path)
    os.mkdir(path)
    refused(folder, path)
    os.rmdir(path)


def test_a_store_on_a_medium_that_is_read_only_is_named(folder, tmp_path):
    medium = tmp_path / "medium"
    medium.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(medium)], capture_output=True,
                          text=True)
    if done.returncode != 0:
        pytest.skip("nothing can be mounted here: " + done.stderr.strip())
    try:
        shutil.copytree(folder.folder, medium / "d",
                        ignore=lambda _, names: [n for n in names if n in ("s", "socket")])
        subprocess.run(["mount", "-o", "remount,ro", str(medium)], check=True)
        daemon = harness.Daemon(folder.folder, store=str(medium / "d" / "tally.db"))
        refused(daemon, "Read-only")
    finally:
        subprocess.run(["umount", str(medium)], check=True)


def test_a_poll_whose_title_alone_is_another_is_refused(folder):
    daemon = closed(folder)
    whole = open(daemon.store, "rb").read()
    at = whole.index(b'"title":"') + len(b'"title":"')
    change(daemon.store, at, bytes([whole[at] ^ 1]))
    refused(daemon, "poll p is not as it was written", "--check-store", "--restore")


def test_a_row_of_another_voter_is_told_of_before_a_vote_is_taken(folder):
    daemon = closed(folder)
    with sqlite3.connect(daemon.store) as sick:
        sick.execute("UPDATE vote SET voter = zeroblob(16) WHERE seq = 3")
    sick.close()
    for _ in range(2):  # a start does not heal it
        daemon.start()
        assert daemon.tally("p")["votes"] == 20
        for voter in ("v2", "somebody new"):
            answer = daemon.vote("p", 3, voter)
            assert (answer.status, answer.json()["type"]) == (503, "/problems/store-unavailable")
            assert "damaged" in answer.json()["detail"]
        assert daemon.admin("POST", "/v1/polls/p/void",
                            {"from": "2026-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}
                            ).status == 503
        daemon.poll("q")
        assert daemon.vote("q", 1, "v").status in (200, 201)  # other polls go on
        lines = [{"poll": "p", "option": 1, "voter": "w"}, {"poll": "q", "option": 1, "voter": "w"}]
        told = bulk_all(daemon, *lines)
        assert [line.get("status", 200) for line in told] == [503, 200], told
        assert daemon.tally("p")["votes"] == 20
        daemon.stop()  # then all that it said has been read
        assert sum("poll p takes no votes" in line and "--restore" in line
                   for line in daemon.log) == 1
