"""A disk that takes its time: who waits for it is told of."""
import re
import time

import harness


def test_a_slow_commit_and_a_slow_request_name_themselves(daemon):
    daemon.start()
    daemon.poll("us-goals")
    daemon.stop()  # whatever was slow until here
    daemon.start()
    daemon.shim.hold("sync", ("wal",))
    wire = daemon.unix()
    wire.send(harness.request_bytes("POST", "/v1/polls/us-goals/votes",
                                    {"option": 1, "voter": "the-voter"}))
    harness.until(lambda: daemon.shim.held)
    time.sleep(1.2)  # more than SLOW_REQUEST_MS: it is this time that is told of
    daemon.shim.disarm()
    assert wire.answer().status == 201
    wire.close()
    daemon.stop()
    waits = [line for line in daemon.log if " ms; " in line]
    took = [int(re.search(r"(\d+) ms", line)[1]) for line in waits]
    assert re.fullmatch(r"poll us-goals: commit of 1 vote took \d+ ms; votes wait, none is lost",
                        waits[0]), waits
    assert re.fullmatch(r"poll us-goals: a vote was answered after \d+ ms; others wait as long, "
                        r"none is lost", waits[1]), waits
    assert len(waits) == 2 and min(took) > 1000, waits
    assert "the-voter" not in "\n".join(daemon.log)
