"""Attacks with voter tokens: none of them votes, and each is told why."""
import base64
import hashlib
import json
import os

import pytest

import attackers
from attackers import b64, in_an_hour, sign


@pytest.fixture
def daemon(tmp_path):
    one = attackers.start(tmp_path)
    one.poll("p")
    yield one
    one.end()


def vote(daemon, token, poll="p", option=1, how="body"):
    path = f"/v1/polls/{poll}/votes"
    if how == "body":
        return daemon.public("POST", path, {"option": option, "token": token})
    return daemon.public("POST", path, {"option": option}, attackers.bearer(token))


def refused(daemon, token, says, poll="p"):
    for how in ("body", "header"):
        answer = vote(daemon, token, poll, how=how)
        assert (answer.status, attackers.slug(answer)) == (403, "forbidden"), (token, answer)
        assert says in answer.json()["detail"], (token, answer)
    assert daemon.tally(poll)["votes"] == 0


def test_a_signed_token_votes_once_however_it_is_carried(daemon):
    token = sign(daemon.own_key(), {"sub": "anna", "exp": in_an_hour()})
    assert vote(daemon, token).status == 201
    assert vote(daemon, token, how="header").json()["result"] == "already"
    assert vote(daemon, token, option=2).status == 409
    assert daemon.tally("p")["votes"] == 1


def test_a_token_is_never_taken_from_an_address(daemon):
    token = daemon.token()
    answer = daemon.public("POST", f"/v1/polls/p/votes?token={token}", {"option": 1})
    assert answer.status == 422
    daemon.stop()  # then all that it said has been read
    assert not any(token in line for line in daemon.log)


def test_forged_signatures_are_not_ours(daemon):
    kid, secret = daemon.own_key()
    claims = {"sub": "anna", "exp": in_an_hour()}
    good = sign((kid, secret), claims)
    head, body, _ = good.split(".")
    refused(daemon, sign((kid, b"x" * 32), claims), "signature is wrong")
    refused(daemon, f"{head}.{body}.", "not three parts")
    refused(daemon, f"{head}.{body}.{b64(bytes(31))}", "not three parts")
    refused(daemon, f"{head}.{body}.{b64(bytes(32))}", "signature is wrong")
    # Another sub under the signature of the first.
    refused(daemon, f"{head}.{b64({'sub': 'ben', 'exp': in_an_hour()})}.{good.split('.')[2]}",
            "signature is wrong")
    refused(daemon, sign(("nobodys", secret), claims), "key is not known")


def test_every_cut_of_a_token_is_refused(daemon):
    token = daemon.token(voter="anna")
    wire = daemon.tcp()
    for end in range(1, len(token)):
        answer = daemon.ask(wire, "POST", "/v1/polls/p/votes", {"option": 1, "token": token[:end]})
        assert answer.status == 403, (end, answer)
    assert daemon.ask(wire, "POST", "/v1/polls/p/votes",
                      {"option": 1, "token": token}).status == 201
    wire.close()


def test_every_flipped_bit_of_a_token_is_refused(daemon):
    """Of its text, so that header, claims and signature are hit, and the alphabet is left."""
    token = daemon.token(voter="anna").encode()
    wire = daemon.tcp()
    tried = 0
    for i in range(len(token)):
        for bit in range(7):
            other = bytearray(token)
            other[i] ^= 1 << bit
            if other[i] < 0x20 or other[i] in b"\"\\\x7f":
                continue  # no JSON string of ASCII
            body = b'{"option":1,"token":"' + bytes(other) + b'"}'
            answer = daemon.ask(wire, "POST", "/v1/polls/p/votes", body)
            assert answer.status == 403, (i, bit, answer)
            tried += 1
    wire.close()
    assert tried > 700
    assert daemon.tally("p")["votes"] == 0


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", "HS384", "HS512",
                                       "hs256", "RS256", "ES256", "EdDSA", None, 256, True,
                                       ["HS256"]])
def test_no_algorithm_but_hs256_is_taken(daemon, algorithm):
    kid, secret = daemon.own_key()
    header = {"alg": algorithm, "kid": kid}
    claims = {"sub": "anna", "exp": in_an_hour()}
    unsigned = b64(header) + "." + b64(claims)
    hashed = {"HS384": hashlib.sha384, "HS512": hashlib.sha512}.get(str(algorithm), hashlib.sha256)
    for token in (sign((kid, secret), claims, header, hashed), sign((kid, secret), claims, header),
                  unsigned + ".", unsigned + "." + b64(b"")):
        refused(daemon, token, "header is not alg HS256")
    assert vote(daemon, unsigned).status == 403  # two parts are no token at all


