"""tally history, verify, backup and status."""
import json
import os

import pytest

import client
import harness
from client import tally
from fake import Canned, whole


@pytest.fixture(name="canned")
def fixture_canned(tmp_path):
    made = []

    def make(answers):
        made.append(Canned(tmp_path / "s", answers))
        return made[0]

    yield make
    for one in made:
        one.end()


# history

POINTS = {"id": "p", "step": 3600, "points": [
    {"at": "2026-11-23T08:00:00Z", "votes": [1, 0]},
    {"at": "2026-11-23T09:00:00Z", "votes": [9007199254740993, 2]}]}
TALLY_OF_P = {"id": "p", "options": [{"option": 1, "label": "Yes"},
                                     {"option": 2, "label": "A label that is much too long"}]}


@pytest.mark.parametrize("given, asked", [
    ([], 3600), (["--step", "3600"], 3600), (["--step", "1h"], 3600), (["--step", "1d"], 86400),
    (["--step", "60m"], 3600)])
def test_history_is_a_table_with_a_column_for_each_option(canned, tmp_path, given, asked):
    canned({f"GET /v1/polls/p/history?step={asked}": whole(POINTS),
            "GET /v1/polls/p/tally": whole(TALLY_OF_P)})
    ran = tally(tmp_path, "history", "p", *given)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.decode() == (
        "TIME                               Yes  A label that is much\n"
        "2026-11-23T08:00:00Z                 1                     0\n"
        "2026-11-23T09:00:00Z  9007199254740993                     2\n")


def test_the_history_of_a_poll_ends_with_now(daemon):
    daemon.poll("p", carried=[5, 0, 0, 0])
    daemon.vote("p", 2, "v")
    ran = tally(daemon.folder, "history", "p")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.decode().splitlines()[-1].split()[1:] == ["5", "1", "0", "0"]
    assert tally(daemon.folder, "history", "nothing").returncode == 5
    assert tally(daemon.folder, "history", "p", "--step", "61s").returncode == 6


@pytest.mark.parametrize("step", ["", "h", "1w", "-1", "99999999999999999999", "9999999999999999d"])
def test_a_step_that_is_no_time_is_wrong_usage(tmp_path, step):
    assert tally(tmp_path, "history", "p", "--step", step).returncode == 2


# verify


def test_verify_counts_what_the_daemon_counted(daemon):
    daemon.poll("p")
    daemon.poll("q")
    daemon.vote("p", 1, "v")
    for args, figures in (([], b"2 polls, 1 vote"), (["q"], b"1 poll, 0 votes")):
        ran = tally(daemon.folder, "verify", *args)
        assert ran.stdout == b"verified: " + figures + b", no mismatch\n"
    assert tally(daemon.folder, "verify", "nothing").returncode == 5


def test_a_mismatch_is_a_line_and_1(canned, tmp_path):
    server = canned({"POST /v1/verify": whole(
        {"ok": False, "polls": 2, "votes": 9, "mismatches": [
            {"poll": "p", "detail": "option 2 has 3, the ledger 4"},
            {"poll": "q", "detail": "votes\x1b"}]})})
    ran = tally(tmp_path, "verify", "p", "q")
    assert ran.returncode == 1
    assert ran.stdout == b"p: option 2 has 3, the ledger 4\nq: votes?\n"
    assert len(ran.stderr.splitlines()) == 2
    assert json.loads(server.asked[0][1]) == {"polls": ["p", "q"]}


# backup


@pytest.mark.parametrize("given, sent", [
    ("monday.db", "monday.db"), ("/a/b.db", "/a/b.db"), ("./b.db", "{cwd}/b.db"),
    ("x/b.db", "{cwd}/x/b.db")])
def test_a_path_is_from_here_and_a_name_the_daemons_to_place(canned, tmp_path, given, sent):
    server = canned({"POST /v1/backup": whole(
        {"path": "/b/monday.db", "bytes": 43200000, "votes": 1000000, "key": "/b/monday.db.key"})})
    ran = tally(tmp_path, "backup", given)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == (b"backed up: /b/monday.db (41.2 MiB, 1000000 votes); "
                          b"its key is /b/monday.db.key: keep both together\n")
    assert json.loads(server.asked[0][1]) == {"path": sent.format(cwd=tmp_path)}


def test_a_key_that_lies_elsewhere_is_told(canned, tmp_path):
    canned({"POST /v1/backup": whole({"path": "/b", "bytes": 10, "votes": 0, "key": "external"})})
    assert b"(10 B, 0 votes); its key lies elsewhere" in tally(tmp_path, "backup", "b").stdout


