"""Voter tokens: a site's own, those of docs/tokens.md, and what restarts and reloads do to them."""
import base64
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import jwt
import pytest

import harness
import node

PAGE = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "tokens.md").read_text("utf-8")
KID, SECRET = re.search(r"^```\n(site1) ([\w-]+)\n```$", PAGE, re.M).groups()
FOREVER = 4102444800


def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


class Site(harness.Daemon):
    """A daemon that knows a site's keys."""

    def __init__(self, folder):
        super().__init__(folder)
        self.limits = self.config
        self.site_keys(f"{KID} {SECRET}\n")
        self.voters()

    def site_keys(self, text):
        path = os.path.join(self.folder, "site-keys")
        with open(path, "w") as file:
            os.chmod(path, 0o600)
            file.write(text)

    def voters(self, more=""):
        self.config = f"{self.limits}[voters]\nsite_key_file = {self.folder}/site-keys\n{more}"
        self.command()  # writes the file

    def reload(self, expect="the configuration is reloaded"):
        before = len(self.log)
        self.process.send_signal(signal.SIGHUP)
        harness.until(lambda: any(expect in line for line in self.log[before:]))

    def restart(self):
        self.stop()
        self.start()

    def mint(self, **wish):
        answer = self.admin("POST", "/v1/voters", wish)
        assert answer.status == 201, answer
        return answer.json()["token"]

    def give(self, poll, token, option=1):
        return self.public("POST", f"/v1/polls/{poll}/votes", {"option": option, "token": token})

    def refused(self, poll, token):
        """The detail of a 403."""
        answer = self.give(poll, token)
        assert (answer.status, answer.json()["type"]) == (403, "/problems/forbidden"), answer
        return answer.json()["detail"]


@pytest.fixture(name="site")
def fixture_site(tmp_path):
    one = Site(tmp_path).start()
    yield one
    one.end()


def signed(claims, kid=KID, secret=SECRET):
    return jwt.encode(claims, decoded(secret), algorithm="HS256", headers={"kid": kid})


def named(voter, **claims):
    return signed({"sub": voter, "exp": FOREVER, **claims})


def kid_of(token):
    return json.loads(decoded(token.split(".")[0]))["kid"]


# The page


def vectors():
    names = ("poll", "header", "claims", "token", "answer")
    found = re.findall("^```\n" + "".join(rf"{name} +(.*)\n" for name in names) + "```$", PAGE, re.M)
    assert len(found) == PAGE.count("\nanswer  ") > 10
    return found


@pytest.mark.parametrize("poll, header, claims, token, answer", vectors())
def test_a_vector_of_the_page_is_answered_as_it_says(site, poll, header, claims, token, answer):
    assert [decoded(part).decode() for part in token.split(".")[:2]] == [header, claims]
    site.poll(poll)
    got = site.give(poll, token)
    assert str(got.status) == answer[:3], got
    if got.status == 201:
        assert site.vote(poll, 1, json.loads(claims)["sub"]).json()["result"] == "already"
    else:
        assert got.json()["detail"] == answer[4:]


def by_python(code, voter):
    return subprocess.run(["/usr/bin/python3", "-", voter], text=True, check=True,
                          timeout=harness.START_S,
                          input=f"{code}\nimport sys\nprint(voter_token(sys.argv[1]), end='')\n",
                          stdout=subprocess.PIPE).stdout


def by_js(code, voter):
    return node.run("-", voter, given=code + "Promise.resolve(voterToken(process.argv[2]))"
                                             ".then((token) => process.stdout.write(token));\n")


def by_php(code, voter):
    if not shutil.which("php"):
        pytest.skip("no php on this machine")
    return subprocess.run(["php", "--", voter], text=True, check=True, timeout=harness.START_S,
                          input=f"<?php\n{code}\necho voter_token($argv[1]);\n",
                          stdout=subprocess.PIPE).stdout


SIGNERS = {"python": by_python, "js": by_js, "php": by_php}


def programs():
    found = re.findall(r"^```(python|js|php)\n(.*?)^```$", PAGE, re.M | re.S)
    assert [language for language, _ in found] == ["php", "python", "js", "js"]
    return found


@pytest.mark.parametrize("language, code", programs())
def test_a_program_of_the_page_signs_tokens_that_count(site, language, code):
    site.poll("p", voters="account")
    token = SIGNERS[language](code, "Анна/7")
    assert site.give("p", token).status == 201
    assert site.vote("p", 1, "Анна/7").json()["result"] == "already"


# Other people's libraries


