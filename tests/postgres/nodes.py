"""Nodes: several tallyd on one engine, and a wire between that can be cut."""
import itertools
import os
import pathlib
import shutil
import socket
import threading

import harness

MIGRATIONS = pathlib.Path(__file__).parents[2] / "sql" / "postgres"
numbers = itertools.count(1)


class Node(harness.Daemon):
    """A tallyd whose store is an engine's database; its keys lie in a folder of its own."""

    def __init__(self, folder, url):
        os.makedirs(folder, exist_ok=True)
        super().__init__(folder)
        self.url = url
        self.environment = dict(os.environ, STATE_DIRECTORY=str(folder))

    def keys(self):
        return os.path.join(self.folder, "keys")

    def write_keys(self):
        """Some, before its first start."""
        with open(self.keys(), "w", encoding="utf-8") as file:
            file.write("voters " + "ab" * 32 + "\n")
        os.chmod(self.keys(), 0o600)

    def etag(self, poll_id):
        return self.public("GET", f"/v1/polls/{poll_id}/tally").fields["etag"]


class Site:
    """A database, and the nodes that share it."""

    def __init__(self, engine, folder, url=None):
        self.engine = engine
        self.folder = str(folder)
        self.database = f"site{next(numbers)}"
        self.nodes = []
        self.url = url or engine.url(self.database)
        engine.ask(f"CREATE DATABASE {self.database}")

    def node(self, url=None):
        """One more, with the keys of the first."""
        one = Node(os.path.join(self.folder, f"n{len(self.nodes)}"), url or self.url)
        if self.nodes:
            shutil.copy(self.nodes[0].keys(), one.keys())
        self.nodes.append(one)
        return one

    def ask(self, sql):
        return self.engine.ask(sql, self.database)

    def end(self):
        for node in self.nodes:
            if node.process:
                node.kill()


HOLD, DROP_BEFORE, DROP_BEHIND = "hold", "drop before", "drop behind"


class Wire:
    """A Unix socket in front of an engine's, whose bytes can be held back or lost."""

    def __init__(self, folder, engine):
        self.folder = str(folder)
        self.target = os.path.join(engine.folder, ".s.PGSQL.5432")
        self.open = threading.Event()
        self.open.set()
        self.trap = None  # (bytes on their way to the engine, what then happens), once
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(os.path.join(self.folder, ".s.PGSQL.5432"))
        self.listener.listen()
        self.url_of = lambda database: f"postgresql://{engine.user}@/{database}?host={self.folder}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        """As a network that is gone: nothing is refused, nothing comes."""
        self.open.clear()

    def mend(self):
        self.open.set()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(self.target)
            except OSError:
                return
            for way in ((near, far, True), (far, near, False)):
                threading.Thread(target=self._carry, args=way, daemon=True).start()

    def _carry(self, source, target, to_engine):
        try:
            while data := source.recv(65536):
                trap = self.trap if to_engine and self.trap and self.trap[0] in data else None
                if trap:
                    self.trap = None
                if trap and trap[1] == HOLD:
                    self.cut()
                if trap and trap[1] == DROP_BEFORE:
                    break
                self.open.wait()
                target.sendall(data)
                if trap and trap[1] == DROP_BEHIND:
                    break
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.mend()
        self.listener.close()
