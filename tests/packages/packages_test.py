"""The Debian packages: built twice, looked at by lintian, installed, upgraded and purged in a Debian
that has nothing else."""
import os
import re
import shutil

import pytest

from conftest import SOURCE, bootstrapped, built, run


def contents(package):
    return dict(reversed(line.split(maxsplit=5)[::5])
                for line in run("dpkg", "-c", package).splitlines())


def test_two_builds_in_two_places_are_the_same_bytes(packages, tmp_path):
    copy = tmp_path / "another" / "place"
    for name in run("git", "ls-files", "--cached", "--others", "--exclude-standard",
                    cwd=SOURCE).splitlines():
        if os.path.exists(os.path.join(SOURCE, name)):
            os.makedirs(os.path.dirname(copy / name), exist_ok=True)
            shutil.copy2(os.path.join(SOURCE, name), copy / name)
    again = built(str(copy), str(tmp_path / "build"))
    for name, package in packages.items():
        with open(package, "rb") as one, open(again[name], "rb") as other:
            assert one.read() == other.read(), name


def test_lintian_finds_no_error(packages):
    report = run("lintian", "--fail-on", "error", "--allow-root", *packages.values())
    assert not re.search(r"^E:", report, re.M), report


def test_each_package_has_what_an_administrator_looks_for(packages):
    daemon = contents(packages["tallyd"])
    for path in ("usr/sbin/tallyd", "etc/tallyd/tallyd.conf",
                 "usr/lib/systemd/system/tallyd.service",
                 "usr/lib/systemd/system/tallyd-http.socket",
                 "usr/lib/systemd/system/tallyd-local.socket", "usr/lib/sysusers.d/tallyd.conf",
                 "usr/share/man/man8/tallyd.8.gz", "usr/share/man/man5/tallyd.conf.5.gz",
                 "usr/share/doc/tallyd/copyright", "usr/share/doc/tallyd/changelog.gz"):
        assert "./" + path in daemon, path
    client = contents(packages["tally"])
    for path in ("usr/bin/tally", "usr/share/man/man1/tally.1.gz",
                 "usr/bin/tally-import", "usr/share/man/man1/tally-import.1.gz",
                 "usr/share/bash-completion/completions/tally",
                 "usr/share/zsh/vendor-completions/_tally", "usr/share/doc/tally/copyright"):
        assert "./" + path in client, path
    assert not [path for path in daemon if "/tally.1" in path or path.startswith("./var/")]


def field(package, name):
    return run("dpkg-deb", "-f", package, name).strip()


def test_the_packages_have_the_version_that_the_programs_say(packages, tmp_path):
    for name, program in (("tallyd", "usr/sbin/tallyd"), ("tally", "usr/bin/tally")):
        run("dpkg-deb", "-x", packages[name], str(tmp_path))
        said = run(str(tmp_path / program), "--version")
        assert said.startswith(f"{name} {field(packages[name], 'Version').split('-')[0]}"), said


def test_the_daemon_needs_what_it_links_and_no_client(packages):
    needs = field(packages["tallyd"], "Depends")
    for library in ("libevent-core", "libsqlite3-0", "libsodium", "libc6"):
        assert library in needs
    assert "tally" not in needs


@pytest.fixture(scope="module")
def debian(tmp_path_factory, packages):
    """A root directory with the packages in it, and with what they depend on."""
    root = str(tmp_path_factory.mktemp("debian") / "root")
    bootstrapped(root, packages, "debconf", "apt-get install -y --no-install-recommends"
                 " systemd-standalone-sysusers /root/*.deb")
    yield root
    shutil.rmtree(root, ignore_errors=True)


def inside(root, command):
    return run("chroot", root, "sh", "-c", command,
               env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive",
                    "LC_ALL": "C.UTF-8"})


def counted(root):
    """A vote by the installed programs, as the user of the service. What the tally says."""
    return inside(root, """
        install -d -o tallyd -g tallyd -m 0700 /var/lib/tallyd
        install -d -o tallyd -g tallyd /run/tallyd
        setpriv --reuid=tallyd --regid=tallyd --clear-groups env STATE_DIRECTORY=/var/lib/tallyd \\
            tallyd 2>/tmp/log & daemon=$!
        until tally list >/dev/null 2>&1; do kill -0 $daemon || exit 1; done
        tally create lunch --title Lunch --option Soup --option Rice >/dev/null
        tally vote lunch 2
        kill $daemon; wait $daemon""").splitlines()[-1]


def test_installed_it_counts_keeps_its_configuration_and_leaves_the_votes(debian, packages):
    assert inside(debian, "getent passwd tallyd").startswith("tallyd:")
    assert "is good" in inside(debian, "tallyd --check-config")
    assert counted(debian).endswith("0 (0%) 1 (100%)")

    inside(debian, "printf '[log]\\nlevel = debug\\n' > /etc/tallyd/tallyd.conf")
    inside(debian, "dpkg -i /root/tallyd_*.deb")  # as an upgrade does
    assert inside(debian, "cat /etc/tallyd/tallyd.conf") == "[log]\nlevel = debug\n"

    inside(debian, "dpkg --purge tallyd")
    assert inside(debian, "ls /etc/tallyd 2>/dev/null | cat; ls /usr/sbin/tallyd 2>/dev/null | cat"
                  ) == ""
    assert "tally.db" in inside(debian, "ls /var/lib/tallyd")

    inside(debian, "dpkg -i /root/tallyd_*.deb")
    inside(debian, "echo 'tallyd tallyd/purge-votes boolean true' | debconf-set-selections")
    inside(debian, "dpkg --purge tallyd")
    assert inside(debian, "ls -d /var/lib/tallyd 2>/dev/null | cat") == ""
