"""Reading the ledger: export, history, verify, status."""
import calendar
import contextlib
import csv
import io
import json
import sqlite3
import time

import harness
from bulk import ballot, bulk_all


def stream(daemon, path, method="GET"):
    """The whole streamed answer: status, fields, body."""
    wire = daemon.unix()
    wire.send(harness.request_bytes(method, path))
    while b"\r\n\r\n" not in wire.left:
        wire._more()
    head, wire.left = wire.left.split(b"\r\n\r\n", 1)
    fields = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:])
    body = b""
    while method != "HEAD":
        while b"\r\n" not in wire.left:
            wire._more()
        size, wire.left = wire.left.split(b"\r\n", 1)
        length = int(size, 16)
        while len(wire.left) < length + 2:
            wire._more()
        body += wire.left[:length]
        wire.left = wire.left[length + 2:]
        if length == 0:
            break
    wire.close()
    return int(head.split(b" ")[1]), fields, body


def rows(daemon, path):
    status, _, body = stream(daemon, path)
    assert status == 200
    return [json.loads(line) for line in body.splitlines()]


def test_the_export_shows_the_votes_that_stand(daemon):
    daemon.poll("p", revote=True, max_choices=2)
    for voter, options in (("a", [1]), ("b", [1, 2]), ("c", [3])):
        daemon.admin("POST", "/v1/polls/p/votes", {"options": options, "voter": voter})
    daemon.admin("POST", "/v1/polls/p/votes", {"options": [4], "voter": "a"})
    daemon.admin("DELETE", "/v1/polls/p/votes", {"voter": "c"})
    standing = rows(daemon, "/v1/polls/p/votes")
    assert [(r["seq"], r["options"], r["replaces"]) for r in standing] == [
        (2, [1, 2], None), (4, [4], 1)]
    everything = rows(daemon, "/v1/polls/p/votes?all=1")
    assert [(r["seq"], r["options"], r["replaces"]) for r in everything] == [
        (1, [1], None), (2, [1, 2], None), (3, [3], None), (4, [4], 1), (5, [], 3)]
    assert everything[0]["voter"] == everything[3]["voter"] != everything[1]["voter"]
    assert all(len(r["voter"]) == 32 and r["poll"] == "p" for r in everything)
    assert everything[0]["at"].endswith("Z")


def test_a_vote_that_may_be_given_again_stands_beside_the_older_one(daemon):
    daemon.poll("p", again_after=1)
    daemon.vote("p", 1, "a")
    harness.until(lambda: daemon.vote("p", 1, "a").json().get("result") == "counted")
    assert [r["seq"] for r in rows(daemon, "/v1/polls/p/votes")] == [1, 2]


def test_the_csv_has_a_header_and_joins_options(daemon):
    daemon.poll("p", max_choices=3)
    daemon.admin("POST", "/v1/polls/p/votes", {"options": [3, 1], "voter": "a"})
    status, fields, body = stream(daemon, "/v1/polls/p/votes?format=csv")
    assert status == 200
    assert fields["content-type"].startswith("text/csv")
    table = list(csv.reader(io.StringIO(body.decode(), newline="")))
    assert table[0] == ["poll", "seq", "at", "options", "replaces", "voter"]
    assert table[1][:2] + table[1][3:5] == ["p", "1", "1|3", ""]
    assert len(table) == 2


def test_an_export_of_many_slices_is_of_one_moment(daemon):
    daemon.poll("p", revote=True)
    bulk_all(daemon, *[ballot("p", 1, f"v{i}") for i in range(5000)])
    wire = daemon.unix()
    wire.send(harness.request_bytes("GET", "/v1/polls/p/votes"))
    while wire.left.count(b"\n") < 100:
        wire._more()
    # The stream has begun, and waits for its reader: what comes now is not in it.
    bulk_all(daemon, *[ballot("p", 2, f"v{i}") for i in range(5000)],
                       *[ballot("p", 3, f"w{i}") for i in range(500)])
    while not wire.left.endswith(b"0\r\n\r\n"):
        wire._more()
    found = [json.loads(line) for line in wire.left.split(b"\n") if line.startswith(b"{")]
    # Lines that a chunk's edge has cut are found again by their seq.
    assert max(row["seq"] for row in found) <= 5000
    assert all(row["options"] == [1] for row in found)
    assert len(found) > 4800
    assert len(rows(daemon, "/v1/polls/p/votes")) == 5500
    assert len(rows(daemon, "/v1/polls/p/votes?all=1")) == 10500


