#!/usr/bin/python3
"""Writes a store as the first released version did, and what has to come out of it for ever.

Run once, with TALLYD a tallyd whose newest migration is sql/sqlite/001 (the commit before 002 came),
into tests/crash/first. The store was killed: its last votes lie in the log alone.
"""
import gzip
import json
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import harness  # pylint: disable=wrong-import-position

FILES = ("tally.db", "tally.db-wal", "keys")
POLLS = {
    "changed": {"revote": True},
    "carried": {"carried": [33, 30, 24, 21]},
    "stars": {"kind": "rating", "carried": {"count": 2, "sum": 10}},
    "several": {"max_choices": 3, "revote": True},
    "neighbours": {"voters": "address", "revote": True},
    "shut": {},
}


def voting(poll, number):
    if poll == "stars":
        return {"rating": 1 + number % 5}
    if poll == "several":
        return {"options": [1 + number % 2, 3 + number % 2]}
    return {"option": 1 + number % 4}


def from_address(daemon, number, poll, body):
    """As the reader at 127.0.0.N."""
    wire = harness.Wire(("127.0.0.1", daemon.port), source=f"127.0.0.{number}")
    wire.send(harness.request_bytes("POST", f"/v1/polls/{poll}/votes", body))
    answer = wire.answer()
    wire.close()
    return answer


def vote(daemon, poll, numbers):
    for number in numbers:
        if poll == "neighbours":
            answer = from_address(daemon, 1 + number, poll, voting(poll, number))
            assert answer.status == 201, answer
            continue
        body = {**voting(poll, number), "voter": f"reader {number}"}
        assert daemon.admin("POST", f"/v1/polls/{poll}/votes", body).status == 201


def write(daemon):
    daemon.start()
    for poll, members in POLLS.items():
        daemon.poll(poll, **members)
        vote(daemon, poll, range(30))
    daemon.poll("gone")
    vote(daemon, "gone", range(5))
    daemon.admin("DELETE", "/v1/polls/gone")
    daemon.admin("PATCH", "/v1/polls/shut", {"state": "closed"})
    daemon.stop()
    daemon.start()
    for number in range(0, 30, 3):
        body = {"option": 1 + (number + 1) % 4, "voter": f"reader {number}"}
        assert daemon.admin("POST", "/v1/polls/changed/votes", body).status == 200
    for number in range(1, 30, 5):
        assert daemon.admin("DELETE", "/v1/polls/changed/votes",
                            {"voter": f"reader {number}"}).status == 200
    vote(daemon, "carried", range(30, 35))


def rows(daemon, poll):
    """Every row of the ledger, voters as their hashes."""
    wire = daemon.unix()
    wire.send(harness.request_bytes("GET", f"/v1/polls/{poll}/votes?all=1",
                                    fields={"Connection": "close"}))
    try:
        while True:
            wire._more()  # pylint: disable=protected-access
    except ConnectionError:
        pass
    wire.close()
    return [json.loads(line) for line in wire.left.splitlines() if line.startswith(b'{"poll"')]


def seen(daemon):
    """What readers and administrators see of it: nothing of that may ever change."""
    return {"polls": daemon.admin("GET", "/v1/polls").json()["polls"],
            "tallies": {poll: daemon.tally(poll) for poll in POLLS},
            "rows": {poll: rows(daemon, poll) for poll in POLLS}}


def main():
    target = HERE / "first"
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        daemon = harness.Daemon(folder)
        daemon.config = ""  # it has no limits yet
        write(daemon)
        (target / "seen.json").write_text(json.dumps(seen(daemon), separators=(",", ":")) + "\n")
        daemon.kill()
        for name in FILES:
            with open(f"{folder}/{name}", "rb") as file, \
                    gzip.GzipFile(target / (name + ".gz"), "wb", mtime=0) as packed:
                packed.write(file.read())


if __name__ == "__main__":
    main()
