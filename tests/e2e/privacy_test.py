"""What lies in the state directory, in backups and in the log tells nobody who voted."""
import base64
import ipaddress
import json
import os
import pathlib
import shutil
import sqlite3
import types
import urllib.parse

import pytest

import harness
from bulk import ballot, bulk_all
from export_test import rows

NAMES = ["anna.karenina@example.org", "Žofie Nováková", "user:4711-0815"]
ADDRESSES = ["198.51.100.77", "203.0.113.201", "2001:db8:1234:5678:9abc:def0:1122:3344"]
ROLE_TOKENS = {"admin": "the-admins-own-token-7Zq", "app": "the-apps-own-token-9Xw"}
GARBAGE = "this-is-no-token-at-all-5tgb"


def base64s(secret):
    """As it stands inside the base64 of something longer, wherever in it it begins."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):
            text = encode(b"\0" * before + secret).rstrip(b"=")
            # The characters at either end are mixed with what stands beside it.
            start = (0, 2, 3)[before]
            end = (before + len(secret)) * 8 // 6
            yield text[start:end]


def encodings(secret):
    """Every form that a grep would be made for."""
    yield from {secret, secret.hex().encode(), secret.hex().upper().encode(), *base64s(secret),
                urllib.parse.quote(secret).encode(),
                "".join(f"%{byte:02x}" for byte in secret).encode(),
                "".join(f"%{byte:02X}" for byte in secret).encode()}


def text_encodings(text):
    yield from encodings(text.encode())
    yield from (text.encode("utf-16-le"), text.encode("utf-16-be"),
                json.dumps(text)[1:-1].encode())


def address_encodings(text):
    address = ipaddress.ip_address(text)
    yield from text_encodings(text)
    yield from encodings(address.packed)
    yield from encodings(address.packed[::-1])
    yield str(int(address)).encode()
    if address.version == 6:
        yield from encodings(address.packed[:8])  # the /64 that counts
        yield from encodings(address.packed[:8][::-1])
        yield from text_encodings(address.exploded)


def where_it_is(places, patterns):
    """(place, pattern) of each that is found. Shorter ones than an address are everywhere."""
    return [(place, pattern) for pattern in set(patterns) if len(pattern) >= 4
            for place, content in places.items() if pattern in content]


def files(folder):
    return {str(path): path.read_bytes() for path in pathlib.Path(folder).rglob("*")
            if path.is_file()}


def test_the_search_finds_what_it_looks_for_in_every_encoding():
    secret = NAMES[0].encode()
    for place in (secret, secret.hex(), secret.hex().upper(), base64.b64encode(b"1" + secret + b"2"),
                  base64.b64encode(b"12" + secret), base64.urlsafe_b64encode(b"123" + secret + b"4"),
                  NAMES[0].encode("utf-16-le"), urllib.parse.quote(NAMES[0])):
        place = place.encode() if isinstance(place, str) else place
        assert where_it_is({"it": b"\1\2" + place + b"\3"}, text_encodings(NAMES[0])), place
    four = ipaddress.ip_address(ADDRESSES[0])
    for place in (four.packed, four.packed[::-1], b"3325256781", b"c633644d", ADDRESSES[0].encode()):
        assert where_it_is({"it": b"\1\2" + place + b"\3"}, address_encodings(ADDRESSES[0])), place


class JsonDaemon(harness.Daemon):
    """One whose log lines are JSON; they are kept as they came, too."""
    raw = ""

    def _message(self, line):
        self.raw += line
        return json.loads(line)["message"] + "\n"

    def _read(self, process):
        super()._read(types.SimpleNamespace(stderr=map(self._message, process.stderr)))


class Site:
    def __init__(self, folder, log_format="text"):
        self.state = folder / "state"
        self.state.mkdir()
        kind = JsonDaemon if log_format == "json" else harness.Daemon
        self.daemon = kind(folder, store=str(self.state / "tally.db"))
        config = "[server]\ntrusted_proxies = 127.0.0.1\n[store]\nballast = 64K\n"
        config += f"[log]\nformat = {log_format}\nrequests = yes\n[roles]\n"
        for role, token in ROLE_TOKENS.items():
            path = folder / f"{role}-token"
            path.write_text(token)
            path.chmod(0o600)
            config += f"{role}_token_file = {path}\n"
        self.daemon.config = config + harness.NO_LIMITS
        self.log = []

    def start(self):
        self.daemon.start()

    def end(self):
        self.daemon.stop()
        self.log += self.daemon.log

    def ask(self, method, path, body=None, address=None, bearer=None, statuses=(200, 201)):
        fields = {}
        if address:
            fields["X-Forwarded-For"] = f"garbage, {address}"
        if bearer:
            fields["Authorization"] = f"Bearer {bearer}"
        answer = self.daemon.public(method, path, body, fields)
        assert answer.status in statuses, (method, path, answer)
        return answer

    def places(self):
        log = "\n".join(self.log + self.daemon.log) + getattr(self.daemon, "raw", "")
        return {**files(self.state), "log": log.encode()}


@pytest.fixture
def site(tmp_path):
    one = Site(tmp_path)
    yield one
    one.daemon.end()


def payload(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def everybody_votes(site):
    """Votes of all kinds, refused ones too. Gives the tokens that were used."""
    app, admin = ROLE_TOKENS["app"], ROLE_TOKENS["admin"]
    tokens = []
    for poll, voters in (("addresses", "address"), ("tokens", "token"), ("accounts", "account")):
        site.daemon.poll(poll, voters=voters, revote=True, per_address=3)
    for address in ADDRESSES:
        path = "/v1/polls/addresses/votes"
        site.ask("POST", path, {"option": 1}, address)
        site.ask("POST", path, {"option": 2}, address)
        site.ask("GET", path + "/mine", None, address)
        tokens.append(site.ask("POST", "/v1/voters", {}, address).json()["token"])
        path = "/v1/polls/tokens/votes"
        site.ask("POST", path, {"option": 1}, address, statuses=[401])
        site.ask("POST", path, {"option": 1, "token": tokens[-1]}, address)
        site.ask("GET", path + "/mine", None, address, tokens[-1])
        site.ask("POST", path, {"option": 1, "token": tokens[-1] + "x"}, address, statuses=[403])
        site.ask("POST", path, {"option": 1}, address, GARBAGE, statuses=[401, 403])
        site.ask("POST", "/v1/polls/accounts/votes", {"option": 1}, address, tokens[-1],
                 statuses=[403])
    for i, name in enumerate(NAMES):
        path = "/v1/polls/accounts/votes"
        minted = site.ask("POST", "/v1/voters", {"voter": name, "polls": ["tokens"]}, bearer=app)
        tokens.append(minted.json()["token"])
        site.ask("POST", "/v1/polls/tokens/votes", {"option": 1}, ADDRESSES[i], tokens[-1])
        site.ask("POST", path, {"option": 1}, ADDRESSES[i], tokens[-1], statuses=[403])
        site.ask("POST", path, {"option": 1, "voter": name}, bearer=app)
        site.ask("POST", path, {"option": 1, "voter": name}, ADDRESSES[i], statuses=[403])
        site.ask("DELETE", path, {"voter": name}, bearer=app)
        site.ask("POST", path, {"option": 3, "voter": name}, bearer=admin)
    answers = bulk_all(site.daemon, *[ballot("tokens", 1, name) for name in NAMES])
    assert len(answers) == len(NAMES)
    return tokens


def administer(site):
    admin = ROLE_TOKENS["admin"]
    site.ask("GET", "/v1/polls/tokens/audit", bearer=admin)
    site.ask("POST", "/v1/polls/tokens/void", {"from": "2020-01-01T00:00:00Z",
                                               "to": "2020-01-02T00:00:00Z"}, bearer=admin)
    site.ask("POST", "/v1/verify", {}, bearer=admin)
    site.ask("POST", "/v1/keys/rotate", bearer=admin, statuses=[200, 201, 204])
    site.ask("PATCH", "/v1/polls/accounts", {"state": "closed"}, bearer=admin)
    site.ask("POST", "/v1/polls/accounts/forget", {"voter": NAMES[1]}, bearer=admin)
    site.ask("POST", "/v1/backup", {"path": "nightly"}, bearer=admin)


def secrets(tokens):
    for name in NAMES + list(ROLE_TOKENS.values()) + [GARBAGE]:
        yield name, text_encodings(name)
    for address in ADDRESSES:
        yield address, address_encodings(address)
    for token in tokens:
        yield token, text_encodings(token)
        for part in token.split(".")[1:]:
            yield token, encodings(part.encode())
            yield token, encodings(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        yield token, text_encodings(payload(token)["sub"])


def nothing_is_told(site, tokens):
    places = site.places()
    for secret, patterns in secrets(tokens):
        assert where_it_is(places, patterns) == [], secret


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_voter_token_or_address_is_in_any_file_or_log_line(tmp_path, log_format):
    site = Site(tmp_path, log_format)
    site.start()
    try:
        tokens = everybody_votes(site)
        nothing_is_told(site, tokens)
        administer(site)
        assert len([name for name in site.places() if "/backups/" in name]) == 2
        nothing_is_told(site, tokens)
        site.daemon.kill()  # what is in the log of the store alone stays there
        nothing_is_told(site, tokens)
        site.start()
        site.end()
        nothing_is_told(site, tokens)
    finally:
        site.daemon.end()


def test_a_forwarded_address_that_nobody_trusts_is_not_told_either(site):
    site.daemon.config = harness.NO_LIMITS
    site.start()
    site.daemon.poll("addresses", voters="address")
    for address in ADDRESSES:
        site.ask("POST", "/v1/polls/addresses/votes", {"option": 1}, address)
    site.end()
    for address in ADDRESSES:
        assert where_it_is(site.places(), address_encodings(address)) == []


def test_one_voter_in_two_polls_has_nothing_in_common(site):
    site.start()
    groups = {}
    token = site.ask("POST", "/v1/voters", {}).json()["token"]
    for poll in "pq":
        site.daemon.poll(poll, voters="token", per_address=5)
        site.daemon.vote(poll, 1, NAMES[0])
        site.ask("POST", f"/v1/polls/{poll}/votes", {"option": 1}, ADDRESSES[0], token)
        audit = site.daemon.admin("GET", f"/v1/polls/{poll}/audit").json()
        groups[poll] = {group["address_group"] for group in audit["groups"]}
    exported = {poll: [row["voter"] for row in rows(site.daemon, f"/v1/polls/{poll}/votes?all=1")]
                for poll in "pq"}
    hashes = exported["p"] + exported["q"]
    assert len(hashes) == len(set(hashes)) == 4
    assert all(len(voter) == 32 for voter in hashes)
    assert len(groups["p"]) == len(groups["q"]) == 1 and groups["p"] != groups["q"]
    site.end()


def inside(site, tmp_path):
    """(salt, [(voter, address)…]) of the poll `p`, from a copy: the store itself is the daemon's."""
    copy = tmp_path / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for name in os.listdir(site.state):
        if name in ("tally.db", "tally.db-wal"):
            shutil.copy(site.state / name, copy)
    with sqlite3.connect(copy / "tally.db") as db:
        number, salt = db.execute("SELECT poll, salt FROM poll WHERE id = 'p'").fetchone()
        votes = db.execute("SELECT voter, address FROM vote WHERE poll = ?", [number]).fetchall()
    db.close()
    return salt, votes