def by_library(library, claims):
    if library == "python3-jwt":
        return signed(claims)
    return node.run("sign.js", "sign", library, given=json.dumps(
        {"kid": KID, "secret": SECRET, "claims": claims}))


LIBRARIES = ["python3-jwt", "jose", "jsonwebtoken"]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("claims", [
    {"sub": "anna"}, {"sub": "Анна \"Ü\" \\ 🗳"}, {"sub": "x" * 256}, {"sub": "42"},
    {"sub": "b", "polls": ["q", "p"]}, {"sub": "c", "nbf": 1700000000, "iat": 1700000000},
    {"sub": "d", "iss": "https://example.org", "aud": ["tallyd", "x"], "jti": "1",
     "roles": {"admin": True}, "anon": False}])
def test_a_token_of_a_library_counts_for_its_voter(site, library, claims):
    site.poll("p", voters="account")
    assert site.give("p", by_library(library, {"exp": FOREVER, **claims})).status == 201
    assert site.vote("p", 1, claims["sub"]).json()["result"] == "already"


def verify_with(library, token, secret):
    if library == "python3-jwt":
        return jwt.decode(token, secret, algorithms=["HS256"])
    return json.loads(node.run("sign.js", "verify", library, given=json.dumps(
        {"secret": base64.urlsafe_b64encode(secret).decode().rstrip("="), "token": token})))


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_token_of_ours_is_a_jwt_for_a_library(site, library):
    token = site.mint(voter="Анна", polls=["p"])
    with open(os.path.join(site.folder, "keys")) as file:
        secret = re.search(rf"^token {re.escape(kid_of(token))} (\w+) ", file.read(), re.M).group(1)
    claims = verify_with(library, token, bytes.fromhex(secret))
    assert (claims["sub"], claims["polls"]) == ("Анна", ["p"])


# Who votes where


def test_a_token_votes_in_the_body_and_as_a_bearer_and_is_one_voter(site):
    site.poll("p")
    token = named("anna")
    assert site.give("p", token).json()["result"] == "counted"
    bearer = {"Authorization": f"Bearer {token}"}
    vote = "/v1/polls/p/votes"
    assert site.public("POST", vote, {"option": 1}, bearer).json()["result"] == "already"
    assert site.public("GET", f"{vote}/mine", fields=bearer).json()["voted"] is True
    assert site.public("POST", vote, {"option": 1, "token": token}, bearer).status == 422


def test_a_token_for_other_polls_is_refused_and_says_so(site):
    for poll in "pq":
        site.poll(poll)
    for token in (named("a", polls=["q"]), site.mint(voter="b", polls=["q"]),
                  site.mint(polls=["q"])):
        assert site.refused("p", token) == "this token is for another poll"
        assert site.give("q", token).status == 201


def test_an_anonymous_token_in_an_address_poll_is_the_address(site):
    site.poll("p", voters="address")
    assert site.give("p", site.mint()).json()["result"] == "counted"
    assert site.give("p", site.mint()).json()["result"] == "already"
    other = site.give("p", site.mint(), option=2)
    assert other.json()["type"] == "/problems/already-voted"
    assert "standing" not in other.json()
    assert site.public("POST", "/v1/polls/p/votes", {"option": 1}).json()["result"] == "already"
    assert site.give("p", named("anna")).json()["result"] == "counted"
    assert site.tally("p")["votes"] == 2


def test_anonymous_tokens_in_a_token_poll_are_a_vote_each(site):
    site.poll("p")
    tokens = [site.mint() for _ in range(5)]
    assert [site.give("p", token).status for token in tokens] == [201] * 5
    assert [site.give("p", token).json()["result"] for token in tokens] == ["already"] * 5
    assert site.public("POST", "/v1/polls/p/votes", {"option": 1}).status == 401


def test_an_account_poll_takes_names_only(site):
    site.poll("p", voters="account")
    site.refused("p", site.mint())
    assert site.give("p", named("anna")).status == 201
    assert site.give("p", site.mint(voter="bob")).status == 201
    assert site.tally("p")["votes"] == 2


def test_an_anonymous_voter_is_nobody_with_that_name(site):
    site.poll("p")
    token = site.mint()
    assert site.give("p", token).json()["result"] == "counted"
    name = json.loads(decoded(token.split(".")[1]))["sub"]
    assert site.give("p", named(name)).json()["result"] == "counted"
    assert site.vote("p", 1, name).json()["result"] == "already"


