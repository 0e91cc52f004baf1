"""Several nodes on one engine: what one does, all show, and together they count as one would."""
import concurrent.futures
import json
import os
import subprocess
import threading

import harness
import nodes as nodes_of


def test_a_poll_made_on_one_node_is_on_the_other_and_so_are_votes_and_the_close(nodes):
    one, other = nodes
    one.poll("p", revote=True)
    harness.until(lambda: other.public("GET", "/v1/polls/p").status == 200)
    assert other.vote("p", 1, "anna").status == 201
    assert one.vote("p", 1, "anna").json()["result"] == "already"
    assert one.vote("p", 2, "anna").json()["result"] == "changed"
    assert one.vote("p", 2, "ben").json()["receipt"]["seq"] == 3
    harness.until(lambda: other.tally("p")["version"] == one.tally("p")["version"])
    assert other.tally("p") == one.tally("p")
    assert other.etag("p") == one.etag("p")
    assert other.admin("PATCH", "/v1/polls/p", {"state": "closed"}).status == 200
    # Whether or not it shows the close yet: no vote counts behind it.
    assert one.vote("p", 1, "carl").json()["type"] == "/problems/poll-closed"
    harness.until(lambda: one.tally("p")["state"] == "closed")
    assert other.admin("DELETE", "/v1/polls/p").status == 204
    harness.until(lambda: one.public("GET", "/v1/polls/p/tally").status == 404)
    assert one.admin("PUT", "/v1/polls/p", {"title": "T", "options": [{"label": "a"}, {"label": "b"}]}
                     ).status == 201
    harness.until(lambda: other.public("GET", "/v1/polls/p/tally").status == 200)
    assert other.tally("p")["votes"] == 0


def test_the_same_voters_at_three_nodes_at_once_are_counted_once(site):
    nodes = [site.node().start() for _ in range(3)]
    nodes[0].poll("p")
    for node in nodes:
        harness.until(lambda node=node: node.public("GET", "/v1/polls/p").status == 200)
    results = []
    start = threading.Barrier(6)

    def hammer(node):
        wire = node.unix()
        start.wait()
        for first in range(0, 2000, 50):
            for voter in range(first, first + 50):
                wire.send(harness.request_bytes("POST", "/v1/polls/p/votes",
                                                {"option": 1 + voter % 4, "voter": f"v{voter}"}))
            results.extend(wire.answer().json() for _ in range(50))
        wire.close()

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(hammer, node) for node in nodes * 2]:
            done.result()
    assert sum(answer["result"] == "counted" for answer in results) == 2000
    assert sum(answer["result"] == "already" for answer in results) == 10000
    for node in nodes:
        harness.until(lambda node=node: node.tally("p")["votes"] == 2000)
    assert len({node.etag("p") for node in nodes}) == 1
    verified = nodes[1].admin("POST", "/v1/verify", {}).json()
    assert (verified["ok"], verified["votes"]) == (True, 2000)


def test_limits_of_an_address_and_voting_again_hold_over_all_nodes(nodes):
    one, other = nodes
    one.poll("p", per_address=2, revote=True)
    one.poll("q", again_after=3600)
    harness.until(lambda: other.public("GET", "/v1/polls/q").status == 200)

    def vote(node, poll):
        token = node.public("POST", "/v1/voters").json()["token"]
        answer = node.public("POST", f"/v1/polls/{poll}/votes", {"option": 1, "token": token})
        return token, answer

    first, answer = vote(one, "p")
    assert answer.status == 201
    assert vote(other, "p")[1].status == 201
    assert vote(one, "p")[1].json()["type"] == "/problems/address-limit"
    assert vote(other, "p")[1].json()["type"] == "/problems/address-limit"
    gone = one.public("DELETE", "/v1/polls/p/votes", {"token": first})
    assert gone.status == 200, gone
    assert vote(other, "p")[1].status == 201
    assert one.vote("q", 1, "anna").status == 201
    assert other.vote("q", 1, "anna").json()["result"] == "already"


