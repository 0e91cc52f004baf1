#!/usr/bin/python3
"""A real PostgreSQL in a temporary folder, for tests: started, killed, cut off and ended by its pid.

    engine.py COMMAND ARGUMENT...   runs a command beside one that is ended with it; where databases
                                    are is told in TALLYD_TEST_POSTGRES, a URL with DATABASE in it
"""
import contextlib
import glob
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

START_S = 60
PORT = 5432  # of the name of its socket only: nothing listens on TCP
USER = "postgres"  # PostgreSQL does not run as root


def program(name):
    """The newest one that is installed: Debian keeps them outside of PATH."""
    places = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda p: int(p.split("/")[4]))
    found = shutil.which(name, path=os.pathsep.join([*reversed(places), os.environ["PATH"]]))
    assert found, f"{name} is not installed: script/bootstrap installs it"
    return found


def as_user():
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]


def state_and_parent(pid):
    """As proc(5) tells them; ("", 0): there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            state, parent = file.read().rpartition(")")[2].split()[:2]
            return state, int(parent)
    except OSError:
        return "", 0


def children_of(pid):
    processes = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [one for one in processes if state_and_parent(one)[1] == pid]


class Engine:
    """One cluster. Its folder goes with it."""

    def __init__(self, **settings):
        self.folder = tempfile.mkdtemp(prefix="tallyd-pg-", dir="/tmp")
        self.data = os.path.join(self.folder, "data")
        self.user = USER if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self.settings = {"listen_addresses": "", "unix_socket_directories": self.folder,
                         "max_connections": "60", "shared_buffers": "64MB", "fsync": "on",
                         "autovacuum_naptime": "10s", **settings}
        self.process = None
        os.chmod(self.folder, 0o755)
        if os.geteuid() == 0:
            shutil.chown(self.folder, self.user, self.user)

    def run(self, *command):
        ran = subprocess.run([*as_user(), *command], cwd=self.folder, capture_output=True,
                             text=True, timeout=120, check=False)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.strip()

    def make(self):
        self.run(program("initdb"), "--auth=trust", f"--username={self.user}", "--encoding=UTF8",
                 "--no-locale", "--no-sync", f"--pgdata={self.data}")
        return self

    def make_standby_of(self, primary):
        self.run(program("pg_basebackup"), "-h", primary.folder, "-U", self.user, "-D", self.data,
                 "--checkpoint=fast", "--no-sync", "-R")
        return self

    def start(self):
        options = [f"--{name}={value}" for name, value in self.settings.items()]
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [*as_user(), program("postgres"), "-D", self.data, *options], cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + START_S
        while not self.is_ready():
            assert self.process.poll() is None and time.monotonic() < end, self.log()
            time.sleep(0.02)  # between looks: it gives no other sign
        return self

    def is_ready(self):
        return subprocess.run([program("pg_isready"), "-q", "-h", self.folder],
                              check=False).returncode == 0

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def url(self, database="postgres"):
        return f"postgresql://{self.user}@/{database}?host={self.folder}"

    def ask(self, sql, database="postgres"):
        return self.run(program("psql"), "-X", "-v", "ON_ERROR_STOP=1", "-qAtc", sql,
                        self.url(database))

    def stop(self):
        """Fast: sessions are cut off, what was committed is kept."""
        self._end(signal.SIGINT)

    def kill(self):
        """As a crash ends it: all of its processes, of which each leads a group of its own."""
        if not self.process or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGSTOP)
        self._await_stopped()
        children = children_of(self.process.pid)
        self.process.kill()
        for pid in children:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        gone = time.monotonic() + START_S
        while any(state_and_parent(pid)[0] not in ("", "Z") for pid in children):
            assert time.monotonic() < gone  # their shared memory keeps the next one from starting
            time.sleep(0.001)  # as above

    @contextlib.contextmanager
    def stopped(self):
        """All of its processes are there, and none of them does anything."""
        self.process.send_signal(signal.SIGSTOP)
        self._await_stopped()
        pids = [*children_of(self.process.pid), self.process.pid]
        try:
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def _await_stopped(self):
        """So that it starts no others meanwhile."""
        end = time.monotonic() + START_S
        while state_and_parent(self.process.pid)[0] != "T":
            assert time.monotonic() < end
            time.sleep(0.001)  # between looks: it gives no other sign

    def _end(self, number):
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(60)

    def remove(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    engine = Engine(fsync="off")  # these tests are not about what a crash of the machine leaves
    try:
        engine.make().start()
        environment = dict(os.environ, TALLYD_TEST_POSTGRES=engine.url("DATABASE"))
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode
    finally:
        engine.remove()


if __name__ == "__main__":
    sys.exit(main())
