"""tallyd.conf: what is taken, what is refused, and what a reload changes."""
import os
import pathlib
import re
import signal
import subprocess
import threading

import pytest

import harness

SOURCE = pathlib.Path(__file__).resolve().parents[2]


def run(*args, env=None):
    """Exit status, the lines of stdout, the lines of stderr."""
    done = subprocess.run([harness.TALLYD, *map(str, args)], capture_output=True, text=True,
                          timeout=harness.START_S, env={**os.environ, **(env or {})})
    return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()


def check(path):
    return run("-c", path, "--check-config")


@pytest.mark.parametrize("args,says", [
    (("-x",), "there is no option -x"),
    (("-xc", "file"), "there is no option -x"),
    (("--port", "80"), "there is no option --port"),
    (("--check-config=yes",), "no value is taken by --check-config=yes"),
    (("--threads",), "no value is given for --threads"),
])
def test_a_bad_option_is_named_and_exit_2(args, says):
    assert run(*args) == (2, [], [f"{says}; see tallyd --help"])


def test_the_version_is_one_line_that_names_the_libraries():
    status, out, err = run("--version")
    assert (status, err) == (0, [])
    assert re.fullmatch(r"tallyd \d+\.\d+\.\d+ \(libevent 2\.\S+, SQLite 3\.\S+, cJSON 1\.\S+,"
                        r" libsodium 1\.\S+\)", "\n".join(out)), out


def test_what_cannot_be_said_on_stdout_is_1(tmp_path):
    store = f"sqlite:{tmp_path}/t.db"
    one = harness.Daemon(tmp_path, store=f"{tmp_path}/t.db")
    one.start()
    one.stop()
    for args in (("--version",), ("--help",), ("--store", store, "--check-config"),
                 ("--store", store, "--check-store")):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([harness.TALLYD, *args], stdout=full, stderr=subprocess.PIPE,
                                  timeout=harness.START_S, text=True, check=False)
        assert (done.returncode, done.stderr) == (
            1, "cannot write to stdout: No space left on device; make room there\n"), args


def test_a_file_that_cannot_be_read_is_exit_6(tmp_path):
    for path in (tmp_path / "nowhere", tmp_path, "/dev/null"):
        status, out, err = check(path)
        assert (status, out, len(err)) == (6, [], 1), err
        assert err[0].startswith(f"{path}: "), err


def test_the_example_is_good(tmp_path):
    path = SOURCE / "docs/examples/tallyd.conf"
    assert check(path) == (0, [f"configuration is good: {path}"], [])


def test_check_config_touches_nothing(tmp_path):
    path = tmp_path / "tallyd.conf"
    path.write_text("[log]\nlevel = debug\n")
    state = tmp_path / "state"
    status, out, err = run("-c", path, "--check-config", env={"STATE_DIRECTORY": str(state)})
    assert (status, err) == (0, [])
    assert os.listdir(tmp_path) == ["tallyd.conf"]


def test_every_key_of_the_reference_is_known_to_the_daemon(tmp_path):
    """With nonsense for a value the answer is about the value, never that there is no such key."""
    page = (SOURCE / "docs/configuration.md").read_text()
    keys = 0
    for section, body in re.findall(r"^## \[(\w+)\]\n(.*?)(?=^## |\Z)", page, re.M | re.S):
        for key in re.findall(r"^\| `(\w+)` \|", body, re.M):
            (tmp_path / "c").write_text(f"[{section}]\n{key} = \n")
            status, _, err = check(tmp_path / "c")
            assert (status, "has no value" in err[0]) == (6, True), err
            keys += 1
    assert keys == 31


def test_a_bad_option_is_exit_2_and_says_what_it_takes():
    for args, says in ((("--threads", "many"), "1 to 256"), (("--listen", "80"), "ADDR:PORT"),
                       (("--store", "tally.db"), "sqlite:PATH"), (("-c",), "no value"),
                       (("--check-config", "--check-store"), "one thing at a time"),
                       (("--copy-store", "a"), "where to is missing"),
                       (("--copy-store", "a", "b"), "--copy-store takes sqlite:PATH first, not a;"),
                       (("--copy-store", "sqlite:", "b"), "sqlite:PATH first, not sqlite:;"),
                       (("--copy-store", "postgresql://u:secret@h", "sqlite:b"),
                        "sqlite:PATH first, not postgresql://...;"),
                       (("--copy-store", "sqlite:a", "sqlite:b"),
                        "postgresql://USER@HOST/DATABASE behind it, not sqlite:b;")):
        status, out, err = run(*args)
        assert (status, out, len(err)) == (2, [], 1), err
        assert says in err[0] and "secret" not in err[0], err


