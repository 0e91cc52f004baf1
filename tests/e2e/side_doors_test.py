"""Hidden results have no side door: every route, header, receipt, error and log line is tried.

What a caller who may not see the figures hears must not depend on them: the same requests are made
before and after others have voted, and every byte but the date must be the same.
"""
import os
import pathlib
import re
import shutil
import socket
import tempfile

import pytest

import harness

SOURCE = pathlib.Path(__file__).resolve().parents[2]
CARRIED = [12347, 54323, 0, 0]
# The carried counts, their sum, and what they are with some of the votes that the tests cast.
FIGURES = [str(n + more) for n in (12347, 54323, 66670) for more in range(40)]
SHARES = ["0.185", "0.814", "19%", "81%"]
ANY_FIGURE = re.compile(rf"(?<![\w.])({'|'.join(map(re.escape, FIGURES + SHARES))})")
LOCAL_UID = 65533  # nobody's
APP_UID = 65532
EVENTS_OF_TWO = "/v1/events?ids=hidden,open"
WAIT = 60  # longer than a test waits for an answer
JWT = re.compile(rb"eyJ[\w-]+\.[\w-]+\.[\w-]+")
MOMENT = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def routes():
    """(method, path, least role) of each row of the daemon's own table."""
    table = (SOURCE / "daemon/api/routes.c").read_text()
    found = re.findall(r'\{ METHOD_(\w+), (POLL)?\s*(?:"([^"]*)")?, ROLE_(\w+), (?:NULL|"[^"]*"), '
                       r'\w+ \}', table)
    assert len(found) == table.count("{ METHOD_") > 30
    return [(method, ("/v1/polls/{id}" if poll else "") + rest, role)
            for method, poll, rest, role in found]


class Wire(harness.Wire):
    """From an address of 127.0.0.0/8, or to the Unix socket as a user."""

    def first_events(self, count):
        """Head and first events of a stream, which is left then: which comes first is not fixed."""
        while self.left.count(b"\ndata: ") < count or not self.left.endswith(b"\n\r\n"):
            self._more()
        head, events = self.left.split(b"\r\n\r\n", 1)
        self.close()
        fields = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:])
        fields = {name.lower(): value for name, value in fields.items()}
        assert fields["content-type"] == "text/event-stream"
        fields["connection"] = "close"
        return harness.Answer(200, fields, b"".join(sorted(events.splitlines(True))))

    def __init__(self, daemon, source=None, uid=None):
        self.left = b""
        self.socket = socket.socket(socket.AF_UNIX if uid is not None else socket.AF_INET)
        self.socket.settimeout(harness.START_S)
        if uid is None:
            self.socket.bind((source, 0))
            self.socket.connect(("127.0.0.1", daemon.port))
            return
        os.seteuid(uid)
        try:
            self.socket.connect(daemon.socket)
        finally:
            os.seteuid(0)


class Caller:
    def __init__(self, daemon, source="127.0.0.1", uid=None, token=None):
        self.connect = lambda: Wire(daemon, source, uid)
        self.wire = None
        self.fields = {"Authorization": f"Bearer {token}"} if token else {}

    def __call__(self, method, path, body=None, fields=None):
        self.wire = self.wire or self.connect()
        self.wire.send(harness.request_bytes(method, path, body, {**self.fields, **(fields or {})}))
        if (method, path) == ("GET", EVENTS_OF_TWO):
            answer = self.wire.first_events(2)
        else:
            answer = self.wire.answer(head_only=method == "HEAD")
        answer.fields.pop("date")
        if answer.fields.get("connection") == "close":
            self.wire.close()
            self.wire = None
        return answer


