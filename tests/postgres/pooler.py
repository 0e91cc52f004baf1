"""A real pgbouncer in transaction mode in front of an engine, ended by its pid.

Any transaction may go to any of its connections: they take turns, whoever asks. It listens on a
socket in a folder of its own, and on no port.
"""
import os
import shutil
import signal
import subprocess
import tempfile

import engine as engines
import harness

CONNECTIONS = 3  # to the engine: fewer than there are nodes and tests that ask
START_S = 60

SETTINGS = """[databases]
* = host={engine} port={port} user={user}

[pgbouncer]
pool_mode = transaction
unix_socket_dir = {folder}
listen_port = {port}
auth_type = any
admin_users = {user}
default_pool_size = {connections}
min_pool_size = {connections}
server_round_robin = 1
server_login_retry = 1
"""


def program():
    found = shutil.which("pgbouncer", path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"]))
    assert found, "pgbouncer is not installed: script/bootstrap installs it"
    return found


class Pooler:
    def __init__(self, engine):
        self.engine = engine
        self.user = engine.user
        self.folder = tempfile.mkdtemp(prefix="tallyd-pgb-", dir="/tmp")
        self.process = None
        settings = os.path.join(self.folder, "pgbouncer.ini")
        with open(settings, "w", encoding="utf-8") as file:
            file.write(SETTINGS.format(engine=engine.folder, port=engines.PORT, user=engine.user,
                                       folder=self.folder, connections=CONNECTIONS))
        os.chmod(self.folder, 0o755)
        if os.geteuid() == 0:  # nor does pgbouncer run as root
            shutil.chown(self.folder, engine.user, engine.user)
        self.settings = settings

    def start(self):
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [*engines.as_user(), program(), self.settings], cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        harness.until(self.is_ready, START_S)
        return self

    def is_ready(self):
        assert self.process.poll() is None, self.log()
        return subprocess.run(self._psql("SHOW VERSION", "pgbouncer"), capture_output=True,
                              check=False).returncode == 0

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def url(self, database):
        return f"postgresql://{self.engine.user}@/{database}?host={self.folder}"

    def _psql(self, sql, database):
        return [engines.program("psql"), "-X", "-v", "ON_ERROR_STOP=1", "-qAtc", sql,
                self.url(database)]

    def tell(self, command):
        """PAUSE waits until no transaction is under way; whoever asks then waits for RESUME."""
        self.engine.run(*self._psql(command, "pgbouncer"))

    def ask(self, sql, database):
        """Of one of its connections: the next one each time."""
        return self.engine.run(*self._psql(sql, database))

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)  # at once: its clients are cut off
            self.process.wait(60)

    def remove(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
