"""Raids: a burst is seen, and taken back in the open. And forgetting who voted."""
import base64
import os
import socket

import harness


def vote_from(daemon, poll, option, address):
    """As a reader whose address is 127.x.y.z."""
    wire = harness.Wire.__new__(harness.Wire)
    wire.socket = socket.socket()
    wire.socket.settimeout(harness.START_S)
    wire.socket.bind((address, 0))
    wire.socket.connect(("127.0.0.1", daemon.port))
    wire.left = b""
    wire.send(harness.request_bytes("POST", f"/v1/polls/{poll}/votes", {"option": option}))
    answer = wire.answer()
    wire.close()
    return answer


def audit(daemon, poll):
    answer = daemon.admin("GET", f"/v1/polls/{poll}/audit")
    assert answer.status == 200, answer
    return answer.json()


def raided(daemon, **members):
    """Three readers, and twenty votes of one address under other names."""
    daemon.poll("p", voters="address", **members)
    for i in range(1, 4):
        assert vote_from(daemon, "p", 1, f"127.0.1.{i}").status == 201


def test_an_audit_shows_groups_minutes_and_bursts(daemon):
    raided(daemon)
    for i in range(30):
        daemon.vote("p", 2, f"named-{i}")
    got = audit(daemon, "p")
    assert (got["votes"], got["with_address"], got["address_groups"]) == (33, 3, 3)
    assert [g["votes"] for g in got["groups"]] == [1, 1, 1]
    assert all(len(g["address_group"]) == 16 for g in got["groups"])
    assert sum(m["votes"] for m in got["minutes"]) == 33
    assert daemon.public("GET", "/v1/polls/p/audit").status == 401
    assert daemon.admin("GET", "/v1/polls/none/audit").status == 404


def void(daemon, poll, body):
    return daemon.admin("POST", f"/v1/polls/{poll}/void", body)


def test_a_void_takes_the_votes_of_a_group_back_as_new_rows(daemon):
    raided(daemon)
    group = audit(daemon, "p")["groups"][0]["address_group"]
    tried = void(daemon, "p", {"address_group": group, "dry_run": True}).json()
    assert (tried["voided"], tried["tally"]["votes"]) == (1, 3)
    done = void(daemon, "p", {"address_group": group}).json()
    assert (done["voided"], done["tally"]["votes"]) == (1, 2)
    assert void(daemon, "p", {"address_group": group}).json()["voided"] == 0
    rows = daemon.admin("POST", "/v1/verify").json()
    assert rows == {"ok": True, "polls": 1, "votes": 2, "mismatches": []}
    # One of the three is told that the vote was taken back, the others have voted.
    slugs = sorted(vote_from(daemon, "p", 2, f"127.0.1.{i}").json()["type"] for i in range(1, 4))
    assert slugs == ["/problems/already-voted"] * 2 + ["/problems/vote-voided"]


def test_a_void_by_time_takes_what_was_cast_then(daemon):
    daemon.poll("p")
    for i in range(700):
        daemon.vote("p", 1 + i % 2, f"v{i}")
    body = {"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"}
    assert void(daemon, "p", body).json()["voided"] == 0
    body["to"] = "2100-01-01T00:00:00Z"
    got = void(daemon, "p", body).json()
    assert (got["voided"], got["tally"]["votes"]) == (700, 0)
    assert daemon.vote("p", 1, "v3").json()["type"] == "/problems/vote-voided"
    history = daemon.admin("GET", "/v1/polls/p/history").json()
    assert history["points"][-1]["votes"] == [0, 0, 0, 0]
    daemon.stop()
    daemon.start()
    assert daemon.vote("p", 1, "v3").json()["type"] == "/problems/vote-voided"
    assert daemon.vote("p", 1, "new").status == 201
    assert daemon.admin("POST", "/v1/verify").json()["ok"]


