"""tally watch: live tallies in a pipe and on a terminal, over restarts, until the end."""
import json
import os
import signal
import subprocess
import threading

import pytest

from client import ENDS_WITHIN_S, EVERYWHERE, TALLY, Terminal
from fake import Canned, whole


class Watch:
    """A watch whose lines are read as they come; it is killed where they never do."""

    def __init__(self, *args):
        self.run = subprocess.Popen([TALLY, *args], stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, env=EVERYWHERE)
        self.bound = threading.Timer(ENDS_WITHIN_S, self.run.kill)
        self.bound.start()

    def next(self):
        line = self.run.stdout.readline()
        assert line, f"no line in {ENDS_WITHIN_S} s, or none any more: {self.run.stderr.read()}"
        return json.loads(line)

    def says(self):
        line = self.run.stderr.readline()
        assert line, f"it said nothing in {ENDS_WITHIN_S} s, or ended"
        return line

    def end(self):
        out, err = self.run.communicate(timeout=ENDS_WITHIN_S)
        return self.run.returncode, out, err.decode()


@pytest.fixture(name="watches")
def fixture_watches():
    made = []
    yield made
    for one in made:
        one.bound.cancel()
        one.run.kill()
        one.run.communicate()


@pytest.fixture(name="watch")
def fixture_watch(daemon, watches):
    def make(*args):
        watches.append(Watch("--socket", daemon.socket, "watch", *args))
        return watches[-1]
    return make


@pytest.fixture(name="public_watch")
def fixture_public_watch(daemon, watches):
    def make(*args):
        watches.append(Watch("--url", f"http://127.0.0.1:{daemon.port}", "watch", *args))
        return watches[-1]
    return make


def test_a_pipe_gets_the_tally_as_it_is_and_then_each_new_one(daemon, watch):
    daemon.poll("p")
    run = watch("p", "--count", "3")
    assert run.next() == daemon.tally("p")
    for n in (1, 2):
        daemon.vote("p", n, f"v{n}")
        assert run.next() == daemon.tally("p")
    assert run.end() == (0, b"", "")


def test_it_ends_when_whoever_read_the_pipe_has_gone(daemon, watch):
    """Though no vote comes."""
    daemon.poll("p")
    run = watch("p")
    run.next()
    run.run.stdout.close()
    assert run.run.wait(ENDS_WITHIN_S) == -signal.SIGPIPE
    assert run.run.stderr.read() == b""


def test_several_polls_are_watched_at_once(daemon, watch):
    for name in "abc":
        daemon.poll(name)
    run = watch("a", "b", "c", "--count", "6")
    assert sorted(run.next()["id"] for _ in range(3)) == ["a", "b", "c"]
    for name in "cab":
        daemon.vote(name, 1, "v")
        got = run.next()
        assert (got["id"], got["votes"]) == (name, 1)
    assert run.end()[0] == 0


def test_a_closed_poll_is_told_and_a_deleted_one_is_the_end(daemon, watch):
    daemon.poll("p")
    run = watch("p")
    run.next()
    daemon.admin("PATCH", "/v1/polls/p", {"state": "closed"},
                 {"Content-Type": "application/merge-patch+json"})
    assert run.next()["state"] == "closed"
    daemon.admin("DELETE", "/v1/polls/p")
    status, out, err = run.end()
    assert (status, out) == (5, b"")
    assert err.splitlines()[0] == "tally: p was deleted"


def test_the_others_are_watched_on_when_one_is_not_there(daemon, watch):
    daemon.poll("p")
    run = watch("nothing", "p", "--count", "2")
    assert run.next()["id"] == "p"
    daemon.vote("p", 1, "v")
    assert run.next()["votes"] == 1
    assert run.end()[0] == 5


def test_it_goes_on_when_the_daemon_has_restarted(daemon, watch):
    daemon.poll("p")
    run = watch("p", "--count", "2")
    run.next()
    daemon.stop()
    assert b"trying again" in run.says()
    daemon.start()
    assert b"answers again" in run.says()
    daemon.vote("p", 1, "v")
    assert run.next()["votes"] == 1
    assert run.end()[0] == 0


def test_with_no_retry_a_daemon_that_goes_away_is_3(daemon, watch):
    daemon.poll("p")
    run = watch("p", "--no-retry")
    run.next()
    daemon.kill()
    assert run.end()[0] == 3


def test_a_daemon_that_is_not_there_is_3_at_once(daemon, watch):
    daemon.stop()
    status, _, err = watch("p").end()
    assert status == 3 and len(err.splitlines()) == 2


