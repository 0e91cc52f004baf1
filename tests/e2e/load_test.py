"""The load generator of script/bench finds every wrong reply.

A fake server answers as each row says; a figure from a run with a wrong reply would be no figure,
so the generator has to notice, say what it saw, and exit with 1.
"""

import base64
import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import threading
import time

import jwt
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("TALLYD_BUILD", ROOT / "build"))
LOAD = BUILD / "tests" / "load"
ENDS_WITHIN_S = 60

TALLY = b'"tally":{"id":"p","votes":1,"version":2}'


def http(body, status=b"201 Created", length=None):
    length = len(body) if length is None else length
    return b"HTTP/1.1 %s\r\nDate: x\r\ncontent-length: %d\r\n\r\n%s" % (status, length, body)


def counted(seq):
    return http(b'{"result":"counted","receipt":{"poll":"p","seq":%d},%s}' % (seq, TALLY))


def http_requests(got):
    """The whole requests at the beginning of `got`, and what is left."""
    requests = []
    while b"\r\n\r\n" in got:
        head, rest = got.split(b"\r\n\r\n", 1)
        length = re.search(rb"Content-Length: (\d+)", head)
        body_len = int(length[1]) if length else 0
        if len(rest) < body_len:
            break
        requests.append((head, rest[:body_len]))
        got = rest[body_len:]
    return requests, got


def resp_requests(got):
    """The same for RESP, whose requests all have one length here."""
    size = got.find(b"*7\r\n", 1)
    size = len(got) if size < 0 else size
    requests = []
    while size and len(got) >= size and got.endswith(b"\r\n"):
        requests.append((b"", got[:size]))
        got = got[size:]
    return requests, got


class Fake:
    """Answers request n, counted from 1 over all connections, with the bytes answer(n) gives.

    None closes the connection. What was asked stays in `heads` and `bodies`.
    """

    def __init__(self, path, answer, split=http_requests):
        self.answer, self.split, self.heads, self.bodies = answer, split, [], []
        self.lock = threading.Lock()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        got = b""
        with peer, contextlib.suppress(ConnectionError):  # who saw a wrong reply goes
            while chunk := peer.recv(65536):
                requests, got = self.split(got + chunk)
                replies = []
                with self.lock:
                    for request in requests:
                        self.heads.append(request[0])
                        self.bodies.append(request[1])
                        replies.append(self.answer(len(self.bodies)))
                peer.sendall(b"".join(r for r in replies if r))
                if None in replies:
                    return


@pytest.fixture(name="fake")
def fixture_fake(tmp_path):
    fakes = []

    def make(answer, split=http_requests):
        fakes.append(Fake(tmp_path / "s", answer, split))
        return fakes[0]

    yield make
    for made in fakes:
        made.listener.close()


def load(tmp_path, *args):
    return subprocess.run(
        [LOAD, *args, "--socket", tmp_path / "s", "--json"],
        capture_output=True, text=True, timeout=ENDS_WITHIN_S, check=False)


def votes(tmp_path, *args):
    return load(tmp_path, "http-vote", "--poll", "p", "--voters", "run1-", *args)


def test_right_votes_are_all_counted_and_distinct(fake, tmp_path):
    server = fake(counted)
    ran = votes(tmp_path, "--count", "500", "--connections", "5", "--depth", "4")
    assert ran.returncode == 0, ran.stderr
    figures = json.loads(ran.stdout)
    assert (figures["asked"], figures["right"], figures["errors"]) == (500, 500, 0)
    bodies = [json.loads(body) for body in server.bodies]
    assert len({body["voter"] for body in bodies}) == 500
    assert all(body["voter"].startswith("run1-") for body in bodies)
    assert [sum(body["option"] == n for body in bodies) for n in (1, 2, 3, 4)] == [125] * 4