@pytest.mark.parametrize("more", [
    {"jku": "https://evil.example/keys"}, {"jwk": {"kty": "oct", "k": "AAAA"}},
    {"x5u": "https://evil.example/"}, {"crit": ["exp"]}, {"b64": False}, {"zip": "DEF"},
    {"cty": "JWT"}, {"enc": "A128GCM"}, {"": ""}, {"typ": "at+jwt"}, {"typ": "jwt"}, {"typ": None},
    {"kid": "../../../../dev/null"}, {"kid": ""}, {"kid": None}, {"kid": ["a"]},
    {"kid": "' OR 1=1 --"}])
def test_a_header_with_anything_more_is_refused(daemon, more):
    key = daemon.own_key()
    header = {"alg": "HS256", "kid": key[0], **more}
    token = sign(key, {"sub": "anna", "exp": in_an_hour()}, header)
    says = "key is not known" if isinstance(more.get("kid"), str) and more["kid"] else "token"
    refused(daemon, token, says)


def test_doubled_members_are_refused_in_header_and_claims(daemon):
    key = daemon.own_key()
    kid, exp = json.dumps(key[0]), in_an_hour()
    claims = {"sub": "anna", "exp": exp}
    for header in (f'{{"alg":"HS256","kid":{kid},"kid":{kid}}}',
                   f'{{"alg":"none","kid":{kid},"alg":"HS256"}}',
                   f'{{"alg":"HS256","kid":{kid},"\\u0061lg":"none"}}',
                   f'{{"alg":"HS256","kid":{kid},"typ":"JWT","typ":"JWT"}}'):
        refused(daemon, sign(key, claims, header), "header is not")
    for body in (f'{{"sub":"anna","sub":"ben","exp":{exp}}}',
                 f'{{"sub":"anna","exp":1,"exp":{exp}}}',
                 f'{{"sub":"anna","exp":{exp},"polls":["q"],"polls":["p"]}}',
                 f'{{"sub":"anna","exp":{exp},"anon":false,"anon":true}}',
                 f'{{"sub":"anna","s\\u0075b":"ben","exp":{exp}}}'):
        refused(daemon, sign(key, body), "claims cannot be read")


@pytest.mark.parametrize("claims", [
    {"sub": "anna"}, {"exp": 9999999999}, {"sub": "anna", "exp": "9999999999"},
    {"sub": "anna", "exp": 9999999999.5}, {"sub": "anna", "exp": 1e300},
    {"sub": "anna", "exp": None}, {"sub": "anna", "exp": True}, {"sub": 7, "exp": 9999999999},
    {"sub": "", "exp": 9999999999}, {"sub": "a" * 257, "exp": 9999999999},
    {"sub": "a\tb", "exp": 9999999999}, {"sub": "a\0b", "exp": 9999999999},
    {"sub": "anna", "exp": 9999999999, "polls": "p"},
    {"sub": "anna", "exp": 9999999999, "polls": [1]},
    {"sub": "anna", "exp": 9999999999, "anon": "yes"},
    {"sub": "anna", "exp": 9999999999, "nbf": "soon"},
    [], "anna", None, "[[[[[[[[[[[[[[[[[[[["])
def test_claims_that_say_the_wrong_thing_are_refused(daemon, claims):
    refused(daemon, sign(daemon.own_key(), claims), "token")


def test_expired_and_early_tokens_say_so(daemon):
    key, now = daemon.own_key(), in_an_hour() - 3600
    refused(daemon, sign(key, {"sub": "anna", "exp": now - 120}), "has run out")
    refused(daemon, sign(key, {"sub": "anna", "exp": 0}), "has run out")
    refused(daemon, sign(key, {"sub": "anna", "exp": -1}), "has run out")
    refused(daemon, sign(key, {"sub": "anna", "exp": now + 999, "nbf": now + 300}),
            "does not count yet")
    assert vote(daemon, sign(key, {"sub": "late", "exp": now - 10})).status == 201
    assert vote(daemon, sign(key, {"sub": "early", "exp": now + 99, "nbf": now + 30})).status == 201


def test_a_token_of_one_poll_is_refused_in_another(daemon):
    daemon.poll("q")
    token = daemon.token(voter="anna", polls=["q"])
    refused(daemon, token, "for another poll")
    refused(daemon, sign(daemon.own_key(), {"sub": "a", "exp": in_an_hour(), "polls": []}),
            "another poll")
    assert vote(daemon, token, "q").status == 201


def test_tokens_of_another_server_are_not_ours(daemon, tmp_path):
    folder = tmp_path / "other"
    os.mkdir(folder)
    other = attackers.start(folder)
    try:
        refused(daemon, other.token(), "not ours")
        refused(daemon, other.token(voter="anna"), "not ours")
        kid = daemon.own_key()[0]
        refused(daemon, sign((kid, other.own_key()[1]), {"sub": "a", "exp": in_an_hour()}),
                "not ours")
    finally:
        other.end()


def test_a_server_made_anew_does_not_know_its_old_tokens(daemon):
    token = daemon.token()
    daemon.stop()
    for name in os.listdir(daemon.folder):
        if name.startswith(("tally.db", "keys")):
            os.remove(os.path.join(daemon.folder, name))
    daemon.start()
    daemon.poll("p")
    refused(daemon, token, "key is not known")