def close(site):
    assert site.daemon.admin("PATCH", "/v1/polls/p", {"state": "closed"}).status == 200


def ways_to_forget():
    def forget(site):
        close(site)
        assert site.daemon.admin("POST", "/v1/polls/p/forget").status == 200

    def delete(site):
        assert site.daemon.admin("DELETE", "/v1/polls/p").status == 204

    def wait(site):
        site.daemon.admin("PATCH", "/v1/polls/p", {"closes_at": "2021-01-01T00:00:00Z"})
        harness.until(lambda: any("who voted is forgotten" in line for line in site.daemon.log))
        # It is told with the commit; the files follow before anything else is answered.
        assert site.daemon.admin("GET", "/v1/status").status == 200

    return {"forget": forget, "delete": delete, "forget_after": wait}


@pytest.mark.parametrize("way", ["forget", "delete", "forget_after"])
def test_a_forgotten_poll_has_no_salt_anywhere(site, tmp_path, way):
    site.daemon.config += "[voters]\nforget_after = 1s\n"
    site.start()
    for poll in "pq":
        site.daemon.poll(poll, voters="address", about={"type": "Article", "name": "n" * 900})
        for address in ADDRESSES:
            site.ask("POST", f"/v1/polls/{poll}/votes", {"option": 1}, address)
        for i in range(300):
            site.daemon.vote(poll, 1, f"{poll} {i}")
    salt, votes = inside(site, tmp_path)
    assert len(salt) == 16 and len(votes) == 303
    assert where_it_is(files(site.state), encodings(salt))
    ways_to_forget()[way](site)
    assert where_it_is(files(site.state), encodings(salt)) == []
    site.daemon.kill()
    assert where_it_is(files(site.state), encodings(salt)) == []
    site.start()
    assert inside(site, tmp_path)[0] is None
    shown = site.daemon.admin("GET", "/v1/polls/p/tally")
    assert shown.status == 404 if way == "delete" else shown.json()["votes"] == 303
    assert site.daemon.admin("POST", "/v1/verify").json()["ok"]
    assert site.daemon.vote("q", 1, "q 7").json()["result"] == "already"
    site.end()
    assert where_it_is(files(site.state), encodings(salt)) == []


