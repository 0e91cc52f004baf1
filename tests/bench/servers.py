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
import sqlite3
import subprocess
import time

START_S = 30
STOP_S = 15
SOCKET_PATH_MAX = 107  # sockaddr_un
POSTGRES_USER = "postgres"  # PostgreSQL does not run as root

# A benchmark comes from one address, faster than readers do.
TALLYD_NO_LIMITS = dict.fromkeys(
    ("votes_per_minute", "tokens_per_hour", "reads_per_second", "connections", "streams"), 0)


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

    def spawn(self, *args, env=None):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                args, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env=env)

    def wait(self, ready):
        """Until ready() is true."""
        end = time.monotonic() + START_S
        while not ready():
            if self.process.poll() is not None or time.monotonic() > end:
                lines = self.log.read_text(errors="replace").strip().splitlines() or ["(no log)"]
                raise Failed(f"{self.name} did not start: {lines[-1]}")
            time.sleep(0.02)  # between looks: the peers have no other sign that they are ready

    def stop(self):
        if not self.process or self.process.poll() is not None:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def kill(self):
        """As a crash ends it."""
        self.process.kill()
        self.process.wait()

    def rss_bytes(self):
        """What it has in memory now, shared libraries included."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])

    def cpu_ticks(self):
        """User and system time so far, in the kernel's ticks of 10 ms."""
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        return sum(map(int, stat.rpartition(")")[2].split()[11:13]))

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
        self.launch()
        self.wait(self.listens)

    def launch(self):
        """Begins to start it."""
        raise NotImplementedError

    def listens(self):
        """Whether it has started."""
        raise NotImplementedError


