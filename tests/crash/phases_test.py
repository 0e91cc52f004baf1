import pathlib
import subprocess
import sys


def test_a_kill_in_any_phase_of_the_daemon_s_life_loses_no_vote_and_counts_none_twice():
    phases = pathlib.Path(__file__).with_name("phases.py")
    done = subprocess.run([sys.executable, str(phases), "--cycles", "70", "--step", "5",
                           "--seed", "1"], timeout=500)
    assert done.returncode == 0
