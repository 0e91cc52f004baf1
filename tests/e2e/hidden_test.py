"""Results that are not shown yet are nowhere to be found."""
import pytest


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
