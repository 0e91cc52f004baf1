"""tally import, against a server that fails as it is told to, and against the real daemon.

Nothing here waits for a time: the server's Retry-After is 0, and what is asserted is what was
counted, kept and said.
"""
import json
import os
import subprocess

import pytest

import client
from client import ENDS_WITHIN_S, TALLY, tally
from fake import Fake, Plan
from harness import until


@pytest.fixture(name="fake")
def fixture_fake(tmp_path):
    made = []

    def make(*plans):
        made.append(Fake(tmp_path / "s", *plans))
        return made[0]

    yield make
    for one in made:
        one.end()


def vote(n, option=None):
    return json.dumps({"poll": "p", "option": option or n % 4 + 1, "voter": f"v{n}"},
                      separators=(",", ":")).encode() + b"\n"


def votes(count, first=1):
    return b"".join(vote(n) for n in range(first, first + count))


def summary(ran):
    return ran.stdout.decode().strip()


def test_all_lines_of_a_file_are_counted_as_they_stand(fake, tmp_path):
    server = fake()
    (tmp_path / "f").write_bytes(votes(5000))
    ran = tally(tmp_path, "import", "f")
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert summary(ran) == "imported f: 5000 lines, 5000 counted, 0 changed, 0 already, 0 refused"
    assert b"".join(line + b"\n" for line in server.bodies[0]) == votes(5000)
    assert not (tmp_path / "f.rejects").exists()
    head = server.heads[0].lower()
    assert head.startswith("post /v1/votes http/1.1\r\n")
    assert "transfer-encoding: chunked" in head and "expect: 100-continue" in head
    assert "content-type: application/x-ndjson" in head


def test_answers_are_taken_while_lines_are_sent(fake, tmp_path):
    """The server reads on only when its answers were taken; the file is larger than all buffers."""
    server = fake()
    (tmp_path / "f").write_bytes(votes(120000))
    ran = tally(tmp_path, "import", "f")
    assert ran.returncode == 0, ran.stderr
    assert summary(ran).startswith("imported f: 120000 lines, 120000 counted,")
    assert len(server.bodies) == 1 and len(server.votes) == 120000


def test_what_stands_already_and_what_changes_is_counted_by_itself(fake, tmp_path):
    fake()
    (tmp_path / "f").write_bytes(vote(1, 1) + vote(1, 1) + vote(1, 2) + b"\n  \t\r\n" + vote(2))
    ran = tally(tmp_path, "import", "f")
    assert summary(ran) == "imported f: 4 lines, 2 counted, 1 changed, 1 already, 0 refused"


def test_a_last_line_without_its_end_counts(fake, tmp_path):
    fake()
    (tmp_path / "f").write_bytes(votes(3)[:-1])
    assert summary(tally(tmp_path, "import", "f")).startswith("imported f: 3 lines, 3 counted,")


def test_refused_lines_are_kept_as_they_were_written_and_told_with_their_numbers(fake, tmp_path):
    fake()
    bad = [b'{"poll":"p", "option":9,  "voter":"x"}\n', b"\xff\x00\x1b[31mrubbish\r\n", b"{\n",
           b'{"poll":"p","option":1}']
    (tmp_path / "f").write_bytes(vote(1) + bad[0] + b"\n" + bad[1] + vote(2) + bad[2] + bad[3])
    ran = tally(tmp_path, "import", "f")
    assert ran.returncode == 6
    assert summary(ran) == "imported f: 6 lines, 2 counted, 0 changed, 0 already, 4 refused"
    assert (tmp_path / "f.rejects").read_bytes() == b"".join(bad) + b"\n"
    said = ran.stderr.decode().splitlines()
    assert said[:4] == ["f:2: there are only 4 options", "f:4: this is no vote",
                        "f:6: this is no vote", "f:7: this is no vote"]


def test_only_the_first_ten_reasons_are_told(fake, tmp_path):
    fake()
    (tmp_path / "f").write_bytes(b"".join(vote(n, 9) for n in range(25)))
    ran = tally(tmp_path, "import", "f")
    said = ran.stderr.decode().splitlines()
    assert len([line for line in said if line.startswith("f:")]) == 10
    assert "tally: f: 15 more lines were refused" in said
    assert (tmp_path / "f.rejects").read_bytes().count(b"\n") == 25


def test_mended_rejects_can_be_imported_and_leave_no_old_file(fake, tmp_path):
    fake()
    (tmp_path / "f").write_bytes(vote(1) + vote(2, 9))
    assert tally(tmp_path, "import", "f").returncode == 6
    rejects = tmp_path / "f.rejects"
    rejects.write_bytes(rejects.read_bytes().replace(b"9", b"2"))
    assert tally(tmp_path, "import", "f.rejects").returncode == 0
    (tmp_path / "f").write_bytes(vote(1))
    assert tally(tmp_path, "import", "f").returncode == 0
    assert not rejects.exists()


