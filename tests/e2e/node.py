"""Runs programs with the npm packages of tests/node, which are installed into the build tree."""
import fcntl
import os
import pathlib
import shutil
import subprocess

SOURCES = pathlib.Path(__file__).resolve().parent.parent / "node"
INSTALLED = pathlib.Path(os.environ["TALLYD_BUILD"]) / "node"
INSTALL_S = 300
RUN_S = 60


def _is_newest():
    lock = INSTALLED / "installed.json"
    return lock.exists() and lock.read_bytes() == (SOURCES / "package-lock.json").read_bytes()


def modules():
    """The folder of the packages, exactly those of package-lock.json; npm is asked once."""
    INSTALLED.mkdir(exist_ok=True)
    with open(INSTALLED / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_newest():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(SOURCES / name, INSTALLED)
            ran = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                                 cwd=INSTALLED, capture_output=True, text=True, timeout=INSTALL_S,
                                 stdin=subprocess.DEVNULL, check=False)
            assert ran.returncode == 0, f"npm ci: {ran.stdout}{ran.stderr}"
            shutil.copy(SOURCES / "package-lock.json", INSTALLED / "installed.json")
    return INSTALLED / "node_modules"


def run(script, *args, given=""):
    """A file of tests/node, or "-" for a program that is `given`; returns its stdout."""
    path = script if script == "-" else str(SOURCES / script)
    ran = subprocess.run(["node", path, *args], input=given, capture_output=True, text=True,
                         env={"PATH": os.environ["PATH"], "NODE_PATH": str(modules())},
                         timeout=RUN_S, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
