"""GET /metrics: what a monitoring system is told."""
import contextlib
import os
import pathlib
import re
import signal
import subprocess

import pytest

import harness
from bulk import ballot, bulk_all
from events_test import Stream

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
ALERTS = SOURCE / "docs" / "examples" / "tallyd-alerts.yml"
PLACES = 50


def scrape(daemon):
    answer = daemon.admin("GET", "/metrics")
    assert answer.status == 200, answer
    return answer.body.decode()


def samples(text):
    """What is served, by series: {'tallyd_votes_total{result="counted"}': 3.0}."""
    lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    found = {name: float(value) for name, value in lines}
    assert len(found) == len(lines), "a series stands twice"
    return found


def votes(daemon, poll=None):
    """By result, of all polls or of one; None where it has no name."""
    found = samples(scrape(daemon))
    name = f'tallyd_poll_votes_total{{poll="{poll}",' if poll else "tallyd_votes_total{"
    return {key.split('result="')[1][:-2]: int(value) for key, value in found.items()
            if key.startswith(name)} or None


def counted(n):
    return {"counted": n, "changed": 0, "already": 0, "retracted": 0}


def test_promtool_finds_nothing_to_say(daemon):
    daemon.poll("p")
    daemon.vote("p", 1, "a")
    answer = daemon.admin("GET", "/metrics")
    assert answer.fields["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    done = subprocess.run(["promtool", "check", "metrics"], input=answer.body, capture_output=True,
                          timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_the_page_lists_what_is_served(daemon):
    served = re.findall(r"^# TYPE (\S+) (\S+)$", scrape(daemon), re.M)
    page = (SOURCE / "docs" / "metrics.md").read_text()
    assert re.findall(r"^\| `(\w+)` \| (\w+) \|", page, re.M) == served


def test_the_page_names_the_labels_that_are_served(daemon):
    page = (SOURCE / "docs" / "metrics.md").read_text()
    told = dict(re.findall(r"^\| `(\w+)` \| \w+ \|([^|]*)\|", page, re.M))
    for series in samples(scrape(daemon)):
        name, _, labels = series.partition("{")
        name = re.sub(r"_(bucket|sum|count)$", "", name) if "commit" in name else name
        keys = [key for key in re.findall(r'(\w+)="', labels) if key != "le"]
        assert ", ".join(f"`{key}`" for key in keys) == told[name].strip(), series


def test_promtool_takes_the_alerts_and_they_are_about_what_is_served(daemon):
    done = subprocess.run(["promtool", "check", "rules", ALERTS], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, (done.stdout, done.stderr)
    served = {series.partition("{")[0] for series in samples(scrape(daemon))}
    expressions = re.sub(r"^ *(#|summary:|action:|- alert:).*$", "", ALERTS.read_text(), flags=re.M)
    named = set(re.findall(r"\b(?:tallyd|process)_\w+", expressions))
    assert named and named <= served


def test_the_manual_says_what_to_do_on_each_alert():
    page = (SOURCE / "docs" / "operating.md").read_text().partition("\n## On an alert\n")[2]
    alerts = re.findall(r"- alert: (\w+)", ALERTS.read_text())
    assert alerts and re.findall(r"^### (\w+)$", page, re.M) == alerts


def test_votes_are_counted_by_poll_and_result(daemon):
    daemon.poll("p", revote=True)
    daemon.poll("q")
    daemon.vote("p", 1, "a")
    daemon.vote("p", 2, "b")
    daemon.vote("p", 2, "a")
    daemon.vote("p", 2, "a")
    daemon.admin("DELETE", "/v1/polls/p/votes", {"voter": "a"})
    daemon.vote("q", 9, "a")
    bulk_all(daemon, ballot("q", 1, "x"), ballot("q", 1, "x"), ballot("q", 9, "y"))
    assert votes(daemon, "p") == {"counted": 2, "changed": 1, "already": 1, "retracted": 1}
    assert votes(daemon, "q") == {"counted": 1, "changed": 0, "already": 1, "retracted": 0}
    assert votes(daemon) == {"counted": 3, "changed": 1, "already": 2, "retracted": 1}
    found = samples(scrape(daemon))
    assert found['tallyd_bulk_lines_refused_total{problem="invalid",code="422"}'] == 1
    assert found["tallyd_polls"] == 2


@pytest.mark.parametrize("results", ["after_vote", "after_close"])
def test_a_poll_whose_results_are_hidden_is_nowhere(daemon, results):
    daemon.poll("veiled", results=results)
    for i in range(7):
        daemon.vote("veiled", 1, f"v{i}")
    assert "veiled" not in scrape(daemon)
    assert votes(daemon) == votes(daemon, "(other)") == counted(0)
    daemon.admin("PATCH", "/v1/polls/veiled", {"state": "closed"})
    assert votes(daemon) == counted(0)


def test_a_poll_that_becomes_hidden_or_goes_has_no_name_any_more(daemon):
    for name in ("p", "q", "r"):
        daemon.poll(name)
        daemon.vote(name, 1, "a")
    daemon.admin("PATCH", "/v1/polls/p", {"results": "after_close"})
    daemon.admin("DELETE", "/v1/polls/q")
    assert (votes(daemon, "p"), votes(daemon, "q"), votes(daemon, "r")) == (None, None, counted(1))
    daemon.poll("q")
    assert votes(daemon, "q") is None
    daemon.vote("q", 1, "a")
    assert votes(daemon, "q") == counted(1)


def test_polls_beyond_the_places_are_counted_together(daemon):
    for i in range(PLACES + 3):
        daemon.poll(f"p{i}")
        daemon.vote(f"p{i}", 1, "a")
    names = set(re.findall(r'poll="([^"]+)"', scrape(daemon)))
    assert names == {f"p{i}" for i in range(PLACES)} | {"(other)"}
    assert votes(daemon, "(other)") == counted(3)
    assert votes(daemon) == counted(PLACES + 3)


def test_refusals_are_counted_by_slug_and_status(daemon):
    daemon.poll("p")
    daemon.vote("p", 1, "a")
    daemon.vote("p", 2, "a")
    daemon.public("GET", "/v1/polls/nope/tally")
    daemon.public("GET", "/v1/polls/nope")
    daemon.public("GET", "/p/nope")
    daemon.public("POST", "/v1/polls/p/tally", {})
    wire = daemon.tcp()
    wire.send(b"nonsense\r\n\r\n")
    wire.answer()
    wire.close()
    found = {key: value for key, value in samples(scrape(daemon)).items()
             if key.startswith("tallyd_refusals_total") and value}
    assert found == {'tallyd_refusals_total{problem="already-voted",code="409"}': 1,
                     'tallyd_refusals_total{problem="no-such-poll",code="404"}': 3,
                     'tallyd_refusals_total{problem="method-not-allowed",code="405"}': 1,
                     'tallyd_refusals_total{problem="malformed",code="400"}': 1}


def test_streams_and_long_polls_are_counted_while_they_last(daemon):
    daemon.poll("p")
    stream = Stream(daemon, "p")
    stream.event()
    waiting = daemon.tcp()
    waiting.send(harness.request_bytes("GET", "/v1/polls/p/tally?wait=60&version=1"))
    harness.until(lambda: samples(scrape(daemon))["tallyd_long_polls"] == 1)
    assert samples(scrape(daemon))["tallyd_streams"] == 1
    # Those of scrapes before this one are closed a moment later.
    harness.until(lambda: samples(scrape(daemon))["tallyd_connections"] == 3)
    daemon.vote("p", 1, "a")
    waiting.answer()
    waiting.close()
    stream.wire.close()
    harness.until(lambda: samples(scrape(daemon))["tallyd_streams"] == 0)
    assert samples(scrape(daemon))["tallyd_long_polls"] == 0


def test_every_commit_is_in_both_histograms(daemon):
    daemon.poll("p")
    for i in range(5):
        daemon.vote("p", 1, f"v{i}")
    found = samples(scrape(daemon))
    for name in ("tallyd_commit_duration_seconds", "tallyd_commit_ballots"):
        buckets = [value for key, value in found.items() if key.startswith(name + "_bucket")]
        assert buckets == sorted(buckets)
        assert buckets[-1] == found[name + "_count"] == 6
    assert found["tallyd_commit_ballots_sum"] == 6
    assert found["tallyd_commit_duration_seconds_sum"] > 0
    status = daemon.admin("GET", "/v1/status").json()
    assert (status["commits"]["count"], status["commits"]["votes"]) == (6, 5)


def test_the_store_and_its_backups_are_told(daemon):
    daemon.poll("p")
    daemon.vote("p", 1, "a")
    before = samples(scrape(daemon))
    assert before["tallyd_last_backup_timestamp_seconds"] == 0
    assert before["tallyd_store_bytes"] >= 4096 and before["tallyd_store_ballast"] == 1
    assert before["tallyd_store_wal_waiting_bytes"] <= before["tallyd_store_wal_bytes"]
    backup = daemon.admin("POST", "/v1/backup", {"path": os.path.join(daemon.folder, "b")}).json()
    after = samples(scrape(daemon))
    assert after["tallyd_last_backup_bytes"] == backup["bytes"] == \
        os.path.getsize(os.path.join(daemon.folder, "b"))
    assert after["tallyd_last_backup_timestamp_seconds"] >= after["process_start_time_seconds"] - 1
    assert after["process_resident_memory_bytes"] > 1e6 and after["tallyd_takes_votes"] == 1


def test_over_tcp_it_is_for_everybody_only_where_the_configuration_says_so(daemon):
    refused = daemon.public("GET", "/metrics")
    assert refused.status == 403 and "metrics = everyone" in refused.json()["detail"]
    assert daemon.admin("GET", "/metrics", None, {"X-Forwarded-For": "1.2.3.4"}).status == 403
    daemon.config += "[server]\nmetrics = everyone\n"
    daemon.command()
    daemon.process.send_signal(signal.SIGHUP)
    harness.until(lambda: any("reloaded" in line for line in daemon.log))
    assert daemon.public("GET", "/metrics?ignored=yes").status == 200
    head = daemon.public("HEAD", "/metrics")
    assert (head.status, head.body) == (200, b"") and int(head.fields["content-length"]) > 1000


def queued(daemon):
    return samples(scrape(daemon))["tallyd_queue_ballots"]


@contextlib.contextmanager
def writer_held_up(daemon):
    """Keys are rotated on the writer's thread: a pipe in place of their file holds it there, until
    somebody opens the other end. That rotation stands in the queue, and comes to nothing."""
    keys = os.path.join(daemon.folder, "keys")
    os.rename(keys, keys + ".kept")
    os.mkfifo(keys)
    rotate = daemon.unix()
    rotate.send(harness.request_bytes("POST", "/v1/keys/rotate"))
    try:
        harness.until(lambda: queued(daemon) == 1)
        yield
    finally:
        os.close(os.open(keys, os.O_WRONLY))
        assert rotate.answer().status == 503
        rotate.close()
        os.rename(keys + ".kept", keys)


def test_a_scrape_is_answered_while_the_writer_is_held_up(daemon):
    daemon.poll("p")
    vote = daemon.unix()
    with writer_held_up(daemon):
        vote.send(harness.request_bytes("POST", "/v1/polls/p/votes", {"option": 1, "voter": "a"}))
        harness.until(lambda: queued(daemon) == 2)
        assert votes(daemon) == counted(0)
    assert vote.answer().status == 201
    assert votes(daemon) == counted(1)
    assert queued(daemon) == 0
    vote.close()
