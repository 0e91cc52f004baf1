"""How much one address, or one user, may ask for; and that nobody else is asked to wait for it."""
import os
import select
import socket
import struct
import threading

import pytest

import attackers
import harness
from attackers import ADMIN_TOKEN, APP_TOKEN, bearer, slug

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="becomes other users")


@pytest.fixture
def start(tmp_path):
    ones = []

    def started(**sections):
        ones.append(attackers.start(tmp_path, **sections))
        ones[-1].poll("a", voters="address", revote=True)
        return ones[-1]

    yield started
    for one in ones:
        one.end()


def is_limited(answer, most_s):
    assert (answer.status, slug(answer)) == (429, "rate-limited"), answer
    assert 1 <= int(answer.fields["retry-after"]) <= most_s, answer
    assert answer.fields["cache-control"] == "no-store"
    return True


VOTE = ("POST", "/v1/polls/a/votes", {"option": 1})
TOKEN = ("POST", "/v1/voters", None)
READ = ("GET", "/v1/polls/a/tally", None)


# What is limited, how much of it is let by, what is asked, how long to wait at most.
BUCKETS = [("votes_per_minute", 3, VOTE, 20), ("tokens_per_hour", 3, TOKEN, 1200)]


@pytest.mark.parametrize("key,n,what,most_s", BUCKETS)
def test_after_so_many_an_address_waits_and_no_other(start, key, n, what, most_s):
    daemon = start(limits={key: n})
    wire = daemon.source("127.0.0.5")
    for _ in range(n):
        assert daemon.ask(wire, *what).status in (200, 201)
    for _ in range(5):
        assert is_limited(daemon.ask(wire, *what), most_s)
    assert is_limited(daemon.at("127.0.0.5", *what), most_s)  # a new connection is no new address
    for other in {"VOTE": VOTE, "TOKEN": TOKEN, "READ": READ}.values():
        if other != what:
            assert daemon.ask(wire, *other).status in (200, 201)
    assert daemon.at("127.0.0.6", *what).status in (200, 201)
    for path in ("/livez", "/readyz"):
        assert daemon.ask(wire, "GET", path).status == 200


def test_retry_after_is_true(start):
    """Who waits as long as it was told is let in: sixty a minute are one a second."""
    daemon = start(limits={"votes_per_minute": 60})
    wire = daemon.tcp()
    refused = []

    def ask_more():
        answers = [daemon.ask(wire, *VOTE) for _ in range(70)]
        refused.extend(answer for answer in answers if answer.status == 429)
        return refused

    harness.until(ask_more)
    threading.Event().wait(int(refused[-1].fields["retry-after"]))  # this is what is promised
    assert daemon.ask(wire, *VOTE).status == 200


def test_reads_are_limited_whatever_is_read(start):
    daemon = start(limits={"reads_per_second": 1})
    paths = ("/v1/polls", "/v1/polls/a", "/v1/polls/a/tally", "/v1/tallies?ids=a",
             "/v1/polls/a/history", "/v1/polls/none", "/v1/polls/a/votes/mine")
    wire = daemon.tcp()
    assert daemon.ask(wire, "GET", paths[0]).status == 200
    limited = set()

    def all_are_limited():
        wire.send(b"".join(harness.request_bytes("GET", path) for path in paths * 5))
        limited.update(path for path in paths * 5 if wire.answer().status == 429)
        return limited == set(paths)

    harness.until(all_are_limited)
    assert all(daemon.ask(wire, "GET", "/livez").status == 200 for _ in range(20))


def test_a_retraction_is_a_vote_and_what_is_refused_counts_too(start):
    daemon = start(limits={"votes_per_minute": 3})
    wire = daemon.tcp()
    assert daemon.ask(wire, *VOTE).status == 201
    assert daemon.ask(wire, "DELETE", "/v1/polls/a/votes").status == 200
    assert daemon.ask(wire, "POST", "/v1/polls/a/votes", {"option": 9}).status == 422
    assert is_limited(daemon.ask(wire, *VOTE), 20)
    assert is_limited(daemon.ask(wire, "DELETE", "/v1/polls/a/votes"), 20)


def test_admins_and_apps_are_not_limited(start):
    daemon = start(limits={"votes_per_minute": 1, "reads_per_second": 1, "tokens_per_hour": 1,
                           "streams": 1})
    for wire, fields in ((daemon.unix(), {}), (daemon.tcp(), bearer(ADMIN_TOKEN)),
                         (daemon.tcp(), bearer(APP_TOKEN))):
        for i in range(20):
            body = {"option": 1, "voter": f"{i}{len(fields)}"}
            assert daemon.ask(wire, "POST", "/v1/polls/a/votes", body, fields).status in (200, 201)
            assert daemon.ask(wire, *READ, fields).status == 200
            assert daemon.ask(wire, *TOKEN, fields).status == 201