def test_ten_nodes_start_at_once_on_an_empty_database_with_one_keys_file(site):
    first = site.node()
    with open(first.keys(), "w", encoding="utf-8") as file:
        file.write("voters " + "ab" * 32 + "\n")
    os.chmod(first.keys(), 0o600)
    nodes = [first] + [site.node() for _ in range(9)]
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda node: node.start(), nodes))
    nodes[3].poll("p")
    for node in nodes:
        harness.until(lambda node=node: node.public("GET", "/v1/polls/p").status == 200)
    assert site.ask("SELECT count(*) FROM migration") == str(len(os.listdir(nodes_of.MIGRATIONS)))


def test_a_node_with_another_key_does_not_start(site):
    site.node().start()
    stranger = site.node()
    with open(stranger.keys(), "w", encoding="utf-8") as file:
        file.write("voters " + "cd" * 32 + "\n")
    try:
        stranger.start()
    except AssertionError:
        pass
    assert stranger.process.wait(harness.START_S) == 1
    harness.until(lambda: any("the keys are not those of the store" in line
                              for line in stranger.log))
    stranger.process = None


def test_no_node_starts_on_a_tally_that_cannot_be(site):
    node = site.node().start()
    node.poll("p")
    assert node.vote("p", 1, "anna").status == 201
    node.stop()
    for column, wrong, sound in (("phase", -1, 1), ("phase", 7, 1), ("version", -1, 2),
                                 ("voters", -1, 1), ("voters", 7, 1), ("seq", 1 << 32, 1)):
        site.ask(f"UPDATE tally SET {column} = {wrong}")
        refused = subprocess.run(node.command(), env=node.environment, capture_output=True,
                                 text=True, timeout=60, check=False)
        assert refused.returncode == 1, (column, wrong, refused)
        assert "is damaged" in refused.stderr, (column, wrong, refused)
        site.ask(f"UPDATE tally SET {column} = {sound}")
    node.start()
    assert node.tally("p")["votes"] == 1


def test_export_history_audit_void_and_forget_see_what_all_nodes_took(nodes):
    one, other = nodes
    one.poll("p")
    harness.until(lambda: other.public("GET", "/v1/polls/p").status == 200)
    for voter in range(10):
        assert nodes[voter % 2].vote("p", 1 + voter % 4, f"v{voter}").status == 201
        # The other one may not show it yet, but its ledger is the same.
        rows = subprocess.run([harness.TALLY, "--socket", nodes[1 - voter % 2].socket, "export",
                               "p"], text=True, capture_output=True, timeout=60, check=True).stdout
        assert [json.loads(row)["seq"] for row in rows.splitlines()] == list(range(1, voter + 2))
    harness.until(lambda: one.tally("p")["votes"] == 10)
    assert one.admin("GET", "/v1/polls/p/history?step=3600").json()["points"][-1]["votes"] \
        == [3, 3, 2, 2]
    assert one.admin("GET", "/v1/polls/p/audit").status == 200
    voided = other.admin("POST", "/v1/polls/p/void",
                         {"from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"})
    assert voided.json()["voided"] == 10, voided
    assert one.vote("p", 1, "v1").json()["type"] == "/problems/vote-voided"
    assert one.admin("PATCH", "/v1/polls/p", {"state": "closed"}).status == 200
    harness.until(lambda: other.tally("p")["state"] == "closed")
    assert other.admin("POST", "/v1/polls/p/forget").status == 200
    assert one.vote("p", 1, "v1").json()["type"] == "/problems/poll-forgotten"
    verified = one.admin("POST", "/v1/verify", {}).json()
    assert verified["ok"], verified


def test_a_backup_is_left_to_the_engine_and_status_says_what_is_weak(site):
    site.ask(f"ALTER DATABASE {site.database} SET synchronous_commit = off")
    node = site.node().start()
    answer = node.admin("POST", "/v1/backup", {"path": "b"})
    assert answer.status == 501 and "pg_basebackup" in answer.json()["detail"], answer
    store = node.admin("GET", "/v1/status").json()["store"]
    assert store["durable"] is False and store["weakness"] == "synchronous_commit is off"
    assert any("synchronous_commit is off" in line for line in node.log)
