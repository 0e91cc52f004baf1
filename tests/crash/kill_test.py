import pathlib
import subprocess
import sys


def test_50_kills_at_random_moments_lose_no_vote_and_count_none_twice():
    kill = pathlib.Path(__file__).with_name("kill.py")
    done = subprocess.run([sys.executable, str(kill), "--cycles", "50"], timeout=500)
    assert done.returncode == 0
