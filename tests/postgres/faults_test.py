"""Nodes, engines and wires that go away in the midst of votes: nothing lost, nobody twice."""
import concurrent.futures
import re
import shutil
import threading
import time

import clock
import crowd as crowds
import engine as engines
import harness
import nodes as nodes_of
import pytest


@pytest.fixture
def engine():
    """Of each test its own: it does not come back as it was."""
    one = engines.Engine()
    try:
        yield one.make().start()
    finally:
        one.remove()


def begin(site, n=2, url=None):
    nodes = [site.node(url).start() for _ in range(n)]
    nodes[0].poll("p")
    for node in nodes:
        harness.until(lambda node=node: node.public("GET", "/v1/polls/p").status == 200)
    return nodes


def test_a_node_killed_in_the_midst_of_votes_loses_none_and_counts_none_twice(site):
    one, other = begin(site)
    crowd = crowds.Crowd([one, other], "p").start()
    for _ in range(3):
        crowd.go_on()
        one.kill()
        crowd.go_on()
        one.start()
    crowd.end()
    crowd.check(one)
    crowd.check(other)


def test_an_engine_that_restarts_is_waited_for_and_one_that_crashes_too(engine, site):
    nodes = begin(site)
    crowd = crowds.Crowd(nodes, "p").start()
    crowd.go_on()
    engine.stop()
    engine.start()
    crowd.go_on()
    engine.kill()
    assert nodes[0].public("GET", "/v1/polls/p/tally").status == 200
    engine.start()
    crowd.go_on()
    crowd.end()
    crowd.check(nodes[0])
    crowd.check(nodes[1])


def test_while_the_engine_is_away_reads_go_on_and_tell_their_age_and_votes_are_503(engine, site):
    node = begin(site, 1)[0]
    assert node.vote("p", 1, "anna").status == 201
    engine.stop()
    answer = node.vote("p", 1, "ben")
    assert answer.status == 503 and int(answer.fields["retry-after"]) > 0, answer
    assert answer.json()["type"] == "/problems/store-unavailable"
    harness.until(lambda: "age" in node.public("GET", "/v1/polls/p/tally").fields)
    assert node.tally("p")["votes"] == 1
    assert b"s ago" in node.public("GET", "/readyz").body
    status = node.admin("GET", "/v1/status")
    assert status.status == 200 and status.json()["store"]["age_ms"] > 0
    assert node.vote("p", 1, "carl").status == 503
    engine.start()
    harness.until(lambda: node.vote("p", 1, "ben").status in (200, 201))
    harness.until(lambda: "age" not in node.public("GET", "/v1/polls/p/tally").fields)
    assert node.public("GET", "/readyz").body == b"ready\n"
    assert node.tally("p")["votes"] == 2


@pytest.fixture
def wire(engine, tmp_path):
    (tmp_path / "w").mkdir()
    one = nodes_of.Wire(tmp_path / "w", engine)
    yield one
    one.close()


def test_a_wire_that_is_cut_holds_no_poll_for_others_and_its_votes_are_counted_once(site, wire):
    far = begin(site, 1)[0]
    near = site.node(wire.url_of(site.database)).start()
    crowd = crowds.Crowd([near], "p").start()
    crowd.go_on()
    # In the midst of a batch: its locks are taken, its COMMIT does not arrive.
    wire.trap = (b"COMMIT", nodes_of.HOLD)
    harness.until(lambda: not wire.open.is_set())
    harness.until(lambda: far.vote("p", 1, "far").status in (200, 201), 60)
    harness.until(lambda: crowd.refused > 0, 60)
    assert near.public("GET", "/v1/polls/p/tally").status == 200
    wire.mend()
    crowd.go_on()
    crowd.end()
    crowd.seqs["far"] = far.vote("p", 1, "far").json()["receipt"]["seq"]
    crowd.check(far)
    crowd.check(near)


@pytest.mark.parametrize("moment", [nodes_of.DROP_BEFORE, nodes_of.DROP_BEHIND])
def test_a_connection_lost_at_commit_is_resolved_before_the_voter_is_answered(site, wire, moment):
    node = site.node(wire.url_of(site.database)).start()
    node.poll("p")
    wire.trap = (b"COMMIT", moment)
    answer = node.vote("p", 1, "anna")
    assert wire.trap is None
    assert (answer.status, answer.json()["result"]) == (201, "counted"), answer
    harness.until(lambda: any("what became of it" in line for line in node.log))
    assert node.vote("p", 1, "anna").json()["result"] == "already"
    assert node.tally("p")["votes"] == 1
    assert node.admin("POST", "/v1/verify", {}).json()["ok"]


ONCE = """
CREATE SEQUENCE times;
CREATE FUNCTION once() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN IF nextval('times') = 1 THEN RAISE SQLSTATE '40003'; END IF; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON batch DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION once();
"""


def test_an_engine_that_does_not_know_what_became_of_a_commit_is_asked(site):
    node = begin(site, 1)[0]
    site.ask(ONCE)
    assert node.vote("p", 1, "anna").json()["result"] == "counted"
    harness.until(lambda: any("what became of it" in line for line in node.log))
    assert node.tally("p")["votes"] == 1


