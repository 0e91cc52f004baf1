"""docs/first-day.md: every command is typed as it stands, on a Debian that has only the packages."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from conftest import SOURCE, bootstrapped, run

PAGE = (pathlib.Path(SOURCE) / "docs" / "first-day.md").read_text()
SIZE = re.compile(r"\d+\.\d KiB")  # of an empty store: other tables, another one
MACHINE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "machine.py")

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a machine")


def steps():
    """Each command, and what the page says it prints."""
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.S):
        for step in re.split(r"^# ", block, flags=re.M)[1:]:
            command, _, shown = step.partition("\n")
            yield command, shown


def newer(package, folder):
    """The same package under a higher version: what an upgrade would bring, without its news."""
    tree = folder / (os.path.basename(package) + "-tree")
    run("dpkg-deb", "-R", package, str(tree))
    control = tree / "DEBIAN" / "control"
    control.write_text(re.sub(r"^Version: .*", "Version: 99-1", control.read_text(), flags=re.M))
    name = os.path.basename(package).split("_")
    path = str(folder / f"{name[0]}_99-1_{name[2]}")
    run("dpkg-deb", "-b", "--root-owner-group", str(tree), path)
    return path


@pytest.fixture
def machine(tmp_path, packages):
    """Debian with what a server has, and what nginx and the packages depend on: the walk itself has
    no network. promtool is from the machine of the test: where Prometheus runs is not this one."""
    root = tmp_path / "root"
    depends = "".join(f' && apt-get satisfy -y --no-install-recommends "$(dpkg-deb -f {one} Depends)"'
                      for one in (f"/root/{os.path.basename(path)}" for path in packages.values()))
    bootstrapped(str(root), packages, "debconf,systemd,nginx-light,openssl,curl", "true" + depends)
    (root / "root" / "newer").mkdir()
    for package in packages.values():
        shutil.copy(newer(package, tmp_path), root / "root" / "newer")
    shutil.copy(shutil.which("promtool"), root / "usr" / "local" / "bin")
    process = subprocess.Popen(
        ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", sys.executable, "-B",
         MACHINE, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def does(command):
        process.stdin.write(json.dumps(command) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    yield does
    process.stdin.close()
    process.wait()
    shutil.rmtree(root, ignore_errors=True)


def test_every_command_of_the_page_does_what_the_page_says(machine):
    """What it shows is compared; where it shows nothing, the command has to succeed."""
    daemons = set()
    commands = list(steps())
    assert len(commands) > 40 and PAGE.count("```") == 2 * PAGE.count("```console")
    for command, shown in commands:
        done = machine(command)
        assert done["status"] == 0, (command, done["output"])
        if shown:
            printed, shown = (SIZE.sub("SIZE", text.rstrip("\n")) for text in (done["output"], shown))
            assert printed == shown, command
        if "newer/" in command or "before-upgrade" in command:
            daemons.add(machine("pgrep -x tallyd")["output"])
    # The upgrade has started the daemon anew, and there is one.
    assert len(daemons) == 2 and all(pid.strip().isdigit() for pid in daemons)
