"""tally token, keys, audit, void and forget; and role tokens in files."""
import base64
import json
import os
import re
import subprocess

import pytest

import client
import harness
from client import ENDS_WITHIN_S, TALLY
from raids_test import close

ADMIN_TOKEN = "an-admin-token-of-some-length"
APP_TOKEN = "an-app-token-of-some-length"


def tally(daemon, *args, **env):
    return run(["--socket", daemon.socket, *args], daemon, **env)


def run(args, daemon, **env):
    return subprocess.run([TALLY, *map(str, args)], cwd=daemon.folder, capture_output=True,
                          env={**client.EVERYWHERE, **env}, timeout=ENDS_WITHIN_S, check=False)


def on_terminal(daemon, *args, stdout=True):
    """What a terminal is sent: stdout, or else stderr; and what the other one got."""
    with client.Terminal("--socket", daemon.socket, *args, others=subprocess.PIPE, NO_COLOR="1",
                         streams=("stdout" if stdout else "stderr",)) as one:
        text = one.rest()
        other = one.run.communicate(timeout=ENDS_WITHIN_S)[1 if stdout else 0].decode()
        assert one.run.returncode == 0, (text, other)
        return text, other


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def token_of(ran):
    assert (ran.returncode, ran.stderr) == (0, b""), ran.stderr
    assert re.fullmatch(rb"[\w-]+\.[\w-]+\.[\w-]+\n", ran.stdout), ran.stdout
    return ran.stdout.decode().strip()


def public_vote(daemon, poll, token, option=1):
    return daemon.public("POST", f"/v1/polls/{poll}/votes", {"option": option, "token": token})


# token


def test_a_token_stands_alone_on_stdout_and_votes_as_its_voter(daemon):
    daemon.poll("p")
    token = token_of(tally(daemon, "token", "--voter", "анна"))
    assert claims(token)["sub"] == "анна"
    assert public_vote(daemon, "p", token).status == 201
    assert daemon.vote("p", 1, "анна").json()["result"] == "already"


def test_a_token_without_a_voter_is_of_somebody_new(daemon):
    daemon.poll("p")
    tokens = [token_of(tally(daemon, "token")) for _ in range(2)]
    assert all(claims(token)["anon"] for token in tokens)
    assert [public_vote(daemon, "p", token).status for token in tokens] == [201, 201]


def test_a_token_is_for_the_polls_and_the_time_that_were_asked_for(daemon):
    for poll in "pqr":
        daemon.poll(poll)
    before = claims(token_of(tally(daemon, "token", "--expires", "1")))["exp"]
    token = token_of(tally(daemon, "token", "--voter", "v", "--poll", "p", "--poll", "q",
                           "--expires", "30d"))
    after = claims(token_of(tally(daemon, "token", "--expires", "1s")))["exp"]
    assert before - 1 <= claims(token)["exp"] - 30 * 86400 <= after - 1
    assert claims(token)["polls"] == ["p", "q"]
    assert public_vote(daemon, "q", token).status == 201
    assert public_vote(daemon, "r", token).status == 403


def test_who_looks_on_is_told_when_a_token_runs_out(daemon):
    told, token = on_terminal(daemon, "token", "--expires", "1h", stdout=False)
    assert re.fullmatch(r"tally: good until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n", told)
    assert token.count(".") == 2 and token.count("\n") == 1


@pytest.mark.parametrize("args, status", [
    (["--expires", "soon"], 2), (["--expires", "106751991167301d"], 2), (["--expires", "-1"], 2),
    (["anna"], 2), (["--voter", "uid:7"], 4), (["--expires", "401d"], 6), (["--expires", "0"], 6),
    (["--poll", "no id"], 6)])
def test_a_token_that_cannot_be_is_refused(daemon, args, status):
    ran = tally(daemon, "token", *args)
    assert (ran.returncode, ran.stdout) == (status, b"")
    assert len(ran.stderr.splitlines()) == 2


# keys


def kid(token):
    part = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["kid"]


def test_after_a_rotation_another_key_signs_and_old_tokens_count(daemon):
    daemon.poll("p")
    old = token_of(tally(daemon, "token", "--voter", "old"))
    ran = tally(daemon, "keys", "rotate")
    assert ran.returncode == 0 and ran.stdout.startswith(b"rotated: ")
    assert len(ran.stdout.splitlines()) == 1
    new = token_of(tally(daemon, "token", "--voter", "new"))
    assert kid(old) != kid(new)
    assert [public_vote(daemon, "p", token).status for token in (old, new)] == [201, 201]


@pytest.mark.parametrize("args", [[], ["rotatte"], ["rotate", "now"]])
def test_keys_are_rotated_and_nothing_else(daemon, args):
    assert tally(daemon, "keys", *args).returncode == 2


# audit and void