def test_the_default_state_folder_is_made_with_all_above_it_and_a_named_one_is_not(tmp_path):
    one = harness.Daemon(tmp_path)
    state = tmp_path / "not" / "there" / "yet"
    one.environment = dict(os.environ, STATE_DIRECTORY=str(state))
    one.command = lambda: [harness.TALLYD, "--listen", "127.0.0.1:0", "--socket", one.socket]
    try:
        one.start()
        one.stop()
    finally:
        one.end()
    assert {"keys", "tally.db"} <= set(os.listdir(state))
    for folder in (state, state.parent, state.parent.parent):
        assert os.stat(folder).st_mode & 0o777 == 0o700
    status, _, err = run("--store", f"sqlite:{tmp_path}/none/t.db", "--socket", tmp_path / "s")
    assert (status, os.path.exists(tmp_path / "none")) == (1, False), err


def test_keys_may_come_as_a_credential_and_are_never_made_then(tmp_path):
    one = harness.Daemon(tmp_path)
    one.start()
    one.poll("p")
    assert one.vote("p", 1, "a").status == 201
    one.stop()
    folder = tmp_path / "credentials"
    folder.mkdir()
    os.rename(tmp_path / "keys", folder / "tallyd-keys")
    os.chmod(folder / "tallyd-keys", 0o440)  # as an ACL of systemd's shows
    os.environ["CREDENTIALS_DIRECTORY"] = str(folder)
    try:
        one.start()
        assert one.vote("p", 1, "a").json()["result"] == "already"
        one.stop()
        assert not os.path.exists(tmp_path / "keys")
        os.chmod(folder / "tallyd-keys", 0o444)
        status, _, err = run(*one.command()[1:])
        assert (status, "chmod 600" in err[0]) == (1, True)
    finally:
        del os.environ["CREDENTIALS_DIRECTORY"]
        one.end()


class Configured(harness.Daemon):
    """A daemon that has all it is told from a file."""

    def __init__(self, folder, options=()):
        super().__init__(folder)
        self.path = os.path.join(self.folder, "tallyd.conf")
        self.options = list(options)

    def write(self, more="", log=""):
        with open(self.path, "w") as file:
            file.write(f"[server]\nlisten = 127.0.0.1:0\nsocket = {self.socket}\nthreads = 2\n"
                       f"{more}[store]\nurl = sqlite:{self.store}\n[log]\n{log}")

    def command(self):
        return [harness.TALLYD, "-c", self.path, *self.options]

    def reload(self, expect):
        """SIGHUP; returns when a line with `expect` in it is there that was not before."""
        before = len(self.log)
        self.process.send_signal(signal.SIGHUP)
        harness.until(lambda: any(expect in line for line in self.log[before:]))
        return self.log[before:]


@pytest.fixture
def configured(tmp_path):
    one = Configured(tmp_path)
    one.write()
    yield one
    one.end()


def test_the_file_says_where_it_listens_and_keeps_its_store(configured):
    configured.write("socket_mode = 0600\n")
    configured.start()
    configured.poll("p")
    assert configured.vote("p", 1, "a").status == 201
    assert configured.public("GET", "/v1/polls/p").status == 200
    assert os.stat(configured.socket).st_mode & 0o777 == 0o600
    assert sorted(configured.threads_by_name()) == ["loop 0", "loop 1", "writer"]
    configured.stop()
    assert os.path.exists(configured.store)


def test_an_option_beats_the_file(tmp_path):
    one = Configured(tmp_path, ["--threads", "1", "--socket", str(tmp_path / "other")])
    one.write()
    one.socket = str(tmp_path / "other")
    one.start()
    try:
        assert sorted(one.threads_by_name()) == ["loop 0", "writer"]
        assert one.admin("GET", "/livez").status == 200
        assert not os.path.exists(tmp_path / "s")
    finally:
        one.end()


def test_logs_are_json_where_the_file_says_so(configured):
    configured.write(log="format = json\n")
    process = subprocess.Popen(configured.command(), stderr=subprocess.PIPE, text=True)
    try:
        line = harness.json.loads(process.stderr.readline())
        assert list(line) == ["at", "level", "message"]
        assert (line["level"], line["message"].startswith("listening on ")) == ("notice", True)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=harness.START_S)
    assert process.returncode == 0


def test_a_limit_of_connections_holds_from_the_reload_on(configured):
    configured.write("max_connections = 3\n")
    configured.start()
    held = [configured.tcp() for _ in range(3)]
    for wire in held:
        wire.send(harness.request_bytes("GET", "/livez"))
        assert wire.answer().status == 200
    assert configured.tcp().answer().status == 503
    configured.write("max_connections = 4\n")
    configured.reload("the configuration is reloaded")
    fourth = configured.tcp()
    fourth.send(harness.request_bytes("GET", "/livez"))
    assert fourth.answer().status == 200
    configured.write("max_connections = 2\n")
    configured.reload("the configuration is reloaded")
    for wire in [*held, fourth]:  # who is over the new limit stays
        wire.send(harness.request_bytes("GET", "/livez"))
        assert wire.answer().status == 200
        wire.close()


