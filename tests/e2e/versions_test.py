"""tally beside a daemon of another version: which is older, and what can be done all the same."""
import json

import pytest

import client
from client import tally
from fake import Canned, whole

NO_ROUTE = whole({"type": "/problems/no-such-route", "title": "No", "status": 404,
                  "detail": "no such address"}, b"404 Not Found")
NOT_BUILT = whole({"type": "/problems/not-implemented", "title": "No", "status": 501,
                   "detail": "not built in"}, b"501 Not Implemented")
NOT_ALLOWED = whole({"type": "/problems/forbidden", "title": "No", "status": 403},
                    b"403 Forbidden")
VERSION = client.version()
TOP = "GET /v1/top"


@pytest.fixture(name="canned")
def fixture_canned(tmp_path):
    made = []

    def make(answers):
        made.append(Canned(tmp_path / "s", answers))
        return made[0]

    yield make
    for one in made:
        one.end()


def metrics(version):
    return whole(f'# TYPE x gauge\nx 1\ntallyd_build_info{{version="{version}"}} 1\n'.encode())


@pytest.mark.parametrize("verb,path", [
    (["top"], "GET /v1/top"), (["audit", "p"], "GET /v1/polls/p/audit"),
    (["export", "p"], "GET /v1/polls/p/votes"), (["keys", "rotate"], "POST /v1/keys/rotate"),
    (["chart", "p", "-o", "F.svg"], "GET /v1/polls/p/chart.svg"),
    (["verify"], "POST /v1/verify"), (["backup", "F"], "POST /v1/backup")])
@pytest.mark.parametrize("refusal", [NO_ROUTE, NOT_BUILT])
@pytest.mark.parametrize("version,says", [
    ("0.0.9", f"that tallyd is 0.0.9, older than this tally, which is {VERSION}: upgrade tallyd"),
    ("99.1", f"that tallyd is 99.1, newer than this tally, which is {VERSION}: upgrade tally")])
def test_what_the_daemon_does_not_know_names_the_older_of_the_two(
        canned, tmp_path, verb, path, refusal, version, says):
    class Anything(dict):
        """Whatever is asked with whatever parameters."""

        def __missing__(self, line):
            return refusal if line.startswith(path) else whole({"version": version})

    canned(Anything())
    ran = tally(tmp_path, *verb)
    assert ran.returncode == (5 if refusal is NO_ROUTE else 1), ran
    said = ran.stderr.decode().splitlines()
    assert len(said) == 2 and said[1].startswith("tally: " + says), said


def test_who_may_not_see_the_status_learns_the_version_from_the_metrics(canned, tmp_path):
    canned({TOP: NO_ROUTE, "GET /v1/status": NOT_ALLOWED,
            "GET /metrics": metrics("0.0.1")})
    said = tally(tmp_path, "top").stderr.decode().splitlines()
    assert len(said) == 2 and "that tallyd is 0.0.1, older than this tally" in said[1], said


@pytest.mark.parametrize("status,other", [
    (whole({"version": VERSION}), NO_ROUTE), (NOT_ALLOWED, NOT_ALLOWED), (NO_ROUTE, NO_ROUTE),
    (whole({"version": 7}), NO_ROUTE), (whole(b"no JSON"), NO_ROUTE),
    (NOT_ALLOWED, metrics(VERSION))])
def test_of_the_same_version_or_an_unknown_one_nothing_is_claimed(canned, tmp_path, status, other):
    canned({TOP: NO_ROUTE, "GET /v1/status": status,
            "GET /metrics": other})
    said = tally(tmp_path, "top").stderr.decode().splitlines()
    assert len(said) == 2 and "older than this tally, which" not in said[1], said
    assert "newer" not in said[1]


def test_a_refusal_that_has_nothing_to_do_with_versions_asks_for_none(canned, tmp_path):
    fake = canned({TOP: NOT_ALLOWED})
    assert tally(tmp_path, "top").returncode == 4
    assert [line for line, _ in fake.asked] == [TOP]


def test_a_terminal_is_sent_nothing_by_a_version(canned, tmp_path):
    canned({TOP: NO_ROUTE,
            "GET /v1/status": whole({"version": "9\u001b[2J"})})
    said = tally(tmp_path, "top").stderr
    assert b"newer" in said and b"\x1b" not in said


def test_a_status_of_another_version_is_shown_as_far_as_it_is_known(canned, tmp_path):
    canned({"GET /v1/status": [whole({"version": "0.0.9", "votes": 3}),
                               whole({"version": "99.1", "votes": 4, "busiest": 7, "new": {}}),
                               NOT_ALLOWED]})
    ran = tally(tmp_path, "status", "--watch")
    assert [json.loads(line)["votes"] for line in ran.stdout.splitlines()] == [3, 4]