def test_a_backup_lies_where_it_was_asked_for_and_overwrites_nothing(daemon):
    daemon.poll("p")
    daemon.vote("p", 1, "v")
    os.mkdir(os.path.join(daemon.folder, "x"))
    ran = tally(daemon.folder, "backup", "x/b.db")
    assert ran.returncode == 0, ran.stderr
    path = os.path.join(daemon.folder, "x", "b.db")
    assert ran.stdout.decode().startswith(f"backed up: {path} (") and b", 1 vote)" in ran.stdout
    assert f"its key is {path}.key".encode() in ran.stdout
    assert sorted(os.listdir(os.path.dirname(path))) == ["b.db", "b.db.key"]
    again = tally(daemon.folder, "backup", "x/b.db")
    assert again.returncode == 6
    assert again.stderr.decode().splitlines() == [
        "tally: x/b.db is there already",
        "tally: choose another name: a backup overwrites nothing"]


def test_of_the_backups_named_by_their_time_only_the_newest_are_kept(daemon):
    daemon.poll("p")
    folder = os.path.join(daemon.folder, "backups")
    os.mkdir(folder)
    old = [f"tally-2020010{day}T030000Z.db" for day in range(1, 6)]
    others = ["monday.db", "tally-20200101T030000Z.db.part-12345678", "tally-2020T03.db",
              "xtally-20200101T030000Z.db", "tally-20200101T030000Z.dbx"]
    for name in [*old, *(name + ".key" for name in old), *others]:
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(name)
    ran = tally(daemon.folder, "backup", "--keep", 3)
    assert ran.returncode == 0, ran.stderr
    told = ran.stdout.decode().splitlines()
    new = os.path.basename(told[0].split()[2])
    assert told[1:] == [f"deleted: {folder}/{name}" for name in old[:3]]
    left = [*old[3:], new]
    assert sorted(os.listdir(folder)) == sorted([*left, *(name + ".key" for name in left), *others])


def test_a_backup_that_fails_deletes_none(canned, tmp_path):
    (tmp_path / "tally-20200101T030000Z.db").write_text("old")
    canned({"POST /v1/backup": whole({"type": "/problems/busy", "title": "busy", "status": 503},
                                     b"503 Service Unavailable")})
    ran = tally(tmp_path, "backup", "--keep", 1)
    assert ran.returncode == 1
    assert (tmp_path / "tally-20200101T030000Z.db").exists()


def test_backups_on_another_machine_are_not_deleted_and_that_is_told(canned, tmp_path):
    canned({"POST /v1/backup": whole({"path": f"{tmp_path}/far/tally-20300101T030000Z.db",
                                      "bytes": 10, "votes": 0, "key": "external"})})
    ran = tally(tmp_path, "backup", "--keep", 1)
    assert ran.returncode == 1
    assert b"older backups in %s/far are not deleted" % bytes(tmp_path) in ran.stderr


def test_another_machines_backups_cost_none_of_this_ones_in_a_folder_of_that_name(canned, tmp_path):
    old = [tmp_path / f"tally-2020010{day}T030000Z.db" for day in range(1, 4)]
    for path in old:
        path.write_text("old")
    canned({"POST /v1/backup": whole({"path": f"{tmp_path}/tally-20300101T030000Z.db",
                                      "bytes": 10, "votes": 0, "key": "external"})})
    ran = tally(tmp_path, "backup", "--keep", 1)
    assert all(path.exists() for path in old)
    assert ran.returncode == 1 and b"are not deleted" in ran.stderr


def test_a_backup_stays_that_a_clock_set_back_made_the_oldest(daemon):
    daemon.poll("p")
    folder = os.path.join(daemon.folder, "backups")
    os.mkdir(folder)
    for name in ("tally-20200101T030000Z.db", "tally-29990101T030000Z.db"):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(name)
    ran = tally(daemon.folder, "backup", "--keep", 1)
    assert ran.returncode == 0, ran.stderr
    new = os.path.basename(ran.stdout.decode().split()[2])
    assert sorted(os.listdir(folder)) == [new, new + ".key", "tally-29990101T030000Z.db"]


@pytest.mark.parametrize("args", [["--keep", "0"], ["--keep", "x"], ["--keep", "2", "b.db"]])
def test_a_number_of_backups_to_keep_that_makes_no_sense_is_wrong_usage(tmp_path, args):
    assert tally(tmp_path, "backup", *args).returncode == 2


# status