def commits_that_wait(engine):
    """For a standby."""
    return int(engine.ask("SELECT count(*) FROM pg_stat_activity "
                          "WHERE wait_event = 'SyncRep' AND query = 'COMMIT'"))


def test_a_synchronous_standby_that_is_promoted_has_every_vote(engine, site):
    standby = engines.Engine()
    try:
        standby.make_standby_of(engine).start()
        engine.ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
        engine.ask("SELECT pg_reload_conf()")
        harness.until(lambda: engine.ask("SELECT count(*) FROM pg_stat_replication "
                                         "WHERE sync_state = 'sync'") == "1")
        hosts = f"{engine.folder},{standby.folder}"
        nodes = begin(site, 2, f"postgresql://{engine.user}@/{site.database}?host={hosts}")
        crowd = crowds.Crowd(nodes, "p").start()
        crowd.go_on()
        with standby.stopped():
            harness.until(lambda: commits_that_wait(engine) > 0)
            engine.kill()
        standby.ask("SELECT pg_promote()")
        began = time.monotonic()
        crowd.go_on(1)
        print(f"votes flow {time.monotonic() - began:.2f} s behind the promotion")
        crowd.go_on()
        crowd.end()
        crowd.check(nodes[0])
        crowd.check(nodes[1])
    finally:
        standby.remove()


