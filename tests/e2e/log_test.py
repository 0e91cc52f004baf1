"""What the log says of requests, of those who ask for too much, and to nobody who reads it."""
import fcntl
import json
import os
import re
import signal
import subprocess

import pytest

import harness

REQUESTS = harness.NO_LIMITS + "[log]\nrequests = yes\n"


@pytest.fixture
def logged(tmp_path):
    one = harness.Daemon(tmp_path)
    one.config = REQUESTS
    yield one
    one.end()


def requests(lines):
    return [line for line in lines if line.startswith("request ")]


def test_requests_are_not_in_the_log_unless_asked_for(daemon):
    daemon.poll("p")
    assert daemon.public("GET", "/v1/polls/p").status == 200
    daemon.stop()
    assert not requests(daemon.log)


def test_a_request_is_a_line_with_method_status_bytes_time_role_and_path(logged):
    logged.start()
    body = {"title": "T", "options": [{"label": "a"}, {"label": "b"}]}
    made = logged.admin("PUT", "/v1/polls/p", body)
    read = logged.public("GET", "/v1/polls/p/tally?lang=en")
    head = logged.public("HEAD", "/v1/polls/p/tally")
    lost = logged.public("GET", "/v1/nothing")
    voted = logged.vote("p", 1, "somebody")
    logged.stop()
    expected = [("PUT", made, "admin", "/v1/polls/p"),
                ("GET", read, "public", '"/v1/polls/p/tally?lang=en"'),
                ("HEAD", head, "public", "/v1/polls/p/tally"),
                ("GET", lost, "public", "/v1/nothing"),
                ("POST", voted, "admin", "/v1/polls/p/votes")]
    lines = requests(logged.log)
    assert len(lines) == len(expected), lines
    for line, (method, answer, role, path) in zip(lines, expected):
        assert re.fullmatch(f"request method={method} status={answer.status} "
                            f"bytes={len(answer.body)} ms=\\d+ role={role} "
                            f"path={re.escape(path)}", line), line
    assert int(re.search(r"bytes=(\d+)", lines[2])[1]) == 0


def test_voters_tokens_bodies_and_addresses_are_in_no_line(logged):
    logged.start()
    logged.poll("p")
    token = logged.admin("POST", "/v1/voters", {"voter": "the-voter"}).json()["token"]
    assert logged.public("POST", "/v1/polls/p/votes", {"option": 1, "token": token}).status == 201
    assert logged.public("GET", "/v1/polls/p/votes/mine", fields={
        "Authorization": f"Bearer {token}"}).status == 200
    assert logged.vote("p", 1, "other-voter").status == 201
    assert logged.public("GET", f"/p/p?lang=en&token={token}&secret").status == 200
    assert logged.public("GET", f"/v1/polls/p?{token}").status == 422
    logged.stop()
    log = "\n".join(logged.log)
    for secret in (token, token.split(".")[2], "the-voter", "other-voter", "secret"):
        assert secret not in log, secret
    assert '"/p/p?lang=en&...&..."' in log and "/v1/polls/p?..." in log
    for who in ("127.0.0.1", "address", "uid"):
        assert who not in "\n".join(requests(logged.log)), who


def test_addresses_are_in_the_lines_at_level_debug_alone(logged):
    logged.config = REQUESTS + "level = debug\n"
    logged.start()
    assert logged.public("GET", "/livez").status == 200
    assert logged.admin("GET", "/livez").status == 200
    logged.stop()
    lines = requests(logged.log)
    assert ["address=127.0.0.1 path=" in line for line in lines] == [True, False], lines


def test_request_lines_are_json_where_the_rest_is(logged):
    logged.config = REQUESTS + "format = json\n"
    process = subprocess.Popen(logged.command(), stderr=subprocess.PIPE, text=True)
    line = ""
    while '"listening on /' not in line:
        line = process.stderr.readline()
        assert line
    assert logged.admin("GET", "/v1/polls?limit=5").status == 200
    said = json.loads(process.stderr.readline())
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=harness.START_S)
    assert list(said) == ["at", "level", "message", "method", "status", "bytes", "ms", "role",
                          "path"]
    assert (said["level"], said["message"], said["method"], said["status"], said["path"]) == (
        "info", "request", "GET", 200, "/v1/polls?limit=5")


def test_a_stream_that_its_reader_leaves_is_a_line_that_says_so(logged):
    logged.start()
    logged.poll("p")
    wire = logged.unix()  # over TCP it would be seen when the next comment is sent
    wire.send(harness.request_bytes("GET", "/v1/events?ids=p"))
    while b"event: tally" not in wire.left:
        wire._more()
    wire.close()
    harness.until(lambda: any("/v1/events" in line for line in logged.log))
    line = next(line for line in logged.log if "/v1/events" in line)
    assert re.match(r"request method=GET status=200 bytes=[1-9]\d* .* cut=yes path=", line), line


def test_what_is_no_request_is_a_line_with_its_reason(logged):
    logged.start()
    wire = logged.tcp()
    wire.send(b"nonsense\r\n\r\n")
    assert wire.answer().status == 400
    wire.close()
    logged.stop()
    assert any(re.fullmatch('request status=400 detail=".+"', line) for line in logged.log)