def on_terminal(folder, *args):
    return client.on_terminal("--socket", os.path.join(folder, "s"), *args, NO_COLOR="1")


def test_status_is_json_in_a_pipe_and_lines_on_a_terminal(daemon):
    daemon.poll("p")
    daemon.vote("p", 1, "v")
    status = json.loads(tally(daemon.folder, "status").stdout)
    assert (status["polls"], status["votes"]) == (1, 1)
    rows = dict(line.split(maxsplit=1) for line in on_terminal(daemon.folder, "status").splitlines()
                if not line.startswith(("up for", "store size", "log size", "commit", "last")))
    assert rows["votes"] == "1" and rows["version"] == status["version"]
    assert rows["store"] == status["store"]["url"]


def test_status_tells_how_fast_votes_come_and_for_which_polls(daemon):
    for poll, votes in (("few", 2), ("many", 5), ("none", 0)):
        daemon.poll(poll)
        for i in range(votes):
            assert daemon.vote(poll, 1, f"v{i}").status == 201
    assert daemon.vote("few", 1, "v0").json()["result"] == "already"
    seen = []

    def whole_second_is_over():
        seen.append(daemon.admin("GET", "/v1/status").json())
        return seen[-1]["votes_last_minute"] > 0

    harness.until(whole_second_is_over)
    assert seen[-1]["votes_last_minute"] <= 7
    assert seen[-1]["busiest"] == [{"id": "many", "votes": 5}, {"id": "few", "votes": 2}]
    assert seen[-1]["last_backup_bytes"] == 0 and seen[-1]["last_backup_at"] is None
    assert daemon.admin("POST", "/v1/backup", {"path": "b"}).status == 200
    status = daemon.admin("GET", "/v1/status").json()
    assert status["last_backup_bytes"] > 0 and status["last_backup_at"]
    rows = dict(line.split(maxsplit=1) for line in on_terminal(daemon.folder, "status").splitlines())
    assert rows["votes/s"].endswith(" (over a minute)")


def test_a_deleted_poll_is_no_busy_one_and_the_next_of_its_name_stands_once(daemon):
    for poll_id in ("gone", "again", "hidden"):
        daemon.poll(poll_id)
        daemon.vote(poll_id, 1, "a")
    daemon.admin("PATCH", "/v1/polls/hidden", {"results": "after_close"})
    daemon.admin("DELETE", "/v1/polls/gone")
    daemon.admin("DELETE", "/v1/polls/again")
    daemon.poll("again")
    for voter in ("b", "c"):
        daemon.vote("again", 1, voter)
    busiest = daemon.admin("GET", "/v1/status").json()["busiest"]
    assert busiest == [{"id": "again", "votes": 2}, {"id": "hidden", "votes": 1}]


def test_status_on_a_terminal_draws_the_busiest_polls_with_what_came_meanwhile(canned, tmp_path):
    def status(votes, quiet, busy):
        return whole({"votes": votes, "commits": {"votes": votes},
                      "busiest": [{"id": "quiet", "votes": quiet}, {"id": "busy", "votes": busy}]})

    canned({"GET /v1/status": [status(1000, 900, 1), status(1010, 901, 10),
                               whole({"title": "no", "status": 403}, b"403 Forbidden")]})
    seen = client.on_terminal("--socket", str(tmp_path / "s"), "status", "--watch", status=4,
                              NO_COLOR="1")
    drawn = [line.replace("\033[K", "") for line in seen.split("\033[H")[-1].splitlines()]
    names = [line.split()[0] for line in drawn if line.endswith("/s")]
    assert names == ["all", "busy", "quiet"], drawn
    assert all("█" in line or "▁" in line or "▂" in line for line in drawn if line.endswith("/s"))


def test_status_does_without_what_is_not_there(canned, tmp_path):
    canned({"GET /v1/status": whole({"votes": 3, "uptime_s": 7300, "store": {"bytes": 2048},
                                     "last_backup_at": None, "queue": 7})})
    assert on_terminal(tmp_path, "status") == (
        "up for        2 h 1 min\nstore size    2.0 KiB\nvotes         3\nlast backup   none\n")


def test_status_is_drawn_again_until_the_daemon_says_no(canned, tmp_path):
    canned({"GET /v1/status": [whole({"votes": 1}), whole({"votes": 2}),
                               whole({"title": "no", "status": 403}, b"403 Forbidden")]})
    ran = tally(tmp_path, "status", "--watch")
    assert ran.returncode == 4
    assert [json.loads(line)["votes"] for line in ran.stdout.splitlines()] == [1, 2]