def test_an_export_whose_reader_is_gone_before_its_first_row_does_no_harm(daemon):
    daemon.poll("p")
    daemon.vote("p", 1, "a")
    for _ in range(20):
        wire = daemon.unix()
        # The tally cannot be sent any more, so the export is given up while the writer has it.
        wire.send(harness.request_bytes("GET", "/v1/polls/p/tally") +
                  harness.request_bytes("GET", "/v1/polls/p/votes"))
        wire.close()
    assert len(rows(daemon, "/v1/polls/p/votes")) == 1


def test_an_empty_poll_exports_nothing_and_what_is_wrong_is_refused(daemon):
    daemon.poll("p")
    assert rows(daemon, "/v1/polls/p/votes") == []
    assert stream(daemon, "/v1/polls/p/votes?format=csv")[2].count(b"\n") == 1
    assert stream(daemon, "/v1/polls/p/votes", "HEAD")[0] == 200
    assert daemon.admin("GET", "/v1/polls/p/votes?format=xml").status == 422
    assert daemon.admin("GET", "/v1/polls/p/votes?all=2").status == 422
    assert daemon.admin("GET", "/v1/polls/none/votes").status == 404
    assert daemon.public("GET", "/v1/polls/p/votes").status == 401


def history(daemon, poll, step=3600):
    answer = daemon.public("GET", f"/v1/polls/{poll}/history?step={step}")
    assert answer.status == 200, answer
    return answer.json()


def test_a_history_ends_with_what_the_tally_says_now(daemon):
    daemon.poll("p", carried=[33, 30, 24, 21])
    daemon.vote("p", 2, "a")
    before = time.time()
    got = history(daemon, "p")
    assert (got["id"], got["step"]) == ("p", 3600)
    assert got["points"][-1]["votes"] == [33, 31, 24, 21]
    at = calendar.timegm(time.strptime(got["points"][-1]["at"], "%Y-%m-%dT%H:%M:%SZ"))
    assert int(before) <= at <= time.time()


def hour_of(point):
    at = time.strptime(point["at"], "%Y-%m-%dT%H:%M:%SZ")
    assert (at.tm_min, at.tm_sec) == (0, 0)
    return calendar.timegm(at) // 3600


def test_a_history_has_a_point_where_a_step_ends_that_changed_something(daemon):
    daemon.poll("p")
    daemon.vote("p", 1, "a")
    daemon.stop()
    midnight = int(time.time()) // 86400 * 24
    # Each row: the hour, counted from last midnight but four, and what an option stood at behind it.
    rows_of_hours = [(0, 1, 5), (0, 2, 0), (0, 3, 0), (0, 4, 0), (1, 2, 1), (1, 1, 4), (3, 1, 4),
                     (25, 3, 2), (26, 3, 0), (50, 3, 2)]
    rows_of_hours += [(-2000 + i, 4, i) for i in range(1500)] + [(-500, 4, 0)]
    with contextlib.closing(sqlite3.connect(daemon.store)) as store, store:
        store.executemany("INSERT INTO hour VALUES (1, ?, ?, ?)",
                          [(midnight - 96 + hour, *row) for hour, *row in rows_of_hours])
    daemon.start()
    points = history(daemon, "p")["points"]
    if hour_of(points[-2]) > midnight:  # the hour of the vote has ended meanwhile
        del points[-2]
    assert [(hour_of(p) - midnight + 96, p["votes"]) for p in points[-6:-1]] == [
        (1, [5, 0, 0, 0]), (2, [4, 1, 0, 0]), (26, [4, 1, 2, 0]), (27, [4, 1, 0, 0]),
        (51, [4, 1, 2, 0])]
    assert points[-1]["votes"] == [1, 0, 0, 0]
    assert [(hour_of(p) - midnight + 96, p["votes"][3]) for p in points[:-6]] == [
        (-1999 + i, i) for i in range(1500)] + [(-499, 0)]
    points = history(daemon, "p", 86400)["points"]
    if hour_of(points[-2]) > midnight:
        del points[-2]
    assert [(hour_of(p) - midnight + 96, p["votes"]) for p in points[-3:-1]] == [
        (24, [4, 1, 0, 0]), (72, [4, 1, 2, 0])]