def raided(daemon):
    """Three readers, one of whom brought twenty tokens."""
    daemon.poll("p")
    for i in range(22):
        token = daemon.admin("POST", "/v1/voters", {}).json()["token"]
        address = "127.0.1.1" if i < 20 else f"127.0.2.{i}"
        wire = wire_from(daemon, address)
        wire.send(harness.request_bytes("POST", "/v1/polls/p/votes",
                                        {"option": 1 if i < 20 else 2, "token": token}))
        assert wire.answer().status == 201
        wire.close()


def wire_from(daemon, address):
    import socket
    wire = harness.Wire.__new__(harness.Wire)
    wire.socket = socket.socket()
    wire.socket.settimeout(harness.START_S)
    wire.socket.bind((address, 0))
    wire.socket.connect(("127.0.0.1", daemon.port))
    wire.left = b""
    return wire


def test_an_audit_is_tables_on_a_terminal_and_names_the_way_back(daemon):
    raided(daemon)
    text, _ = on_terminal(daemon, "audit", "p")
    lines = text.splitlines()
    assert lines[0] == "p: 22 votes, 22 of them with an address; address groups: 3"
    first = lines.index("The largest address groups:")
    assert lines[first + 1] == "ADDRESS GROUP     VOTES"
    rows = [line.split() for line in lines[first + 2:first + 5]]
    assert [votes for _, votes in rows] == ["20", "1", "1"]
    group = rows[0][0]
    assert len(group) == 16
    assert lines[-1] == f"To take votes back: tally void p --address-group {group} --dry-run"
    minutes = lines[lines.index("The busiest minutes:") + 2:-2]
    assert sum(int(line.split()[1]) for line in minutes) == 22
    ran = tally(daemon, *lines[-1].split(" tally ")[1].split())
    assert ran.stdout == b"would void: p  20 votes; 20 (91%) 2 (9%) 0 (0%) 0 (0%)\n"


def test_an_audit_in_a_pipe_is_the_daemons_json(daemon):
    raided(daemon)
    ran = tally(daemon, "audit", "p")
    assert ran.returncode == 0 and ran.stdout.count(b"\n") == 1
    assert json.loads(ran.stdout) == daemon.admin("GET", "/v1/polls/p/audit").json()
    assert tally(daemon, "audit", "nothing").returncode == 5


def test_an_audit_of_no_votes_has_no_tables(daemon):
    daemon.poll("p")
    assert on_terminal(daemon, "audit", "p")[0] == (
        "p: 0 votes, 0 of them with an address; address groups: 0\n\nNo bursts.\n")


def test_a_void_takes_back_a_group_or_a_time(daemon):
    raided(daemon)
    group = json.loads(tally(daemon, "audit", "p").stdout)["groups"][0]["address_group"]
    ran = tally(daemon, "void", "p", "--address-group", group)
    assert (ran.returncode, ran.stdout) == (
        0, b"voided: p  20 votes; 0 (0%) 2 (100%) 0 (0%) 0 (0%)\n")
    span = ["--from", "2020-01-01T00:00:00Z", "--to", "2100-01-01T00:00:00Z"]
    assert tally(daemon, "void", "p", *span, "--dry-run").stdout.startswith(
        b"would void: p  2 votes; ")
    assert tally(daemon, "void", "p", *span).stdout == b"voided: p  2 votes; (no votes yet)\n"
    assert daemon.tally("p")["votes"] == 0


@pytest.mark.parametrize("args, status", [
    ([], 2), (["--from", "2020-01-01T00:00:00Z"], 2), (["--dry-run"], 2),
    (["--address-group", "0" * 16, "--to", "2020-01-01T00:00:00Z"], 2),
    (["--address-group", "xyz"], 6), (["--from", "today", "--to", "tomorrow"], 6)])
def test_a_void_that_does_not_say_which_votes_is_refused(daemon, args, status):
    daemon.poll("p")
    assert tally(daemon, "void", "p", *args).returncode == status


# forget


def test_a_closed_poll_forgets_a_voter_or_all(daemon):
    daemon.poll("p")
    for voter in "ab":
        daemon.vote("p", 1, voter)
    ran = tally(daemon, "forget", "p")
    assert ran.returncode == 6
    assert ran.stderr.decode().splitlines()[1] == "tally: `tally close` closes it"
    close(daemon, "p")
    counts = b"2 (100%) 0 (0%) 0 (0%) 0 (0%)\n"
    assert tally(daemon, "forget", "p", "--voter", "a").stdout == (
        b"forgotten: p  one voter; " + counts)
    assert tally(daemon, "forget", "p", "--voter", "nobody").returncode == 5
    assert tally(daemon, "forget", "p").stdout == b"forgotten: p  all voters; " + counts
    assert daemon.vote("p", 1, "b").json()["type"] == "/problems/poll-forgotten"


# Role tokens


@pytest.fixture(name="guarded")
def fixture_guarded(tmp_path):
    daemon = harness.Daemon(tmp_path)
    for name, token in (("admin", ADMIN_TOKEN), ("app", APP_TOKEN)):
        path = tmp_path / name
        path.write_text(token + "\n")
        path.chmod(0o600)
    daemon.config += (f"[roles]\nadmin_token_file = {tmp_path}/admin\n"
                      f"app_token_file = {tmp_path}/app\n")
    daemon.start()
    yield daemon
    daemon.end()


