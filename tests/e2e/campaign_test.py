"""script/campaign runs its drivers, and does not hide what one of them finds."""
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).parents[2]
CAMPAIGN = ROOT / "script" / "campaign"


def campaign(*arguments):
    return subprocess.run([CAMPAIGN, *arguments], capture_output=True, text=True, timeout=120)


def test_a_driver_that_finds_something_makes_the_campaign_fail(tmp_path):
    (tmp_path / "tallyd").symlink_to("/bin/false")
    done = campaign("kill", "--cycles", "1", "--seed", "7", "--no-build", "--build", tmp_path)
    assert done.returncode == 1
    assert "kill: found something (1): tests/crash/kill.py --cycles 1 --seed 7" in done.stderr


def test_a_driver_that_finds_nothing_ends_in_a_line_of_figures():
    done = campaign("kill", "--cycles", "1", "--no-build", "--build", os.environ["TALLYD_BUILD"])
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"kill: cycles 1, acknowledged \d+, lost 0, phantom 0, hung 0, "
                        r"crashed 0\n", done.stdout)


def test_a_driver_that_is_not_there_is_a_usage_error():
    done = campaign("nothing")
    assert done.returncode == 2
    assert "there is no nothing; there are kill" in done.stderr


def test_every_driver_of_the_list_has_a_row_in_the_documentation():
    listed = [line.split()[0] for line in campaign("--list").stdout.splitlines()]
    text = (ROOT / "docs" / "reliability.md").read_text()
    assert listed and [name for name in listed if f"`script/campaign {name}`" not in text] == []
