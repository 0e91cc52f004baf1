"""The servers that script/bench compares, each started on its own files and ended by its pid.

All of them keep what they store under one folder, so that they share a disk. A server that cannot
start says so in one line with the end of its log; none outlives the `with` that started it.
"""

import contextlib
import glob
import http.client
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time

START_S = 30
STOP_S = 15
SOCKET_PATH_MAX = 107  # sockaddr_un
POSTGRES_USER = "postgres"  # PostgreSQL does not run as root

# Command-line options that take away the limits of tallyd that stand in a benchmark's way. Today
# it has none that do: no route is rate-limited.
TALLYD_NO_LIMITS = []


class Failed(Exception):
    """What could not be done, in one line."""


def program(*names):
    """The path of the first of these programs that is installed, or None."""
    places = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda p: int(p.split("/")[4]))
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", *reversed(places)])
    return next(filter(None, (shutil.which(name, path=path) for name in names)), None)


def output(*args):
    """What a short command prints; Failed with its last line of complaint."""
    ran = subprocess.run(args, capture_output=True, text=True, timeout=120, check=False)
    if ran.returncode != 0:
        complaint = (ran.stderr or ran.stdout).strip().splitlines() or ["no reason given"]
        raise Failed(f"{args[0]}: exit {ran.returncode}: {complaint[-1]}")
    return ran.stdout


def free_port():
    """A TCP port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connects(family, address):
    with socket.socket(family) as probe:
        return probe.connect_ex(str(address) if family == socket.AF_UNIX else address) == 0


class Server:
    """A process of ours, from start() to stop()."""

    name = None
    stop_signal = signal.SIGTERM

    def __init__(self, folder):
        self.folder = folder / self.name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / "log"
        self.process = None

    def socket_path(self, name):
        path = self.folder / name
        if len(str(path)) > SOCKET_PATH_MAX:
            raise Failed(f"{path} is too long for a socket; --dir takes a shorter place")
        return path

    def spawn(self, *args):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                args, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def wait(self, ready):
        """Until ready() is true."""
        end = time.monotonic() + START_S
        while not ready():
            if self.process.poll() is not None or time.monotonic() > end:
                lines = self.log.read_text(errors="replace").strip().splitlines() or ["(no log)"]
                raise Failed(f"{self.name} did not start: {lines[-1]}")
            time.sleep(0.02)

    def stop(self):
        if not self.process or self.process.poll() is not None:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        raise NotImplementedError


class LocalHTTP(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Tallyd(Server):
    name = "tallyd"

    def __init__(self, folder, binary, threads=None):
        super().__init__(folder)
        self.binary, self.threads = binary, threads
        self.socket = self.socket_path("s")
        self.port = None

    def start(self):
        threads = ["--threads", str(self.threads)] if self.threads else []
        self.spawn(self.binary, "--listen", "127.0.0.1:0", "--socket", self.socket,
                   "--store", f"sqlite:{self.folder / 'tally.db'}", *threads, *TALLYD_NO_LIMITS)
        self.wait(self.listens)

    def listens(self):
        said = re.search(r"127\.0\.0\.1:([1-9]\d*)", self.log.read_text(errors="replace"))
        self.port = int(said[1]) if said else None
        return said and connects(socket.AF_UNIX, self.socket)

    def ask(self, method, path, body=None):
        """The bytes of a 2xx answer."""
        with contextlib.closing(LocalHTTP(self.socket)) as connection:
            head = {"Content-Type": "application/json"} if body else {}
            connection.request(method, path, json.dumps(body) if body else None, head)
            answer = connection.getresponse()
            got = answer.read()
        if answer.status // 100 != 2:
            raise Failed(f"tallyd: {method} {path}: {answer.status} {got[:200]!r}")
        return got

    def poll_create(self, poll, **more):
        options = [{"label": label} for label in ("North", "East", "South", "West")]
        self.ask("PUT", f"/v1/polls/{poll}",
                 {"title": "Which way?", "options": options, "voters": "token", **more})

    def tally(self, poll):
        return self.ask("GET", f"/v1/polls/{poll}/tally")


class Redis(Server):
    """Durable as tallyd is: every command is synced before its answer. No snapshots and no
    rewriting of the log, which would only slow it down."""

    name = "redis"
    script = ("if redis.call('SADD', KEYS[1], ARGV[2]) == 0 then return 0 end "
              "return redis.call('HINCRBY', KEYS[2], ARGV[1], 1)")

    def __init__(self, folder):
        super().__init__(folder)
        self.socket = self.socket_path("s")

    def start(self):
        self.spawn(program("redis-server"), "--port", "0", "--unixsocket", self.socket,
                   "--dir", self.folder, "--appendonly", "yes", "--appendfsync", "always",
                   "--save", "", "--auto-aof-rewrite-percentage", "0")
        self.wait(lambda: connects(socket.AF_UNIX, self.socket))

    def ask(self, *command):
        return output(program("redis-cli"), "-s", str(self.socket), *command).strip()

    def script_load(self):
        return self.ask("SCRIPT", "LOAD", self.script)


class Nginx(Server):
    """One worker, one small file, everything that is known to speed that up."""

    name = "nginx"
    config = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/log;
{user}
events {{ worker_connections 1024; multi_accept on; }}
http {{
    access_log off;
    default_type application/json;
    sendfile on;
    tcp_nopush on;
    open_file_cache max=16 inactive=1h;
    keepalive_timeout 1h;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        root {folder}/files;
    }}
}}
"""

    def __init__(self, folder, body):
        super().__init__(folder)
        (self.folder / "files").mkdir(exist_ok=True)
        (self.folder / "files" / "tally").write_bytes(body)
        self.port = free_port()

    def start(self):
        user = "user root;" if os.geteuid() == 0 else ""
        config = self.folder / "conf"
        config.write_text(self.config.format(folder=self.folder, port=self.port, user=user))
        self.spawn(program("nginx"), "-p", self.folder, "-e", self.log, "-c", config)
        self.wait(lambda: connects(socket.AF_INET, ("127.0.0.1", self.port)) and self.worker())

    def worker(self):
        """The worker's pid: it does the work, the master only waits."""
        pid = self.process.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[0]) if children else None