def test_a_token_file_gives_its_role_over_tcp(guarded):
    url = f"http://127.0.0.1:{guarded.port}"
    create = ["--url", url, "create", "p", "--title", "T", "--option", "A", "--option", "B"]
    assert run(create, guarded).returncode == 4
    assert run([*create, "--token-file", "app"], guarded).returncode == 4
    assert run([*create, "--token-file", "admin"], guarded).returncode == 0
    assert run(["--url", url, "vote", "p", "1", "--voter", "v"], guarded,
               TALLY_TOKEN_FILE="app").returncode == 0
    token = token_of(run(["--url", url, "token", "--voter", "w"], guarded, TALLY_TOKEN_FILE="app"))
    assert public_vote(guarded, "p", token).status == 201
    assert run(["--url", url, "token", "--voter", "w"], guarded).returncode == 4


@pytest.mark.parametrize("mode, warned", [(0o600, False), (0o640, False), (0o660, False),
                                          (0o644, True), (0o602, True)])
def test_a_token_file_that_everybody_may_read_or_change_is_warned_of_and_used(
        guarded, mode, warned):
    os.chmod(os.path.join(guarded.folder, "app"), mode)
    ran = run(["--url", f"http://127.0.0.1:{guarded.port}", "token", "--voter", "w", "--token-file",
               "app"], guarded)
    assert (ran.returncode, len(ran.stdout.split())) == (0, 1)
    said = ran.stderr.decode().splitlines()
    assert len(said) == warned
    if warned:
        assert said[0].startswith("tally: warning: everybody may read or change the token file app")
        assert "chmod 640" in said[0]


def remedy(ran, status, what):
    """The second of its two lines; the first one says what."""
    said = ran.stderr.decode().splitlines()
    assert (ran.returncode, len(said)) == (status, 2) and what in said[0], said
    return said[1].removeprefix("tally: ")


def test_each_reason_of_not_allowed_has_its_own_way_on(guarded):
    over_tcp = ["--url", f"http://127.0.0.1:{guarded.port}"]
    for poll in "pq":
        guarded.poll(poll)

    def vote(token):
        with open(os.path.join(guarded.folder, "token"), "w", encoding="utf-8") as file:
            file.write(token)
        return run([*over_tcp, "vote", "p", "1", "--token-file", "token"], guarded)

    os.close(os.open(os.path.join(guarded.folder, "token"), os.O_CREAT, 0o600))
    assert remedy(vote("abc"), 4, "no voter token").startswith("give the whole token")
    other = token_of(tally(guarded, "token", "--voter", "v", "--poll", "q"))
    assert remedy(vote(other), 4, "another poll").startswith("ask who gave it for another")
    assert "--voter" in remedy(vote(ADMIN_TOKEN), 4, "name the voter")
    assert remedy(tally(guarded, "token", "--voter", "uid:5"), 4, "uid:").startswith(
        "give another name")
    assert remedy(run([*over_tcp, "vote", "p", "1", "--voter", "v"], guarded), 4,
                  "only an app").startswith("ask as somebody who may")
    assert remedy(run([*over_tcp, "close", "p"], guarded), 4, "this is for").startswith(
        "give a token with --token-file")


def test_what_a_forgotten_poll_refuses_has_its_own_way_on(daemon):
    daemon.poll("p", state="closed")
    assert "no vote of this voter stands" in remedy(
        tally(daemon, "forget", "p", "--voter", "nobody"), 5, "")
    assert tally(daemon, "forget", "p").returncode == 0
    for args in (("vote", "p", "1"), ("open", "p")):
        assert "make a new poll" in remedy(tally(daemon, *args), 6, "forgotten")


def test_a_socket_that_one_may_not_open_is_not_to_be_started(daemon):
    os.chmod(daemon.socket, 0)
    ran = subprocess.run([*harness.powerless(), TALLY, "--socket", daemon.socket, "list"],
                         capture_output=True, timeout=ENDS_WITHIN_S, check=False)
    assert "socket_mode" in remedy(ran, 3, "Permission denied")


def test_a_token_may_come_through_a_pipe(guarded):
    ran = subprocess.run([TALLY, "--url", f"http://127.0.0.1:{guarded.port}", "token", "--voter",
                          "v", "--token-file", "/dev/stdin"], input=APP_TOKEN.encode(),
                         capture_output=True, timeout=ENDS_WITHIN_S, check=False)
    assert token_of(ran)


def test_a_poll_that_its_end_closed_opens_as_the_refusal_says(daemon):
    daemon.poll("p", closes_at="2020-01-01T00:00:00Z")
    ran = tally(daemon, "open", "p")
    assert ran.returncode == 6
    assert b"`tally set --closes` moves its end" in ran.stderr
    assert tally(daemon, "set", "p", "--closes", "none").returncode == 0
    assert tally(daemon, "vote", "p", 1).returncode == 0