def test_voters_may_have_tokens_of_a_sites_key_behind_a_proxy(fake, tmp_path):
    server = fake(counted)
    secret = base64.urlsafe_b64encode(bytes(range(200, 232))).decode().rstrip("=")
    (tmp_path / "key").write_text(f"site-1 {secret}\n")
    ran = votes(tmp_path, "--count", "300", "--connections", "5", "--forwarded", "--site-key",
                tmp_path / "key")
    assert ran.returncode == 0, ran.stderr
    subs = set()
    for body in server.bodies:
        token = json.loads(body)["token"]
        assert jwt.get_unverified_header(token)["kid"] == "site-1"
        subs.add(jwt.decode(token, bytes(range(200, 232)), algorithms=["HS256"])["sub"])
    assert len(subs) == 300 and all(sub.startswith("run1-") for sub in subs)
    clients = {re.search(rb"X-Forwarded-For: (198\.51\.100\.1\d\d)\r\n", head + b"\r\n")[1]
               for head in server.heads}
    assert len(clients) == 100


def test_a_measured_time_ends_by_itself(fake, tmp_path):
    fake(counted)
    ran = votes(tmp_path, "--seconds", "1", "--warmup-ms", "50", "--connections", "3")
    assert ran.returncode == 0, ran.stderr
    figures = json.loads(ran.stdout)
    assert 0 < figures["ops"] <= figures["right"] == figures["asked"]
    assert 0 < figures["p50_ms"] <= figures["p99_ms"] <= figures["p999_ms"]


def test_a_rate_is_kept_by_the_clock(fake, tmp_path):
    fake(counted)
    ran = votes(tmp_path, "--seconds", "1", "--rate", "100", "--connections", "3")
    assert ran.returncode == 0, ran.stderr
    assert 0 < json.loads(ran.stdout)["asked"] <= 101


def test_with_a_rate_all_that_fell_due_behind_a_slow_reply_was_slow(fake, tmp_path):
    def slow_at_first(n):
        if n == 1:
            time.sleep(0.5)  # the server's fault that has to show
        return counted(n)

    fake(slow_at_first)
    ran = votes(tmp_path, "--count", "50", "--rate", "100", "--seconds", "60")
    assert ran.returncode == 0, ran.stderr
    figures = json.loads(ran.stdout)
    assert (figures["asked"], figures["right"]) == (50, 50)
    # Request n was due after 10n ms, and none was answered before 500.
    assert figures["p50_ms"] >= 240