@ROOT
def test_local_users_are_limited_by_uid(start):
    daemon = start(limits={"votes_per_minute": 2, "reads_per_second": 2})
    nobody = daemon.socket_of("nobody")
    for _ in range(2):
        assert daemon.ask(nobody, *VOTE).status in (200, 201)
    answer = daemon.ask(nobody, *VOTE)
    assert is_limited(answer, 30) and "user" in answer.json()["detail"]
    assert is_limited(daemon.by("nobody", *VOTE), 30)
    assert daemon.by("games", *VOTE).status == 201
    harness.until(lambda: daemon.ask(nobody, *READ).status == 429)
    assert daemon.public(*VOTE).status == 201


@ROOT
def test_readers_of_a_proxy_are_limited_each_for_themselves(start):
    daemon = start(limits={"votes_per_minute": 2, "connections": 1},
                   server={"trusted_proxies": "127.0.0.1", "proxy_users": "www-data"})
    for base, wire in enumerate((daemon.tcp(), daemon.tcp(), daemon.socket_of("www-data")), 1):
        for i in range(20):
            fields = {"X-Forwarded-For": f"203.{base}.113.{i}"}
            statuses = [daemon.ask(wire, *VOTE, fields).status for _ in range(3)]
            assert statuses == [201, 200, 429], (i, statuses)
        for i in range(3):  # a /64 is one
            fields = {"X-Forwarded-For": f"2001:db8:0:{base}::{i}"}
            assert daemon.ask(wire, *VOTE, fields).status == [201, 200, 429][i]


def test_100_000_forwarded_addresses_cost_no_memory_and_free_no_offender(start):
    daemon = start(limits={"votes_per_minute": 60, "reads_per_second": 200, "tokens_per_hour": 1},
                   server={"trusted_proxies": "127.0.0.1"})
    offender = {"X-Forwarded-For": "203.0.113.1"}
    wire = daemon.tcp()
    assert daemon.ask(wire, *TOKEN, offender).status == 201
    assert is_limited(daemon.ask(wire, *TOKEN, offender), 3600)
    before = daemon.resident_kb()
    for batch in range(1000):
        wire.send(b"".join(
            b"GET /v1/polls/a HTTP/1.1\r\nHost: t\r\nX-Forwarded-For: 10.%d.%d.%d\r\n"
            b"If-None-Match: *\r\n\r\n" % (batch >> 8, batch & 255, i) for i in range(100)))
        for _ in range(100):
            assert wire.answer().status == 304
        if batch % 100 == 0:
            assert is_limited(daemon.ask(wire, *TOKEN, offender), 3600)
    assert is_limited(daemon.ask(wire, *TOKEN, offender), 3600)
    daemon.grew_less(4 * 1024, before)


def test_connections_of_one_address_are_capped(start):
    daemon = start(limits={"connections": 3})
    held = [daemon.source("127.0.0.5") for _ in range(3)]
    for wire in held:
        assert daemon.ask(wire, "GET", "/livez").status == 200
    refused = daemon.source("127.0.0.5").answer()
    assert refused.status == 503
    assert int(refused.fields["retry-after"]) >= 1
    assert daemon.at("127.0.0.6", "GET", "/livez").status == 200
    held.pop().close()
    harness.until(lambda: at_once(daemon, "127.0.0.5") == 200)


def at_once(daemon, address):
    wire = daemon.source(address)
    try:
        return daemon.ask(wire, "GET", "/livez").status
    except ConnectionError:
        return 503
    finally:
        wire.close()


def wait_for(daemon, wire, fields=None):
    """A long poll; returns when the daemon holds it: the answer behind it is held back too."""
    version = daemon.tally("a")["version"]
    wire.send(harness.request_bytes("GET", f"/v1/polls/a/tally?wait=60&version={version}", None,
                                    fields))