def test_refused_lines_of_a_pipe_go_to_stderr(fake, tmp_path):
    fake()
    ran = tally(tmp_path, "import", "-", stdin=vote(1) + vote(2, 9))
    assert ran.returncode == 6
    assert ran.stderr == b"-:2: there are only 4 options\n" + vote(2, 9)
    assert summary(ran) == "imported -: 2 lines, 1 counted, 0 changed, 0 already, 1 refused"
    assert os.listdir(tmp_path) == ["s"]


def test_rejects_that_cannot_be_written_go_to_stderr(fake, tmp_path):
    fake()
    (tmp_path / "f").write_bytes(vote(2, 9))
    (tmp_path / "f.rejects").mkdir()
    ran = tally(tmp_path, "import", "f")
    assert ran.returncode == 1
    assert vote(2, 9) in ran.stderr and b"f.rejects" in ran.stderr


LOSSES = {
    "closed after some answers": [Plan(cut_after=100), Plan()],
    "reset after some answers": [Plan(cut_after=100, reset=True), Plan()],
    "closed twice": [Plan(cut_after=1), Plan(cut_after=50), Plan()],
    "closed before any answer": [Plan(cut_after=0), Plan()],
    "ended in good order too early": [Plan(end_after=100), Plan()],
    "503 before the body": [Plan(status=503), Plan()],
    "503 for lines in the middle": [Plan(again_at=100), Plan()],
    "503 for the first line": [Plan(again_at=1), Plan()],
}


@pytest.mark.parametrize("source", ["file", "pipe"])
@pytest.mark.parametrize("row", LOSSES)
def test_it_goes_on_behind_the_last_answered_line(fake, tmp_path, row, source):
    server = fake(*LOSSES[row])
    lines = votes(150) + vote(1000, 9) + votes(20000, 200)
    (tmp_path / "f").write_bytes(lines)
    if source == "file":
        ran = tally(tmp_path, "import", "f")
    else:
        ran = tally(tmp_path, "import", "-", stdin=lines)
    assert ran.returncode == 6, ran.stderr
    found = summary(ran).split(" ")
    figures = dict(zip(found[3::2], found[2::2]))
    assert figures["lines,"] == "20151" and figures["refused"] == "1"
    assert int(figures["counted,"]) + int(figures["already,"]) == 20150
    assert len(server.votes) == 20150
    assert b"going on behind line" in ran.stderr
    assert ran.stderr.count(b"there are only 4 options") == 1


def test_a_connection_lost_is_the_end_with_no_retry(fake, tmp_path):
    fake(Plan(cut_after=100), Plan())
    (tmp_path / "f").write_bytes(votes(20000))
    ran = tally(tmp_path, "import", "--no-retry", "f")
    assert ran.returncode == 3
    assert b"stopped behind line 100 of f" in ran.stderr
    assert summary(ran).startswith("imported f in part: 100 lines, 100 counted,")


def test_lines_answered_503_are_no_rejects_with_no_retry(fake, tmp_path):
    fake(Plan(again_at=3))
    (tmp_path / "f").write_bytes(votes(10))
    ran = tally(tmp_path, "import", "--no-retry", "f")
    assert ran.returncode == 1
    assert b"line 3 is answered 503 for now: nobody knows" in ran.stderr
    assert not (tmp_path / "f.rejects").exists()


@pytest.mark.parametrize("status, exit_status", [(401, 4), (403, 4), (404, 5), (415, 1), (501, 1)])
def test_an_early_refusal_ends_the_sending(fake, tmp_path, status, exit_status):
    server = fake(Plan(status=status))
    (tmp_path / "f").write_bytes(votes(120000))
    ran = tally(tmp_path, "import", "f")
    assert ran.returncode == exit_status, ran.stderr
    assert ran.stdout == b""
    assert b"f: not now" in ran.stderr and len(ran.stderr.splitlines()) == 2
    assert server.votes == {} and len(server.heads) == 1


@pytest.mark.parametrize("nonsense", [
    b"hello", b"{}", b'{"line":7,"result":"counted"}', b'{"line":2,"result":"counted"}',
    b'{"line":3,"result":"odd"}', b'{"line":3,"status":"x"}', b'{"line":3,"result":"counted"',
])
def test_an_answer_to_another_line_ends_it(fake, tmp_path, nonsense):
    fake(Plan(nonsense_at={3: nonsense}))
    (tmp_path / "f").write_bytes(votes(5))
    ran = tally(tmp_path, "import", "f")
    assert ran.returncode == 1
    assert b"an answer is none to the line it is for" in ran.stderr


