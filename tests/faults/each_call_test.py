"""Calls of a whole life that fail in turn, sampled (each_call.py has all), and some by themselves."""
import subprocess

import pytest

import each_call
import harness

SAMPLED = 12  # lives of a setting; a life has 8 to 70 of its calls


@pytest.mark.parametrize("name", each_call.SETTINGS)
def test_a_call_that_fails_loses_nothing_and_says_which_file(tmp_path, name):
    calls, figures = each_call.fail_each(tmp_path, name, SAMPLED)
    assert calls > 0 and figures.cycles >= SAMPLED // 2


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


@pytest.mark.parametrize("kind", ["main", "wal"])
def test_a_disk_that_cannot_be_read_is_never_called_a_damaged_store(daemon, kind):
    """By --check-store, at each of its reads; nobody shall restore a backup for that."""
    daemon.start()
    daemon.poll("p")
    for i in range(30):
        assert daemon.vote("p", 1, f"v{i}").status == 201
    if kind == "main":
        daemon.stop()
    else:
        daemon.kill()
    for nth in range(1, 1000):
        daemon.shim.arm("read", kinds=(kind,), nth=nth, for_ever=True)
        with daemon.shimmed():
            done = subprocess.run([harness.TALLYD, "--check-store", "--store",
                                   f"sqlite:{daemon.store}"], capture_output=True, text=True,
                                  timeout=harness.START_S)
        if not daemon.shim.failed:
            assert done.returncode == 0, done
            break
        assert done.returncode == 1 and "Input/output error" in done.stderr, done
        assert not any(word in done.stdout + done.stderr
                       for word in ("damaged", "malformed", "restore a backup")), done
    assert nth > 5