def test_any_number_of_anonymous_tokens_is_one_vote_in_an_address_poll(daemon):
    daemon.poll("a", voters="address")
    tokens = [daemon.token() for _ in range(20)]
    assert len(set(tokens)) == 20
    results = [vote(daemon, token, "a", how=how) for token in tokens for how in ("body", "header")]
    assert [r.json()["result"] for r in results] == ["counted"] + ["already"] * 39
    assert daemon.public("POST", "/v1/polls/a/votes", {"option": 1}).json()["result"] == "already"
    assert daemon.tally("a")["votes"] == 1
    # The token of a name is another voter, and a broken one is nobody.
    assert vote(daemon, daemon.token(voter="anna"), "a").status == 201
    assert vote(daemon, "broken", "a").status == 403


def test_an_anonymous_token_is_no_account_and_no_name(daemon):
    daemon.poll("acc", voters="account")
    key = daemon.own_key()
    anonymous = sign(key, {"sub": "anna", "exp": in_an_hour(), "anon": True})
    answer = vote(daemon, anonymous, "acc")
    assert (answer.status, attackers.slug(answer)) == (403, "forbidden")
    # Of the same sub, one is anonymous and one a name: two voters.
    assert vote(daemon, anonymous).status == 201
    assert vote(daemon, sign(key, {"sub": "anna", "exp": in_an_hour()})).status == 201
    assert daemon.vote("p", 1, "anna").json()["result"] == "already"
    assert daemon.tally("p")["votes"] == 2


def test_a_site_key_signs_names_and_nothing_anonymous(daemon):
    path = os.path.join(daemon.folder, "site-keys")
    with open(path, "w", opener=lambda p, f: os.open(p, f, 0o600)) as file:
        file.write(f"shop {b64(b's' * 32)}\n")
    daemon.reload(voters={"site_key_file": path})
    key = ("shop", b"s" * 32)
    refused(daemon, sign(key, {"sub": "x", "exp": in_an_hour(), "anon": True}), "anonymous")
    refused(daemon, sign(key, {"sub": "uid:0", "exp": in_an_hour()}), "uid:")
    assert vote(daemon, sign(key, {"sub": "anna", "exp": in_an_hour()})).status == 201
    assert daemon.vote("p", 1, "anna").json()["result"] == "already"


def test_names_of_local_users_are_in_no_token(daemon):
    for name in ("uid:0", "uid:", "uid:33", "uid:x"):
        refused(daemon, sign(daemon.own_key(), {"sub": name, "exp": in_an_hour()}), "uid:")
        answer = daemon.admin("POST", "/v1/voters", {"voter": name})
        assert (answer.status, attackers.slug(answer)) == (403, "forbidden")
    assert vote(daemon, daemon.token(voter="UID:0")).status == 201


def test_the_public_mints_anonymous_tokens_only(daemon):
    for body in ({"voter": "anna"}, {"polls": ["p"]}, {"expires_in": 5}, {"anon": False},
                 {"voter": None}):
        answer = daemon.public("POST", "/v1/voters", body)
        assert answer.status in (403, 422), (body, answer)
    assert daemon.public("POST", "/v1/voters", {"voter": "anna"}).status == 403
    assert daemon.public("POST", "/v1/voters", {}).status == 201


def test_tokens_outlive_a_rotation_and_the_new_key_signs(daemon):
    old = daemon.token(voter="anna")
    assert daemon.admin("POST", "/v1/keys/rotate").status == 200
    kid = daemon.own_key()[0]
    new = daemon.token(voter="ben")
    assert json.loads(base64.urlsafe_b64decode(new.split(".")[0] + "=="))["kid"] == kid
    assert vote(daemon, old).status == 201
    assert vote(daemon, new).status == 201


def test_naming_the_voter_twice_is_422(daemon):
    token, other = daemon.token(), daemon.token()
    answer = daemon.public("POST", "/v1/polls/p/votes", {"option": 1, "token": token},
                           attackers.bearer(other))
    assert answer.status == 422
    answer = daemon.admin("POST", "/v1/polls/p/votes",
                          {"option": 1, "token": token, "voter": "anna"})
    assert answer.status == 422
    answer = daemon.admin("POST", "/v1/polls/p/votes", {"option": 1, "voter": "anna"},
                          attackers.bearer(token))
    assert answer.status == 422
    assert daemon.tally("p")["votes"] == 0


def test_no_token_is_written_down(daemon):
    tokens = [daemon.token(), daemon.token(voter="anna"), "not.a.token", "nor-this"]
    for token in tokens:
        vote(daemon, token)
    daemon.stop()
    kept = b"".join(open(os.path.join(daemon.folder, name), "rb").read()
                    for name in os.listdir(daemon.folder)
                    if os.path.isfile(os.path.join(daemon.folder, name)))
    for token in tokens:
        assert token.encode() not in kept
        assert not any(token in line for line in daemon.log)
