"""Backups while votes pour in, backups that must fail, --check-store and --restore."""
import os
import shutil
import sqlite3
import subprocess
import threading

import pytest

import harness

MANY = 40000  # votes: a store of more than a megabyte, so that copying it takes several slices
AT_ONCE = 50


def votes(wire, poll, voters):
    """Votes of these voters, pipelined. Returns what each was answered."""
    wire.send(b"".join(
        harness.request_bytes("POST", f"/v1/polls/{poll}/votes", {"option": 1, "voter": voter})
        for voter in voters))
    return [wire.answer() for _ in voters]


def tallyd(*args):
    done = subprocess.run([harness.TALLYD, *args], capture_output=True, text=True,
                          timeout=harness.START_S)
    return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()


def check_store(path):
    return tallyd("--check-store", "--store", f"sqlite:{path}")


def restore(file, path):
    return tallyd("--restore", str(file), "--store", f"sqlite:{path}")


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """The folder of a stopped daemon with many votes in it."""
    folder = tmp_path_factory.mktemp("filled")
    one = harness.Daemon(folder).start()
    one.poll("p")
    one.poll("quiet", carried=[33, 30, 24, 21])
    wire = one.unix()
    for at in range(0, MANY, AT_ONCE):
        for answer in votes(wire, "p", [f"v{i}" for i in range(at, at + AT_ONCE)]):
            assert answer.status == 201, answer
    wire.close()
    one.stop()
    return folder


@pytest.fixture
def big(filled, tmp_path):
    shutil.copytree(filled, tmp_path / "big")
    one = harness.Daemon(tmp_path / "big").start()
    yield one
    one.end()


def backup(daemon, path):
    return daemon.admin("POST", "/v1/backup", {"path": str(path)})


def drafts(folder):
    return [name for name in os.listdir(folder) if ".part-" in name]


def everything(folder):
    """Names and bytes of all that lies in a folder."""
    found = {}
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            with open(path, "rb") as file:
                found[name] = file.read()
        else:
            found[name] = None
    return found


class Load:
    """Threads that vote until they are told to stop; `counted` grows as answers come."""

    def __init__(self, daemon, poll, threads=4):
        self.counted = [[] for _ in range(threads)]
        self.stopping = False
        self.threads = [threading.Thread(target=self._vote, args=(daemon, poll, i))
                        for i in range(threads)]
        for thread in self.threads:
            thread.start()
        harness.until(lambda: all(len(counted) > 200 for counted in self.counted))

    def _vote(self, daemon, poll, number):
        wire = daemon.unix()
        at = 0
        while not self.stopping:
            voters = [f"load-{number}-{at + i}" for i in range(8)]
            assert all(answer.status == 201 for answer in votes(wire, poll, voters))
            self.counted[number].extend(voters)
            at += len(voters)
        wire.close()

    def so_far(self):
        return [voter for counted in self.counted for voter in list(counted)]

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join()


def test_a_backup_under_load_has_every_vote_that_was_answered_before_it(big, tmp_path):
    load = Load(big, "p")
    before = load.so_far()
    answer = backup(big, "nightly")
    after = load.so_far()
    load.stop()
    assert answer.status == 200, answer
    made = answer.json()
    path = os.path.join(big.folder, "backups", "nightly")
    assert made == {"path": path, "bytes": os.path.getsize(path), "votes": made["votes"],
                    "key": path + ".key"}
    assert MANY + len(before) <= made["votes"] <= MANY + len(after) + 4 * 8
    assert os.stat(path).st_mode & 0o777 == os.stat(path + ".key").st_mode & 0o777 == 0o600
    assert os.stat(os.path.dirname(path)).st_mode & 0o777 == 0o700
    assert not drafts(os.path.dirname(path))
    assert big.tally("p")["votes"] == MANY + len(load.so_far())

    was = everything(os.path.dirname(path))
    new = tmp_path / "new"
    new.mkdir()
    assert restore(path, new / "tally.db") == (
        0, [f"restored {new}/tally.db: 2 polls, {made['votes']} votes"], [])
    assert everything(os.path.dirname(path)) == was
    assert check_store(new / "tally.db") == (
        0, [f"store {new}/tally.db: 2 polls, {made['votes']} votes, good"], [])
    other = harness.Daemon(new).start()
    try:
        assert other.tally("p")["votes"] == made["votes"]
        etags = [one.admin("GET", "/v1/polls/quiet/tally").fields["etag"] for one in (big, other)]
        assert other.tally("quiet") == big.tally("quiet") and etags[0] != etags[1]
        wire = other.unix()
        for at in range(0, len(before), AT_ONCE):
            for found in votes(wire, "p", before[at:at + AT_ONCE]):
                assert found.json()["result"] == "already"
        for found in votes(wire, "p", ["v0", f"v{MANY - 1}"]):
            assert found.json()["result"] == "already"
        wire.close()
        assert other.tally("p")["votes"] == made["votes"]
    finally:
        other.end()


