"""Nodes behind pgbouncer in transaction mode: a transaction here, the next one anywhere."""
import concurrent.futures
import json

import crowd as crowds
import engine as engines
import harness
import nodes as nodes_of
import pooler as poolers
import pytest


@pytest.fixture
def engine():
    """Of each test its own: some are restarted."""
    one = engines.Engine()
    try:
        yield one.make().start()
    finally:
        one.remove()


@pytest.fixture
def pooler(engine):
    one = poolers.Pooler(engine)
    try:
        yield one.start()
    finally:
        one.remove()


@pytest.fixture
def site(engine, pooler, tmp_path):
    """Its nodes know the pooler alone."""
    one = nodes_of.Site(engine, tmp_path)
    one.url = pooler.url(one.database)
    yield one
    one.end()


def begin(site, n=2):
    nodes = [site.node().start() for _ in range(n)]
    nodes[0].poll("p", revote=True)
    for node in nodes:
        harness.until(lambda node=node: node.public("GET", "/v1/polls/p").status == 200)
    return nodes


def test_nodes_that_start_at_once_make_the_tables_once_and_hold_no_lock_behind_it(site):
    first = site.node().start()
    first.stop()  # it has made the keys that all of them have
    site.ask("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    # More than the pooler has connections: whoever held one with a lock in it would stop the rest.
    nodes = [site.node() for _ in range(2 * poolers.CONNECTIONS)]
    with concurrent.futures.ThreadPoolExecutor(len(nodes)) as pool:
        for started in [pool.submit(node.start) for node in nodes]:
            started.result()
    assert site.ask("SELECT count(*) = max(number) FROM migration") == "t"
    for node in nodes:
        node.stop()
    assert site.ask("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == "0"


def test_two_nodes_count_the_same_voters_once_and_what_one_does_the_other_shows(site):
    nodes = begin(site)

    def hammer(node):
        results = []
        wire = node.unix()
        for first in range(0, 500, 50):
            for voter in range(first, first + 50):
                wire.send(harness.request_bytes("POST", "/v1/polls/p/votes",
                                                {"option": 1 + voter % 4, "voter": f"v{voter}"}))
            results += [json.loads(wire.answer().body)["result"] for _ in range(50)]
        wire.close()
        return results

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = sum(pool.map(hammer, nodes * 2), [])
    assert (results.count("counted"), results.count("already")) == (500, 1500)
    one, other = nodes
    assert one.vote("p", 3, "v0").json()["result"] == "changed"
    for node in nodes:
        harness.until(lambda node=node: node.tally("p")["version"] >= one.tally("p")["version"])
    assert one.tally("p") == other.tally("p")
    assert one.tally("p")["votes"] == 500
    assert other.admin("PATCH", "/v1/polls/p", {"state": "closed"}).status == 200
    assert one.vote("p", 1, "late").json()["type"] == "/problems/poll-closed"
    assert one.admin("POST", "/v1/verify", {}).json()["ok"]


def test_nothing_is_kept_in_a_session(site, pooler):
    nodes = begin(site)
    crowd = crowds.Crowd(nodes, "p").start()
    crowd.go_on(200)
    crowd.end()
    crowd.check(nodes[0])
    for node in nodes:
        node.stop()
    kept = ("SELECT pg_backend_pid()::text "
            "UNION ALL SELECT name FROM pg_settings WHERE source = 'session' AND name IN "
            "('lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout', "
            "'enable_hashjoin', 'enable_mergejoin', 'enable_seqscan', 'plan_cache_mode') "
            "UNION ALL SELECT name FROM pg_prepared_statements "
            "UNION ALL SELECT pg_listening_channels() "
            "UNION ALL SELECT mode FROM pg_locks WHERE locktype = 'advisory'")
    pids = set()

    def next_connection():
        pid, *left = pooler.ask(kept, site.database).splitlines()
        assert not left, left
        pids.add(pid)
        return len(pids) == poolers.CONNECTIONS

    harness.until(next_connection)  # they take turns


def test_an_engine_that_restarts_behind_the_pooler_is_waited_for(site, engine):
    nodes = begin(site)
    crowd = crowds.Crowd(nodes, "p").start()
    crowd.go_on()
    engine.stop()
    assert nodes[0].public("GET", "/v1/polls/p/tally").status == 200
    harness.until(lambda: crowd.refused > 0)
    engine.start()
    crowd.go_on()
    engine.kill()
    engine.start()
    crowd.go_on()
    crowd.end()
    crowd.check(nodes[0])
    crowd.check(nodes[1])


def test_a_pooler_that_restarts_is_waited_for(site, pooler):
    nodes = begin(site)
    crowd = crowds.Crowd(nodes, "p").start()
    crowd.go_on()
    pooler.stop()
    assert nodes[0].public("GET", "/v1/polls/p/tally").status == 200
    pooler.start()
    crowd.go_on()
    crowd.end()
    crowd.check(nodes[0])
    crowd.check(nodes[1])


@pytest.mark.parametrize("moment", [nodes_of.DROP_BEFORE, nodes_of.DROP_BEHIND])
def test_a_connection_to_the_pooler_lost_at_commit_is_resolved(site, pooler, tmp_path, moment):
    (tmp_path / "w").mkdir()
    wire = nodes_of.Wire(tmp_path / "w", pooler)
    site.url = wire.url_of(site.database)
    node = begin(site, 1)[0]
    wire.trap = (b"COMMIT", moment)
    answer = node.vote("p", 1, "anna")
    assert wire.trap is None
    wire.close()
    assert (answer.status, answer.json()["result"]) == (201, "counted"), answer
    site.url = pooler.url(site.database)
    other = site.node().start()  # which knows what the engine has
    assert other.vote("p", 1, "anna").json()["result"] == "already"
    assert other.tally("p")["votes"] == 1


def test_an_engine_away_behind_the_pooler_is_said_to_be_there_again_only_once_it_is(site, engine):
    node = begin(site, 1)[0]
    engine.stop()
    for _ in range(3):
        answer = node.vote("p", 1, "anna")
        assert answer.status == 503 and int(answer.fields["retry-after"]) > 0, answer
    harness.until(lambda: any("the store's engine is lost" in line for line in node.log))
    assert not any("is there again" in line for line in node.log), node.log
    assert sum("the store's engine is lost" in line for line in node.log) == 1, node.log
    engine.start()
    harness.until(lambda: node.vote("p", 1, "anna").status in (200, 201))
    harness.until(lambda: any("is there again" in line for line in node.log))
    assert node.tally("p")["votes"] == 1


def test_another_engine_behind_the_same_connection_is_looked_at_before_it_is_used(
        site, engine, pooler):
    node = begin(site, 1)[0]
    assert node.admin("GET", "/v1/status").json()["store"]["durable"] is True
    # No connection to the pooler ends: they wait, and the next transaction is the new one's.
    pooler.tell("PAUSE")
    engine.stop()
    engine.settings["synchronous_commit"] = "local"
    engine.start()
    pooler.tell("RESUME")
    harness.until(lambda: node.vote("p", 1, "anna").status in (200, 201))
    store = node.admin("GET", "/v1/status").json()["store"]
    assert (store["durable"], store["weakness"]) == (False, "synchronous_commit is local"), store
