"""A voter's own vote: counted once, changed, taken back, refused."""
import datetime
import os

import pytest

UTC = datetime.timezone.utc


def in_seconds(seconds):
    at = datetime.datetime.now(UTC) + datetime.timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_first_vote_is_counted_with_a_receipt_and_the_new_tally(daemon):
    daemon.poll("p")
    answer = daemon.vote("p", 2, "anna")
    assert answer.status == 201
    said = answer.json()
    assert said["result"] == "counted"
    assert said["receipt"] == {"poll": "p", "seq": 1}
    assert [o["votes"] for o in said["tally"]["options"]] == [0, 1, 0, 0]
    assert said["tally"]["version"] == 2


def test_the_same_vote_again_is_already_and_tells_which_row_stands(daemon):
    daemon.poll("p")
    daemon.vote("p", 2, "anna")
    daemon.vote("p", 2, "ben")
    answer = daemon.vote("p", 2, "anna")
    assert (answer.status, answer.json()["result"]) == (200, "already")
    assert answer.json()["receipt"]["seq"] == 1
    assert daemon.tally("p")["votes"] == 2


def test_another_vote_is_refused_and_says_what_stands(daemon):
    daemon.poll("p")
    daemon.vote("p", 2, "anna")
    answer = daemon.vote("p", 3, "anna")
    assert answer.status == 409
    assert answer.fields["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/already-voted"
    assert answer.json()["standing"] == {"options": [2], "seq": 1}
    assert [o["votes"] for o in daemon.tally("p")["options"]] == [0, 1, 0, 0]


def test_where_revote_is_allowed_a_vote_is_changed_and_taken_back(daemon):
    daemon.poll("p", revote=True)
    daemon.vote("p", 1, "anna")
    changed = daemon.vote("p", 4, "anna")
    assert (changed.status, changed.json()["result"]) == (200, "changed")
    assert changed.json()["receipt"]["seq"] == 2
    assert [o["votes"] for o in changed.json()["tally"]["options"]] == [0, 0, 0, 1]
    gone = daemon.admin("DELETE", "/v1/polls/p/votes", {"voter": "anna"})
    assert gone.status == 200
    assert gone.json()["tally"]["votes"] == 0
    again = daemon.admin("DELETE", "/v1/polls/p/votes", {"voter": "anna"})
    assert (again.status, again.json()["type"]) == (404, "/problems/no-such-vote")
    assert daemon.vote("p", 4, "anna").json()["result"] == "counted"


def test_without_revote_nothing_is_taken_back(daemon):
    daemon.poll("p")
    daemon.vote("p", 1, "anna")
    answer = daemon.admin("DELETE", "/v1/polls/p/votes", {"voter": "anna"})
    assert (answer.status, answer.json()["type"]) == (409, "/problems/revote-not-allowed")


def test_several_answers_are_marks_of_one_voter(daemon):
    daemon.poll("p", max_choices=3, min_choices=2)
    few = daemon.admin("POST", "/v1/polls/p/votes", {"options": [1], "voter": "a"})
    assert (few.status, few.json()["errors"][0]["pointer"]) == (422, "/options")
    one = daemon.admin("POST", "/v1/polls/p/votes", {"options": [1, 3], "voter": "a"})
    assert one.status == 201
    same = daemon.admin("POST", "/v1/polls/p/votes", {"options": [3, 1], "voter": "a"})
    assert same.json()["result"] == "already"
    tally = daemon.tally("p")
    assert (tally["voters"], tally["votes"]) == (1, 2)
    assert [o["percent"] for o in tally["options"]] == [100, 0, 100, 0]


def test_a_rating_takes_stars(daemon):
    daemon.poll("r", kind="rating")
    for voter, stars in (("a", 5), ("b", 4), ("c", 2)):
        body = {"rating": stars, "voter": voter}
        assert daemon.admin("POST", "/v1/polls/r/votes", body).status == 201
    assert daemon.tally("r")["rating"] == 3.67
    bad = daemon.admin("POST", "/v1/polls/r/votes", {"rating": 6, "voter": "d"})
    assert (bad.status, bad.json()["errors"][0]["pointer"]) == (422, "/rating")


def test_neighbours_share_one_vote_in_an_address_poll_and_are_told_nothing(daemon):
    daemon.poll("p", voters="address")
    assert daemon.public("POST", "/v1/polls/p/votes", {"option": 1}).status == 201
    assert daemon.public("POST", "/v1/polls/p/votes", {"option": 1}).json()["result"] == "already"
    other = daemon.public("POST", "/v1/polls/p/votes", {"option": 2})
    assert other.status == 409
    assert "standing" not in other.json()
    mine = daemon.public("GET", "/v1/polls/p/votes/mine").json()
    assert mine["voted"] is True
    assert "options" not in mine and "seq" not in mine


def test_the_public_needs_a_token_and_names_nobody(daemon):
    daemon.poll("p")
    bare = daemon.public("POST", "/v1/polls/p/votes", {"option": 1})
    assert (bare.status, bare.fields["www-authenticate"]) == (401, "Bearer")
    named = daemon.public("POST", "/v1/polls/p/votes", {"option": 1, "voter": "anna"})
    assert (named.status, named.json()["type"]) == (403, "/problems/forbidden")
    token = daemon.public("POST", "/v1/polls/p/votes", {"option": 1, "token": "x"})
    assert (token.status, token.json()["type"]) == (403, "/problems/forbidden")
    both = daemon.admin("POST", "/v1/polls/p/votes", {"option": 1, "token": "x", "voter": "a"})
    assert both.status == 422
    assert daemon.tally("p")["votes"] == 0


def test_on_the_unix_socket_the_voter_is_the_local_user(daemon):
    daemon.poll("p")
    answer = daemon.admin("POST", "/v1/polls/p/votes", {"option": 3})
    assert answer.status == 201
    mine = daemon.admin("GET", "/v1/polls/p/votes/mine")
    assert mine.json()["options"] == [3]
    assert mine.fields["cache-control"] == "private, no-store"
    assert daemon.vote("p", 3, f"uid:{os.geteuid()}").json()["result"] == "already"


def test_a_voter_has_1_to_256_bytes_without_controls(daemon):
    daemon.poll("p")
    assert daemon.vote("p", 1, "x" * 256).status == 201
    for voter in ("", "x" * 257, "a\u0001b", "a\u0085b"):
        assert daemon.vote("p", 1, voter).status == 422
    assert daemon.tally("p")["votes"] == 1


def test_before_it_opens_and_after_it_closed_a_poll_takes_no_vote(daemon):
    daemon.poll("later", opens_at=in_seconds(3600))
    early = daemon.vote("later", 1, "a")
    assert (early.status, early.json()["type"]) == (409, "/problems/not-yet-open")
    assert daemon.tally("later")["state"] == "scheduled"
    daemon.poll("p", revote=True)
    daemon.vote("p", 1, "a")
    daemon.admin("PATCH", "/v1/polls/p", {"state": "closed"})
    assert daemon.vote("p", 1, "a").json()["result"] == "already"
    late = daemon.vote("p", 2, "a")
    assert (late.status, late.json()["type"]) == (409, "/problems/poll-closed")
    assert daemon.vote("p", 1, "b").status == 409
    assert daemon.admin("DELETE", "/v1/polls/p/votes", {"voter": "a"}).status == 409
    assert daemon.tally("p")["votes"] == 1


def test_who_votes_again_after_a_while_is_counted_again(daemon):
    daemon.poll("p", again_after=1)
    assert daemon.vote("p", 1, "a").status == 201
    assert daemon.vote("p", 1, "a").json()["result"] == "already"
    result = "already"
    while result == "already":
        result = daemon.vote("p", 1, "a").json()["result"]
    assert result == "counted"
    assert daemon.tally("p")["voters"] == 2


def test_one_address_has_at_most_its_share_of_standing_votes(daemon):
    daemon.poll("p", voters="address", again_after=1, per_address=2)
    results = []
    while len(results) < 2:
        answer = daemon.public("POST", "/v1/polls/p/votes", {"option": 1})
        if answer.json().get("result") != "already":
            results.append(answer.status)
    assert results == [201, 201]
    answer = daemon.public("POST", "/v1/polls/p/votes", {"option": 1})
    while answer.status == 200:
        answer = daemon.public("POST", "/v1/polls/p/votes", {"option": 1})
    assert (answer.status, answer.json()["type"]) == (409, "/problems/address-limit")
    daemon.stop()
    daemon.start()
    answer = daemon.public("POST", "/v1/polls/p/votes", {"option": 1})
    assert (answer.status, answer.json()["type"]) == (409, "/problems/address-limit")


@pytest.mark.parametrize("body, pointer", [
    ({"option": 1, "options": [1], "voter": "a"}, ""),
    ({"voter": "a"}, ""),
    ({"option": 5, "voter": "a"}, "/option"),
    ({"option": 1.0, "voter": "a"}, "/option"),
    ({"option": "1", "voter": "a"}, "/option"),
    ({"options": [], "voter": "a"}, "/options"),
    ({"options": [1, 1], "voter": "a"}, "/options/1"),
    ({"option": 1, "voter": "a", "colour": "red"}, "/colour"),
    ({"rating": 1, "voter": "a"}, "/rating"),
])
def test_a_vote_that_says_the_wrong_thing_is_422_with_a_pointer(daemon, body, pointer):
    daemon.poll("p")
    answer = daemon.admin("POST", "/v1/polls/p/votes", body)
    assert (answer.status, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert daemon.tally("p")["version"] == 1


@pytest.mark.parametrize("body", [
    b"", b"{", b"[1]x", b'{"option":1,"option":1}', b'{"option":1,"voter":"\\u0000"}',
    b'{"option":1,"voter":"\\ud800"}', b'{"option":1,"voter":"\xff"}', b"[" * 20 + b"]" * 20,
])
def test_a_vote_that_is_not_json_is_400(daemon, body):
    daemon.poll("p")
    answer = daemon.admin("POST", "/v1/polls/p/votes", body)
    assert (answer.status, answer.json()["type"]) == (400, "/problems/malformed")
