import pathlib
import subprocess
import sys


def test_backups_under_load_that_are_cut_off_or_not_are_whole_or_not_there():
    backups = pathlib.Path(__file__).with_name("backups.py")
    done = subprocess.run([sys.executable, str(backups), "--cycles", "15"], timeout=500)
    assert done.returncode == 0