class Postgres(Server):
    """Defaults, which sync every commit, but room enough for the log that no checkpoint falls
    into a round, and tally rows with room for their next version."""

    name = "postgres"
    stop_signal = signal.SIGINT  # its fast shutdown
    schema = """
CREATE TABLE vote (poll int, voter text, option int, PRIMARY KEY (poll, voter));
CREATE TABLE tally (poll int, option int, votes bigint, PRIMARY KEY (poll, option))
    WITH (fillfactor = 10);
"""
    # One statement is its own transaction and one round trip: the fastest way to say it.
    vote = r"""\set option random(1, 4)
\set voter random(1, 9000000000000000000)
WITH counted AS (
    INSERT INTO vote VALUES (:poll, 'bench-' || :voter::text, :option) RETURNING poll, option)
UPDATE tally SET votes = votes + 1 FROM counted
    WHERE tally.poll = counted.poll AND tally.option = counted.option;
"""

    def __init__(self, folder):
        super().__init__(folder)
        self.socket = self.socket_path(".s.PGSQL.5432")
        self.data = self.folder / "data"
        self.as_user = []
        self.user = pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:
            self.user = POSTGRES_USER
            self.as_user = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}",
                            "--clear-groups"]

    def start(self):
        if os.geteuid() == 0:
            closed = [str(p) for p in self.folder.parents if not p.stat().st_mode & 1]
            if closed:
                raise Failed(f"the user {self.user} cannot enter {closed[-1]}; --dir takes "
                             "another place")
            shutil.chown(self.folder, self.user, self.user)
        os.chmod(self.folder, 0o755)
        output(*self.as_user, program("initdb"), "--auth=trust", f"--username={self.user}",
               "--encoding=UTF8", "--no-locale", "--no-sync", f"--pgdata={self.data}")
        self.spawn(*self.as_user, program("postgres"), "-D", self.data, "-k", self.folder,
                   "-c", "listen_addresses=", "-c", "max_connections=300",
                   "-c", "shared_buffers=256MB", "-c", "max_wal_size=8GB",
                   "-c", "checkpoint_timeout=1h")
        self.wait(self.answers)
        self.ask(self.schema)
        (self.folder / "vote.sql").write_text(self.vote)

    def answers(self):
        ran = subprocess.run([program("pg_isready"), "-h", self.folder], capture_output=True,
                             timeout=START_S, check=False)
        return ran.returncode == 0

    def ask(self, sql):
        return output(program("psql"), "-h", str(self.folder), "-U", self.user, "-d", "postgres",
                      "-v", "ON_ERROR_STOP=1", "-qAtc", sql).strip()

    def pgbench(self, poll, connections, seconds):
        """Its report on `seconds` of votes in that poll."""
        return output(program("pgbench"), "-h", str(self.folder), "-U", self.user, "-n",
                      "-M", "prepared", "-c", str(connections), "-T", str(seconds),
                      "-D", f"poll={poll}", "-f", str(self.folder / "vote.sql"), "postgres")
