"""The wall clock is set forward and back, and each thing that it rules follows."""
import pytest

import attackers
import clock
import clock_jumps
import harness
from clock import seconds, stamp

JUMPS = 25
HOUR_S = 3600
START_S = seconds("2026-11-25T12:00:00Z")


@pytest.fixture(name="daemon")
def fixture_daemon(tmp_path):
    one = clock.TimedDaemon(tmp_path)
    one.set(START_S)
    one.config += "[voters]\nforget_after = 2h\n"
    one.start()
    yield one
    one.end()


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_the_clock_jumps_to_polls_follow_and_nothing_is_lost(tmp_path, seed):
    acknowledged, lost = clock_jumps.run(tmp_path, JUMPS, seed)
    assert acknowledged >= 2 * JUMPS
    assert lost == 0


def vote_with(daemon, token):
    return daemon.public("POST", "/v1/polls/p/votes", {"option": 1, "token": token})


def test_a_token_runs_out_and_is_good_again_where_the_clock_goes_back(daemon):
    daemon.poll("p")
    token = daemon.admin("POST", "/v1/voters", {"voter": "ann", "expires_in": HOUR_S}).json()
    assert token["expires_at"][:13] == "2026-11-25T13"
    daemon.set(START_S + 2 * HOUR_S)
    refused = vote_with(daemon, token["token"])
    assert refused.status == 403 and "run out" in refused.json()["detail"], refused
    daemon.set(seconds("2038-01-19T03:14:30Z"))
    assert vote_with(daemon, token["token"]).status == 403
    daemon.set(START_S - 10 * HOUR_S)
    assert vote_with(daemon, token["token"]).json()["result"] == "counted"
    assert vote_with(daemon, token["token"]).json()["result"] == "already"


def test_a_token_that_is_early_waits_for_the_clock(daemon):
    daemon.poll("p")
    kid, secret = attackers.Attacked.own_key(daemon)
    token = attackers.sign((kid, secret), {"sub": "ann", "exp": int(START_S) + 10 * HOUR_S,
                                           "nbf": int(START_S) + 5 * HOUR_S})
    assert vote_with(daemon, token).status == 403
    daemon.set(START_S + 6 * HOUR_S)
    assert vote_with(daemon, token).status == 201
    daemon.set(START_S)
    assert vote_with(daemon, token).status == 403


def test_who_votes_daily_votes_by_the_clock_and_never_twice_where_it_goes_back(daemon):
    daemon.poll("p", again_after=24 * HOUR_S)

    def result():
        return daemon.vote("p", 1, "ann").json()["result"]

    assert result() == "counted"
    daemon.set(START_S + 23 * HOUR_S)
    assert result() == "already"
    daemon.set(START_S - 23 * HOUR_S)
    assert result() == "already"
    daemon.set(START_S + 25 * HOUR_S)
    assert result() == "counted"
    daemon.set(START_S)
    assert result() == "already"
    assert daemon.tally("p")["voters"] == 2


def test_what_was_forgotten_stays_so_where_the_clock_goes_back(daemon):
    daemon.poll("p", closes_at=stamp(START_S + HOUR_S))
    assert daemon.vote("p", 1, "ann").status == 201
    daemon.set(START_S + HOUR_S + 30 * 60)
    harness.until(lambda: daemon.tally("p")["state"] == "closed")
    assert daemon.vote("p", 2, "ann").json()["type"].endswith(("poll-closed", "already-voted"))
    daemon.set(START_S + 4 * HOUR_S)

    def forgotten():
        answer = daemon.admin("PATCH", "/v1/polls/p", {"state": "open", "closes_at": None})
        return answer.status == 409 and "poll-forgotten" in answer.json()["type"]

    # A vote asks: to ask by opening the poll would open it.
    harness.until(lambda: "poll-forgotten" in daemon.vote("p", 1, "eve").json()["type"])
    assert forgotten()
    daemon.set(START_S)
    assert daemon.vote("p", 1, "ann").json()["type"].endswith(("poll-forgotten", "poll-closed"))
    assert daemon.tally("p")["votes"] == 1


def test_a_request_that_is_under_way_does_not_notice(daemon):
    daemon.poll("p")
    half, waiting = daemon.tcp(), daemon.tcp()
    whole = harness.request_bytes("POST", "/v1/voters")
    half.send(whole[:20])
    version = daemon.tally("p")["version"]
    waiting.send(harness.request_bytes("GET", f"/v1/polls/p/tally?wait=60&version={version}"))
    for at_s in (START_S + 10 * HOUR_S, START_S - 10 * HOUR_S, seconds("9999-12-31T23:00:00Z")):
        daemon.set(at_s)
        assert daemon.public("GET", "/readyz").status == 200
    half.send(whole[20:])
    assert half.answer().status == 201
    daemon.vote("p", 1, "ann")
    assert waiting.answer().json()["votes"] == 1


def test_the_last_second_of_the_calendar_is_a_good_one(daemon):
    daemon.poll("p", closes_at="9999-12-31T23:59:59Z")
    daemon.set(seconds("9999-12-31T23:00:00Z"))
    answer = daemon.vote("p", 1, "ann")
    assert answer.status == 201
    assert answer.json()["tally"]["updated_at"].startswith("9999-12-31T23")
    assert daemon.admin("GET", "/v1/polls/p/history").json()["points"][-1]["votes"][0] == 1
    token = daemon.public("POST", "/v1/voters").json()
    assert token["expires_at"] == "9999-12-31T23:59:59Z"
    assert vote_with(daemon, token["token"]).status == 201