class LocalHTTP(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Tallyd(Server):
    name = "tallyd"

    def __init__(self, folder, binary, threads=None, config=None, fields=None, url=None):
        """config: sections of tallyd.conf; fields: of HTTP, for asking as an admin; url: of a
        store that is no file, whose keys then lie in the folder."""
        super().__init__(folder)
        self.binary, self.threads, self.fields = binary, threads, fields or {}
        self.config = {"limits": TALLYD_NO_LIMITS, **(config or {})}
        self.socket, self.store = self.socket_path("s"), self.folder / "tally.db"
        self.url = url or f"sqlite:{self.store}"
        self.port = None

    def launch(self):
        threads = ["--threads", str(self.threads)] if self.threads else []
        config = self.folder / "tallyd.conf"
        config.write_text("".join(
            f"[{section}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())
            for section, keys in self.config.items()))
        self.spawn(self.binary, "-c", config, "--listen", "127.0.0.1:0", "--socket", self.socket,
                   "--store", self.url, *threads,
                   env=dict(os.environ, STATE_DIRECTORY=str(self.folder)))

    def listens(self):
        said = re.search(r"127\.0\.0\.1:([1-9]\d*)", self.log.read_text(errors="replace"))
        self.port = int(said[1]) if said else None
        return said and connects(socket.AF_UNIX, self.socket)

    def ask(self, method, path, body=None, timeout=10):
        """The bytes of a 2xx answer."""
        with contextlib.closing(LocalHTTP(self.socket, timeout)) as connection:
            head = self.fields | ({"Content-Type": "application/json"} if body else {})
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

    def votes(self, poll):
        return json.loads(self.tally(poll))["votes"]

    def ledger_bytes(self):
        """The database and its log; the ballast is no vote's."""
        return sum(path.stat().st_size for path in self.folder.glob("tally.db*")
                   if path.suffix in (".db", ".db-wal"))

    def poll_age(self, poll, days):
        """Makes a poll of a stopped tallyd older: each row holds its time since then."""
        with contextlib.closing(sqlite3.connect(self.store)) as store, store:
            aged = store.execute(
                "UPDATE poll SET definition = json_set(definition, '$.created_at_ms', "
                "json_extract(definition, '$.created_at_ms') - ?) WHERE id = ?",
                (days * 86400 * 1000, poll))
            # Another hand than tallyd's has written here: the next start makes the sums anew.
            store.execute("UPDATE poll SET rows_sum = NULL, sum = NULL")
            store.execute("DELETE FROM meta WHERE name = 'live'")
            if aged.rowcount != 1:
                raise Failed(f"tallyd: there is no {poll} in {self.store}")


class Redis(Server):
    """Durable as tallyd is: every command is synced before its answer. No snapshots and no
    rewriting of the log, which would only slow it down."""

    name = "redis"
    script = ("if redis.call('SADD', KEYS[1], ARGV[2]) == 0 then return 0 end "
              "return redis.call('HINCRBY', KEYS[2], ARGV[1], 1)")

    def __init__(self, folder):
        super().__init__(folder)
        self.socket = self.socket_path("s")

    def launch(self):
        self.spawn(program("redis-server"), "--port", "0", "--unixsocket", self.socket,
                   "--dir", self.folder, "--appendonly", "yes", "--appendfsync", "always",
                   "--save", "", "--auto-aof-rewrite-percentage", "0")

    def listens(self):
        return connects(socket.AF_UNIX, self.socket)

    def ask(self, *command):
        return output(program("redis-cli"), "-s", str(self.socket), *command).strip()

    def script_load(self):
        return self.ask("SCRIPT", "LOAD", self.script)

    def votes(self, poll):
        return int(self.ask("SCARD", f"{poll}:voters"))

    def votes_once_loaded(self, poll):
        """The same by the shortest way; None while it loads its log, or does not listen yet."""
        with socket.socket(socket.AF_UNIX) as link:
            if link.connect_ex(str(self.socket)) != 0:
                return None
            link.sendall(f"SCARD {poll}:voters\r\n".encode())
            answer = link.recv(200)
        return int(answer[1:]) if answer.startswith(b":") else None

    def log_bytes(self):
        return sum(path.stat().st_size for path in (self.folder / "appendonlydir").iterdir())


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

    def launch(self):
        user = "user root;" if os.geteuid() == 0 else ""
        config = self.folder / "conf"
        config.write_text(self.config.format(folder=self.folder, port=self.port, user=user))
        self.spawn(program("nginx"), "-p", self.folder, "-e", self.log, "-c", config)

    def listens(self):
        return connects(socket.AF_INET, ("127.0.0.1", self.port)) and self.worker()

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

    def launch(self):
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

    def start(self):
        super().start()
        self.ask(self.schema)
        (self.folder / "vote.sql").write_text(self.vote)

    def listens(self):
        ran = subprocess.run([program("pg_isready"), "-h", self.folder], capture_output=True,
                             timeout=START_S, check=False)
        return ran.returncode == 0

    def ask(self, sql):
        return output(program("psql"), "-h", str(self.folder), "-U", self.user, "-d", "postgres",
                      "-v", "ON_ERROR_STOP=1", "-qAtc", sql).strip()

    def copy_votes(self, path):
        """One transaction from a file, which the server itself reads: no way is shorter."""
        self.ask(f"COPY vote (poll, voter, option) FROM '{path}'")

    def votes_stored(self):
        return int(self.ask("SELECT count(*) FROM vote"))

    def votes_forget(self):
        """Gone, and nothing is left to be written behind its back."""
        self.ask("TRUNCATE vote")
        self.ask("CHECKPOINT")

    def votes_bytes(self):
        """Of the table and its index."""
        return int(self.ask("SELECT pg_total_relation_size('vote')"))

    def pgbench(self, poll, connections, seconds):
        """Its report on `seconds` of votes in that poll."""
        return output(program("pgbench"), "-h", str(self.folder), "-U", self.user, "-n",
                      "-M", "prepared", "-c", str(connections), "-T", str(seconds),
                      "-D", f"poll={poll}", "-f", str(self.folder / "vote.sql"), "postgres")
