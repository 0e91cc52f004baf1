"""Long polls: ?wait= answers when the tally is another, and not before."""
import json
import select
import socket
import threading
import time

import harness


def wait_path(poll, version, seconds=60):
    return f"/v1/polls/{poll}/tally?wait={seconds}&version={version}"


def waiting(daemon, path, fields=None, wire=None):
    """A call that is under way; its answer is read later."""
    wire = wire or daemon.tcp()
    wire.send(harness.request_bytes("GET", path, None, fields))
    return wire


def test_a_vote_answers_everybody_who_waits_for_that_poll(daemon):
    daemon.poll("p")
    daemon.poll("q")
    wires = [waiting(daemon, wait_path("p", 1)) for _ in range(20)]
    other = waiting(daemon, wait_path("q", 1))
    assert daemon.vote("p", 2, "a").status == 201
    for wire in wires:
        answer = wire.answer()
        assert (answer.status, answer.json()["version"]) == (200, 2)
        assert answer.fields["cache-control"] == "no-store"
        assert "etag" in answer.fields
    assert daemon.vote("q", 1, "a").status == 201
    assert other.answer().json()["id"] == "q"


def test_another_version_is_answered_at_once(daemon):
    daemon.poll("p")
    assert daemon.public("GET", wait_path("p", 0)).json()["version"] == 1
    assert daemon.public("GET", wait_path("p", 7)).json()["version"] == 1


def test_if_none_match_stands_for_the_version(daemon):
    daemon.poll("p")
    etag = daemon.public("GET", "/v1/polls/p/tally").fields["etag"]
    wire = waiting(daemon, "/v1/polls/p/tally?wait=60", {"If-None-Match": etag})
    daemon.vote("p", 1, "a")
    assert wire.answer().json()["votes"] == 1
    answer = daemon.public("GET", "/v1/polls/p/tally?wait=60", fields={"If-None-Match": etag})
    assert answer.status == 200  # other bytes than those are there already


def test_a_wait_needs_to_know_what_for(daemon):
    daemon.poll("p")
    for query in ("wait=5", "wait=0&version=1", "wait=61&version=1", "wait=x&version=1",
                  "wait=5&version=-1"):
        answer = daemon.public("GET", f"/v1/polls/p/tally?{query}")
        assert answer.status == 422, query
        assert answer.json()["errors"][0]["parameter"] in ("wait", "version")
    assert daemon.public("GET", wait_path("nothing", 1)).status == 404


def test_a_deleted_poll_ends_the_wait_with_404(daemon):
    daemon.poll("p")
    wire = waiting(daemon, wait_path("p", 1))
    daemon.admin("DELETE", "/v1/polls/p")
    assert wire.answer().status == 404


def test_closing_by_time_is_told_to_who_waits(daemon):
    """And not at the end of the wait: within a second, but a machine may be slower than that."""
    for ahead in (2, 4, 8, 16):
        closes = int(time.time()) + ahead
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(closes))
        made = daemon.poll(f"p{ahead}", closes_at=stamp).json()["tally"]
        if made["state"] == "open":  # else its end came before the poll
            break
    answer = waiting(daemon, wait_path(f"p{ahead}", made["version"])).answer()
    assert answer.json()["state"] == "closed"
    assert time.time() < closes + 30


def test_what_waits_behind_a_long_poll_is_answered_after_it(daemon):
    daemon.poll("p")
    wire = waiting(daemon, wait_path("p", 1))
    wire.send(harness.request_bytes("GET", "/livez"))
    daemon.vote("p", 1, "a")
    assert wire.answer().json()["version"] == 2
    assert wire.answer().body == b"live\n"


def test_sigterm_answers_who_waits(daemon):
    daemon.poll("p")
    wires = [waiting_for_sure(daemon, wait_path("p", 1)) for _ in range(8)]
    daemon.stop()
    for wire in wires:
        assert wire.answer().json()["version"] == 1


def status(daemon):
    return daemon.admin("GET", "/v1/status").json()


def test_a_peer_that_resets_is_not_kept_until_the_end_of_its_wait(daemon):
    daemon.poll("p")
    for _ in range(50):
        wire = waiting(daemon, wait_path("p", 1))
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        wire.close()
    harness.until(lambda: status(daemon)["connections"] <= 1)