@pytest.mark.parametrize("anonymous", [True, False])
def test_a_limit_per_address_is_exact_with_tokens_and_after_a_restart(site, anonymous):
    site.poll("p", per_address=3, revote=True)
    voters = [site.mint() if anonymous else named(f"v{i}") for i in range(6)]

    def given():
        return [site.give("p", token).json().get("result") for token in voters]

    assert given() == ["counted"] * 3 + [None] * 3
    site.restart()
    assert given() == ["already"] * 3 + [None] * 3
    assert site.give("p", voters[5]).json()["type"] == "/problems/address-limit"
    assert site.give("p", voters[0], option=2).json()["result"] == "changed"
    assert site.public("DELETE", "/v1/polls/p/votes", {"token": voters[1]}).status == 200
    site.restart()
    assert site.give("p", voters[4]).json()["result"] == "counted"
    assert site.give("p", voters[1]).json()["type"] == "/problems/address-limit"
    assert site.vote("p", 1, "named by an app").json()["result"] == "counted"
    assert site.tally("p")["votes"] == 4


# Restarts, rotations, reloads


def test_a_token_survives_a_restart(site):
    site.poll("p")
    tokens = [site.mint(), site.mint(voter="anna"), named("bob")]
    site.restart()
    assert [site.give("p", token).status for token in tokens] == [201] * 3
    site.restart()
    assert [site.give("p", token).json()["result"] for token in tokens] == ["already"] * 3


def test_a_rotation_makes_new_tokens_and_keeps_the_old_ones_good(site):
    site.poll("p")
    old = [site.mint(voter=f"old{i}") for i in range(3)]
    assert site.give("p", old[0]).status == 201
    assert site.admin("POST", "/v1/keys/rotate").status == 200
    new = [site.mint(voter=f"new{i}") for i in range(2)]
    assert kid_of(new[0]) == kid_of(new[1]) != kid_of(old[0])
    assert [site.give("p", token).status for token in (old[1], new[0])] == [201] * 2
    site.restart()
    assert [site.give("p", token).status for token in (old[2], new[1])] == [201] * 2
    assert kid_of(site.mint()) == kid_of(new[0])
    # A voter is the same one, whichever key has signed for it.
    assert site.give("p", site.mint(voter="old0")).json()["result"] == "already"


def lifetime(token, before):
    """How long it is good, of a token that was made since `before`."""
    left = json.loads(decoded(token.split(".")[1]))["exp"] - before
    return range(left - int(time.time() - before) - 2, left + 1)


def test_a_token_lives_as_long_as_the_configuration_says(site):
    before = int(time.time())
    assert 400 * 86400 in lifetime(site.mint(), before)
    site.voters("token_lifetime = 1h\n")
    site.reload()
    assert 3600 in lifetime(site.mint(), before)
    assert 60 in lifetime(site.mint(expires_in=60), before)
    site.restart()
    assert 3600 in lifetime(site.mint(), before)
    site.voters("token_lifetime = 500d\n")
    site.reload()
    assert 500 * 86400 in lifetime(site.mint(), before)
    assert site.admin("POST", "/v1/voters", {"expires_in": 500 * 86400 + 1}).status == 422
    assert site.admin("POST", "/v1/voters", {"expires_in": 0}).status == 422


def test_a_reload_reads_the_sites_keys_again_and_drops_no_connection(site):
    site.poll("p")
    other = base64.urlsafe_b64encode(b"another secret of thirty-two byt").decode().rstrip("=")
    wires = [site.tcp(), site.unix()]

    def vote(wire, token):
        wire.send(harness.request_bytes("POST", "/v1/polls/p/votes", {"option": 1, "token": token}))
        return wire.answer().status

    def new(voter):
        return signed({"sub": voter, "exp": FOREVER}, "site2", other)

    assert [vote(wires[0], named("a")), vote(wires[0], new("b"))] == [201, 403]
    site.site_keys(f"# both\n{KID} {SECRET}\nsite2 {other}\n")
    site.reload()
    for i, wire in enumerate(wires):
        assert [vote(wire, named(f"c{i}")), vote(wire, new(f"d{i}"))] == [201, 201]
    site.site_keys(f"site2 {other}\n")
    site.reload()
    for i, wire in enumerate(wires):
        assert [vote(wire, named(f"e{i}")), vote(wire, new(f"f{i}"))] == [403, 201]
        wire.close()
    assert site.refused("p", named("g")) == "this token is not ours: its key is not known here"
    # What was cast under the key that is gone still stands.
    assert site.vote("p", 1, "a").json()["result"] == "already"


def test_a_file_of_keys_with_a_mistake_changes_nothing(site):
    site.poll("p")
    site.site_keys(f"{KID} tooshort\n")
    site.reload("going on with the configuration as it was")
    assert site.give("p", named("a")).status == 201
    site.stop()
    assert not any("tooshort" in line for line in site.log)
