"""The log tells who changed what, in which poll; and no secret."""
import os

import pytest

import attackers
import harness
from attackers import ADMIN_TOKEN, APP_TOKEN, bearer


@pytest.fixture
def daemon(tmp_path):
    one = attackers.start(tmp_path)
    one.poll("p")
    yield one
    one.end()


@pytest.mark.skipif(os.geteuid() != 0, reason="is uid 0 in the lines")
def test_every_change_of_an_admin_is_a_line_of_who_what_and_which_poll(daemon):
    harness.until(lambda: any("poll p: " in line for line in daemon.log))
    before, expected = len(daemon.log), []

    def line(expect, who, method, path, body=None):
        ask = daemon.admin if who == "root" else daemon.public
        fields = {} if who == "root" else bearer(ADMIN_TOKEN)
        answer = ask(method, path, body, fields)
        assert answer.status in (200, 201, 204), answer
        expected.append(expect)

    two = {"title": "T", "options": [{"label": "a"}, {"label": "b"}]}
    for who, name in (("root", "admin uid 0"), ("token", "the admin token")):
        line(f"poll x: {name} created it", who, "PUT", "/v1/polls/x", two)
        line(f"poll x: {name} replaced its definition", who, "PUT", "/v1/polls/x",
             {**two, "title": "U"})
        line(f"poll x: {name} changed its definition", who, "PATCH", "/v1/polls/x", {"title": "V"})
        line(f"poll x: {name} set its carried counts", who, "PUT", "/v1/polls/x/carried",
             {"votes": [1, 2]})
        daemon.vote("x", 1, "secret-voter")
        line(f"poll x: {name} voided 1 votes", who, "POST", "/v1/polls/x/void",
             {"from": "2000-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"})
        line(f"poll x: {name} changed its definition", who, "PATCH", "/v1/polls/x",
             {"state": "closed"})
        line(f"poll x: {name} forgot one voter", who, "POST", "/v1/polls/x/forget",
             {"voter": "secret-voter"})
        line(f"poll x: {name} forgot who voted", who, "POST", "/v1/polls/x/forget", {})
        line(f"poll x: {name} deleted it", who, "DELETE", "/v1/polls/x")
        line(f"{name} rotated the key of the voter tokens", who, "POST", "/v1/keys/rotate")
        line(f"{name} made the backup {daemon.folder}/backups/{who}", who, "POST", "/v1/backup",
             {"path": who})
    votes = [{"poll": "p", "option": 1, "voter": v} for v in ("secret-voter", "b", "b")]
    daemon.bulk(daemon.tcp(), votes + [{"poll": "none", "option": 1, "voter": "b"}],
                bearer(APP_TOKEN))
    expected.append("the app token sent votes in bulk: 2 counted, 0 changed, 1 there already, "
                    "1 refused")
    # Neither what was refused, nor a look, is a change.
    daemon.admin("POST", "/v1/polls/p/void", {"from": "2000-01-01T00:00:00Z",
                                              "to": "2100-01-01T00:00:00Z", "dry_run": True})
    daemon.public("DELETE", "/v1/polls/p")
    daemon.admin("DELETE", "/v1/polls/none")
    daemon.bulk(daemon.tcp(), votes, bearer(APP_TOKEN))
    line("poll p: admin uid 0 deleted it", "root", "DELETE", "/v1/polls/p")
    names = ("admin uid 0", "the admin token", "the app token")

    def told():
        return [line for line in daemon.log[before:] if any(name in line for name in names)]

    harness.until(lambda: len(told()) >= len(expected))
    assert told() == expected
    daemon.end()
    text = "\n".join(daemon.log)
    for secret in ("secret-voter", ADMIN_TOKEN, APP_TOKEN):
        assert secret not in text