def test_a_daemon_that_is_not_there_is_3(tmp_path):
    (tmp_path / "f").write_bytes(votes(5))
    ran = tally(tmp_path, "import", "f")
    assert (ran.returncode, ran.stdout) == (3, b"")
    assert len(ran.stderr.splitlines()) == 2


def test_answers_that_come_only_at_the_end_are_waited_for(fake, tmp_path):
    server = fake(Plan(hold=True))
    (tmp_path / "f").write_bytes(votes(50000))
    ran = tally(tmp_path, "import", "f")
    assert ran.returncode == 0, ran.stderr
    assert len(server.votes) == 50000


def test_lines_of_a_pipe_are_answered_before_the_next_ones_are_written(fake, tmp_path):
    server = fake()
    with subprocess.Popen([TALLY, "--socket", str(tmp_path / "s"), "import", "-"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        for n in range(1, 6):
            run.stdin.write(vote(n))
            run.stdin.flush()
            while ("p", f"v{n}") not in server.votes:
                assert run.poll() is None
        out, _ = run.communicate(timeout=ENDS_WITHIN_S)
    assert out.startswith(b"imported -: 5 lines, 5 counted,")
    assert len(server.bodies) == 1


def test_a_pipe_that_says_nothing_more_does_not_hide_that_the_daemon_hung_up(fake, tmp_path):
    """libcurl 7.88 alone would wait a minute for the answers of a connection that has ended."""
    server = fake(Plan(end_after=5), Plan())
    with subprocess.Popen([TALLY, "--socket", str(tmp_path / "s"), "import", "-"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as run:
        run.stdin.write(votes(10))
        run.stdin.flush()
        assert b"going on behind line 5" in run.stderr.readline()
        until(lambda: len(server.votes) == 10)
        out, _ = run.communicate(timeout=ENDS_WITHIN_S)
    assert b"10 lines" in out


@pytest.mark.parametrize("content", [b"", b"\n\n\n", b"\n" * 500000])
def test_a_file_without_votes_imports_nothing(fake, tmp_path, content):
    fake()
    (tmp_path / "f").write_bytes(content)
    ran = tally(tmp_path, "import", "f")
    assert ran.returncode == 0, ran.stderr
    assert summary(ran) == "imported f: 0 lines, 0 counted, 0 changed, 0 already, 0 refused"


def test_a_line_of_a_megabyte_is_one_line(fake, tmp_path):
    fake()
    (tmp_path / "f").write_bytes(vote(1) + b"x" * (1 << 20) + b"\n" + vote(2))
    ran = tally(tmp_path, "import", "f")
    assert ran.returncode == 6
    assert summary(ran) == "imported f: 3 lines, 2 counted, 0 changed, 0 already, 1 refused"
    assert (tmp_path / "f.rejects").read_bytes() == b"x" * (1 << 20) + b"\n"


@pytest.mark.parametrize("args, status", [
    (["import"], 2), (["import", "a", "b"], 2), (["import", "--format", "xml", "f"], 2),
    (["import", "nothing"], 1), (["import", "."], 1),
])
def test_what_cannot_be_imported_is_told(tmp_path, args, status):
    ran = tally(tmp_path, *args)
    assert (ran.returncode, ran.stdout) == (status, b"")
    assert len(ran.stderr.splitlines()) == 2


# CSV


def test_csv_becomes_the_votes_that_it_says(fake, tmp_path):
    server = fake()
    (tmp_path / "f.csv").write_bytes(
        b'poll,options,voter\r\np,2,v1\r\n"p","1|3","a ""b"", c"\n\np,04,v3')
    ran = tally(tmp_path, "import", "f.csv")
    assert ran.returncode == 0, ran.stderr
    assert [json.loads(line) for line in server.bodies[0]] == [
        {"poll": "p", "option": 2, "voter": "v1"},
        {"poll": "p", "options": [1, 3], "voter": 'a "b", c'},
        {"poll": "p", "option": 4, "voter": "v3"}]
    assert summary(ran).startswith("imported f.csv: 3 lines, 3 counted,")


@pytest.mark.parametrize("header", [b"", b"poll,option,voter\n", b"p,1,v\n", b"poll,options\n",
                                    b"poll,options,voter,at\n", b"Poll,Options,Voter\n",
                                    b"poll;options;voter\n", b"x" * 5000])
def test_a_csv_with_another_header_is_refused_before_anything_is_sent(fake, tmp_path, header):
    server = fake()
    (tmp_path / "f").write_bytes(header + (b"p,1,v\n" if header else b""))
    ran = tally(tmp_path, "import", "--format", "csv", "f")
    assert (ran.returncode, ran.stdout) == (6, b"")
    assert ran.stderr.decode().splitlines()[0] == "tally: f:1: the header is not poll,options,voter"
    assert server.heads == []


def test_a_broken_record_is_a_refused_line_and_the_rest_goes_on(fake, tmp_path):
    server = fake(Plan(cut_after=2), Plan())
    header = b"poll,options,voter\n"
    bad = [b"p,1\n", b"p,1,v,x\n", b"p,two,v\n", b'p,1,"open\n', b"p,1,\xff\n", b"p,9,v\n",
           b'p,1,"v"w\n', b"p,,v\n", b"p,1,a" + b"b" * 20000 + b"\n"]
    body = b"p,1,v0\n" + b"".join(b + b"p,2,v%d\n" % i for i, b in enumerate(bad, 1))
    (tmp_path / "f.csv").write_bytes(header + body)
    ran = tally(tmp_path, "import", "f.csv")
    assert ran.returncode == 6
    assert len(server.votes) == 10
    assert (tmp_path / "f.csv.rejects").read_bytes() == header + b"".join(bad)
    said = [line.split(": ")[0] for line in ran.stderr.decode().splitlines()]
    assert [one for one in said if one.startswith("f.csv:")] == [
        f"f.csv:{n}" for n in range(3, 21, 2)]
    assert summary(ran).split(", ")[0] == "imported f.csv: 19 lines"
    assert summary(ran).endswith(", 9 refused")


# The real daemon


def figures_of(ran):
    found = summary(ran).replace(",", "").split(" ")
    return {name: int(n) for n, name in zip(found[2::2], found[3::2])}


def test_the_daemon_counts_what_was_imported_and_refuses_by_line(daemon):
    daemon.poll("p")
    daemon.poll("r", kind="rating")
    bad = [b"x" * 20000 + b"\n", b"\x00\xff\n", vote(7, 9),
           b'{"poll":"none","option":1,"voter":"v"}\n']
    lines = votes(3000) + b"\n" + b"".join(bad) + b'{"poll":"r","rating":5,"voter":"v"}\n'
    with open(os.path.join(daemon.folder, "f"), "wb") as file:
        file.write(lines)
    ran = tally(daemon.folder, "import", "f")
    assert ran.returncode == 6
    assert figures_of(ran) == {"lines": 3005, "counted": 3001, "changed": 0, "already": 0,
                               "refused": 4}
    with open(os.path.join(daemon.folder, "f.rejects"), "rb") as file:
        assert file.read() == b"".join(bad)
    said = ran.stderr.decode().splitlines()
    assert [line.split(": ")[0] for line in said[:4]] == [f"f:{3002 + n}" for n in range(4)]
    assert daemon.tally("p")["votes"] == 3000 and daemon.tally("r")["rating"] == 5
    assert figures_of(tally(daemon.folder, "import", "f"))["already"] == 3001


def test_csv_of_a_rating_counts_stars(daemon):
    daemon.poll("r", kind="rating")
    ran = tally(daemon.folder, "import", "--format", "csv", "-",
                stdin=b"poll,options,voter\nr,5,v\nr,4,w\n")
    assert ran.returncode == 0, ran.stderr
    assert daemon.tally("r")["rating"] == 4.5


def test_who_may_not_import_hears_it_before_a_line_is_sent(daemon):
    daemon.poll("p")
    with open(os.path.join(daemon.folder, "f"), "wb") as file:
        file.write(votes(60000))
    ran = subprocess.run([TALLY, "--url", f"http://127.0.0.1:{daemon.port}", "import",
                          os.path.join(daemon.folder, "f")], capture_output=True,
                         timeout=ENDS_WITHIN_S, check=False)
    assert (ran.returncode, ran.stdout) == (4, b"")
    assert len(ran.stderr.splitlines()) == 2
    assert daemon.tally("p")["votes"] == 0


@pytest.mark.parametrize("way", ["kill", "stop"])
def test_a_daemon_that_restarts_in_the_middle_loses_and_doubles_nothing(daemon, way):
    daemon.poll("p")
    with subprocess.Popen([TALLY, "--socket", daemon.socket, "import", "-"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as run:
        run.stdin.write(votes(50000))
        run.stdin.flush()
        until(lambda: daemon.tally("p")["votes"] > 0)
        getattr(daemon, way)()
        daemon.start()
        out, err = run.communicate(votes(50000, 50001), timeout=ENDS_WITHIN_S)
    assert run.returncode == 0, err
    found = out.decode().replace(",", "").split(" ")
    assert int(found[2]) == 100000 and b"going on behind line" in err
    assert daemon.tally("p")["votes"] == 100000


# On a terminal


def test_a_terminal_sees_how_far_it_is_and_nothing_of_it_stays(fake, tmp_path):
    fake()
    (tmp_path / "f").write_bytes(votes(60000))
    text = client.on_terminal("--socket", tmp_path / "s", "import", tmp_path / "f",
                              streams=("stderr",))
    assert "%" in text and "votes" in text and "/s" in text and "left" in text
    assert text.endswith("\r\033[K")