def test_a_limit_for_each_address_may_come_and_go(configured):
    configured.start()
    held = [configured.tcp() for _ in range(4)]
    for wire in held:
        wire.send(harness.request_bytes("GET", "/livez"))
        assert wire.answer().status == 200
    configured.write(log="[limits]\nconnections = 4\n")
    configured.reload("the configuration is reloaded")
    assert configured.tcp().answer().status == 503
    configured.write(log="[limits]\nconnections = 0\n")
    configured.reload("the configuration is reloaded")
    held.append(configured.tcp())
    for wire in held:
        wire.send(harness.request_bytes("GET", "/livez"))
        assert wire.answer().status == 200
        wire.close()


def test_the_log_level_follows_a_reload(configured):
    configured.start()
    configured.write("socket_mode = 0600\n", "level = warning\n")
    configured.reload("server.socket_mode has changed")
    configured.reload("server.socket_mode has changed")
    configured.write(log="level = loud\n")
    configured.reload("log.level: takes one of")
    assert not any("is reloaded" in line for line in configured.log)


def test_what_needs_a_restart_is_named_and_stays(configured):
    configured.start()
    configured.poll("p")
    with open(configured.path, "w") as file:
        file.write("[server]\nlisten = 127.0.0.1:1\nsocket = /elsewhere\nthreads = 9\n"
                   "max_connections = 99\n[store]\nurl = sqlite:/elsewhere/t.db\nballast = 1M\n")
    for _ in range(2):  # it is still so, and still said, the second time
        lines = configured.reload("the configuration is reloaded")
        keys = [line.split(" ")[0] for line in lines if "that needs a restart, ignoring" in line]
        assert keys == ["server.listen", "server.socket", "server.threads", "store.url",
                        "store.ballast"], lines
    assert configured.vote("p", 1, "a").status == 201
    assert configured.public("GET", "/v1/polls/p").status == 200


def test_a_bad_file_changes_nothing_and_is_one_line(configured):
    configured.write("max_connections = 1000\n")
    configured.start()
    configured.write("max_connections = 1\nthreads = 3\n")
    lines = configured.reload("going on with the configuration as it was")
    assert len(lines) == 1
    assert lines[0].startswith(f"{configured.path}:6: server.threads: stands in line 4 already")
    first, second = configured.tcp(), configured.tcp()
    for wire in (first, second):
        wire.send(harness.request_bytes("GET", "/livez"))
        assert wire.answer().status == 200
        wire.close()
    os.remove(configured.path)
    assert len(configured.reload("going on with the configuration as it was")) == 1


def test_reloads_under_load_drop_no_connection(configured):
    configured.start()
    configured.poll("p")
    wires = [configured.unix() for _ in range(4)]
    done = threading.Event()
    counted = []
    failed = []

    def vote(worker, wire):
        n = 0
        try:
            while not done.is_set():
                body = {"option": 1, "voter": f"{worker}-{n}"}
                wire.send(harness.request_bytes("POST", "/v1/polls/p/votes", body))
                assert wire.answer().status == 201
                n += 1
        except (OSError, AssertionError, ConnectionError) as error:
            failed.append(error)
        counted.append(n)

    threads = [threading.Thread(target=vote, args=pair) for pair in enumerate(wires)]
    for thread in threads:
        thread.start()
    for i in range(20):
        configured.write(f"max_connections = {1000 + i}\n", "level = " + ["info", "debug"][i % 2] +
                         "\n" + ("level = x\n" if i % 5 == 4 else ""))
        configured.reload("going on with" if i % 5 == 4 else "is reloaded")
    done.set()
    for thread in threads:
        thread.join()
    assert not failed
    assert sum(counted) > 0
    assert configured.tally("p")["votes"] == sum(counted)


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_the_admin_group_follows_a_reload(configured):
    """Another user, whose group becomes the admins' and is not any more."""
    configured.start()
    configured.poll("p")
    os.chmod(configured.folder, 0o755)  # those above it may be closed: others begin in it
    ask = ("import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
           "s.sendall(b'DELETE /v1/polls/none HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n'); "
           "print(s.recv(99).split()[1].decode())")

    def status():
        return subprocess.run(["/usr/bin/python3", "-c", ask, "s"], cwd=configured.folder,
                              capture_output=True, text=True, check=True,
                              user="nobody", group="nogroup", extra_groups=[]).stdout.strip()

    assert status() == "403"
    configured.write("[roles]\nadmin_group = nogroup\n")
    configured.reload("is reloaded")
    assert status() == "404"
    configured.write()
    configured.reload("is reloaded")
    assert status() == "403"
