"""The service, by systemd's own protocols: units, sockets, notifications, the watchdog."""
import ctypes
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading

import pytest

import harness

BUILD = os.environ["TALLYD_BUILD"]
pytestmark = pytest.mark.skipif(os.environ.get("TALLYD_SYSTEMD") != "1",
                                reason="built without libsystemd")
UNITS = ("tallyd.service", "tallyd-http.socket", "tallyd-local.socket", "tallyd-backup.service",
         "tallyd-backup.timer", "tallyd-verify.service", "tallyd-verify.timer")


class Manager:
    """What a service tells its manager, in order."""

    def __init__(self, path):
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.told = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            data = self.socket.recv(65536).decode()
            self.told.append(dict(line.split("=", 1) for line in data.splitlines()))

    def so_far(self):
        """How many messages were sent until now; all of them have been read then."""
        mark = {"MARK": str(len(self.told))}
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
            one.sendto(f"MARK={mark['MARK']}".encode(), self.path)
        harness.until(lambda: mark in self.told)
        self.told.remove(mark)
        return len(self.told)

    def wait(self, name, since=0):
        """The number of the first message with that name, from number `since` on."""
        def found():
            return [i for i, m in enumerate(self.told) if i >= since and name in m]
        harness.until(found)
        return found()[0]


# Descriptors 3, 4, … and LISTEN_PID are set in the process that becomes tallyd.
LAUNCH = """
import fcntl, os, sys
fds = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 100) for fd in sys.argv[1].split(",") if fd]
for i, fd in enumerate(fds):
    os.dup2(fd, 3 + i)
    os.close(fd)
os.environ["LISTEN_PID"] = str(os.getpid())
os.environ["LISTEN_FDS"] = str(len(fds))
os.execv(sys.argv[2], sys.argv[2:])
"""


class Service(harness.Daemon):
    """tallyd with sockets that a manager holds, and that outlive it."""

    def __init__(self, folder, environment=None):
        super().__init__(folder)
        self.manager = Manager(os.path.join(self.folder, "notify"))
        self.path = os.path.join(self.folder, "tallyd.conf")
        self.http = socket.create_server(("127.0.0.1", 0))
        self.local = socket.socket(socket.AF_UNIX)
        self.local.bind(self.socket)
        self.local.listen(128)
        self.sockets = [("http", self.http), ("local", self.local)]
        self.environment = environment or {}
        self.write()

    def write(self, more=""):
        with open(self.path, "w") as file:
            file.write(f"[server]\nthreads = 2\nlisten = 127.0.0.1:1\nsocket = /nowhere/s\n"
                       f"[store]\nurl = sqlite:{self.store}\n{harness.NO_LIMITS}{more}")

    def spawn(self):
        fds = [one.fileno() for _, one in self.sockets]
        return subprocess.Popen(
            [sys.executable, "-c", LAUNCH, ",".join(map(str, fds)), harness.TALLYD,
             "-c", self.path],
            stderr=subprocess.PIPE, text=True, pass_fds=fds,
            env={**os.environ, "NOTIFY_SOCKET": self.manager.path,
                 "LISTEN_FDNAMES": ":".join(name for name, _ in self.sockets), **self.environment})

    def start(self):
        since = len(self.manager.told)
        self.log = []
        self.process = self.spawn()
        self.ready = threading.Event()
        self.reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self.reader.start()
        self.manager.wait("READY", since)
        assert self.ready.wait(harness.START_S), self.log
        return self

    def reload(self, more=""):
        since = len(self.manager.told)
        self.write(more)
        self.process.send_signal(signal.SIGHUP)
        return self.manager.told[self.manager.wait("READY", since)]


@pytest.fixture
def service(tmp_path):
    one = Service(tmp_path)
    yield one
    one.end()


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    """All that is installed, in a root of its own, with systemd's own units beside it."""
    folder = tmp_path_factory.mktemp("root")
    subprocess.run(["cmake", "--install", BUILD], check=True, stdout=subprocess.DEVNULL,
                   env={**os.environ, "DESTDIR": str(folder)})
    shutil.copytree("/usr/lib/systemd/system", folder / "usr/lib/systemd/system", symlinks=True)
    (folder / "bin").mkdir()
    shutil.copy("/bin/kill", folder / "bin/kill")
    return folder


def unit_path(root, name):
    found = list(root.glob(f"**/local/lib/systemd/system/{name}"))
    assert len(found) == 1, found
    return found[0]


def settings(path):
    """(section, key): its values, in order."""
    values = {}
    section = None
    for line in path.read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif "=" in line and line[0] not in "#;":
            key, value = line.split("=", 1)
            values.setdefault((section, key), []).append(value)
    return values


