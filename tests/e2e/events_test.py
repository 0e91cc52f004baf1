"""GET /v1/events: live tallies as server-sent events."""
import json
import time

import harness


class Stream:
    """A subscriber: events as they come, out of a chunked answer."""

    def __init__(self, daemon, ids, fields=None, wire=None):
        self.wire = wire or daemon.tcp()
        self.wire.send(harness.request_bytes("GET", f"/v1/events?ids={ids}", None, fields))
        self.text = b""
        self.over = False
        while b"\r\n\r\n" not in self.wire.left:
            self.wire._more()
        head, self.wire.left = self.wire.left.split(b"\r\n\r\n", 1)
        self.status = int(head.split(b" ")[1])
        self.fields = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:])

    def _chunk(self):
        while b"\r\n" not in self.wire.left:
            self.wire._more()
        size, rest = self.wire.left.split(b"\r\n", 1)
        length = int(size, 16)
        while len(rest) < length + 2:
            self.wire._more()
            rest = self.wire.left.split(b"\r\n", 1)[1]
        self.wire.left = rest[length + 2:]
        self.over = length == 0
        self.text += rest[:length]

    def block(self):
        """The next block of lines, or None at the end."""
        while b"\n\n" not in self.text:
            if self.over:
                return None
            self._chunk()
        block, self.text = self.text.split(b"\n\n", 1)
        return block.decode()

    def event(self):
        """The next event as (name, id, data); comments and retry are passed over."""
        while (block := self.block()) is not None:
            lines = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
            if "data" in lines:
                return lines["event"], lines.get("id"), json.loads(lines["data"])
        return None


def test_a_stream_starts_with_the_newest_tallies_and_goes_on_with_changes(daemon):
    daemon.poll("p")
    daemon.poll("q")
    daemon.vote("p", 1, "a")
    stream = Stream(daemon, "p,q,p", {"Last-Event-ID": "77"})
    assert stream.status == 200
    assert stream.fields["content-type"] == "text/event-stream"
    assert stream.fields["cache-control"] == "no-store"
    assert stream.fields["x-accel-buffering"] == "no"
    assert stream.fields["access-control-allow-origin"] == "*"
    assert stream.fields["vary"] == "accept-language"
    assert stream.block() == "retry: 2000"
    first = [stream.event(), stream.event()]
    assert [(e[0], e[1], e[2]["id"], e[2]["votes"]) for e in first] == [
        ("tally", "2", "p", 1), ("tally", "1", "q", 0)]
    daemon.vote("q", 2, "a")
    assert stream.event() == ("tally", "2", daemon.tally("q"))
    daemon.admin("PATCH", "/v1/polls/p", {"state": "closed"})
    assert stream.event()[2]["state"] == "closed"


def test_a_deleted_poll_is_told_and_the_stream_ends_with_the_last(daemon):
    daemon.poll("p")
    daemon.poll("q")
    stream = Stream(daemon, "p,q")
    stream.event(), stream.event()
    daemon.admin("DELETE", "/v1/polls/p")
    assert stream.event() == ("deleted", None, {"id": "p"})
    daemon.vote("q", 1, "a")
    assert stream.event()[2]["votes"] == 1
    daemon.admin("DELETE", "/v1/polls/q")
    assert stream.event() == ("deleted", None, {"id": "q"})
    assert stream.event() is None


def test_what_is_wrong_is_refused(daemon):
    daemon.poll("p")
    assert daemon.public("GET", "/v1/events").status == 422
    assert daemon.public("GET", "/v1/events?ids=").status == 422
    many = ",".join(f"p{i}" for i in range(21))
    assert daemon.public("GET", f"/v1/events?ids={many}").status == 422
    assert daemon.public("GET", "/v1/events?ids=p,none").status == 404
    assert daemon.public("GET", "/v1/events?ids=p&colour=1").status == 422


def test_each_reader_has_its_language(daemon):
    daemon.poll("p", title={"en": "Title", "ru": "Заголовок"})
    assert Stream(daemon, "p", {"Accept-Language": "ru"}).event()[2]["title"] == "Заголовок"
    assert Stream(daemon, "p&lang=en", {"Accept-Language": "ru"}).event()[2]["title"] == "Title"


