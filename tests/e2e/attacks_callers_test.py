"""Attacks on who is who: addresses, users and roles cannot be borrowed."""
import os
import subprocess
import threading

import pytest

import attackers
import harness
from attackers import ADMIN_TOKEN, APP_TOKEN, bearer, slug

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="becomes other users")
PROXY = {"server": {"trusted_proxies": "127.0.0.1", "proxy_users": "www-data"}}


@pytest.fixture
def started(tmp_path):
    """Starts daemons in this test's folder, and ends them."""
    ones = []

    def start(**sections):
        ones.append(attackers.start(tmp_path, **sections))
        ones[-1].poll("a", voters="address")
        ones[-1].poll("p")
        return ones[-1]

    yield start
    for one in ones:
        one.end()


def forwarded(*values, name="X-Forwarded-For"):
    """The header lines; several of one name cannot stand in a dict."""
    return "".join(f"{name}: {value}\r\n" for value in values)


def vote_bytes(lines, option=1, poll="a"):
    body = b'{"option":%d}' % option
    return (f"POST /v1/polls/{poll}/votes HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n{lines}\r\n").encode() + body


def vote_with(wire, lines, option=1, poll="a"):
    wire.send(vote_bytes(lines, option, poll))
    return wire.answer()


# --- Addresses


def test_an_untrusted_peer_forwards_nobody(started):
    daemon = started()
    wire = daemon.tcp()
    assert vote_with(wire, "").json()["result"] == "counted"
    for lines in (forwarded("203.0.113.1"), forwarded("203.0.113.2", "203.0.113.3"),
                  forwarded("for=203.0.113.4", name="Forwarded"),
                  forwarded("203.0.113.5", name="X-Real-IP"),
                  forwarded("203.0.113.6", name="CF-Connecting-IP"),
                  forwarded("203.0.113.7", name="True-Client-IP"),
                  forwarded("garbage"), forwarded("1.1 proxy", name="Via")):
        assert vote_with(wire, lines).json()["result"] == "already", lines
    assert daemon.tally("a")["votes"] == 1


def test_a_proxy_that_is_not_known_is_told_of_once_and_without_an_address(started):
    daemon = started()
    for i in range(3):
        for wire in (daemon.tcp(), daemon.source("127.0.0.9")):
            vote_with(wire, forwarded(f"203.0.113.{i}"))
            wire.close()
    daemon.stop()  # then all that it said has been read
    lines = [line for line in daemon.log if "X-Forwarded-For" in line]
    assert len(lines) == 1
    assert "trusted_proxies" in lines[0]
    assert "127.0.0" not in lines[0] and "203.0" not in lines[0]


def test_where_proxies_are_known_nobody_is_told_of(started):
    daemon = started(server={"trusted_proxies": "127.0.0.1"})
    for wire in (daemon.tcp(), daemon.source("127.0.0.9")):
        vote_with(wire, forwarded("203.0.113.1"))
        wire.close()
    daemon.stop()
    assert not [line for line in daemon.log if "X-Forwarded-For" in line]


# What the trusted proxy 127.0.0.1 (10.0.0.0/8 too) sends, and whose vote it is.
HOPS = [
    (["203.0.113.1"], "203.0.113.1"),
    (["6.6.6.6, 203.0.113.1"], "203.0.113.1"),
    (["203.0.113.1, 10.0.0.7"], "203.0.113.1"),
    (["6.6.6.6, 203.0.113.1, 10.0.0.7, 10.9.9.9"], "203.0.113.1"),
    (["6.6.6.6", "203.0.113.1", "10.0.0.7"], "203.0.113.1"),
    ([", ".join(["6.6.6.6"] * 99 + ["203.0.113.1"])], "203.0.113.1"),
    (["6.6.6.6"] * 30 + ["203.0.113.1"], "203.0.113.1"),
    (["203.0.113.1:4711"], "203.0.113.1"),
    (["[::ffff:203.0.113.1]:4711"], "203.0.113.1"),
    (["::ffff:203.0.113.1"], "203.0.113.1"),
    (["  203.0.113.1  ,, ,"], "203.0.113.1"),
    (["garbage, 203.0.113.1"], "203.0.113.1"),
    (["203.0.113.1, garbage, 10.0.0.7"], "10.0.0.7"),
    (["203.0.113.1, unknown"], "127.0.0.1"),
    (["203.0.113.1.example"], "127.0.0.1"),
    (["203.0.113.1 evil"], "127.0.0.1"),
    (["203.0.113.01"], "127.0.0.1"),
    (["203.0.113.1:99999"], "127.0.0.1"),
    (["203.0.113.1:"], "127.0.0.1"),
    (["[203.0.113.1]"], "127.0.0.1"),
    (["[2001:db8::1"], "127.0.0.1"),
    (["2001:db8::1%eth0"], "127.0.0.1"),
    (["\"203.0.113.1\""], "127.0.0.1"),
    (["0x7f.1"], "127.0.0.1"),
    (["3405803777"], "127.0.0.1"),
    ([""], "127.0.0.1"),
    ([",,,"], "127.0.0.1"),
    (["10.0.0.7"], "10.0.0.7"),
    (["2001:db8:0:1::1"], "2001:db8:0:1::/64"),
    (["[2001:db8:0:1::2]"], "2001:db8:0:1::/64"),
    (["[2001:db8:0:1::3]:443"], "2001:db8:0:1::/64"),
    (["2001:DB8:0:1:ffff::"], "2001:db8:0:1::/64"),
    (["2001:db8:0:2::1"], "2001:db8:0:2::/64"),
]


