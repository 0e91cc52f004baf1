"""Killed, stopped, started again; and starts that must be refused."""
import os
import sqlite3
import subprocess
import threading

import harness


def test_what_was_answered_is_there_after_sigkill(daemon):
    daemon.poll("p", carried=[33, 30, 24, 21])
    for i in range(20):
        assert daemon.vote("p", 1, f"v{i}").status == 201
    before = daemon.tally("p")
    daemon.kill()
    daemon.start()
    assert daemon.tally("p") == before
    assert daemon.vote("p", 1, "v7").json() == {
        "result": "already", "receipt": {"poll": "p", "seq": 8}, "tally": before}
    assert daemon.vote("p", 2, "v7").status == 409


def test_sigterm_under_load_loses_no_answered_vote_and_exits_0(daemon):
    daemon.poll("p")
    counted = []

    def vote(worker):
        try:
            for i in range(100000):
                if daemon.vote("p", 1, f"{worker}-{i}").status == 201:
                    counted.append(1)
        except OSError:
            pass

    threads = [threading.Thread(target=vote, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    harness.until(lambda: len(counted) > 200)
    daemon.stop()
    for thread in threads:
        thread.join()
    daemon.start()
    assert daemon.tally("p")["votes"] == len(counted)


def refused(*args):
    done = subprocess.run([harness.TALLYD, *args], capture_output=True, text=True,
                          timeout=harness.START_S)
    lines = done.stderr.splitlines()
    assert len(lines) == 1, lines
    return done.returncode, lines[0]


def test_a_second_daemon_on_the_same_store_ends_with_one_line(daemon):
    status, line = refused("--socket", daemon.folder + "/other", "--store",
                           "sqlite:" + daemon.store)
    assert (status, "another tallyd" in line) == (1, True)
    assert daemon.tally is not None and daemon.public("GET", "/livez").status == 200


def test_what_cannot_be_listened_on_is_named_with_the_remedy(daemon, tmp_path):
    store = "sqlite:" + str(tmp_path / "x.db")
    status, line = refused("--listen", f"127.0.0.1:{daemon.port}", "--socket",
                           str(tmp_path / "x"), "--store", store)
    assert (status, "choose another port" in line) == (1, True)
    status, line = refused("--socket", daemon.socket, "--store", store)
    assert (status, "another process answers" in line) == (1, True)
    status, line = refused("--socket", "/tmp/" + "x" * 120, "--store", store)
    assert (status, "choose a shorter" in line) == (1, True)
    (tmp_path / "file").write_text("mine")
    status, line = refused("--socket", str(tmp_path / "file"), "--store", store)
    assert (status, (tmp_path / "file").read_text()) == (1, "mine")


def test_a_bad_option_is_exit_2(tmp_path):
    assert refused("--colour")[0] == 2
    assert refused("--threads", "0")[0] == 2
    assert refused("extra")[0] == 2


def test_a_file_that_is_none_of_ours_is_left_untouched(tmp_path):
    (tmp_path / "text").write_text("no database at all, but long enough to have a header. " * 4)
    with sqlite3.connect(tmp_path / "foreign") as other:
        other.execute("CREATE TABLE t (x)")
    for name in ("text", "foreign"):
        before = (tmp_path / name).read_bytes()
        harness_keys(tmp_path)
        status, line = refused("--socket", str(tmp_path / "s"), "--store",
                               f"sqlite:{tmp_path}/{name}")
        assert (status, "no store of tallyd" in line) == (1, True)
        assert (tmp_path / name).read_bytes() == before
        assert not (tmp_path / (name + "-wal")).exists()


def harness_keys(folder):
    path = folder / "keys"
    path.write_text("voters " + "0" * 64 + "\n")
    path.chmod(0o600)


def test_a_store_of_a_newer_tallyd_is_left_untouched(daemon):
    daemon.poll("p")
    daemon.stop()
    with sqlite3.connect(daemon.store) as newer:
        newer.execute("PRAGMA user_version = 999")
    newer.close()
    with open(daemon.store, "rb") as file:
        before = file.read()
    status, line = refused("--socket", daemon.socket, "--store", "sqlite:" + daemon.store)
    assert (status, "newer tallyd" in line) == (1, True)
    with open(daemon.store, "rb") as file:
        assert file.read() == before


def test_a_ledger_without_its_key_is_not_opened(daemon):
    daemon.poll("p")
    daemon.vote("p", 1, "a")
    daemon.stop()
    keys = os.path.join(daemon.folder, "keys")
    args = ("--socket", daemon.socket, "--store", "sqlite:" + daemon.store)
    os.rename(keys, keys + ".away")
    status, line = refused(*args)
    assert (status, "keys file" in line) == (1, True)
    with open(keys, "w", opener=lambda p, f: os.open(p, f, 0o600)) as file:
        file.write("voters " + "1" * 64 + "\n")
    status, line = refused(*args)
    assert (status, "keys are not those" in line) == (1, True)
    os.chmod(keys, 0o644)
    status, line = refused(*args)
    assert (status, "chmod 600" in line) == (1, True)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    status, line = refused("--socket", str(tmp_path / "s"), "--store",
                           f"sqlite:{tmp_path}/nowhere/tally.db")
    assert (status, "nowhere" in line) == (1, True)