def test_a_forgotten_voter_loses_hash_and_address_in_every_row(site, tmp_path):
    site.start()
    site.daemon.poll("p", voters="token", per_address=0, revote=True)
    token = site.ask("POST", "/v1/voters", {"voter": NAMES[0]}, bearer=ROLE_TOKENS["app"]).json()
    for option in (1, 2, 3):
        site.ask("POST", "/v1/polls/p/votes", {"option": option}, ADDRESSES[0], token["token"])
        site.daemon.vote("p", option, NAMES[1])
    close(site)
    _, before = inside(site, tmp_path)
    voter, group = before[0]
    assert [row for row in before if row == (voter, group)] == before[::2]
    answer = site.daemon.admin("POST", "/v1/polls/p/forget", {"voter": NAMES[0]})
    assert answer.json()["tally"]["votes"] == 2
    for secret in (voter, group):
        assert where_it_is(files(site.state), encodings(secret)) == []
    _, after = inside(site, tmp_path)
    assert after[1::2] == before[1::2]
    assert len(set(after[::2])) == 1 and after[0][1] is None
    site.daemon.kill()
    site.start()
    for secret in (voter, group):
        assert where_it_is(files(site.state), encodings(secret)) == []
    assert site.daemon.admin("POST", "/v1/verify").json()["ok"]
    again = site.daemon.admin("POST", "/v1/polls/p/forget", {"voter": NAMES[0]})
    assert again.json()["type"] == "/problems/no-such-vote"
    site.end()