def test_the_last_good_hop_of_a_trusted_proxy_is_the_client(started):
    daemon = started(server={"trusted_proxies": "127.0.0.1 10.0.0.0/8"})
    wire = daemon.tcp()
    voted = set()
    for hops, client in HOPS:
        result = vote_with(wire, forwarded(*hops)).json()["result"]
        assert result == ("already" if client in voted else "counted"), (hops, client)
        voted.add(client)
    assert daemon.tally("a")["votes"] == len(voted)


def test_forwarded_beside_the_field_that_counts_says_nothing(started):
    daemon = started(**PROXY)
    wire = daemon.tcp()
    assert vote_with(wire, forwarded("203.0.113.1")).json()["result"] == "counted"
    for other in ("for=6.6.6.6", "for=\"[2001:db8::1]\";proto=https", "nonsense"):
        lines = forwarded(other, name="Forwarded") + forwarded("203.0.113.1")
        assert vote_with(wire, lines).json()["result"] == "already"
    # Alone it forwards nobody: the proxy itself votes.
    assert vote_with(wire, forwarded("for=6.6.6.6", name="Forwarded")).json()["result"] == "counted"
    assert vote_with(wire, "").json()["result"] == "already"


def test_a_peer_beside_the_trusted_one_is_not_trusted(started):
    daemon = started(**PROXY)
    wire = daemon.source("127.0.0.2")
    assert vote_with(wire, "").json()["result"] == "counted"
    assert vote_with(wire, forwarded("203.0.113.1")).json()["result"] == "already"


# --- The Unix socket


@ROOT
def test_proxies_on_the_socket_hand_on_the_public(started):
    daemon = started(**PROXY)
    wire = daemon.socket_of("www-data")
    for i, result in ((1, "counted"), (1, "already"), (2, "counted")):
        assert vote_with(wire, forwarded(f"203.0.113.{i}")).json()["result"] == result
    # A client of the public, whatever else is said: no role, no uid.
    fields = {"X-Forwarded-For": "203.0.113.3", "Via": "1.1 x", "Forwarded": "for=127.0.0.1"}
    assert daemon.ask(wire, "DELETE", "/v1/polls/a", None, fields).status == 401
    body = {"option": 1, "voter": "uid:33"}
    assert daemon.ask(wire, "POST", "/v1/polls/p/votes", body, fields).status == 403
    assert daemon.ask(wire, "POST", "/v1/polls/p/votes", {"option": 1}, fields).status == 401
    assert daemon.ask(wire, "DELETE", "/v1/polls/none", None,
                      {**fields, **bearer(ADMIN_TOKEN)}).status == 404


@ROOT
def test_a_proxy_on_the_socket_that_names_no_client_gets_health_alone(started):
    daemon = started(**PROXY)
    wire = daemon.socket_of("www-data")
    for path in ("/livez", "/readyz"):
        assert daemon.ask(wire, "GET", path).status == 200
        assert daemon.ask(wire, "HEAD", path).status == 200
    for fields in ({}, {"X-Forwarded-For": ""}, {"X-Forwarded-For": "unknown"},
                   {"X-Forwarded-For": "localhost"}, {"Forwarded": "for=203.0.113.1"},
                   {"X-Real-IP": "203.0.113.1"}, bearer(ADMIN_TOKEN)):
        for method, path, body in (("GET", "/v1/polls", None), ("GET", "/v1/polls/a/tally", None),
                                   ("POST", "/v1/polls/a/votes", {"option": 1}),
                                   ("GET", "/nowhere", None), ("GET", "/v1/status", None),
                                   ("OPTIONS", "/v1/polls/a/votes", None),
                                   ("POST", "/livez", {}), ("POST", "/v1/voters", None)):
            answer = daemon.ask(wire, method, path, body, fields)
            assert (answer.status, slug(answer)) == (403, "forbidden"), (method, path, fields)
            assert "X-Forwarded-For" in answer.json()["detail"]
    assert daemon.tally("a")["votes"] == 0