def test_systemd_finds_nothing_wrong_with_the_units_as_installed(root):
    done = subprocess.run(["systemd-analyze", "verify", f"--root={root}", "--man=no", *UNITS],
                          capture_output=True, text=True, timeout=harness.START_S)
    ours = [line for line in done.stderr.splitlines() if "tallyd" in line]
    assert (done.returncode, ours) == (0, []), done.stderr


@pytest.mark.skipif(os.environ["TALLYD_CAIRO"] != "1", reason="built without cairo")
def test_what_is_installed_draws_a_png_from_where_it_was_put(root, tmp_path, monkeypatch):
    program, = root.glob("**/sbin/tallyd")
    module, = root.glob("**/tallyd/tallyd-png.so")
    monkeypatch.setattr(harness, "TALLYD", str(program))
    daemon = harness.Daemon(tmp_path).start()
    try:
        daemon.poll("p")
        assert daemon.public("GET", "/v1/polls/p/chart.png").status == 200
        with open(f"/proc/{daemon.process.pid}/maps", encoding="ascii") as maps:
            assert f" {module}\n" in maps.read()
    finally:
        daemon.end()


def exposure(*units):
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager",
                           *map(str, units)], capture_output=True, text=True,
                          timeout=harness.START_S, check=True)
    return float(re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout).group(1))


def test_the_exposure_of_the_service_is_at_most_0_4(root):
    assert exposure(unit_path(root, "tallyd.service")) <= 0.4


@pytest.mark.parametrize("unit", ["tallyd-backup.service", "tallyd-verify.service"])
def test_what_runs_by_a_timer_is_exposed_no_more_than_1(root, unit):
    assert exposure(unit_path(root, unit)) <= 1.0


def test_the_timers_run_commands_that_there_are(root):
    for unit in ("tallyd-backup.service", "tallyd-verify.service"):
        program, *words = settings(unit_path(root, unit))[("Service", "ExecStart")][0].split()
        assert program.endswith("/bin/tally")
        done = subprocess.run([harness.TALLY, "--socket", "/nowhere", *words], capture_output=True,
                              timeout=60, check=False)
        assert done.returncode == 3, done  # the command line is good, and nobody there


def test_the_exposure_with_an_open_network_is_at_most_1_3(root, tmp_path):
    """The drop-in of the examples, put behind the unit as systemd does it."""
    example, = root.glob("**/examples/tallyd-network.conf")
    unit = tmp_path / "tallyd.service"
    unit.write_text(unit_path(root, "tallyd.service").read_text() + "\n" + example.read_text())
    assert 0.4 < exposure(unit) <= 1.3


def test_the_exposure_with_a_way_to_postgresql_is_at_most_1_2(root, tmp_path):
    drop_in, = root.glob("**/examples/tallyd-postgresql.conf")
    unit = tmp_path / "tallyd.service"
    unit.write_text(unit_path(root, "tallyd.service").read_text() + "\n" +
                    drop_in.read_text().replace("#IPAddressAllow", "IPAddressAllow"))
    assert 0.4 < exposure(unit) <= 1.2


def test_the_service_has_no_user_namespace(root):
    """In one, SO_PEERCRED shows every other user as 65534: nobody would be an admin or an app."""
    values = settings(unit_path(root, "tallyd.service"))
    assert ("Service", "PrivateUsers") not in values
    assert ("Service", "DynamicUser") not in values  # administrators join a group that stays


def test_the_units_agree_with_each_other_and_with_the_daemon(root):
    service = settings(unit_path(root, "tallyd.service"))
    http = settings(unit_path(root, "tallyd-http.socket"))
    local = settings(unit_path(root, "tallyd-local.socket"))
    command, = service["Service", "ExecStart"]
    assert os.access(str(root) + command, os.X_OK) and BUILD not in command
    assert http["Socket", "FileDescriptorName"] == ["http"]
    assert local["Socket", "FileDescriptorName"] == ["local"]
    assert local["Socket", "ListenStream"] == ["/run/tallyd/tallyd.sock"]  # the client's default
    for one in (http, local):
        assert one["Socket", "Service"] == ["tallyd.service"]
    # A folder that goes at every stop would take the socket in it along.
    assert ("Service", "RuntimeDirectory") not in service
    assert service["Service", "PrivateNetwork"] == ["yes"]
    assert service["Service", "RestrictAddressFamilies"] == ["AF_UNIX"]
    assert service["Service", "Restart"] == ["on-failure"]
    assert int(service["Service", "TimeoutStopSec"][0]) > 10
    users, = root.glob("**/sysusers.d/tallyd.conf")
    assert f"u {service['Service', 'User'][0]} " in users.read_text()