class Site:
    """A daemon, and everybody who may ask it."""

    def __init__(self, folder):
        self.sockets = tempfile.mkdtemp()  # where other users find it
        os.chmod(self.sockets, 0o755)
        self.daemon = harness.Daemon(folder)
        self.daemon.socket = os.path.join(self.sockets, "s")
        self.tokens = {}
        config = "[roles]\n"
        for role in ("admin", "app"):
            path = pathlib.Path(folder) / f"{role}-token"
            path.write_text(f"{role}-token-of-this-test")
            path.chmod(0o600)
            self.tokens[role] = path.read_text()
            config += f"{role}_token_file = {path}\n"
        if os.geteuid() == 0:
            config += f"app_users = {APP_UID}\n"
        self.daemon.config = config + harness.NO_LIMITS
        self.daemon.start()

    def end(self):
        self.daemon.end()
        shutil.rmtree(self.sockets)

    def mint(self, **claims):
        return self.daemon.admin("POST", "/v1/voters", claims).json()["token"]

    def outsiders(self, nth):
        """Who may not see them; none has been seen before. The name tells the kind of caller."""
        callers = {"address": Caller(self.daemon, source=f"127.9.0.{nth}"),
                   "token": Caller(self.daemon, source=f"127.9.1.{nth}", token=self.mint()),
                   "named": Caller(self.daemon, source=f"127.9.2.{nth}",
                                   token=self.mint(voter=f"outsider {nth}"))}
        if os.geteuid() == 0:
            callers["local"] = Caller(self.daemon, uid=LOCAL_UID - 10 * nth)
        return callers

    def insiders(self):
        callers = {role: Caller(self.daemon, token=token) for role, token in self.tokens.items()}
        callers["own user"] = self.daemon.admin
        if os.geteuid() == 0:
            callers["app user"] = Caller(self.daemon, uid=APP_UID)
        return callers

    def poll(self, results, **members):
        members.setdefault("voters", "address")
        made = self.daemon.poll("hidden", results=results, carried=CARRIED, revote=True, **members)
        self.made_at = made.fields["date"]

    def others_vote(self, n, name):
        for i in range(n):
            assert self.daemon.vote("hidden", 1 + i % 2, f"{name} {i}").status == 201


@pytest.fixture
def site(tmp_path):
    one = Site(tmp_path)
    yield one
    one.end()


def guesses(site):
    """ETags that a tally and a definition may have now, and might have soon."""
    etags = ["*"]
    for path in ("/v1/polls/hidden/tally", "/v1/polls/hidden"):
        etag = site.daemon.admin("GET", path).fields["etag"]
        etags.append(etag)
        etags += [re.sub(r"([0-9a-f]+)", lambda part: f"{int(part[1], 16) + 1:x}", etag)]
    return etags


def requests(site):
    """Every route, in the ways that could tell something."""
    queries = {"/v1/tallies": ["?ids=hidden", "?ids=hidden,open"],
               "/v1/events": ["?ids=hidden", EVENTS_OF_TWO.removeprefix("/v1/events")],
               "/v1/polls": ["", "?state=open&kind=choice", "?after=a&limit=1"],
               "/v1/top": ["", "?sort=votes", "?sort=rating"],
               "/oembed": ["?url=http://test/p/hidden"],
               "/v1/polls/{id}/history": ["", "?step=86400"],
               "/v1/polls/{id}/tally": ["", f"?wait={WAIT}"]
               + [f"?wait={WAIT}&version={n}" for n in (0, 1, 2, 3, 4, 1000)]}
    bodies = {"/v1/polls/{id}/votes": [{}, {"option": 99}, {"option": 1, "voter": "somebody"}],
              "/v1/voters": [{}]}
    for method, path, _ in routes():
        for query in queries.get(path, [""]):
            target = path.replace("{id}", "hidden") + query
            for body in bodies.get(path, [{}]) if method in ("POST", "PUT", "PATCH") else [None]:
                yield method, target, body, {}
            yield "OPTIONS", target, None, {}
            if method != "GET":
                continue
            yield "HEAD", target, None, {}
            for etag in guesses(site):
                yield "GET", target, None, {"If-None-Match": etag}