def test_an_older_vote_beside_a_newer_one_is_voided_alone(daemon):
    daemon.poll("p", again_after=1, revote=True)
    daemon.vote("p", 1, "a")
    first = daemon.admin("GET", "/v1/polls/p/votes/mine").json()
    assert first == {"voted": False}  # root is somebody else
    harness.until(lambda: daemon.vote("p", 2, "a").json().get("result") == "counted")
    wire = daemon.admin("GET", "/v1/polls/p/tally").json()
    assert wire["votes"] == 2
    got = void(daemon, "p", {"from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}).json()
    assert (got["voided"], got["tally"]["votes"]) == (2, 0)
    daemon.stop()
    daemon.start()
    assert daemon.vote("p", 1, "b").status == 201
    assert daemon.admin("POST", "/v1/verify").json()["ok"]


def test_a_void_gives_one_back_to_its_address_until_it_has_reached_its_limit(daemon):
    daemon.poll("p", voters="address", per_address=1)
    assert vote_from(daemon, "p", 1, "127.0.2.1").status == 201
    group = audit(daemon, "p")["groups"][0]["address_group"]
    assert void(daemon, "p", {"address_group": group}).json()["voided"] == 1
    assert audit(daemon, "p")["groups"] == []


def test_a_bad_void_is_refused_and_changes_nothing(daemon):
    daemon.poll("p")
    daemon.vote("p", 1, "a")
    for body in ({}, {"address_group": "xyz"}, {"address_group": "0" * 17}, {"from": "today"},
                 {"from": "2020-01-01T00:00:00Z"},
                 {"from": "2021-01-01T00:00:00Z", "to": "2020-01-01T00:00:00Z"},
                 {"address_group": "0" * 16, "from": "2020-01-01T00:00:00Z",
                  "to": "2021-01-01T00:00:00Z"},
                 {"address_group": "0" * 16, "dry_run": 1}, {"colour": 1}):
        assert void(daemon, "p", body).status == 422, body
    assert void(daemon, "none", {"address_group": "0" * 16}).status == 404
    assert daemon.tally("p")["votes"] == 1


def forget(daemon, poll, body=None):
    return daemon.admin("POST", f"/v1/polls/{poll}/forget", body)


def close(daemon, poll):
    assert daemon.admin("PATCH", f"/v1/polls/{poll}", {"state": "closed"}).status == 200


def voter_bytes(daemon):
    """The voter hashes as they lie in the state directory, all files one behind the other."""
    return b"".join(open(os.path.join(daemon.folder, name), "rb").read()
                    for name in sorted(os.listdir(daemon.folder)) if name.startswith("tally.db"))


def exported(daemon, poll):
    import export_test
    return export_test.rows(daemon, f"/v1/polls/{poll}/votes?all=1")


def test_an_open_poll_forgets_nobody(daemon):
    daemon.poll("p")
    daemon.vote("p", 1, "a")
    assert forget(daemon, "p").json()["type"] == "/problems/poll-open"
    assert forget(daemon, "p", {"voter": "a"}).json()["type"] == "/problems/poll-open"


def test_a_forgotten_poll_keeps_its_counts_and_loses_its_voters(daemon):
    daemon.poll("p")
    for i in range(5):
        daemon.vote("p", 1, f"v{i}")
    close(daemon, "p")
    got = forget(daemon, "p")
    assert (got.status, got.json()["tally"]["votes"]) == (200, 5)
    assert forget(daemon, "p").status == 200
    assert daemon.vote("p", 1, "v1").json()["type"] == "/problems/poll-forgotten"
    opened = daemon.admin("PATCH", "/v1/polls/p", {"state": "open"})
    assert opened.json()["type"] == "/problems/poll-forgotten"
    assert void(daemon, "p", {"address_group": "0" * 16}).json()["voided"] == 0
    daemon.stop()
    daemon.start()
    assert daemon.tally("p")["votes"] == 5
    assert daemon.vote("p", 1, "v1").json()["type"] == "/problems/poll-forgotten"
    assert daemon.admin("POST", "/v1/verify").json()["ok"]


def test_a_forgotten_voter_is_in_no_file_any_more(daemon):
    daemon.poll("p", revote=True)
    daemon.vote("p", 1, "a")
    daemon.vote("p", 2, "b")
    daemon.vote("p", 3, "a")
    old = exported(daemon, "p")
    hash_of_a = bytes.fromhex(old[0]["voter"])
    close(daemon, "p")
    assert hash_of_a in voter_bytes(daemon)
    assert forget(daemon, "p", {"voter": "nobody"}).json()["type"] == "/problems/no-such-vote"
    assert forget(daemon, "p", {"voter": "a"}).status == 200
    assert hash_of_a not in voter_bytes(daemon)
    new = exported(daemon, "p")
    assert new[0]["voter"] == new[2]["voter"] != old[0]["voter"]
    assert new[1]["voter"] == old[1]["voter"]
    assert daemon.tally("p")["votes"] == 2
    assert daemon.vote("p", 2, "b").json()["result"] == "already"
    assert daemon.admin("POST", "/v1/verify").json()["ok"]
    daemon.stop()
    assert hash_of_a not in voter_bytes(daemon)
    assert base64.b64encode(hash_of_a)[:-2] not in voter_bytes(daemon)


PAGE_BYTES = 4096


def gaps(store):
    """Where the room between cells and their pointers lies, in a store that nobody has open."""
    for at in range(0, len(store), PAGE_BYTES):
        header = at + (100 if at == 0 else 0)
        size = {2: 12, 5: 12, 10: 8, 13: 8}.get(store[header])
        if size:
            cells = int.from_bytes(store[header + 3:header + 5], "big")
            yield (header + size + 2 * cells,
                   at + int.from_bytes(store[header + 5:header + 7], "big"))


def leave_between_rows(daemon, secret):
    """As SQLite does where it moves rows between pages: now and then one in 20,000."""
    with open(daemon.store, "r+b") as file:
        for start, end in gaps(file.read()):
            if end - start >= len(secret):
                file.seek(end - len(secret))
                file.write(secret)


def test_what_is_forgotten_does_not_stay_in_the_room_between_rows(daemon):
    daemon.poll("p")
    daemon.poll("q")
    for i in range(200):
        daemon.vote("pq"[i % 2], 1, f"v{i}")
    old = bytes.fromhex(exported(daemon, "p")[0]["voter"])
    close(daemon, "p")
    daemon.stop()
    leave_between_rows(daemon, old)
    daemon.start()
    assert voter_bytes(daemon).count(old) > 5
    assert forget(daemon, "p", {"voter": "v0"}).status == 200
    assert old not in voter_bytes(daemon)
    assert daemon.vote("q", 1, "new").status == 201
    daemon.stop()
    assert old not in voter_bytes(daemon)
    daemon.start()
    assert daemon.admin("POST", "/v1/verify").json() == {"ok": True, "polls": 2, "votes": 201,
                                                         "mismatches": []}