def test_a_wait_for_the_standby_that_is_cancelled_is_no_acknowledgement(engine, site):
    node = begin(site, 1)[0]
    engine.ask("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    engine.ask("SELECT pg_reload_conf()")
    harness.until(lambda: engine.ask("SHOW synchronous_standby_names") == "nobody")
    # There is no standby: every commit waits until somebody cancels that.
    wire = node.unix()
    wire.send(harness.request_bytes("POST", "/v1/polls/p/votes", {"option": 1, "voter": "anna"}))
    harness.until(lambda: engine.ask(
        "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity "
        "WHERE wait_event = 'SyncRep' AND query = 'COMMIT'") != "0")
    answer = wire.answer()
    wire.close()
    assert answer.status == 503, answer
    assert answer.json()["type"] == "/problems/outcome-unknown", answer
    engine.ask("ALTER SYSTEM RESET synchronous_standby_names")
    engine.ask("SELECT pg_reload_conf()")
    harness.until(lambda: node.vote("p", 1, "anna").status == 200)
    assert node.vote("p", 1, "anna").json()["result"] == "already"
    assert node.tally("p")["votes"] == 1


def test_what_a_node_tidies_up_waits_for_no_standby(engine, site):
    node = begin(site, 1)[0]
    assert node.vote("p", 1, "anna").status == 201
    engine.ask("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    engine.ask("SELECT pg_reload_conf()")
    harness.until(lambda: engine.ask("SHOW synchronous_standby_names") == "nobody")
    # One of the node's batches, as they are once they are answered.
    site.ask("SET synchronous_commit = local; "
             "INSERT INTO batch (node, n, lost) SELECT max(node), 0, false FROM batch")
    harness.until(lambda: site.ask("SELECT count(*) FROM batch WHERE n = 0") == "0")
    assert engine.ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") == "0"


def agree(one, other, poll):
    harness.until(lambda: one.tally(poll) == other.tally(poll))
    assert one.etag(poll) == other.etag(poll)


def test_a_close_waits_for_the_batch_that_is_under_way_on_another_node(site, wire):
    one = begin(site, 1)[0]
    far = site.node(wire.url_of(site.database)).start()
    wire.trap = (b"COMMIT", nodes_of.HOLD)
    asked = far.unix()
    asked.send(harness.request_bytes("POST", "/v1/polls/p/votes", {"option": 1, "voter": "anna"}))
    harness.until(lambda: not wire.open.is_set())
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        closed = pool.submit(one.admin, "PATCH", "/v1/polls/p", {"state": "closed"})
        harness.until(lambda: closed.done() or site.ask(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") != "0")
        assert not closed.done()
        wire.mend()
        assert closed.result().status == 200
    # On a slow machine the batch may have lost its poll meanwhile; then it is begun anew.
    counted = {201: 1, 409: 0}[asked.answer().status]
    asked.close()
    for node in (one, far):
        harness.until(lambda node=node: node.tally("p")["state"] == "closed")
        assert node.tally("p")["votes"] == counted
    assert one.admin("POST", "/v1/verify", {}).json()["ok"]


def test_a_node_that_was_away_shows_all_that_the_others_did_meanwhile(site, wire):
    near = begin(site, 1)[0]
    far = site.node(wire.url_of(site.database)).start()
    near.poll("dead")
    near.poll("gone")
    harness.until(lambda: far.public("GET", "/v1/polls/gone").status == 200)
    wire.cut()
    for voter in range(20):
        assert near.vote("p", 1 + voter % 4, f"v{voter}").status == 201
    assert near.admin("PATCH", "/v1/polls/p", {"state": "closed"}).status == 200
    assert near.admin("DELETE", "/v1/polls/gone").status == 204
    near.poll("gone")  # another one of its name
    assert near.admin("DELETE", "/v1/polls/dead").status == 204
    near.poll("new")
    assert near.vote("gone", 3, "anna").status == 201
    assert (far.tally("p")["votes"], far.tally("p")["state"]) == (0, "open")
    assert far.public("GET", "/v1/polls/new").status == 404
    wire.mend()
    harness.until(lambda: far.public("GET", "/v1/polls/new").status == 200)
    assert far.public("GET", "/v1/polls/dead").status == 404
    for poll in ("p", "gone", "new"):
        agree(near, far, poll)
    assert (far.tally("p")["votes"], far.tally("gone")["votes"]) == (20, 1)


def test_a_node_that_is_removed_for_good_leaves_its_votes_counted(site):
    one, other = begin(site)
    for voter in range(10):
        assert other.vote("p", 1 + voter % 4, f"v{voter}").status == 201
    other.kill()
    shutil.rmtree(other.folder)
    harness.until(lambda: one.tally("p")["votes"] == 10)
    young = site.node().start()
    agree(one, young, "p")
    assert young.vote("p", 1, "v0").json()["result"] == "already"
    assert young.vote("p", 1, "carl").status == 201
    harness.until(lambda: one.tally("p")["votes"] == 11)
    verified = one.admin("POST", "/v1/verify", {}).json()
    assert (verified["ok"], verified["votes"]) == (True, 11)


class Watcher:
    """Reads a node's tally over and over, and keeps what it is told."""

    def __init__(self, node):
        self.node = node
        self.seen = []
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.ending.wait(0.002):
            tally = self.node.tally("p")
            self.seen.append((tally["version"], tally["votes"], tally["updated_at"]))

    def end(self):
        self.ending.set()
        self.thread.join(harness.START_S)
        return self.seen


def test_no_node_ever_goes_back_behind_what_it_has_shown(engine, site):
    nodes = begin(site, 3)
    watchers = [Watcher(node) for node in nodes]
    crowd = crowds.Crowd(nodes[:2], "p").start()  # the third only shows what these two count
    crowd.go_on()
    engine.stop()
    engine.start()
    crowd.go_on()
    engine.kill()
    engine.start()
    crowd.go_on()
    crowd.end()
    crowd.check(nodes[2])
    for watcher in watchers:
        seen = watcher.end()
        versions, votes, times = zip(*seen)
        assert list(versions) == sorted(versions)
        assert list(votes) == sorted(votes)  # nobody takes one back
        assert list(times) == sorted(times)
        assert len(set(versions)) > 1


def with_clock(node, behind_s):
    """Its wall clock is behind by so much, until it is set."""
    one = clock.Clock(node.folder)
    one.set(time.time() - behind_s)
    node.environment.update(one.environment)
    return one


def closed_by_time(one):
    """When the poll closed, by the clock of this node."""
    at_s = int(time.time()) + 1
    assert one.admin("PATCH", "/v1/polls/p", {"closes_at": clock.stamp(at_s)}).status == 200
    harness.until(lambda: one.tally("p")["state"] == "closed")
    return at_s


def clock_said(node):
    return [line for line in node.log if line.startswith("this node's clock is ")]


def test_a_poll_that_one_clock_has_closed_stays_so_for_one_up_to_five_seconds_behind(site):
    one = begin(site, 1)[0]
    assert one.vote("p", 1, "anna").status == 201
    closed_s = closed_by_time(one)
    before = one.tally("p")
    late = site.node()
    its = with_clock(late, 3)
    late.start()
    assert clock_said(late) == []
    while True:
        its.set(closed_s - 3)
        answer = late.vote("p", 1, "ben")
        assert answer.json().get("type") == "/problems/poll-closed", answer
        assert late.tally("p") == before
        if its.now_s() < closed_s:  # else it came to the close by itself: that says nothing
            break
    assert one.admin("POST", "/v1/verify", {}).json()["ok"]


def test_a_poll_that_one_clock_has_closed_opens_for_one_an_hour_behind_and_nothing_goes_back(site):
    one = begin(site, 1)[0]
    assert one.vote("p", 1, "anna").status == 201
    closed_by_time(one)
    before = one.tally("p")
    late = site.node()
    with_clock(late, 3600)
    late.start()
    assert late.vote("p", 1, "ben").status == 201  # each decides by its own clock
    assert late.tally("p")["version"] > before["version"]
    assert late.tally("p")["updated_at"] >= before["updated_at"]
    assert one.admin("POST", "/v1/verify", {}).json()["ok"]


def test_a_node_says_when_its_clock_is_more_than_five_seconds_from_the_engines(site):
    for behind_s, said in ((3600, r"this node's clock is 3[56]\d\d s behind the engine's: "),
                           (-3600, r"this node's clock is 3[56]\d\d s ahead of the engine's: "),
                           (-3, None)):
        node = site.node()
        with_clock(node, behind_s)
        node.start()
        assert len(clock_said(node)) == (said is not None), node.log
        assert said is None or re.match(said, clock_said(node)[0]), node.log