def heard(answer):
    fields = "".join(f"{name}: {value}\n" for name, value in sorted(answer.fields.items()))
    return JWT.sub(b"TOKEN", f"{answer.status}\n{fields}".encode() + answer.body)


def has_no_figures(text, where):
    text = text.decode("latin-1") if isinstance(text, bytes) else text
    assert not ANY_FIGURE.search(text), (where, text)


def look_everywhere(caller, asked, name):
    answers = {}
    for request in asked:
        method, path, body, fields = request
        answer = caller(method, path, body, fields)
        if "/tally" in path or "/history" in path:
            unclear = path.endswith(f"?wait={WAIT}")  # from which version on?
            assert (answer.status == 403 or method == "OPTIONS"
                    or (unclear and answer.status == 422)), (name, request, answer)
        # `*` tells that there is a poll; an ETag of its figures must not fit.
        assert answer.status != 304 or fields["If-None-Match"] == "*", (name, request, answer)
        text = heard(answer)
        if path == "/v1/voters":  # its expires_at is of the clock
            text = MOMENT.sub(b"TIME", text)
        if path == "/metrics":  # what the process does goes on; what is told of votes must not
            text = b"\n".join(line for line in text.split(b"\n") if b"tallyd_votes" in line)
            assert method != "GET" or answer.status != 200 or text, (name, answer)
        has_no_figures(text, (name, request))
        answers[str(request)] = text
    return answers


def hears_the_same_whatever_the_others_vote(site):
    asked = list(requests(site))
    before = {name: look_everywhere(caller, asked, name)
              for name, caller in site.outsiders(1).items()}
    harness.until(lambda: site.daemon.admin("GET", "/livez").fields["date"] != site.made_at)
    site.others_vote(9, "other")
    for name, caller in site.outsiders(1).items():
        after = look_everywhere(caller, asked, name)
        for request, text in after.items():
            assert text == before[name][request], (name, request, before[name][request], text)
    asked = list(requests(site))  # with the ETags of now
    for name, caller in site.outsiders(2).items():
        look_everywhere(caller, asked, name)


@pytest.mark.parametrize("voters", ["address", "token"])
@pytest.mark.parametrize("results", ["after_vote", "after_close"])
def test_no_route_tells_an_outsider_anything(site, results, voters):
    site.daemon.poll("open")
    site.poll(results, voters=voters)
    hears_the_same_whatever_the_others_vote(site)
    has_no_figures("\n".join(site.daemon.log), "log")


@pytest.mark.parametrize("results", ["after_vote", "after_close"])
def test_a_poll_that_is_not_open_yet_tells_nothing(site, results):
    site.daemon.poll("open")
    site.poll(results, opens_at="2100-01-01T00:00:00Z")
    asked = list(requests(site))
    before = {name: look_everywhere(caller, asked, name)
              for name, caller in site.outsiders(1).items()}
    assert before["address"]["('GET', '/v1/polls/hidden/tally', None, {})"].startswith(b"403")


def transcript(caller):
    """One voter's way, from the first vote to the last retraction."""
    path = "/v1/polls/hidden/votes"
    steps = [("GET", path + "/mine", None),
             ("DELETE", path, None),
             ("POST", path, {"option": 3}),
             ("POST", path, {"option": 3}),
             ("GET", path + "/mine", None),
             ("GET", "/v1/polls/hidden/tally", None),
             ("GET", "/v1/polls/hidden/tally?wait=60&version=1", None),
             ("GET", "/v1/polls/hidden/history", None),
             ("GET", "/v1/polls/hidden", None),
             ("GET", "/v1/tallies?ids=hidden", None),
             ("GET", "/v1/polls", None),
             ("POST", path, {"option": 4}),
             ("DELETE", path, None),
             ("GET", "/v1/polls/hidden", None),
             ("GET", path + "/mine", None),
             ("POST", path, {"option": 3}),
             ("DELETE", path, None)]
    return [(step, caller(*step)) for step in steps]