def first_connection(path):
    """The socket has its name a moment before it listens: until then a connection is refused."""
    made = []

    def is_made():
        try:
            made.append(harness.Wire(path))
        except (FileNotFoundError, ConnectionRefusedError):
            pass
        return made

    harness.until(is_made)
    return made[0]


def test_systemd_socket_activate_starts_it_with_both_names(tmp_path):
    manager = Manager(tmp_path / "notify")
    local = str(tmp_path / "s")
    # It opens no port of the kernel's choice, but hands on what it was handed.
    http = socket.create_server(("127.0.0.1", 0))
    port = http.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", LAUNCH, str(http.fileno()), "/usr/bin/systemd-socket-activate",
         "-E", f"NOTIFY_SOCKET={manager.path}", "-E", f"STATE_DIRECTORY={tmp_path}/state",
         "-l", local, "--fdname=http:local", harness.TALLYD],
        stderr=subprocess.PIPE, text=True, pass_fds=[http.fileno()])
    try:
        wire = first_connection(local)  # starts it
        wire.send(harness.request_bytes("GET", "/livez"))
        assert wire.answer().status == 200
        wire = harness.Wire(("127.0.0.1", port))
        wire.send(harness.request_bytes("GET", "/v1/polls"))
        assert wire.answer().status == 200
        told = manager.told[manager.wait("READY")]
        assert told["STATUS"] == f"Counting votes on 127.0.0.1:{port}, {local}"
        assert stat.S_IMODE(os.stat(tmp_path / "state").st_mode) == 0o700
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=harness.START_S)
    assert process.returncode == 0
    manager.wait("STOPPING")
    assert os.path.exists(local)  # the manager's, not ours


def test_sockets_take_the_place_of_listen_and_socket(service):
    service.start()  # its file names addresses that cannot be had
    assert service.public("GET", "/livez").status == 200
    assert service.admin("PUT", "/v1/polls/p", {"title": "T", "options": [
        {"label": "a"}, {"label": "b"}]}).status == 201


def test_one_socket_leaves_the_other_to_the_configuration(service):
    del service.sockets[0]
    with open(service.path, "w") as file:
        file.write(f"[server]\nlisten = 127.0.0.1:0\n[store]\nurl = sqlite:{service.store}\n")
    service.start()
    assert service.public("GET", "/livez").status == 200
    assert service.port != service.http.getsockname()[1]


def test_several_sockets_of_a_name_are_all_served(service):
    other = socket.create_server(("127.0.0.1", 0))
    service.sockets.append(("http", other))
    service.start()
    for one in (service.http, other):
        wire = harness.Wire(one.getsockname())
        wire.send(harness.request_bytes("GET", "/livez"))
        assert wire.answer().status == 200
        wire.close()


def datagram():
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind(("127.0.0.1", 0))
    return one


def not_listening():
    one = socket.socket()
    one.bind(("127.0.0.1", 0))
    return one


@pytest.mark.parametrize("name,make,says", [
    ("web", lambda: socket.create_server(("127.0.0.1", 0)), "a socket named web; tallyd takes"),
    ("http", datagram, "no TCP socket that listens"),
    ("http", not_listening, "no TCP socket that listens"),
    ("local", lambda: socket.create_server(("127.0.0.1", 0)), "no Unix socket that listens"),
])
def test_a_socket_that_does_not_fit_is_refused_with_a_sentence(service, name, make, says):
    service.sockets = [(name, make())]
    process = service.spawn()
    _, err = process.communicate(timeout=harness.START_S)
    assert (process.returncode, len(err.splitlines()), says in err) == (1, 1, True), err


def test_the_manager_is_told_of_start_reload_and_stop(service):
    service.start()
    told = service.manager.told
    port = service.http.getsockname()[1]
    counting = f"Counting votes on 127.0.0.1:{port}, {service.socket}"
    assert [m.get("READY") for m in told] == [None, "1"]
    assert [m["STATUS"] for m in told] == ["Opening the ledger", counting]
    service.reload("[log]\nlevel = debug\n")
    reloading = told[2]
    assert reloading["RELOADING"] == "1" and int(reloading["MONOTONIC_USEC"]) > 0
    assert reloading["STATUS"] == "Reading the configuration again"
    assert told[3] == {"READY": "1", "STATUS": counting}
    service.reload("[log]\nlevel = loud\n")
    assert told[5] == {"READY": "1", "STATUS": counting +
                       "; the configuration was not reloaded, see the log"}
    service.stop()
    assert "log.level" in "".join(service.log)
    service.manager.wait("STOPPING")
    assert told[6:] == [{"STOPPING": "1", "STATUS": "Ending: what has begun is answered"}]


