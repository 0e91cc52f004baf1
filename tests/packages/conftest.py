"""The packages of this build, and a Debian that has nothing else to put them into."""
import fcntl
import os
import shutil
import subprocess

import pytest

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LONG_S = 900
EPOCH = "1764000000"


def run(*words, **more):
    more.setdefault("timeout", LONG_S)
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **more)
    assert done.returncode == 0, f"{words}: {done.stdout}"
    return done.stdout


def built(source, folder):
    """The packages of a build in that folder: name, file."""
    # ccache's base_dir would give the compiler other names for the files, which asserts print.
    environment = {**os.environ, "SOURCE_DATE_EPOCH": EPOCH, "CCACHE_BASEDIR": ""}
    run("cmake", "-S", source, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
        "-DTALLYD_TESTS=OFF", "-DCMAKE_INSTALL_PREFIX=/usr", env=environment)
    run("ninja", "-C", folder, env=environment)
    for name in os.listdir(folder):
        if name.endswith(".deb"):
            os.unlink(os.path.join(folder, name))
    run("cpack", "-G", "DEB", cwd=folder, env=environment)
    found = {name.split("_")[0]: os.path.join(folder, name)
             for name in os.listdir(folder) if name.endswith(".deb")}
    assert sorted(found) == ["tally", "tallyd"]
    return found


@pytest.fixture(scope="session")
def packages(tmp_path_factory):
    """Built in one place for all files of tests, one after the other, and copied from there."""
    folder = os.path.join(os.environ["TALLYD_BUILD"], "packages")
    os.makedirs(folder, exist_ok=True)
    mine = tmp_path_factory.mktemp("packages")
    with open(os.path.join(folder, ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return {name: shutil.copy(package, mine) for name, package in built(SOURCE, folder).items()}


def bootstrapped(root, packages, include, command):
    """Debian in that folder, the packages in its /root, and the command done inside."""
    done = subprocess.run(
        ["mmdebstrap", "--variant=apt", "--include=" + include, "bookworm", root,
         *(f"--customize-hook=copy-in {package} /root" for package in packages.values()),
         f"--customize-hook=chroot \"$1\" sh -c '{command}'"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=LONG_S, check=False, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    if "E: Failed to fetch" in done.stdout or "unable to mount" in done.stdout:
        # Where no Debian is to be had, or none may be mounted, there is none to install into.
        pytest.skip("no clean Debian here: " + done.stdout[-400:])
    assert done.returncode == 0, done.stdout[-4000:]