@ROOT
def test_long_polls_of_one_address_or_user_are_capped(start):
    daemon = start(limits={"streams": 2}, server={"trusted_proxies": "127.0.0.1"})
    held = []
    for make, fields in ((lambda: daemon.source("127.0.0.5"), {}),
                         (lambda: daemon.socket_of("nobody"), {}),
                         (lambda: daemon.tcp(), {"X-Forwarded-For": "203.0.113.1"})):
        wires = [make() for _ in range(3)]
        for wire in wires:
            wait_for(daemon, wire, fields)
        refused = answered(wires)
        assert is_limited(refused[1], 60)
        assert daemon.ask(refused[0], *READ, fields).status == 200  # reading goes on
        held += [(wire, fields) for wire in wires if wire is not refused[0]]
    for other, fields in ((daemon.source("127.0.0.6"), {}), (daemon.socket_of("games"), {}),
                          (daemon.tcp(), {"X-Forwarded-For": "203.0.113.2"}), (daemon.unix(), {}),
                          (daemon.unix(), {}), (daemon.unix(), {})):
        wait_for(daemon, other, fields)
        held.append((other, fields))
    daemon.vote("a", 1, "anna")
    for wire, fields in held:
        assert wire.answer().json()["votes"] == 1
    for wire, fields in held:  # those that ended make room
        wait_for(daemon, wire, fields)
    daemon.vote("a", 1, "ben")
    for wire, _ in held:
        assert wire.answer().json()["votes"] == 2
        wire.close()


def answered(wires):
    """The one of them that was answered first."""
    ready = select.select([wire.socket for wire in wires], [], [], harness.START_S)[0]
    assert len(ready) == 1
    wire = next(wire for wire in wires if wire.socket is ready[0])
    return wire, wire.answer()


def test_a_peer_that_resets_gives_the_place_of_its_long_poll_back(start):
    daemon = start(threads=1, limits={"streams": 1})  # one loop: in the order they are sent
    again = daemon.tcp()

    def status():
        return daemon.ask(again, "GET", "/v1/polls/a/tally?wait=1&version=1").status

    for _ in range(3):
        wire = daemon.tcp()
        assert daemon.ask(wire, "GET", "/livez").status == 200
        wait_for(daemon, wire)
        assert status() == 429
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wire.close()
        harness.until(lambda: status() == 200)


@ROOT
def test_a_reload_changes_everything_of_this_and_drops_no_connection(start):
    daemon = start(limits={"votes_per_minute": 1})
    public, proxy, local = daemon.tcp(), daemon.socket_of("www-data"), daemon.unix()
    foreign = {"Origin": "https://news.example"}
    hop = {"X-Forwarded-For": "203.0.113.1"}
    assert daemon.ask(public, *VOTE).status == 201
    assert is_limited(daemon.ask(public, *VOTE), 60)
    assert daemon.ask(public, *TOKEN, foreign).status == 403
    assert daemon.ask(proxy, *READ, hop).status == 403
    token = daemon.ask(public, *TOKEN).json()["token"]
    daemon.poll("p")

    for name in ("admin_token_file", "app_token_file"):
        with open(os.path.join(daemon.folder, "new-" + name), "w",
                  opener=lambda p, f: os.open(p, f, 0o600)) as file:
            file.write("another-" + name)
    daemon.reload(server={"origins": "https://news.example", "proxy_users": "www-data",
                          "trusted_proxies": "127.0.0.1"},
                  roles={name: os.path.join(daemon.folder, "new-" + name)
                         for name in ("admin_token_file", "app_token_file")})
    assert daemon.ask(public, *VOTE).status == 200
    assert daemon.ask(public, *VOTE, {**foreign, **hop}).status == 201
    assert daemon.ask(proxy, *VOTE, hop).json()["result"] == "already"
    assert daemon.ask(public, *TOKEN, foreign).status == 201
    assert daemon.ask(public, "GET", "/v1/status", None, bearer(ADMIN_TOKEN)).status == 403
    assert daemon.ask(public, "GET", "/v1/status", None,
                      bearer("another-admin_token_file")).status == 200
    assert daemon.ask(local, "GET", "/v1/status").status == 200
    body = {"option": 1, "token": token}
    assert daemon.ask(public, "POST", "/v1/polls/p/votes", body).status == 201

    daemon.reload(limits={"votes_per_minute": 1})
    assert daemon.ask(public, *VOTE, foreign).status == 403
    assert daemon.ask(proxy, *READ, hop).status == 403
    assert daemon.ask(public, *READ).status == 200
    assert daemon.ask(local, "GET", "/v1/status").status == 200


@ROOT
def test_a_proxy_that_becomes_an_app_too_changes_nothing(start):
    daemon = start(server={"proxy_users": "www-data"})
    before = len(daemon.log)
    daemon.configure(server={"proxy_users": "www-data"}, roles={"app_users": "www-data"})
    daemon.command()
    daemon.process.send_signal(harness.signal.SIGHUP)
    harness.until(lambda: any("as it was" in line for line in daemon.log[before:]))
    assert daemon.by("www-data", *READ).status == 403  # still a proxy, which names no client