def without_its_moment(step, answer):
    text = heard(answer)
    return MOMENT.sub(b"TIME", text) if step[1].endswith("/mine") else text


def test_after_close_no_voter_learns_more_by_voting(site):
    site.poll("after_close")
    first = {name: transcript(caller) for name, caller in site.outsiders(1).items()}
    site.others_vote(9, "other")
    for name, caller in site.outsiders(2).items():
        for (step, before), (_, after) in zip(first[name], transcript(caller)):
            has_no_figures(heard(after), (name, step))
            assert without_its_moment(step, after) == without_its_moment(step, before), (name, step)
    results = [answer.json().get("result") for step, answer in first["token"] if step[0] == "POST"]
    assert results == ["counted", "already", "changed", "counted"]
    has_no_figures("\n".join(site.daemon.log), "log")


def test_a_refused_second_vote_tells_its_choice_and_no_seq(site):
    site.daemon.poll("hidden", results="after_close", voters="token")
    site.others_vote(3, "other")
    voter = site.outsiders(1)["token"]
    assert voter("POST", "/v1/polls/hidden/votes", {"option": 1}).status == 201
    refused = voter("POST", "/v1/polls/hidden/votes", {"option": 2})
    assert refused.json()["standing"] == {"options": [1], "seq": None}


def sees(caller, votes):
    tally = caller("GET", "/v1/polls/hidden/tally")
    assert (tally.status, tally.json()["votes"]) == (200, votes), tally
    assert tally.fields["cache-control"] == "private, no-store"
    assert caller("GET", "/v1/polls/hidden").json()["tally"] == tally.json()
    assert caller("GET", "/v1/tallies?ids=hidden").json()["tallies"] == [tally.json()]
    history = caller("GET", "/v1/polls/hidden/history")
    assert sum(history.json()["points"][-1]["votes"]) == votes
    for path in ("", "/tally", "/history"):
        answer = caller("GET", "/v1/polls/hidden" + path)
        assert answer.fields["cache-control"] == "private, no-store", path
        assert caller("HEAD", "/v1/polls/hidden" + path).fields == answer.fields


def is_shut_out(caller):
    tally = caller("GET", "/v1/polls/hidden/tally")
    assert (tally.status, tally.json()["type"]) == (403, "/problems/results-hidden")
    assert "etag" not in tally.fields and "no-store" in tally.fields["cache-control"]
    waited = caller("GET", f"/v1/polls/hidden/tally?wait={WAIT}&version=1")
    assert (waited.status, waited.body) == (403, tally.body)
    for path in ("/history",):
        assert caller("GET", "/v1/polls/hidden" + path).status == 403
    assert caller("GET", "/v1/polls/hidden").json()["tally"] is None
    listed = caller("GET", "/v1/tallies?ids=hidden,no").json()
    assert listed == {"tallies": [{"id": "hidden", "hidden": True}], "missing": ["no"]}
    assert caller("GET", "/v1/polls").json()["polls"][0]["votes"] is None


def test_after_vote_a_vote_that_stands_is_what_lets_see(site):
    site.poll("after_vote")
    before = sum(CARRIED)
    for name, caller in site.outsiders(1).items():
        is_shut_out(caller)
        counted = caller("POST", "/v1/polls/hidden/votes", {"option": 3}).json()
        assert counted["tally"]["votes"] == before + 1, name
        assert counted["receipt"]["seq"] > 0
        sees(caller, before + 1)
        mine = caller("GET", "/v1/polls/hidden/votes/mine").json()
        assert ("seq" in mine) == (name in ("named", "local")) and mine.get("seq", 1) is not None
        gone = caller("DELETE", "/v1/polls/hidden/votes").json()
        assert (gone["tally"], gone["receipt"]["seq"]) == (None, None), name
        is_shut_out(caller)