@ROOT
def test_what_was_forwarded_by_no_proxy_of_ours_is_403_on_the_socket(started):
    daemon = started(roles={"app_users": "backup"}, **PROXY)
    for user in ("nobody", "backup", "root"):
        wire = daemon.socket_of(user)
        for name in ("X-Forwarded-For", "Forwarded", "Via"):
            for method, path, body in (("GET", "/v1/polls", None), ("GET", "/livez", None),
                                       ("DELETE", "/v1/polls/a", None),
                                       ("POST", "/v1/polls/a/votes", {"option": 1})):
                answer = daemon.ask(wire, method, path, body, {name: "203.0.113.1"})
                assert (answer.status, slug(answer)) == (403, "forbidden"), (user, name, path)
                assert "proxy_users" in answer.json()["detail"]
        wire.close()
    assert daemon.tally("a")["votes"] == 0


@ROOT
def test_local_users_read_and_vote_for_themselves_and_no_more(started):
    daemon = started()
    local = daemon.socket_of("nobody")
    assert daemon.ask(local, "GET", "/v1/polls/p/tally").status == 200
    answer = daemon.ask(local, "POST", "/v1/polls/p/votes", {"option": 1})
    assert answer.json()["result"] == "counted"
    # It is uid:65534, whom only the admin can name.
    assert daemon.vote("p", 1, "uid:65534").json()["result"] == "already"
    for voter in ("anna", "uid:65534", "uid:0", ""):
        for body in ({"option": 2, "voter": voter}, ):
            answer = daemon.ask(local, "POST", "/v1/polls/p/votes", body)
            assert (answer.status, slug(answer)) == (403, "forbidden"), (voter, answer)
        answer = daemon.ask(local, "DELETE", "/v1/polls/p/votes", {"voter": voter})
        assert answer.status == 403
    for body in (None, {}, {"voter": "anna"}):
        answer = daemon.ask(local, "POST", "/v1/voters", body)
        assert (answer.status, slug(answer)) == (403, "forbidden")
    assert daemon.tally("p")["votes"] == 1


ADMIN_ROUTES = [
    ("PUT", "/v1/polls/x", {"title": "T", "options": [{"label": "a"}, {"label": "b"}]}),
    ("PATCH", "/v1/polls/p", {"state": "closed"}), ("DELETE", "/v1/polls/p", None),
    ("PUT", "/v1/polls/p/carried", {"votes": [1, 2, 3, 4]}), ("GET", "/v1/polls/p/votes", None),
    ("GET", "/v1/polls/p/audit", None), ("POST", "/v1/polls/p/void", {"address_group": "0" * 16}),
    ("POST", "/v1/polls/p/forget", {"voter": "anna"}), ("POST", "/v1/keys/rotate", None),
    ("POST", "/v1/verify", None), ("POST", "/v1/backup", {"path": "b"}), ("GET", "/v1/status", None),
]


def test_the_table_of_admin_routes_is_whole():
    """As daemon/api/routes.c has it: a route that comes later is attacked too."""
    source = os.path.join(os.path.dirname(__file__), "../../daemon/api/routes.c")
    with open(source, encoding="utf-8") as file:
        rows = [line for line in file if line.lstrip().startswith("{ METHOD_")]
    assert sum("ROLE_ADMIN" in row for row in rows) == len(ADMIN_ROUTES)
    assert sum("ROLE_APP" in row for row in rows) == 1


