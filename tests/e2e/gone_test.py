"""Clients that ask for everything and go away at any moment do the daemon no harm."""
import json
import random
import socket
import struct
import threading
import time

import harness

SECONDS = 4
POLLS = [f"p{i}" for i in range(5)]
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing resets


def definition(chance):
    return {"title": f"T{chance.randint(0, 2)}", "options": [{"label": c} for c in "abc"],
            "revote": True, "results": chance.choice(["always", "after_vote"]),
            "per_address": chance.choice([0, 3])}


def lines(chance):
    for _ in range(chance.randint(1, 2000)):
        line = {"poll": chance.choice(POLLS), "option": chance.randint(1, 4),
                "voter": f"v{chance.randint(0, 9000)}"}
        yield b"rubbish" if chance.random() < 0.02 else json.dumps(line).encode()


def bulk(chance):
    """With a length that is often more than what comes."""
    data = b"\n".join(lines(chance))
    fields = {"Content-Type": "application/x-ndjson"}
    whole = harness.request_bytes("POST", "/v1/votes", data, fields)
    return whole if chance.random() < 0.7 else whole[:chance.randint(200, len(whole))]


def request(chance):
    poll = chance.choice(POLLS)
    what = chance.choice(["export", "bulk", "bulk", "wait", "history", "verify", "status", "delete",
                          "put", "vote", "retract", "mine", "backup"])
    if what == "bulk":
        return bulk(chance)
    voter = {"voter": f"v{chance.randint(0, 99)}"}
    return harness.request_bytes(*{
        "export": ("GET", f"/v1/polls/{poll}/votes?all={chance.randint(0, 1)}"),
        "wait": ("GET", f"/v1/polls/{poll}/tally?wait=1&version={chance.choice([1, 5, 99999])}"),
        "history": ("GET", f"/v1/polls/{poll}/history"),
        "verify": ("POST", "/v1/verify", {}),
        "status": ("GET", "/v1/status"),
        "delete": ("DELETE", f"/v1/polls/{poll}"),
        "put": ("PUT", f"/v1/polls/{poll}", definition(chance)),
        "vote": ("POST", f"/v1/polls/{poll}/votes", {"option": 1, **voter}),
        "retract": ("DELETE", f"/v1/polls/{poll}/votes", voter),
        "mine": ("GET", f"/v1/polls/{poll}/votes/mine"),
        "backup": ("POST", "/v1/backup", {"path": f"b{chance.randint(0, 10**9)}"}),
    }[what])


def come_and_go(daemon, chance):
    wire = daemon.unix() if chance.random() < 0.8 else daemon.tcp()
    wire.socket.settimeout(1)
    try:
        for _ in range(chance.randint(1, 4)):
            wire.send(request(chance))
            if chance.random() < 0.4:
                wire.socket.recv(65536)
        if chance.random() < 0.3:
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        elif chance.random() < 0.3:
            wire.socket.shutdown(socket.SHUT_WR)
            time.sleep(chance.random() / 10)  # the random moment of leaving is the test
    except OSError:
        pass  # it was refused something, or had to wait
    finally:
        wire.close()


def test_who_goes_away_at_any_moment_does_no_harm(daemon):
    end = time.monotonic() + SECONDS
    failed = []

    def client(seed):
        chance = random.Random(seed)
        while time.monotonic() < end and not failed:
            try:
                come_and_go(daemon, chance)
            except OSError as error:
                failed.append(error)  # nobody listens any more

    threads = [threading.Thread(target=client, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, daemon.log
    assert daemon.admin("POST", "/v1/verify").json()["ok"]
    daemon.stop()
    daemon.start()
    assert daemon.admin("POST", "/v1/verify").json()["ok"]
