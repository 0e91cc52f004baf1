"""One client, or five thousand, that want the service for themselves do not get it."""
import socket

import pytest

import beside_attackers
import harness
import swarm

ATTEMPTS = 500


@pytest.fixture(name="beside", scope="module")
def fixture_beside(tmp_path_factory):
    one = beside_attackers.Beside(tmp_path_factory.mktemp("swarm"), long=False)
    yield one
    if one.daemon.process:
        one.end()


@pytest.mark.parametrize("name", swarm.ATTACKS)
def test_every_request_of_a_good_client_is_answered_beside(beside, name):
    beside.under((name,))


def test_every_request_of_a_good_client_is_answered_beside_all_of_them(beside):
    beside.under(tuple(swarm.ATTACKS))


def test_nobody_is_told_of_it_a_line_each(beside):
    assert len(beside.daemon.log) < 10


class Tight(harness.Daemon):
    """So many descriptors, of which somebody else has taken some already."""

    def __init__(self, folder, most, taken):
        super().__init__(folder)
        self.most, self.taken = most, taken

    def command(self):
        take = f"for ((i = 100; i < {100 + self.taken}; i++)); do eval \"exec $i</dev/null\"; done"
        return ["prlimit", f"--nofile={self.most}:{self.most}", "bash", "-c",
                take + '; exec "$@"', "bash", *super().command()]


def status_of(answer):
    """Of what came before the end; None: nothing did."""
    return int(answer.split(b" ")[1]) if answer.startswith(b"HTTP/1.1 ") else None


def knock(port):
    """Asks, and reads to the end; what was reset has no answer."""
    got = b""
    try:
        with socket.create_connection(("127.0.0.1", port), 30) as peer:
            peer.sendall(b"GET /livez HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
            while data := peer.recv(65536):
                got += data
    except ConnectionError:
        pass
    return got


def test_with_64_descriptors_one_is_served_and_the_others_are_told(tmp_path):
    daemon = Tight(tmp_path, 64, 0).start()
    good = daemon.tcp()
    told = 0
    for _ in range(ATTEMPTS):
        answer = knock(daemon.port)
        assert status_of(answer) in (None, 503), answer
        told += b"too many connections" in answer
        good.send(harness.request_bytes("GET", "/livez"))
        assert good.answer().status == 200
    assert told > 0
    good.close()
    harness.until(lambda: status_of(knock(daemon.port)) == 200)
    daemon.stop()


def test_where_descriptors_run_out_who_is_in_is_served_and_the_others_are_told(tmp_path):
    daemon = Tight(tmp_path, 256, 150).start()  # 192 connections are allowed, and do not fit
    good = daemon.tcp()
    good.send(harness.request_bytes("GET", "/livez"))
    assert good.answer().status == 200
    held, told = [], 0
    while not told and len(held) < 200:
        held.append(daemon.tcp())
        held[-1].send(harness.request_bytes("GET", "/livez"))
        try:
            answer = held[-1].answer()
        except ConnectionError:  # reset before it was read, as the end of a 503 may be
            continue
        told += answer.status == 503 and "no descriptor" in answer.json()["detail"]
    assert told
    for _ in range(ATTEMPTS):
        assert status_of(knock(daemon.port)) in (None, 503)
        good.send(harness.request_bytes("GET", "/livez"))
        assert good.answer().status == 200
    for wire in held:
        wire.close()
    harness.until(lambda: status_of(knock(daemon.port)) == 200)
    daemon.stop()