@ROOT
def test_nobody_but_admins_rules(started):
    daemon = started(roles={"app_users": "backup"}, **PROXY)
    callers = [
        (daemon.tcp(), {}, 401), (daemon.tcp(), bearer(daemon.token()), 403),
        (daemon.tcp(), bearer(APP_TOKEN), 403),
        (daemon.socket_of("nobody"), {}, 403), (daemon.socket_of("backup"), {}, 403),
        (daemon.socket_of("www-data"), {"X-Forwarded-For": "203.0.113.1"}, 401),
    ]
    for method, path, body in ADMIN_ROUTES:
        for wire, fields, status in callers:
            answer = daemon.ask(wire, method, path, body, fields)
            assert answer.status == status, (method, path, fields, answer)
            assert (status == 401) == ("www-authenticate" in answer.fields)
    for i, (method, path, body) in enumerate(ADMIN_ROUTES):  # a guess each from another address
        answer = daemon.at(f"127.0.1.{i + 1}", method, path, body, bearer("wrong-token-0123456789"))
        assert answer.status == 403, (method, path, answer)
    kind = {"Content-Type": "application/x-ndjson"}
    assert daemon.public("POST", "/v1/votes", b"", kind).status == 401
    assert daemon.by("nobody", "POST", "/v1/votes", b"", kind).status == 403
    assert daemon.tally("p")["state"] == "open"
    assert daemon.admin("GET", "/v1/polls/x").status == 404


@ROOT
def test_apps_name_voters_mint_and_see_hidden_results_but_no_local_users(started):
    daemon = started(roles={"app_users": "backup"})
    daemon.poll("h", results="after_close")
    daemon.vote("h", 2, "carl")
    for wire, fields in ((daemon.tcp(), bearer(APP_TOKEN)), (daemon.socket_of("backup"), {})):
        who = f"anna{len(fields)}"
        answer = daemon.ask(wire, "POST", "/v1/polls/p/votes", {"option": 1, "voter": who}, fields)
        assert answer.status == 201
        answer = daemon.ask(wire, "POST", "/v1/voters", {"voter": who, "polls": ["p"]}, fields)
        assert answer.status == 201
        assert daemon.ask(wire, "GET", "/v1/polls/h/tally", None, fields).json()["votes"] == 1
        for voter in ("uid:0", "uid:34", "uid:"):
            for method, path, body in (
                    ("POST", "/v1/polls/p/votes", {"option": 1, "voter": voter}),
                    ("DELETE", "/v1/polls/p/votes", {"voter": voter}),
                    ("POST", "/v1/voters", {"voter": voter})):
                answer = daemon.ask(wire, method, path, body, fields)
                assert (answer.status, slug(answer)) == (403, "forbidden"), (path, voter)
                assert "uid:" in answer.json()["detail"]
    lines = [{"poll": "p", "option": 1, "voter": "uid:0"}, {"poll": "p", "option": 1, "voter": "x"}]
    got = daemon.bulk(daemon.tcp(), lines, bearer(APP_TOKEN))
    assert [line.get("status", line.get("result")) for line in got] == [403, "counted"]
    assert daemon.tally("p")["votes"] == 3
    # On TCP an app has no vote of its own; on the socket it is its user.
    assert daemon.public("POST", "/v1/polls/p/votes", {"option": 1},
                         bearer(APP_TOKEN)).status == 401
    assert daemon.by("backup", "POST", "/v1/polls/p/votes", {"option": 1}).status == 201


@ROOT
@pytest.mark.parametrize("proxy,app", [("www-data", "www-data"), ("www-data", "33"),
                                       ("33", "nobody www-data")])
def test_a_proxy_and_an_app_of_one_user_are_a_configuration_error(tmp_path, proxy, app):
    path = tmp_path / "c"
    path.write_text(f"[server]\nproxy_users = {proxy}\n[roles]\napp_users = {app}\n")
    done = subprocess.run([harness.TALLYD, "-c", str(path), "--store", f"sqlite:{tmp_path}/t"],
                          capture_output=True, text=True, timeout=harness.START_S)
    assert done.returncode == 6
    assert done.stderr.startswith(f"{path}:4: roles.app_users: ") and "proxy_users" in done.stderr
    assert os.listdir(tmp_path) == ["c"]


# --- Voter strings


