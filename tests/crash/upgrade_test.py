import pathlib
import subprocess
import sys


def test_a_store_of_the_first_version_is_as_it_was_wherever_its_upgrade_is_killed():
    """Each write, sync and truncate of the start, and some pairs of them."""
    upgrade = pathlib.Path(__file__).with_name("upgrade.py")
    done = subprocess.run([sys.executable, str(upgrade), "--cycles", "70", "--seed", "1"],
                          timeout=500)
    assert done.returncode == 0
