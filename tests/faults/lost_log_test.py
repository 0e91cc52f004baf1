"""A store whose log is gone: nothing that fails while a start looks for it makes the store good."""
import os
import subprocess

import pytest

import harness
import memory
import shim


@pytest.fixture
def without(daemon):
    """The store of a daemon that was killed, and its log is away."""
    daemon.start()
    daemon.poll("p")
    assert daemon.vote("p", 1, "a").status == 201
    daemon.kill()
    os.unlink(daemon.store + "-wal")
    return daemon


def content(daemon):
    with open(daemon.store, "rb") as file:
        return file.read()


def check_store(daemon, **environment):
    with shim.environment(**environment):
        done = subprocess.run(
            [harness.TALLYD, "--check-store", "--store", f"sqlite:{daemon.store}"],
            capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def start(daemon, **environment):
    """A start that is to end by itself: what it said."""
    with shim.environment(**environment):
        done = subprocess.run(
            [harness.TALLYD, "--socket", daemon.socket, "--store", f"sqlite:{daemon.store}"],
            capture_output=True, text=True, timeout=20)
    return done.returncode, done.stdout + done.stderr


def test_a_read_that_fails_once_does_not_make_it_good(without):
    before = content(without)
    environment = dict(LD_PRELOAD=shim.SHIM, FAULTS_CONTROL=without.shim.path,
                       FAULTS_FOLDER=str(without.state))
    for run in (start, check_store):
        for nth in range(1, 100):
            without.shim.arm("read open", kinds=("main",), nth=nth, error="EIO")
            status, said = run(without, **environment)
            assert status == 1, (nth, said)
            assert content(without) == before, nth
            if not without.shim.failed:
                break
            assert "is gone" in said or "Input/output error" in said, (nth, said)
        assert nth > 3 and "is gone" in said


def test_memory_that_is_not_there_once_does_not_make_it_good(without):
    before = content(without)
    wanting = memory.Memory(without.shim.path + ".memory")
    environment = dict(LD_PRELOAD=memory.SHIM, MEMORY_CONTROL=wanting.path)
    for run in (start, check_store):
        for nth in range(1, 2000):
            wanting.arm(nth)
            status, said = run(without, **environment)
            assert status not in (0, None), (nth, said)
            assert content(without) == before, nth
            if not wanting.failed:
                break
        assert nth > 20 and "is gone" in said
