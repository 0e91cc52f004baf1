"""Results that are not shown yet are nowhere to be found."""
import pytest

import harness
from metrics_test import queued, writer_held_up


@pytest.fixture
def after_vote(daemon):
    daemon.poll("p", voters="address", results="after_vote")
    daemon.vote("p", 2, "anna")
    daemon.vote("p", 2, "ben")
    return daemon


def figures_are_absent(daemon, poll_id):
    tally = daemon.public("GET", f"/v1/polls/{poll_id}/tally")
    assert (tally.status, tally.json()["type"]) == (403, "/problems/results-hidden")
    assert "etag" not in tally.fields
    assert daemon.public("GET", f"/v1/polls/{poll_id}").json()["tally"] is None
    listed = daemon.public("GET", f"/v1/tallies?ids={poll_id}").json()
    assert listed["tallies"] == [{"id": poll_id, "hidden": True}]
    assert daemon.public("GET", "/v1/polls").json()["polls"][0]["votes"] is None


def test_a_stranger_sees_nothing_and_an_admin_sees_all(after_vote):
    figures_are_absent(after_vote, "p")
    assert after_vote.tally("p")["votes"] == 2
    shown = after_vote.admin("GET", "/v1/polls/p/tally")
    assert shown.fields["cache-control"] == "private, no-store"


def test_who_voted_sees_them_and_no_cache_keeps_them(after_vote):
    answer = after_vote.public("POST", "/v1/polls/p/votes", {"option": 1})
    assert answer.json()["tally"]["votes"] == 3
    assert answer.json()["receipt"]["seq"] == 3
    seen = after_vote.public("GET", "/v1/polls/p/tally")
    assert (seen.status, seen.json()["votes"]) == (200, 3)
    assert seen.fields["cache-control"] == "private, no-store"
    assert after_vote.public("GET", "/v1/polls/p").json()["tally"]["votes"] == 3
    assert after_vote.public("GET", "/v1/tallies?ids=p").json()["tallies"][0]["votes"] == 3


@pytest.mark.parametrize("what", ["tally", "jsonld", "chart.svg", "chart.svg?of=history"])
def test_who_has_seen_them_is_told_that_they_are_the_same_and_nobody_else_is(after_vote, what):
    path = f"/v1/polls/p/{what}"
    assert after_vote.public("POST", "/v1/polls/p/votes", {"option": 1}).status == 201
    first = after_vote.public("GET", path)
    had = {"If-None-Match": f'"other", {first.fields["etag"]}'}
    same = after_vote.public("GET", path, fields=had)
    if same.status == 200 and "history" in what:  # the minute went by meanwhile
        had = {"If-None-Match": same.fields["etag"]}
        same = after_vote.public("GET", path, fields=had)
    assert (same.status, same.body) == (304, b"")
    assert same.fields["etag"] in had["If-None-Match"]
    assert same.fields["cache-control"] == "private, no-store"
    assert after_vote.public("GET", path, fields={"If-None-Match": '"other"'}).status == 200
    after_vote.vote("p", 2, "cleo")
    changed = after_vote.public("GET", path, fields=had)
    assert changed.status == 200 and changed.fields["etag"] not in had["If-None-Match"]
    wire = harness.Wire(("127.0.0.1", after_vote.port), "127.0.0.2")  # who has not voted
    wire.send(harness.request_bytes("GET", path, None, {"If-None-Match": changed.fields["etag"]}))
    assert wire.answer().status == 403
    wire.close()


@pytest.mark.parametrize("what", ["tally", "jsonld", "chart.svg"])
def test_who_had_them_gets_those_that_a_vote_before_the_answer_has_changed(after_vote, what):
    path = f"/v1/polls/p/{what}"
    assert after_vote.public("POST", "/v1/polls/p/votes", {"option": 1}).status == 201
    had = after_vote.public("GET", path).fields["etag"]
    vote, read = after_vote.unix(), after_vote.tcp()
    with writer_held_up(after_vote):
        vote.send(harness.request_bytes("POST", "/v1/polls/p/votes", {"option": 2, "voter": "c"}))
        harness.until(lambda: queued(after_vote) == 2)
        read.send(harness.request_bytes("GET", path, None, {"If-None-Match": had}))
        harness.until(lambda: queued(after_vote) == 3)
    answer = read.answer()
    assert answer.status == 200 and answer.fields["etag"] != had
    vote.close()
    read.close()


def test_everybody_sees_them_after_the_close(after_vote):
    after_vote.admin("PATCH", "/v1/polls/p", {"state": "closed"})
    assert after_vote.public("GET", "/v1/polls/p/tally").json()["votes"] == 2


def test_after_close_not_even_the_voter_sees_them_nor_a_seq(daemon):
    daemon.poll("p", voters="address", results="after_close", revote=True)
    answer = daemon.public("POST", "/v1/polls/p/votes", {"option": 1}).json()
    assert (answer["tally"], answer["receipt"]["seq"]) == (None, None)
    figures_are_absent(daemon, "p")
    gone = daemon.public("DELETE", "/v1/polls/p/votes")
    assert gone.json()["tally"] is None


def test_a_definition_does_not_move_with_hidden_votes(daemon):
    daemon.poll("p", results="after_close")
    before = daemon.public("GET", "/v1/polls/p")
    daemon.vote("p", 1, "a")
    after = daemon.public("GET", "/v1/polls/p")
    assert before.fields["etag"] == after.fields["etag"]
    assert before.body == after.body