def test_a_bad_step_is_refused(daemon):
    daemon.poll("p")
    for step in ("60", "3601", "0", "604801", "608400", "x"):
        assert daemon.public("GET", f"/v1/polls/p/history?step={step}").status == 422
    assert daemon.public("GET", "/v1/polls/p/history?step=604800").status == 200
    assert daemon.public("GET", "/v1/polls/none/history").status == 404


def test_a_hidden_history_is_shown_to_who_voted(daemon):
    daemon.poll("p", results="after_vote", voters="address")
    assert daemon.public("GET", "/v1/polls/p/history").status == 403
    daemon.public("POST", "/v1/polls/p/votes", {"option": 1})
    answer = daemon.public("GET", "/v1/polls/p/history")
    assert answer.status == 200
    assert answer.fields["cache-control"] == "private, no-store"
    daemon.poll("q", results="after_close")
    assert daemon.public("GET", "/v1/polls/q/history").status == 403


def verify(daemon, body=None):
    answer = daemon.admin("POST", "/v1/verify", body)
    assert answer.status == 200, answer
    return answer.json()


def test_verify_counts_a_poll_that_is_named_twice_once(daemon):
    for poll in "qp":
        daemon.poll(poll)
        daemon.vote(poll, 1, "a")
    assert verify(daemon, {"polls": ["p", "q", "p", "p", "q"]}) == {
        "ok": True, "polls": 2, "votes": 2, "mismatches": []}


def test_verify_recounts_all_or_some(daemon):
    assert verify(daemon) == {"ok": True, "polls": 0, "votes": 0, "mismatches": []}
    daemon.poll("p", revote=True, carried=[1, 2, 3, 4])
    daemon.poll("q", max_choices=2)
    bulk_all(daemon, *[ballot("p", 1, f"v{i}") for i in range(1500)],
                       *[ballot("p", 2, f"v{i}") for i in range(700)],
                       {"poll": "q", "options": [1, 2], "voter": "a"})
    daemon.admin("DELETE", "/v1/polls/p/votes", {"voter": "v3"})
    assert verify(daemon) == {"ok": True, "polls": 2, "votes": 1500, "mismatches": []}
    assert verify(daemon, {"polls": ["q"]})["votes"] == 1
    assert daemon.admin("POST", "/v1/verify", {"polls": ["none"]}).status == 404
    assert daemon.admin("POST", "/v1/verify", {"colour": 1}).status == 422
    assert daemon.public("POST", "/v1/verify").status == 401


def test_status_tells_what_an_administrator_asks(daemon):
    daemon.poll("p")
    daemon.vote("p", 1, "a")
    got = daemon.admin("GET", "/v1/status").json()
    assert (got["polls"], got["votes"], got["queue"]["waiting"]) == (1, 1, 0)
    assert got["store"]["url"] == "sqlite:" + daemon.store
    assert got["store"]["bytes"] > 0
    assert got["commits"]["count"] >= 2
    assert 0 < got["commits"]["p50_ms"] <= got["commits"]["p99_ms"]
    assert got["version"] and got["started_at"].endswith("Z") and got["uptime_s"] >= 0
    assert got["last_backup_at"] is None
    assert daemon.public("GET", "/v1/status").status == 401
