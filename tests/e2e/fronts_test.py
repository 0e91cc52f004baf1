"""The proxies of docs/operating.md, by their example files, in front of the real daemon."""
import os
import shutil
import tempfile
import threading

import pytest

import fronts
import harness

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may change users and the network"),
    pytest.mark.skipif(os.environ.get("TALLYD_SYSTEMD") != "1", reason="built without libsystemd")]
TALLY = "/v1/polls/p/tally"
CACHED = ("HIT", "STALE", "UPDATING")


@pytest.fixture
def start():
    folder = tempfile.mkdtemp()  # where the proxies' users may go
    os.chmod(folder, 0o755)
    started = []

    def make(proxy):
        started.append(proxy(folder))
        started[0].daemon.poll("p", voters="address")
        return started[0]

    with fronts.own_network():
        yield make
        for front in started:
            front.end()
    shutil.rmtree(folder)


@pytest.fixture(params=[fronts.nginx, fronts.haproxy, fronts.caddy],
                ids=["nginx", "haproxy", "caddy"])
def front(start, request):
    return start(request.param)


@pytest.fixture
def nginx(start):
    return start(fronts.nginx)


def test_its_own_checker_finds_nothing_to_warn_of(front):
    # The certificate is the test's own, and names no authority that could be asked about it.
    said = [line for line in front.said.splitlines() if "no OCSP" not in line]
    assert not [line for line in said if "warn" in line.lower()], front.said


def test_each_reader_has_one_vote_whatever_they_claim(front):
    assert front.vote(1, "127.3.0.1").status == 201
    for forged in ({"X-Forwarded-For": "192.0.2.1"}, {"Forwarded": "for=192.0.2.1"},
                   {"X-Real-IP": "192.0.2.1"}, {"X-Forwarded-For": "127.3.0.9, 192.0.2.1"}):
        assert front.vote(1, "127.3.0.1", forged).json()["result"] == "already", forged
    assert front.vote(1, "127.3.0.2").status == 201
    audit = front.daemon.admin("GET", "/v1/polls/p/audit").json()
    assert (audit["votes"], audit["address_groups"]) == (2, 2)
    # Nobody is an administrator by way of the proxy.
    assert front.ask("PUT", "/v1/polls/q", {"title": "T", "kind": "rating"}).status == 401


def test_an_event_arrives_while_its_stream_stays_open(front):
    stream = front.wire()
    stream.ask("GET", "/v1/events?ids=p")
    stream.until(b'"votes":0,')
    assert front.vote(1, "127.3.0.1").status == 201
    stream.until(b'"votes":1,')
    assert front.vote(1, "127.3.0.2").status == 201
    stream.until(b'"votes":2,')
    stream.close()


def test_long_polls_wait_side_by_side_and_are_answered_by_a_vote(front):
    """Past the cache, which would let one of them ask for all, and the others wait for that."""
    def waiting():
        said = front.daemon.admin("GET", "/metrics").body.decode()
        return "\ntallyd_long_polls 3\n" in said

    wires = [front.wire() for _ in range(3)]
    for wire in wires:
        wire.ask("GET", TALLY + "?wait=60&version=1")
    harness.until(waiting)
    assert front.vote(1, "127.3.0.1").status == 201
    for wire in wires:
        answer = wire.answer()
        assert answer.json()["votes"] == 1
        assert answer.fields.get("x-cache-status", "BYPASS") == "BYPASS"
        wire.close()


class Voters:
    """Readers who vote through the proxy, each vote from an address of its own."""

    def __init__(self, front, number=4):
        self.front = front
        self.counted = [0] * number
        self.wrong = []
        self.done = threading.Event()
        self.threads = [threading.Thread(target=self._vote, args=(i,)) for i in range(number)]
        for thread in self.threads:
            thread.start()

    def _vote(self, i):
        while not self.done.is_set() and not self.wrong:
            n = self.counted[i]
            address = f"127.{10 + i}.{n // 250}.{1 + n % 250}"
            answer = self.front.vote(1, address)
            while answer.status == 502 and not self.front.repeats_votes:
                answer = self.front.vote(1, address)  # as a person does
            # `already`: its first sending had been counted.
            if answer.status not in (200, 201):
                self.wrong.append(answer)
            self.counted[i] = n + 1

    def go_on(self, more=5):
        """Until each has cast so many that were sent after now."""
        goals = [n + more + 1 for n in self.counted]
        harness.until(lambda: self.wrong or all(map(int.__ge__, self.counted, goals)))

    def end(self):
        self.done.set()
        for thread in self.threads:
            thread.join()


def restarts(front, stop):
    voters = Voters(front)
    try:
        for _ in range(3):
            voters.go_on()
            stop()
            front.daemon.start()
        voters.go_on()
    finally:
        voters.end()
    assert not voters.wrong
    assert front.daemon.tally("p")["votes"] == sum(voters.counted)


@pytest.mark.parametrize("stop", ["stop", "kill"])
def test_no_vote_is_lost_or_counted_twice_when_the_daemon_starts_anew(front, stop):
    """And behind a proxy that sends again what was cut off nobody sees an error."""
    restarts(front, getattr(front.daemon, stop))


def cached(front, path=TALLY, fields=None):
    answer = front.ask("GET", path, fields=fields)
    return answer, answer.fields.get("x-cache-status")


def test_a_second_reader_is_answered_from_the_cache_until_a_vote_shows(nginx):
    first, status = cached(nginx)
    assert (first.status, status) == (200, "MISS")
    harness.until(lambda: cached(nginx)[1] in CACHED)
    again, _ = cached(nginx)
    assert (again.body, again.fields["etag"]) == (first.body, first.fields["etag"])
    assert nginx.ask("GET", TALLY, fields={"If-None-Match": first.fields["etag"]}).status == 304
    assert nginx.vote(1, "127.3.0.1").status == 201
    harness.until(lambda: cached(nginx)[0].json()["votes"] == 1)


def test_the_cache_keeps_languages_apart_and_callers_with_credentials_out(nginx):
    nginx.daemon.poll("p", voters="address", title={"en": "Lunch", "ru": "Обед"})
    for language, title in (("en", "Lunch"), ("ru", "Обед")):
        harness.until(lambda: cached(nginx, fields={"Accept-Language": language})[1] in CACHED)
        assert cached(nginx, fields={"Accept-Language": language})[0].json()["title"] == title
    answer, status = cached(nginx, fields={"Authorization": "Bearer nobody"})
    assert status == "BYPASS", answer


def test_readers_see_the_last_tally_while_the_daemon_is_away(nginx):
    before, _ = cached(nginx)
    nginx.daemon.stop()
    harness.until(lambda: cached(nginx)[1] in ("STALE", "UPDATING"))
    assert cached(nginx)[0].body == before.body
    nginx.daemon.start()
    assert nginx.vote(1, "127.3.0.1").status == 201
    harness.until(lambda: cached(nginx)[0].json()["votes"] == 1)


@pytest.mark.parametrize("change, status", [
    (lambda daemon: daemon.poll("p", voters="address", results="after_close"), 403),
    (lambda daemon: daemon.admin("DELETE", "/v1/polls/p"), 404)], ids=["hidden", "deleted"])
def test_what_is_hidden_or_deleted_leaves_the_cache_however_often_it_is_read(nginx, change, status):
    harness.until(lambda: cached(nginx)[1] in CACHED)
    change(nginx.daemon)
    harness.until(lambda: cached(nginx)[0].status == status)