ALREADY = http(b'{"result":"already","receipt":{"poll":"p","seq":1},%s}' % TALLY, b"200 OK")
WRONG_VOTES = {
    "already in place of counted": (lambda n: ALREADY, "status 200 in place of 201"),
    "201 without counted": (
        lambda n: http(b'{"result":"changed","receipt":{"poll":"p","seq":%d}}' % n),
        "not counted"),
    "counted without a seq": (lambda n: http(b'{"result":"counted"}'), "not counted"),
    "busy": (lambda n: http(b"{}", b"503 Service Unavailable"), "status 503"),
    "a seq that falls": (lambda n: counted(1000 - n), "out of order"),
    "a seq twice": (lambda n: counted((n + 1) // 2), "out of order"),
    "two replies for one": (lambda n: counted(2 * n) + counted(2 * n + 1), "nobody asked"),
    "no Content-Length": (lambda n: b"HTTP/1.1 201 Created\r\n\r\n", "Content-Length"),
    "two Content-Lengths": (
        lambda n: counted(n).replace(b"\r\n\r\n", b"\r\nContent-Length: 1\r\n\r\n"),
        "Content-Length"),
    "a length too long": (
        lambda n: http(b'{"result":"counted","receipt":{"seq":1}}', length=90) if n == 1 else None,
        "closed a connection"),
    "not HTTP": (lambda n: b"hello\r\n\r\n", "status line"),
    "a closed connection": (lambda n: None if n == 7 else counted(n), "closed a connection"),
}


@pytest.mark.parametrize("row", WRONG_VOTES)
def test_a_wrong_vote_reply_is_an_error(fake, tmp_path, row):
    answer, said = WRONG_VOTES[row]
    fake(answer)
    ran = votes(tmp_path, "--count", "20", "--depth", "2")
    assert ran.returncode == 1, ran.stdout
    assert said in ran.stderr
    assert json.loads(ran.stdout)["errors"] > 0


def test_one_wrong_reply_of_many_is_an_error(fake, tmp_path):
    fake(lambda n: ALREADY if n == 321 else counted(n))
    ran = votes(tmp_path, "--count", "500", "--connections", "5", "--depth", "4")
    assert ran.returncode == 1
    figures = json.loads(ran.stdout)
    assert (figures["right"], figures["errors"]) == (499, 1)


def test_a_reply_in_pieces_is_put_together(fake, tmp_path):
    class Slow(Fake):
        def serve(self, peer):
            with peer, contextlib.suppress(ConnectionError):
                got, n = b"", 0
                while chunk := peer.recv(65536):
                    requests, got = http_requests(got + chunk)
                    replies = b"".join(counted(n + i) for i in range(1, len(requests) + 1))
                    n += len(requests)
                    for i in range(0, len(replies), 7):
                        peer.send(replies[i:i + 7])

    server = Slow(tmp_path / "s", counted)
    try:
        ran = votes(tmp_path, "--count", "40", "--depth", "8")
    finally:
        server.listener.close()
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["right"] == 40


BODY = b'{"id":"p","votes":108}'
READS = {
    "the expected body": (http(BODY, b"200 OK"), 0),
    "another body of its length": (http(BODY.replace(b"8", b"9"), b"200 OK"), 1),
    "a shorter body": (http(BODY[:-1], b"200 OK"), 1),
    "not modified": (http(b"", b"304 Not Modified"), 1),
    "an error with that body": (http(BODY, b"404 Not Found"), 1),
}


@pytest.mark.parametrize("row", READS)
def test_a_read_has_the_expected_bytes(fake, tmp_path, row):
    reply, status = READS[row]
    (tmp_path / "body").write_bytes(BODY)
    fake(lambda n: reply)
    ran = load(tmp_path, "http-get", "--path", "/x", "--expect", tmp_path / "body",
               "--count", "50", "--depth", "16")
    assert ran.returncode == status, ran.stderr


REDIS = {
    "counts that rise": (lambda n: b":%d\r\n" % n, 0),
    "a voter who was there": (lambda n: b":0\r\n", 1),
    "a count that stands still": (lambda n: b":5\r\n", 1),
    "an error": (lambda n: b"-NOSCRIPT No matching script\r\n", 1),
    "another type": (lambda n: b"$1\r\n1\r\n", 1),
    "one reply too many": (lambda n: b":%d\r\n:%d\r\n" % (2 * n, 2 * n + 1), 1),
}


@pytest.mark.parametrize("row", REDIS)
def test_a_redis_reply_is_checked(fake, tmp_path, row):
    answer, status = REDIS[row]
    fake(answer, resp_requests)
    ran = load(tmp_path, "resp", "--poll", "p", "--script", "0" * 40, "--count", "40",
               "--depth", "4")
    assert ran.returncode == status, ran.stderr


def test_no_server_is_one_clear_line(tmp_path):
    ran = votes(tmp_path, "--count", "1")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "cannot connect" in ran.stderr and len(ran.stderr.splitlines()) == 1


@pytest.mark.parametrize("args", [
    [], ["http-vote"], ["http-get", "--path", "/"], ["resp", "--poll", "p"], ["what"],
    ["http-vote", "--poll", "p", "--depth", "0"], ["http-vote", "--poll", "p", "--rate", "0"],
    ["http-vote", "--poll", "p", "--count", "1x"],
    ["http-vote", "--poll", "p", "--socket", "s", "--site-key", "k"],
    ["http-vote", "--poll", "p", "--socket", "s", "--count", "1", "--site-key", "/dev/null"],
    ["http-vote", "--poll", "p", "--tcp", "127.0.0.1:1"],
])
def test_wrong_usage_is_exit_2(tmp_path, args):
    assert load(tmp_path, *args).returncode == 2
