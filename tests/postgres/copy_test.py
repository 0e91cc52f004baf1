"""tallyd --copy-store: a site moves over, and nobody notices but its operator."""
import json
import os
import signal
import subprocess

import engine as engines
import harness
import nodes as nodes_of
import pooler as poolers
import pytest


def copy(source, site, target):
    node = site.node() if target is None else target
    ran = subprocess.Popen([harness.TALLYD, "--copy-store", "sqlite:" + source.store, node.url],
                           env=node.environment, text=True, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE)
    return node, ran


def copied(source, site, target=None):
    node, ran = copy(source, site, target)
    out, log = ran.communicate(timeout=120)
    assert ran.returncode == 0, log
    return node, out


def fill(source):
    source.poll("plain")
    source.poll("changes", revote=True)
    source.poll("addresses", per_address=1, revote=True)
    source.poll("many", max_choices=3)
    source.poll("stars", kind="rating", carried={"count": 2, "sum": 10})
    source.poll("gone")
    for voter in range(20):
        source.vote("plain", 1 + voter % 4, f"v{voter}")
        source.vote("changes", 1, f"v{voter}")
        source.admin("POST", "/v1/polls/many/votes", {"options": [1, 3], "voter": f"v{voter}"})
        source.admin("POST", "/v1/polls/stars/votes", {"rating": 4, "voter": f"v{voter}"})
    assert source.vote("changes", 2, "v3").json()["result"] == "changed"
    assert source.admin("DELETE", "/v1/polls/changes/votes", {"voter": "v4"}).status == 200
    token = source.public("POST", "/v1/voters").json()["token"]
    assert source.public("POST", "/v1/polls/addresses/votes",
                         {"option": 1, "token": token}).status == 201
    assert source.admin("POST", "/v1/polls/plain/void",
                        {"from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}
                        ).json()["voided"] == 20
    assert source.vote("plain", 2, "late").status == 201
    assert source.admin("DELETE", "/v1/polls/gone").status == 204


def fill_with(source, votes):
    source.poll("p")
    lines = "".join(json.dumps({"poll": "p", "option": 1 + n % 4, "voter": f"v{n}"}) + "\n"
                    for n in range(votes))
    subprocess.run([harness.TALLY, "--socket", source.socket, "import", "-"], input=lines,
                   text=True, capture_output=True, timeout=120, check=True)


def all_tallies(node):
    polls = node.admin("GET", "/v1/polls").json()["polls"]
    return [node.tally(poll["id"]) for poll in polls]


def test_a_site_that_was_copied_counts_on_where_it_was(site, tmp_path):
    (tmp_path / "old").mkdir()
    source = harness.Daemon(tmp_path / "old").start()
    fill(source)
    before = all_tallies(source)
    history = source.admin("GET", "/v1/polls/changes/history").json()["points"][:-1]
    source.stop()
    node, out = copied(source, site)
    assert out.startswith("copied 5 polls, ") and "equal" in out
    node.start()
    assert all_tallies(node) == before
    assert node.admin("GET", "/v1/polls/changes/history").json()["points"][:-1] == history
    assert node.vote("changes", 2, "v3").json()["receipt"]["seq"] == 21
    assert node.vote("changes", 1, "v4").json()["result"] == "counted"
    assert node.vote("plain", 1, "v1").json()["type"] == "/problems/vote-voided"
    token = node.public("POST", "/v1/voters").json()["token"]
    assert node.public("POST", "/v1/polls/addresses/votes", {"option": 1, "token": token}
                       ).json()["type"] == "/problems/address-limit"
    assert node.poll("gone").status == 201
    assert node.admin("POST", "/v1/verify", {}).json()["ok"]


def stopped(site, tmp_path):
    """A copy that was killed behind its first slice: what is copied, where to, and its tally."""
    (tmp_path / "old").mkdir()
    source = harness.Daemon(tmp_path / "old").start()
    fill_with(source, 50000)
    before = source.tally("p")
    source.stop()
    node, ran = copy(source, site, None)
    ran.stderr.readline()  # the first slice has arrived
    ran.kill()
    ran.communicate()
    return source, node, before


def test_a_copy_that_was_stopped_goes_on_and_no_node_starts_before_it_has_ended(site, tmp_path):
    source, node, before = stopped(site, tmp_path)
    copied(source, site, node)  # also where all of it had arrived
    site.ask("INSERT INTO meta (name, value) VALUES ('copying', '')")
    refused = subprocess.run(node.command(), env=node.environment, capture_output=True, text=True,
                             timeout=60, check=False)
    assert refused.returncode == 1 and "--copy-store again" in refused.stderr
    site.ask("DELETE FROM meta WHERE name = 'copying'")
    node.start()
    assert node.tally("p") == before
    verified = node.admin("POST", "/v1/verify", {}).json()
    assert verified["ok"] and verified["votes"] == 50000


def session(site):
    """Of psql: what is written to it is done at once."""
    return subprocess.Popen([*engines.as_user(), engines.program("psql"), "-X", "-q",
                             site.engine.url(site.database)], cwd=site.engine.folder, text=True,
                            stdin=subprocess.PIPE)


def activity(site, what):
    return int(site.ask("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                        f"AND {what}"))


def test_a_slice_that_arrives_late_of_a_copy_that_was_stopped_is_passed_over(site, tmp_path):
    source, node, before = stopped(site, tmp_path)
    harness.until(lambda: activity(site, "application_name = 'tallyd'") == 0)
    site.ask("CREATE TABLE late AS SELECT * FROM vote; DELETE FROM vote")
    with session(site) as late:
        late.stdin.write("BEGIN; INSERT INTO vote SELECT * FROM late;\n")
        late.stdin.flush()
        harness.until(lambda: activity(site, "state = 'idle in transaction'") == 1)
        _, ran = copy(source, site, node)
        harness.until(lambda: activity(site, "wait_event_type = 'Lock'") == 1)
        late.stdin.write("COMMIT;\n")
    log = ran.communicate(timeout=120)[1]
    assert ran.returncode == 0, log
    left = 50000 - int(site.ask("SELECT count(*) FROM late"))
    assert log.splitlines()[-1] == f"{left} rows are copied", log
    node.start()
    assert node.tally("p") == before
    assert node.admin("POST", "/v1/verify", {}).json()["votes"] == 50000


def test_a_slice_that_the_engine_refuses_is_tried_once_and_said(site, tmp_path):
    source, node, before = stopped(site, tmp_path)
    harness.until(lambda: activity(site, "application_name = 'tallyd'") == 0)
    site.ask("DELETE FROM vote; DELETE FROM voter; CREATE SEQUENCE tries; "
             "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
             "$$BEGIN PERFORM nextval('tries'); RAISE 'no room'; END$$; "
             "CREATE TRIGGER refuse BEFORE INSERT ON vote FOR EACH ROW WHEN (NEW.seq > 40000) "
             "EXECUTE FUNCTION refuse()")
    _, ran = copy(source, site, node)
    log = ran.communicate(timeout=120)[1].splitlines()
    assert ran.returncode == 1 and "no room; run it again" in log[-1], log
    assert site.ask("SELECT last_value FROM tries") == "1"
    assert [line for line in log if "copied" in line] == [f"{n} rows are copied"
                                                          for n in (20000, 40000)]
    site.ask("DROP TRIGGER refuse ON vote")
    copied(source, site, node)
    node.start()
    assert node.tally("p") == before
    assert node.admin("POST", "/v1/verify", {}).json()["votes"] == 50000


def test_a_copy_into_a_ledger_of_others_is_refused(site, tmp_path):
    (tmp_path / "old").mkdir()
    source = harness.Daemon(tmp_path / "old").start()
    source.stop()
    site.node().start().poll("theirs")
    site.nodes[0].stop()
    target = nodes_of.Node(os.path.join(str(tmp_path), "new"), site.url)
    _, ran = copy(source, site, target)
    assert "the target holds another ledger" in ran.communicate(timeout=60)[1]
    assert ran.returncode == 1


def test_a_copy_without_its_engine_or_its_source_says_what_holds_and_how_to_go_on(site, tmp_path):
    (tmp_path / "old").mkdir()
    source = harness.Daemon(tmp_path / "old").start()
    source.stop()
    node = site.node("postgresql://nobody@127.0.0.1:1/t")
    _, ran = copy(source, site, node)
    log = ran.communicate(timeout=60)[1].splitlines()
    assert (ran.returncode, len(log)) == (1, 1), log
    assert log[0].startswith("cannot reach the target's engine: ") and '"127.0.0.1"' in log[0], log
    assert log[0].endswith("nothing was copied into it: start it, and run this again"), log
    source.store += ".none"
    _, ran = copy(source, site, node)
    assert ran.communicate(timeout=60)[1] == (f"there is no store at sqlite:{source.store}; name "
                                              "the one that tallyd had\n")
    assert ran.returncode == 1 and not os.path.exists(source.store)


@pytest.fixture
def pooler(engine, site):
    """The site's nodes, and the copy, know it alone."""
    one = poolers.Pooler(engine)
    try:
        site.url = one.start().url(site.database)
        yield one
    finally:
        one.remove()


def test_a_site_is_copied_through_a_pooler_and_counts_on_behind_it(site, pooler, tmp_path):
    (tmp_path / "old").mkdir()
    source = harness.Daemon(tmp_path / "old").start()
    fill(source)
    before = all_tallies(source)
    source.stop()
    node, out = copied(source, site)
    assert out.startswith("copied 5 polls, ") and "equal" in out
    assert site.ask("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == "0"
    node.start()
    assert all_tallies(node) == before
    assert node.vote("changes", 2, "v3").json()["receipt"]["seq"] == 21
    assert node.admin("POST", "/v1/verify", {}).json()["ok"]
    node.stop()


def test_a_copy_whose_pooler_goes_away_says_so_and_goes_on_when_it_is_run_again(
        site, pooler, tmp_path):
    (tmp_path / "old").mkdir()
    source = harness.Daemon(tmp_path / "old").start()
    fill_with(source, 100000)
    before = source.tally("p")
    source.stop()
    node, ran = copy(source, site, None)
    ran.stderr.readline()  # the first slice has arrived, others follow
    ran.send_signal(signal.SIGSTOP)
    pooler.stop()
    ran.send_signal(signal.SIGCONT)
    log = ran.communicate(timeout=120)[1]
    assert ran.returncode == 1 and "run it again to go on" in log, log
    assert int(site.ask("SELECT count(*) FROM vote")) in range(1, 100000)
    pooler.start()
    copied(source, site, node)
    node.start()
    assert node.tally("p") == before
    assert node.admin("POST", "/v1/verify", {}).json()["votes"] == 100000
    node.stop()