def test_a_file_that_is_not_there_or_not_to_be_read_is_named_with_the_remedy(daemon, tmp_path):
    status, _, err = restore(tmp_path / "none.bak", tmp_path / "new.db")
    assert (status, err) == (1, [f"cannot open {tmp_path}/none.bak: No such file or directory; name "
                                 "a file that is there and that this user may read"])
    daemon.stop()
    keys = os.path.join(daemon.folder, "keys")
    os.chmod(keys, 0)
    for action in ((), ("--check-store",)):
        done = subprocess.run([*harness.powerless(), *daemon.command(), *action], text=True,
                              capture_output=True, timeout=harness.START_S, check=False)
        assert (done.returncode, done.stderr) == (
            1, f"cannot open the keys file {keys}: Permission denied; run this as the user whose "
               "file it is, or let this one read it\n")


def test_a_backup_under_load_is_one_moment_of_all_polls(big, tmp_path):
    """Each client votes in one poll, and once that is answered in the other: whatever the moment,
    nobody has voted in the second who had not in the first, and at most one vote is between."""
    big.poll("first")
    big.poll("second")
    stopping = threading.Event()
    counted = [0] * 4

    def vote(number):
        wire = big.unix()
        while not stopping.is_set():
            for poll in ("first", "second"):
                assert votes(wire, poll, [f"{number}-{counted[number]}"])[0].status == 201
            counted[number] += 1
        wire.close()

    threads = [threading.Thread(target=vote, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    try:
        for i in range(3):
            harness.until(lambda: all(n > 20 * (i + 1) for n in counted))
            assert backup(big, f"moment{i}").status == 200
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
    for i in range(3):
        new = tmp_path / f"new{i}"
        new.mkdir()
        assert restore(f"{big.folder}/backups/moment{i}", new / "tally.db")[0] == 0
        other = harness.Daemon(new).start()
        try:
            first, second = (other.tally(poll)["votes"] for poll in ("first", "second"))
            assert 20 * 4 * (i + 1) <= second <= first <= second + 4
            assert other.admin("POST", "/v1/verify").json()["ok"]
        finally:
            other.end()


def test_what_exists_is_409_and_stays_as_it_is(daemon, tmp_path):
    for name in ("taken", "taken.key"):
        (tmp_path / name).write_text("mine")
        was = everything(tmp_path)
        answer = backup(daemon, tmp_path / "taken")
        assert (answer.status, answer.json()["type"]) == (409, "/problems/exists")
        now = everything(tmp_path)
        assert {key: now[key] for key in was if "tally.db" not in key} == {
            key: was[key] for key in was if "tally.db" not in key}
        assert set(now) == set(was)
        (tmp_path / name).unlink()
    assert backup(daemon, tmp_path / "taken").status == 200
    assert backup(daemon, tmp_path / "taken").status == 409


@pytest.mark.parametrize("body", [
    {}, {"path": 1}, {"path": None}, {"path": ""}, {"path": ".."}, {"path": "."},
    {"path": "a/b"}, {"path": "../a"}, {"path": "a\nb"}, {"path": "/tmp/\u007f"},
    {"path": "x" * 4097}, {"path": "x" * 300}, {"path": "a", "more": 1}, [],
])
def test_a_path_that_cannot_be_is_422(daemon, body):
    answer = daemon.admin("POST", "/v1/backup", body)
    assert answer.status == 422, answer
    pointer = answer.json()["errors"][0]["pointer"]
    assert pointer == ("" if body == [] else "/more" if "more" in body else "/path")


def test_a_folder_that_cannot_be_written_is_422_with_the_remedy(daemon, tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "nowhere" / "b", tmp_path / "file" / "b", "/proc/b"):
        answer = backup(daemon, path)
        assert (answer.status, answer.json()["errors"][0]["pointer"]) == (422, "/path")
        assert "choose a folder" in answer.json()["detail"]
    (tmp_path / "backups").write_text("a file where the folder should be")
    assert backup(daemon, "b").status == 422
    assert daemon.admin("GET", "/readyz").status == 200


def test_only_admins_may_and_only_with_a_body(daemon):
    assert daemon.public("POST", "/v1/backup", {"path": "b"}).status == 401
    assert daemon.admin("POST", "/v1/backup").status == 400
    assert daemon.admin("POST", "/v1/backup", b"{").status == 400
    assert daemon.admin("POST", "/v1/backup?x=1", {"path": "b"}).status == 422
    assert daemon.admin("GET", "/v1/backup").status == 405
    assert not os.path.exists(os.path.join(daemon.folder, "backups"))


@pytest.fixture
def disk(tmp_path):
    """A disk of half a megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)],
                          capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip("no small disk can be mounted here: " + done.stderr.strip())
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_503_leaves_nothing_and_harms_no_vote(big, disk):
    answer = backup(big, disk / "b")
    assert (answer.status, answer.json()["type"]) == (503, "/problems/store-unavailable")
    assert "full" in answer.json()["detail"]
    assert os.listdir(disk) == []
    assert big.vote("p", 1, "later").status == 201
    assert backup(big, "b").status == 200


def test_a_disk_that_is_read_only_is_422(daemon, disk):
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    answer = backup(daemon, disk / "b")
    assert (answer.status, "Read-only" in answer.json()["detail"]) == (422, True)


def test_check_store_finds_a_wrong_tally_and_changes_nothing(daemon):
    daemon.poll("p")
    for i in range(10):
        daemon.vote("p", 1 + i % 2, f"v{i}")
    status, out, errors = check_store(daemon.store)
    assert (status, out, len(errors)) == (1, [], 1) and "another tallyd" in errors[0]
    daemon.kill()
    was = everything(daemon.folder)
    assert check_store(daemon.store) == (0, [f"store {daemon.store}: 1 poll, 10 votes, good"], [])
    assert everything(daemon.folder) == was
    daemon.start()
    daemon.stop()
    with sqlite3.connect(daemon.store) as store:
        store.execute("UPDATE tally SET votes = votes - 1 WHERE option = 2")
    store.close()
    was = everything(daemon.folder)
    status, out, errors = check_store(daemon.store)
    assert (status, errors) == (1, [])
    assert out[0] == "poll p: option 2 stands at 4, its rows give 5"
    assert "restore a backup" in out[-1]
    assert everything(daemon.folder) == was
    status, out, errors = check_store(daemon.folder + "/nowhere.db")
    assert (status, len(errors)) == (1, 1) and "no store" in errors[0]


def test_rubbish_is_not_restored_and_nothing_is_touched(daemon, tmp_path):
    daemon.poll("p")
    daemon.vote("p", 1, "a")
    made = backup(daemon, tmp_path / "good").json()
    daemon.stop()
    whole = (tmp_path / "good").read_bytes()
    rubbish = {"text": b"no backup at all, but long enough to have a header. " * 200,
               "empty": b"", "short": whole[:50], "half": whole[:len(whole) // 8192 * 4096],
               "zeroed": whole[:8192] + bytes(4096) + whole[12288:]}
    new = tmp_path / "new"
    new.mkdir()
    for name, content in rubbish.items():
        (tmp_path / name).write_bytes(content)
        shutil.copy(made["key"], tmp_path / (name + ".key"))
        was = everything(tmp_path)
        status, _, errors = restore(tmp_path / name, new / "tally.db")
        assert (status, len(errors)) == (1, 1), name
        assert everything(new) == {} and everything(tmp_path) == was, name
    assert restore(tmp_path / "good", new / "tally.db")[0] == 0
    was = everything(new)
    status, out, errors = restore(tmp_path / "good", new / "tally.db")
    assert (status, out, len(errors)) == (1, [], 1) and "move it away" in errors[0]
    assert everything(new) == was
