"""tally export: whole or told to be cut, from the real daemon and from one that fails."""
import csv
import io
import json
import os
import signal
import stat
import subprocess

import pytest

from client import ENDS_WITHIN_S, EVERYWHERE, TALLY, tally
from fake import Canned, whole


@pytest.fixture(name="canned")
def fixture_canned(tmp_path):
    made = []

    def make(answer, query="format=ndjson"):
        made.append(Canned(tmp_path / "s", {"GET /v1/polls/p/votes?" + query: answer}))
        return made[0]

    yield make
    for one in made:
        one.end()


def chunked(*chunks, end=True):
    body = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks) + (b"0\r\n\r\n" if end else b"")
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body


def test_standing_votes_and_all_rows_are_written_in_both_formats(daemon):
    daemon.poll("p", revote=True)
    for option, voter in ((1, "a"), (2, "b"), (3, "a")):
        daemon.vote("p", option, voter)
    ran = tally(daemon.folder, "export", "p")
    assert ran.returncode == 0, ran.stderr
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [(row["poll"], row["seq"], row["options"]) for row in rows] == [
        ("p", 2, [2]), ("p", 3, [3])]
    every = tally(daemon.folder, "export", "p", "--all").stdout
    assert [json.loads(line)["seq"] for line in every.splitlines()] == [1, 2, 3]
    table = list(csv.DictReader(io.StringIO(
        tally(daemon.folder, "export", "p", "--format", "csv").stdout.decode())))
    assert [(row["seq"], row["options"]) for row in table] == [("2", "2"), ("3", "3")]


def test_a_file_gets_the_same_bytes_and_the_mode_of_a_new_file(daemon):
    daemon.poll("p")
    for n in range(20):
        daemon.vote("p", n % 4 + 1, f"v{n}")
    plain = tally(daemon.folder, "export", "p").stdout
    for option in ("-o", "--output"):
        ran = tally(daemon.folder, "export", "p", option, "out")
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")
        path = os.path.join(daemon.folder, "out")
        with open(path, "rb") as file:
            assert file.read() == plain
        mask = os.umask(0)
        os.umask(mask)
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o666 & ~mask
        os.unlink(path)


def test_a_poll_that_is_not_there_is_5_and_leaves_no_file(daemon):
    before = sorted(os.listdir(daemon.folder))
    ran = tally(daemon.folder, "export", "nothing", "-o", "out")
    assert ran.returncode == 5
    assert len(ran.stderr.splitlines()) == 2
    assert sorted(os.listdir(daemon.folder)) == before


CUTS = {
    "between two chunks": chunked(b'{"seq":1}\n', end=False),
    "in a chunk": chunked(b'{"seq":1}\n')[:-10],
    "before the end chunk is whole": chunked(b'{"seq":1}\n')[:-2],
    "behind the head": chunked(end=False),
    "in a body of known length": whole(b'{"seq":1}\n{"seq":2}\n')[:-5],
}


@pytest.mark.parametrize("row", CUTS)
def test_a_cut_export_is_3_and_never_a_file(canned, tmp_path, row):
    canned(CUTS[row])
    (tmp_path / "out").write_bytes(b"older")
    ran = tally(tmp_path, "export", "p", "-o", "out")
    assert ran.returncode == 3, ran.stderr
    assert b"the export was cut" in ran.stderr and len(ran.stderr.splitlines()) == 2
    assert (tmp_path / "out").read_bytes() == b"older"
    assert sorted(os.listdir(tmp_path)) == ["out", "s"]


def test_a_cut_export_to_stdout_says_that_it_is_one(canned, tmp_path):
    canned(CUTS["between two chunks"])
    ran = tally(tmp_path, "export", "p")
    assert (ran.returncode, ran.stdout) == (3, b'{"seq":1}\n')
    assert b"only a part" in ran.stderr


def test_an_older_file_is_replaced_and_a_link_leads_to_its_file(canned, tmp_path):
    canned(whole(b"new\n"))
    (tmp_path / "real").write_bytes(b"older\n")
    (tmp_path / "link").symlink_to("real")
    assert tally(tmp_path, "export", "p", "-o", "link").returncode == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new\n"


@pytest.mark.parametrize("mode", [0o640, 0o600, 0o664])
def test_a_file_that_is_replaced_keeps_its_mode_and_owner(canned, tmp_path, mode):
    canned(whole(b"new\n"))
    path = tmp_path / "out"
    path.write_bytes(b"older\n")
    if os.geteuid() == 0:
        os.chown(path, 1, 2)
    path.chmod(mode)
    was = os.stat(path)
    assert tally(tmp_path, "export", "p", "-o", "out").returncode == 0
    now = os.stat(path)
    assert path.read_bytes() == b"new\n"
    assert (now.st_mode, now.st_uid, now.st_gid) == (was.st_mode, was.st_uid, was.st_gid)


def test_a_device_stays_one(canned, tmp_path):
    canned(whole(b"new\n"))
    ran = tally(tmp_path, "export", "p", "-o", "/dev/stdout")
    assert (ran.returncode, ran.stdout) == (0, b"new\n"), ran.stderr


@pytest.mark.parametrize("path", ["no/such/folder/out", "/dev/full"])
def test_what_cannot_be_written_is_told(canned, tmp_path, path):
    canned(whole(b"new\n" * 100000))
    ran = tally(tmp_path, "export", "p", "-o", path)
    assert ran.returncode == 1
    assert len(ran.stderr.splitlines()) == 2 and path.encode() in ran.stderr


def test_stdout_that_takes_no_more_halfway_is_told_once_or_not_at_all(canned, tmp_path):
    canned(whole(b"new\n" * 100000))
    command = [TALLY, "--socket", str(tmp_path / "s"), "export", "p"]
    with open("/dev/full", "wb") as full:
        ran = subprocess.run(command, env=EVERYWHERE, stdout=full, stderr=subprocess.PIPE,
                             timeout=ENDS_WITHIN_S, check=False)
    assert (ran.returncode, ran.stderr.splitlines()) == (
        1, [b"tally: cannot write to stdout: No space left on device",
            b"tally: mend that and try again"])
    with subprocess.Popen(command, env=EVERYWHERE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as run:
        assert run.stdout.readline() == b"new\n"
        run.stdout.close()
        assert run.stderr.read() == b""
        assert run.wait(ENDS_WITHIN_S) == -signal.SIGPIPE


def test_the_options_become_the_query(canned, tmp_path):
    canned(whole(b"x\n"), "format=csv&all=1")
    assert tally(tmp_path, "export", "p", "--all", "--format", "csv").stdout == b"x\n"
    assert tally(tmp_path, "export", "p", "--format", "xml").returncode == 2