def test_a_vote_that_was_voided_lets_see_no_more(site):
    site.poll("after_vote")
    voters = site.outsiders(1)
    for caller in voters.values():
        assert caller("POST", "/v1/polls/hidden/votes", {"option": 3}).status == 201
    body = {"from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}
    assert site.daemon.admin("POST", "/v1/polls/hidden/void", body).json()["voided"] == len(voters)
    for name, caller in voters.items():
        is_shut_out(caller)
        assert caller("GET", "/v1/polls/hidden/votes/mine").json().get("seq") is None, name
        again = caller("POST", "/v1/polls/hidden/votes", {"option": 3})
        assert again.json()["type"] == "/problems/vote-voided"
        has_no_figures(heard(again), name)
        assert "standing" not in again.json()


@pytest.mark.parametrize("results", ["after_vote", "after_close"])
def test_apps_and_admins_always_see_them(site, results):
    site.poll(results)
    for name, caller in site.insiders().items():
        sees(caller, sum(CARRIED))
        assert caller("GET", "/v1/polls").json()["polls"][0]["votes"] == sum(CARRIED), name
        waited = caller("GET", "/v1/polls/hidden/tally?wait=60&version=0")
        assert waited.json()["votes"] == sum(CARRIED)
        voted = caller("POST", "/v1/polls/hidden/votes", {"option": 1, "voter": name}).json()
        assert voted["receipt"]["seq"] == 1 and voted["tally"]["votes"] == sum(CARRIED) + 1
        site.daemon.admin("DELETE", "/v1/polls/hidden")
        site.poll(results)


@pytest.mark.parametrize("results", ["after_vote", "after_close"])
def test_once_closed_everybody_sees_them_and_caches_may_keep_them(site, results):
    site.poll(results)
    site.others_vote(4, "other")
    voters = site.outsiders(1)
    assert voters["named"]("POST", "/v1/polls/hidden/votes", {"option": 1}).status == 201
    hidden = site.outsiders(3)["address"]("GET", "/v1/polls/hidden").fields.get("etag")
    assert site.daemon.admin("PATCH", "/v1/polls/hidden", {"state": "closed"}).status == 200
    for name, caller in {**voters, **site.outsiders(2)}.items():
        tally = caller("GET", "/v1/polls/hidden/tally")
        assert tally.json()["votes"] == sum(CARRIED) + 5, name
        assert tally.fields["cache-control"].startswith("public")
        same = caller("GET", "/v1/polls/hidden/tally", None,
                      {"If-None-Match": tally.fields["etag"]})
        assert same.status == 304
        shown = caller("GET", "/v1/polls/hidden")
        assert shown.json()["tally"] == tally.json()
        assert shown.fields["etag"] not in (hidden, tally.fields["etag"])
        assert caller("GET", "/v1/polls").json()["polls"][0]["votes"] == sum(CARRIED) + 5
        assert caller("GET", "/v1/polls/hidden/history").status == 200
    assert voters["named"]("GET", "/v1/polls/hidden/votes/mine").json()["seq"] == 5
    site.daemon.admin("PATCH", "/v1/polls/hidden", {"state": "open"})
    is_shut_out(site.outsiders(3)["address"])


def test_who_waits_when_a_poll_becomes_hidden_learns_nothing(site):
    site.poll("always")
    caller = site.outsiders(1)["token"]
    version = caller("GET", "/v1/polls/hidden/tally").json()["version"]
    wire = caller.connect()
    wire.send(harness.request_bytes("GET", f"/v1/polls/hidden/tally?wait=60&version={version}",
                                    None, caller.fields))
    site.daemon.admin("PATCH", "/v1/polls/hidden", {"results": "after_close"})
    site.others_vote(1, "other")
    answer = wire.answer()
    wire.close()
    if answer.status == 200:  # it was answered, or asked, before the change
        assert answer.json()["version"] == version + 1
        pytest.fail("the waiter was shown a tally of a hidden poll")
    assert answer.json()["type"] == "/problems/results-hidden"