def test_a_voter_has_1_to_256_bytes_of_text(started):
    daemon = started()
    good = ["a", "x" * 256, "я" * 128, "😀" * 64, " ", "a b", "\u00a0", "\\", "\"", "A", "'; --"]
    for voter in good:
        assert daemon.vote("p", 1, voter).json()["result"] == "counted", voter
    assert daemon.tally("p")["votes"] == len(good)
    for voter in ("", "x" * 257, "я" * 128 + "x", "a\x01", "a\x7f", "a\nb", "\x1b[31m", "\u0085",
                  7, None, ["a"], {"a": 1}, True):
        answer = daemon.vote("p", 1, voter)
        assert (answer.status, slug(answer)) == (422, "invalid"), (voter, answer)
        assert answer.json()["errors"][0]["pointer"] == "/voter"
        answer = daemon.admin("POST", "/v1/voters", {"voter": voter})
        assert (answer.status, slug(answer)) == (422, "invalid"), (voter, answer)
    for raw in (b"a\x00b", b"a\\u0000b", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
                b"\xc3", b"\\ud800", b"\\udc00\\ud800", b"a\nb"):
        body = b'{"option":1,"voter":"' + raw + b'"}'
        answer = daemon.admin("POST", "/v1/polls/p/votes", body)
        assert (answer.status, slug(answer)) == (400, "malformed"), (raw, answer)
    assert daemon.tally("p")["votes"] == len(good)


def test_voters_are_compared_byte_by_byte(started):
    daemon = started()
    names = ["é", "e\u0301", "É", "K", "\u212a", "a", "A", "a ", " a", "ﬀ", "ff"]
    for name in names:
        assert daemon.vote("p", 1, name).json()["result"] == "counted"
    for name in names:
        assert daemon.vote("p", 1, name).json()["result"] == "already"
    assert daemon.vote("p", 1, "\\u00e9").json()["result"] == "counted"  # six characters
    body = b'{"option":1,"voter":"\\u00e9"}'
    assert daemon.admin("POST", "/v1/polls/p/votes", body).json()["result"] == "already"


# --- Role tokens


def test_two_authorization_fields_are_400(started):
    daemon = started()
    for first, second in ((ADMIN_TOKEN, ADMIN_TOKEN), (ADMIN_TOKEN, "x" * 20), ("x" * 20, APP_TOKEN)):
        for name in ("Authorization", "authorization"):
            wire = daemon.tcp()
            wire.send(f"GET /v1/status HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {first}\r\n"
                      f"{name}: Bearer {second}\r\n\r\n".encode())
            answer = wire.answer()
            assert (answer.status, slug(answer)) == (400, "malformed")
            wire.close()


def test_only_the_bearer_scheme_gives_a_role(started):
    daemon = started()
    for value, status in ((f"Bearer {ADMIN_TOKEN}", 200), (f"bearer {ADMIN_TOKEN}", 200),
                          (f"BEARER   {ADMIN_TOKEN}", 200), (f"Basic {ADMIN_TOKEN}", 401),
                          (ADMIN_TOKEN, 401), ("Bearer", 401), (f"Bearer{ADMIN_TOKEN}", 401),
                          (f"Token {ADMIN_TOKEN}", 401), (f"Bearer {ADMIN_TOKEN}x", 403),
                          (f"Bearer {ADMIN_TOKEN[:-1]}", 403), (f"Bearer x{ADMIN_TOKEN}", 403),
                          (f"Bearer {ADMIN_TOKEN.upper()}", 403),
                          (f"Bearer {ADMIN_TOKEN} {ADMIN_TOKEN}", 403),
                          (f"Bearer {ADMIN_TOKEN}, Bearer {ADMIN_TOKEN}", 403)):
        answer = daemon.public("GET", "/v1/status", None, {"Authorization": value})
        assert answer.status == status, (value, answer)


@pytest.mark.skipif(not attackers.outer_address(), reason="this machine has only loopback")
def test_role_tokens_from_afar_are_refused_unless_it_is_allowed(started):
    daemon = started()
    outer = attackers.outer_address()

    def status(fields=None, token=ADMIN_TOKEN):
        return daemon.at(outer, "GET", "/v1/status", None, {**bearer(token), **(fields or {})})

    for token in (ADMIN_TOKEN, APP_TOKEN):
        answer = status(token=token)
        assert (answer.status, slug(answer)) == (403, "forbidden")
        assert "insecure_tcp" in answer.json()["detail"]
    assert status({"X-Forwarded-For": "127.0.0.1"}).status == 403
    assert daemon.public("GET", "/v1/status", None, bearer(ADMIN_TOKEN)).status == 200
    daemon.reload(roles={"insecure_tcp": "yes"})
    assert status().status == 200
    daemon.reload(server={"trusted_proxies": outer})
    assert status().status == 200
    daemon.reload()
    assert status().status == 403