def test_a_subscriber_who_does_not_read_gets_the_newest_and_holds_nobody_up(daemon):
    daemon.poll("p", title="x" * 2000)
    slow = Stream(daemon, "p")
    quick = Stream(daemon, "p")
    quick.event()
    for i in range(1, 400):
        daemon.vote("p", 1, str(i))
    seen = 0
    while seen < 399:
        seen = quick.event()[2]["votes"]
    assert slow.event()[2]["votes"] <= 399
    versions = []
    while not versions or versions[-1] < 400:
        versions.append(int(slow.event()[1]))
    assert versions == sorted(set(versions))


def test_a_busy_poll_sends_at_most_ten_events_a_second(daemon):
    daemon.poll("p")
    stream = Stream(daemon, "p")
    stream.event()
    began = time.monotonic()
    votes = 0
    while time.monotonic() < began + 1:
        daemon.vote("p", 1, str(votes))
        votes += 1
    events = 0
    while (event := stream.event())[2]["votes"] < votes:
        events += 1
    assert event[2]["votes"] == votes
    assert events + 1 <= 10 * (time.monotonic() - began) + 1


def test_hidden_results_are_403_alone_and_said_once_among_others(daemon):
    daemon.poll("p", results="after_close")
    daemon.poll("q")
    assert daemon.public("GET", "/v1/events?ids=p").json()["type"] == "/problems/results-hidden"
    stream = Stream(daemon, "p,q")
    assert stream.event() == ("tally", None, {"id": "p", "hidden": True})
    assert stream.event()[2]["id"] == "q"
    daemon.vote("p", 1, "a")
    daemon.vote("q", 1, "a")
    assert stream.event()[2]["id"] == "q"
    daemon.admin("PATCH", "/v1/polls/p", {"state": "closed"})
    shown = stream.event()[2]
    assert (shown["id"], shown["votes"]) == ("p", 1)
    admin = Stream(daemon, "p", wire=daemon.unix())
    assert admin.event()[2]["votes"] == 1


def test_who_voted_follows_results_that_are_shown_after_the_vote(daemon):
    daemon.poll("p", results="after_vote", voters="address", revote=True)
    assert daemon.public("GET", "/v1/events?ids=p").status == 403
    daemon.poll("q")
    both = Stream(daemon, "p,q")
    first = {event[2]["id"]: event[2] for event in (both.event(), both.event())}
    assert first["p"] == {"id": "p", "hidden": True}  # the writer was asked, so it may come second
    daemon.public("POST", "/v1/polls/p/votes", {"option": 1})
    assert both.event()[2]["votes"] == 1  # the stream of one who has voted meanwhile
    alone = Stream(daemon, "p")
    assert (alone.status, alone.fields["cache-control"]) == (200, "private, no-store")
    assert alone.event()[2]["votes"] == 1
    daemon.vote("p", 1, "b")
    assert alone.event()[2]["votes"] == 2
    daemon.public("DELETE", "/v1/polls/p/votes")
    daemon.vote("p", 1, "c")
    daemon.admin("PATCH", "/v1/polls/p", {"state": "closed"})
    while (event := alone.event())[2].get("state") != "closed":
        assert event[2].get("hidden") or event[2]["votes"] == 2
    assert event[2]["votes"] == 2


def test_streams_of_one_address_are_capped(daemon):
    daemon.stop()
    daemon.config = "[limits]\nstreams = 3\n"
    daemon.start()
    daemon.poll("p")
    streams = [Stream(daemon, "p") for _ in range(3)]
    fourth = daemon.public("GET", "/v1/events?ids=p")
    assert (fourth.status, fourth.json()["type"]) == (429, "/problems/rate-limited")
    streams.pop().wire.socket.close()
    daemon.vote("p", 1, "a")  # what is sent finds out that the reader is gone
    harness.until(lambda: Stream(daemon, "p").status == 200)


def test_sigterm_ends_streams_in_good_order(daemon):
    daemon.poll("p")
    streams = [Stream(daemon, "p") for _ in range(4)]
    for stream in streams:
        stream.event()
    daemon.stop()
    for stream in streams:
        assert stream.event() is None and stream.over


def test_a_head_request_gets_the_head_alone(daemon):
    daemon.poll("p")
    wire = daemon.tcp()
    wire.send(harness.request_bytes("HEAD", "/v1/events?ids=p"))
    wire.send(harness.request_bytes("GET", "/livez"))
    while b"live\n" not in wire.left:
        wire._more()
    assert wire.left.startswith(b"HTTP/1.1 200 OK")
    assert b"event:" not in wire.left