def test_a_reload_begins_and_ends_the_lines(logged):
    logged.config = harness.NO_LIMITS
    logged.start()

    def reload(config):
        before = len(logged.log)
        logged.config = config
        logged.command()
        logged.process.send_signal(signal.SIGHUP)
        harness.until(lambda: any("is reloaded" in line for line in logged.log[before:]))

    assert logged.public("GET", "/livez").status == 200
    reload(REQUESTS)
    assert logged.public("GET", "/readyz").status == 200
    reload(REQUESTS + "level = notice\n")
    assert logged.public("GET", "/v1/polls").status == 200
    reload(harness.NO_LIMITS)
    assert logged.public("GET", "/v1/top").status == 200
    logged.stop()
    assert [line.split("path=")[1] for line in requests(logged.log)] == ["/readyz"]


def said(log, begin):
    """How many lines begin so, and how often it was said in all, those counted with them."""
    lines = [line for line in log if line.startswith(begin)]
    more = [re.search(r"\(said ([0-9,]+) times? more in the last minute\)$", line) for line in lines]
    return len(lines), sum(int(found[1].replace(",", "")) if found else 1 for found in more)


def test_bad_requests_are_said_once_and_counted(daemon):
    for _ in range(30):
        wire = daemon.tcp()
        wire.send(b"GET / HTTP/3.0\r\n\r\n")
        assert wire.answer().status == 400
        wire.close()
    daemon.stop()
    lines, times = said(daemon.log, "a request is refused as malformed: ")
    assert times == 30 and 2 <= lines < 30, daemon.log  # 2, unless it takes more than a minute


def test_who_reaches_a_limit_is_told_of_once_and_counted_without_an_address(tmp_path):
    one = harness.Daemon(tmp_path)
    one.config = "[limits]\nvotes_per_minute = 1\ntokens_per_hour = 1\n"
    one.start()
    one.poll("p")
    for _ in range(11):
        one.public("POST", "/v1/voters", {})
        one.public("POST", "/v1/polls/p/votes", {"option": 1})
        one.public("GET", "/v1/polls", fields={"Authorization": "Bearer wrong-wrong-wrong-wrong"})
    one.stop()
    for begin, least in (("somebody has reached votes_per_minute of [limits]", 5),
                         ("somebody has reached tokens_per_hour of [limits]", 10),
                         ("somebody sends one wrong role token after the other", 1)):
        lines, times = said(one.log, begin)
        assert times >= least and lines <= 1 + times // 2, one.log
    assert "wrong-wrong" not in "\n".join(one.log)
    assert not any("127.0.0.1" in line and "listening" not in line for line in one.log)


def test_refused_connections_are_said_once_and_counted(tmp_path):
    one = harness.Daemon(tmp_path)
    one.config = harness.NO_LIMITS.replace("connections = 0", "connections = 1")
    one.start()
    held = one.tcp()
    held.send(harness.request_bytes("GET", "/livez"))
    assert held.answer().status == 200
    for _ in range(5):
        assert one.tcp().answer().status == 503
    held.close()
    one.stop()
    lines, times = said(one.log, "a connection is refused: too many connections from this address")
    assert times == 5 and 2 <= lines < 5, one.log


def small_pipe():
    """Of 64 KiB, whatever this machine makes them."""
    ends = os.pipe()
    fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, 65536)
    return ends


def test_who_does_not_read_the_log_stops_no_request(logged):
    """More lines than a pipe holds, and nobody reads them until all requests are answered."""
    ends = small_pipe()
    process = subprocess.Popen(logged.command(), stderr=ends[1])
    os.close(ends[1])
    reader = os.fdopen(ends[0], "rb")
    try:
        line = b""
        while not line.startswith(b"listening on /"):
            line = reader.readline()
            assert line
        wire = logged.unix()
        for _ in range(40):
            wire.send(harness.request_bytes("GET", "/livez") * 50)
            for _ in range(50):
                assert wire.answer().status == 200
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(harness.START_S)  # nor does its end wait for the reader
    log = reader.read().decode().splitlines()
    reader.close()
    assert process.returncode == 0
    assert 0 < len(requests(log)) < 2000


def test_the_reader_that_comes_back_hears_how_many_lines_it_has_missed(logged):
    ends = small_pipe()
    process = subprocess.Popen(logged.command(), stderr=ends[1])
    os.close(ends[1])
    reader = os.fdopen(ends[0], "rb", buffering=0)
    left = b""
    try:
        while b"listening on /" not in left:
            left += reader.read(65536)
        wire = logged.unix()
        for _ in range(40):
            wire.send(harness.request_bytes("GET", "/livez") * 50)
            for _ in range(50):
                assert wire.answer().status == 200
        left += reader.read(1 << 20)  # all that the pipe holds
        wire.send(harness.request_bytes("GET", "/readyz"))
        assert wire.answer().status == 200
        while b"path=/readyz\n" not in left:
            left += reader.read(65536)
    finally:
        process.send_signal(signal.SIGTERM)
        left += reader.read()
        process.wait(harness.START_S)
        reader.close()
    lines = left.decode().splitlines()
    lost = [re.match(r"(\d+) lines of this log are lost: nobody read", line) for line in lines]
    assert sum(int(found[1]) for found in lost if found) + len(requests(lines)) == 2001
    assert any(lost)