def test_ten_thousand_guesses_end_in_429_and_cost_little(started):
    daemon = started()
    before = used(daemon)
    memory = daemon.resident_kb()
    statuses = []
    wire = daemon.source("127.0.0.66")
    for batch in range(100):
        wire.send(b"".join(harness.request_bytes("GET", "/v1/status", None,
                                                 bearer(f"guess-number-{batch}-{i}"))
                           for i in range(100)))
        statuses += [wire.answer() for _ in range(100)]
    assert [a.status for a in statuses[:10]] == [403] * 10
    limited = [a for a in statuses if a.status == 429]
    assert len(limited) >= 9900
    assert all(1 <= int(a.fields["retry-after"]) <= 7 for a in limited)
    # The right one is not told apart while its address waits …
    answer = daemon.ask(wire, "GET", "/v1/status", None, bearer(ADMIN_TOKEN))
    assert (answer.status, slug(answer)) == (429, "rate-limited")
    # … reading and voting go on there, and everything elsewhere.
    assert daemon.ask(wire, "GET", "/v1/polls/a/tally").status == 200
    assert daemon.ask(wire, "POST", "/v1/polls/a/votes", {"option": 1}).status == 201
    assert daemon.at("127.0.0.67", "GET", "/v1/status", None, bearer(ADMIN_TOKEN)).status == 200
    assert daemon.admin("GET", "/v1/status").status == 200
    assert used(daemon) - before < 10
    daemon.grew_less(4 * 1024, memory)
    assert not any("guess-number" in line for line in daemon.log)


def used(daemon):
    """Seconds of the processor."""
    with open(f"/proc/{daemon.process.pid}/stat", encoding="ascii") as file:
        numbers = file.read().rsplit(")", 1)[1].split()
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


def test_voter_tokens_are_no_guesses_at_role_tokens(started):
    daemon = started()
    token = daemon.token()
    wire = daemon.tcp()
    for _ in range(30):
        answer = daemon.ask(wire, "POST", "/v1/polls/p/votes", {"option": 1}, bearer(token))
        assert answer.status in (200, 201)
        assert daemon.ask(wire, "GET", "/v1/status", None, bearer(token)).status == 403
    assert daemon.ask(wire, "GET", "/v1/status", None, bearer(ADMIN_TOKEN)).status == 200


def test_a_role_token_that_looks_like_a_voter_token_is_not_taken(tmp_path):
    (tmp_path / "t").write_text("aaaaaaaaaa.bbbbbbbbbb.cccccccccc\n")
    os.chmod(tmp_path / "t", 0o600)
    (tmp_path / "c").write_text(f"[roles]\nadmin_token_file = {tmp_path}/t\n")
    done = subprocess.run([harness.TALLYD, "-c", str(tmp_path / "c"), "--check-config"],
                          capture_output=True, text=True, timeout=harness.START_S)
    assert (done.returncode, "two dots" in done.stderr) == (6, True)
    assert "aaaaaaaaaa" not in done.stderr


# --- Races


def race(daemon, poll):
    """One voter with 64 options over 64 connections at once."""
    daemon.poll(poll, options=[{"label": str(i)} for i in range(64)], revote=poll == "yes")
    token = daemon.token()
    wires = [daemon.tcp() for _ in range(64)]
    gate = threading.Barrier(64)
    answers = [None] * 64

    def one(i):
        gate.wait()
        answers[i] = daemon.ask(wires[i], "POST", f"/v1/polls/{poll}/votes",
                                {"option": i + 1, "token": token})
        wires[i].close()

    threads = [threading.Thread(target=one, args=(i,)) for i in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tally = daemon.tally(poll)
    assert (tally["votes"], tally["voters"]) == (1, 1)
    standing, = (o["option"] for o in tally["options"] if o["votes"])
    mine = daemon.public("GET", f"/v1/polls/{poll}/votes/mine", None, bearer(token)).json()
    assert mine["options"] == [standing]
    return answers, standing, mine["seq"]


def test_of_64_options_of_one_voter_exactly_one_counts(started):
    answers, standing, _ = race(started(), "no")
    assert sorted(a.status for a in answers) == [201] + [409] * 63
    assert answers[standing - 1].status == 201


def test_of_64_options_of_one_voter_the_last_stands_where_it_may_change(started):
    daemon = started()
    answers, standing, seq = race(daemon, "yes")
    assert sorted(a.status for a in answers) == [200] * 63 + [201]
    seqs = [a.json()["receipt"]["seq"] for a in answers]
    assert sorted(seqs) == list(range(1, 65))
    assert seqs[standing - 1] == seq == 64
    assert daemon.admin("POST", "/v1/verify").json()["ok"]