def test_results_after_the_vote_are_waited_for_by_those_who_voted_alone(daemon):
    daemon.poll("p", results="after_vote")
    daemon.vote("p", 1, "uid:0")
    mine = daemon.unix()  # as root: an admin sees all
    stranger = daemon.public("GET", wait_path("p", 2))
    assert (stranger.status, stranger.json()["type"]) == (403, "/problems/results-hidden")
    waiting(daemon, wait_path("p", 2), wire=mine)
    daemon.vote("p", 1, "b")
    assert mine.answer().json()["votes"] == 2


def waiting_for_sure(daemon, path, fields=None):
    """The call was handled, and what it asks of the writer is answered, when this returns."""
    before = status(daemon)["requests"]
    wire = waiting(daemon, path, fields)
    calls = 1
    while status(daemon)["requests"] < before + calls + 1:
        calls += 1
    status(daemon)  # asks the writer too, behind it
    return wire


def has_answer(wire):
    return bool(wire.left or select.select([wire.socket], [], [], 0)[0])


def test_the_end_of_the_wait_shows_the_unchanged_tally_or_304(daemon):
    """Those who wait longer tell that an answer comes at the end of a wait, and not at once."""
    daemon.poll("p")
    etag = {"If-None-Match": daemon.public("GET", "/v1/polls/p/tally").fields["etag"]}
    longer = [waiting_for_sure(daemon, wait_path("p", 1)),
              waiting_for_sure(daemon, "/v1/polls/p/tally?wait=60", etag)]
    plain = waiting_for_sure(daemon, wait_path("p", 1, 1))
    same = waiting_for_sure(daemon, "/v1/polls/p/tally?wait=1", etag)
    assert plain.answer().json()["version"] == 1
    answer = same.answer()
    assert (answer.status, answer.body) == (304, b"")
    assert not any(has_answer(wire) for wire in longer)
    daemon.vote("p", 1, "a")
    assert [wire.answer().json()["version"] for wire in longer] == [2, 2]


def test_one_who_voted_by_address_waits_for_the_results_and_a_stranger_cannot(daemon):
    daemon.poll("p", results="after_vote", voters="address", revote=True)
    assert daemon.public("GET", wait_path("p", 1)).status == 403
    assert daemon.public("POST", "/v1/polls/p/votes", {"option": 1}).status == 201
    wire = waiting_for_sure(daemon, wait_path("p", 2))
    daemon.vote("p", 1, "b")
    answer = wire.answer()
    assert (answer.status, answer.json()["votes"]) == (200, 2)
    wire = waiting_for_sure(daemon, wait_path("p", 3))
    assert daemon.public("DELETE", "/v1/polls/p/votes").status == 200
    assert wire.answer().status == 403  # the vote that let it see them was taken back


def test_the_end_of_a_wait_for_hidden_results_is_304_to_who_has_them_and_may_see_them(daemon):
    daemon.poll("p", results="after_vote", voters="address", revote=True)
    assert daemon.public("POST", "/v1/polls/p/votes", {"option": 1}).status == 201
    etag = {"If-None-Match": daemon.public("GET", "/v1/polls/p/tally").fields["etag"]}
    for path in ("/v1/polls/p/tally?wait=1", wait_path("p", 2, 1)):
        same = waiting_for_sure(daemon, path, etag).answer()
        assert (same.status, same.body) == (304, b"")
        assert same.fields["cache-control"] == "private, no-store"
    assert waiting_for_sure(daemon, wait_path("p", 2, 1)).answer().status == 200
    longer = waiting_for_sure(daemon, "/v1/polls/p/tally?wait=60", etag)
    daemon.vote("p", 1, "b")
    answer = longer.answer()
    assert (answer.status, answer.json()["version"]) == (200, 3)


def test_many_polls_waited_for_under_load_miss_no_change(daemon):
    """Each watcher follows its poll from version to version up to the last one."""
    votes = 60
    polls = [f"p{i}" for i in range(8)]
    for poll in polls:
        daemon.poll(poll)
    ends = {}

    def follow(poll):
        wire = daemon.tcp()
        version = 1
        while version < votes + 1:
            answer = waiting(daemon, wait_path(poll, version), wire=wire).answer()
            newer = answer.json()["version"]
            assert newer > version
            version = newer
        ends[poll] = version

    threads = [threading.Thread(target=follow, args=(poll,)) for poll in polls]
    for thread in threads:
        thread.start()
    for i in range(votes):
        for poll in polls:
            daemon.vote(poll, 1, str(i))
    for thread in threads:
        thread.join(harness.START_S)
    assert ends == {poll: votes + 1 for poll in polls}
    assert json.loads(daemon.admin("GET", "/v1/polls/p0/tally").body)["votes"] == votes