def test_a_second_sigterm_is_harmless(service):
    service.start()
    wire = service.tcp()
    wire.send(b"GET /livez HTTP/1.1\r\n")  # begun: it drains until this is answered
    harness.until(lambda: service.admin("GET", "/livez").status == 200)
    service.process.send_signal(signal.SIGTERM)
    service.manager.wait("STOPPING")
    service.process.send_signal(signal.SIGTERM)
    wire.send(b"Host: x\r\n\r\n")
    assert wire.answer().status == 200
    assert service._ended() == 0


PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000


class Frozen:
    """One thread of another process stands still meanwhile."""

    libc = ctypes.CDLL(None, use_errno=True)

    def __init__(self, thread):
        self.thread = thread

    def _ptrace(self, what):
        self.libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        self.libc.ptrace.restype = ctypes.c_long
        if self.libc.ptrace(what, self.thread, None, None) < 0:
            raise OSError(ctypes.get_errno(), "ptrace")

    def __enter__(self):
        self._ptrace(PTRACE_SEIZE)
        self._ptrace(PTRACE_INTERRUPT)
        os.waitpid(self.thread, WALL)

    def __exit__(self, *_):
        self._ptrace(PTRACE_DETACH)


def rests(pid):
    """How often main has gone to rest: once in each of its turns."""
    with open(f"/proc/{pid}/task/{pid}/status") as file:
        return int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", file.read(), re.M).group(1))


def test_a_stuck_thread_is_not_hidden_by_the_others(tmp_path):
    """Whichever it is: as long as one thread stands still, the watchdog gets nothing."""
    service = Service(tmp_path, {"WATCHDOG_USEC": "200000"}).start()
    try:
        pid = service.process.pid
        threads = service.threads_by_name()
        assert sorted(threads) == ["loop 0", "loop 1", "writer"]
        told = service.manager.told
        for thread in threads.values():
            service.manager.wait("WATCHDOG", len(told))
            with Frozen(thread):
                at = rests(pid)  # one more may be on its way, for a turn made before
                harness.until(lambda: rests(pid) >= at + 3)
                since = service.manager.so_far()
                harness.until(lambda: rests(pid) >= at + 13)
                assert service.manager.so_far() == since
            service.manager.wait("WATCHDOG", since)
    finally:
        service.end()


def test_without_a_watchdog_nobody_is_fed(service):
    service.start()
    service.reload()
    service.stop()
    assert not [m for m in service.manager.told if "WATCHDOG" in m]


def test_started_reloaded_stopped_and_killed_under_load_it_loses_no_vote(service):
    """Voters come by both sockets, which stay while daemons go; each votes until it is answered."""
    service.start()
    service.poll("p")
    done = threading.Event()
    acknowledged = []
    wrong = []

    def votes(worker):
        voter = 0
        wire = None
        unknown = False  # whether the last one counts: who stopped then would leave it so
        while unknown or not done.is_set():
            body = {"option": 1 + voter % 4, "voter": f"{worker}-{voter}"}
            try:
                wire = wire or service.unix()
                wire.send(harness.request_bytes("POST", "/v1/polls/p/votes", body))
                answer = wire.answer()
            except (OSError, ConnectionError):
                wire = None
                unknown = True
                continue
            unknown = answer.status == 503
            if answer.status in (200, 201):
                acknowledged.append((worker, voter))
                voter += 1
            elif answer.status != 503:
                wrong.append(answer)
                return

    def reads():
        version = 0
        while not done.is_set():
            try:
                answer = service.public("GET", "/v1/polls/p/tally")
            except (OSError, ConnectionError):
                continue
            if answer.status == 503:  # it is ending
                continue
            if answer.status != 200:
                wrong.append(answer)
                return
            tally = json.loads(answer.body)
            if tally["version"] < version or tally["votes"] != sum(
                    o["votes"] for o in tally["options"]):
                wrong.append(tally)
            version = tally["version"]

    def more(n=100):
        """Until so many more are acknowledged."""
        end = len(acknowledged) + n
        harness.until(lambda: len(acknowledged) >= end or wrong)

    threads = [threading.Thread(target=votes, args=(worker,)) for worker in range(4)]
    threads.append(threading.Thread(target=reads))
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            more()
            service.reload("[log]\nlevel = debug\n")
            more()
            service.reload("[log]\nlevel = loud\n")
            service.write()
            more()
            service.stop()
            service.start()
            more()
            service.kill()
            service.start()
        more()
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert not wrong
    tally = service.tally("p")
    assert tally["votes"] == tally["voters"] == len(acknowledged)
    assert [m.get("READY") for m in service.manager.told].count("1") == 1 + 3 * 4