def test_hidden_results_are_4(daemon, watch):
    daemon.poll("p", results="after_close")
    run = subprocess.run([TALLY, "--url", f"http://127.0.0.1:{daemon.port}", "watch", "p"],
                         capture_output=True, timeout=ENDS_WITHIN_S, check=False)
    assert run.returncode == 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_it_without_a_word(daemon, watch, number):
    daemon.poll("p")
    run = watch("p")
    run.next()
    run.run.send_signal(number)
    assert run.end() == (0, b"", "")


@pytest.mark.parametrize("count", ["0", "x", "-1"])
def test_a_count_is_a_number(watch, count):
    assert watch("p", "--count", count).end()[0] == 2


def test_a_terminal_is_drawn_again_and_left_as_it_was(daemon):
    daemon.poll("p", title="Which one?")
    with Terminal("--socket", daemon.socket, "watch", "p", streams=("stdout", "stderr"),
                  TERM="xterm") as screen:
        screen.until(b"(no votes yet)")
        assert b"\x1b[?25l" in screen.seen and b"Which one?" in screen.seen
        screen.seen = b""
        daemon.vote("p", 1, "v")
        screen.until(b"1 (100%)")
        # Behind the end of the first picture, which may have come in two pieces.
        assert b"\x1b[H" in screen.seen[:screen.seen.index(b"1 (100%)")]
        screen.run.send_signal(signal.SIGINT)
        screen.until(b"\x1b[?25h")
        assert screen.run.wait(ENDS_WITHIN_S) == 0


def test_more_polls_than_a_stream_takes_are_watched_too(daemon, watch):
    names = [f"p{n:02}" for n in range(21)]
    for name in names:
        daemon.poll(name)
    run = watch(*names, "--count", "22")
    assert sorted(run.next()["id"] for _ in names) == names
    daemon.vote("p20", 1, "v")
    assert run.next() == daemon.tally("p20")
    assert run.end()[0] == 0


def test_results_that_are_hidden_meanwhile_are_4(daemon, public_watch):
    daemon.poll("p")
    run = public_watch("p")
    assert run.next()["id"] == "p"
    daemon.admin("PATCH", "/v1/polls/p", {"results": "after_close"})
    assert run.end()[0] == 4


# Against a server that plays what it is told to


def tally_of(version):
    return {"id": "p", "kind": "choice", "title": "T\n", "votes": version, "version": version}


def stream(*events, kind=b"text/event-stream"):
    return b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: %s\r\n\r\n" % kind + b"".join(events)


def event(name, data):
    return f"event: {name}\nid: 1\ndata: {json.dumps(data)}\n\n".encode()


def canned_watch(folder, answers, *args):
    server = Canned(os.path.join(folder, "s"), answers)
    try:
        run = subprocess.run([TALLY, "--socket", server.path, "watch", "p", *args],
                             capture_output=True, timeout=ENDS_WITHIN_S, check=False)
    finally:
        server.end()
    versions = [json.loads(line)["version"] for line in run.stdout.splitlines()]
    return run, versions, [line for line, _ in server.asked]


def test_one_stream_tells_and_what_it_missed_is_asked_for(tmp_path):
    run, versions, asked = canned_watch(tmp_path, {
        "GET /v1/polls/p/tally": [whole(tally_of(1)), whole(tally_of(4))],
        "GET /v1/events?ids=p": [
            stream(b"retry: 2000\n\n", event("tally", tally_of(1)), b":\n\n",
                   event("later", {"id": "p"}), event("tally", tally_of(2)),
                   event("tally", {"id": "q", "version": 9})),
            stream(event("tally", tally_of(4)), event("tally", tally_of(5)),
                   event("deleted", {"id": "p"}))],
    })
    assert (run.returncode, versions) == (5, [1, 2, 4, 5])
    assert asked == ["GET /v1/polls/p/tally", "GET /v1/events?ids=p"] * 2
    assert run.stderr.decode().splitlines()[0] == "tally: p was deleted"


@pytest.mark.parametrize("answer", [
    whole({"type": "/problems/not-implemented"}, b"501 Not Implemented"),
    whole({"type": "/problems/no-such-route"}, b"404 Not Found"),
    whole({"type": "/problems/rate-limited"}, b"429 Too Many Requests"),
    stream(b"<html><p>data: none</p>", kind=b"text/html"),
    stream(b"retry: 2000\n\n"),
], ids=["501", "404", "429", "html", "empty"])
def test_without_a_stream_it_polls(tmp_path, answer):
    run, versions, asked = canned_watch(tmp_path, {
        "GET /v1/polls/p/tally": whole(tally_of(1)),
        "GET /v1/events?ids=p": answer,
        "GET /v1/polls/p/tally?wait=60&version=1": whole(tally_of(2)),
        "GET /v1/polls/p/tally?wait=60&version=2": whole(tally_of(3)),
    }, "--count", "3")
    assert (run.returncode, versions, run.stderr) == (0, [1, 2, 3], b"")
    assert asked.count("GET /v1/events?ids=p") == 1
