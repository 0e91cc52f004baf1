"""Starts the real tallyd in a folder of its own, and speaks raw HTTP with it."""
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time

TALLYD = os.environ["TALLYD"]
TALLY = os.environ["TALLY"]
START_S = 120  # nothing takes as long on the slowest machine, and who waits in vain fails
if len(tempfile.gettempdir()) > 30:  # a Unix socket's path has 107 bytes, a test's name long ones
    os.environ["TMPDIR"] = tempfile.tempdir = "/tmp"
# Tests come from one address, faster than readers do; limits have tests of their own.
NO_LIMITS = """[limits]
votes_per_minute = 0
tokens_per_hour = 0
reads_per_second = 0
connections = 0
streams = 0
"""


class Answer:
    """One HTTP response as it came over the wire."""

    def __init__(self, status, fields, body):
        self.status = status
        self.fields = fields
        self.body = body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.fields} {self.body[:400]!r}"


class Wire:
    """A connection: exact bytes out, whole responses in, in their order."""

    def __init__(self, address, source=None):
        unix = isinstance(address, str)
        self.socket = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
        self.socket.settimeout(START_S)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect(address)
        self.left = b""

    def send(self, data):
        self.socket.sendall(data)

    def _more(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("closed")
        self.left += data

    def answer(self, head_only=False):
        while b"\r\n\r\n" not in self.left:
            self._more()
        head, self.left = self.left.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        fields = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            assert name.lower() not in fields, f"{name} stands twice"
            fields[name.lower()] = value.strip()
        if status == 100:
            return Answer(status, fields, b"")
        assert "date" in fields
        length = 0 if head_only or status in (204, 304) else int(fields["content-length"])
        while len(self.left) < length:
            self._more()
        body, self.left = self.left[:length], self.left[length:]
        return Answer(status, fields, body)

    def is_closed(self):
        """Waits until the other side has closed."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionError:
            pass
        return True

    def close(self):
        self.socket.close()


def request_bytes(method, path, body=None, fields=None):
    fields = dict(fields or {})
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body, ensure_ascii=False).encode()
    if body is not None:
        fields.setdefault("Content-Type", "application/json")
        fields["Content-Length"] = str(len(body))
    head = f"{method} {path} HTTP/1.1\r\nHost: test\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return head.encode() + b"\r\n" + (body or b"")


def powerless():
    """What a command begins with to be without root's right to open everything. Whoever else has
    none to lose."""
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search",
            "--inh-caps=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


class Daemon:
    def __init__(self, folder, threads=2, store=None):
        self.folder = str(folder)
        self.socket = os.path.join(self.folder, "s")
        self.store = store or os.path.join(self.folder, "tally.db")
        self.url = None  # of a store that is no file
        self.environment = None
        self.threads = threads
        self.config = NO_LIMITS
        self.process = None
        self.log = []

    def command(self):
        path = os.path.join(self.folder, "tallyd.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.config)
        return [TALLYD, "-c", path, "--listen", "127.0.0.1:0", "--socket", self.socket,
                "--store", self.url or "sqlite:" + self.store, "--threads", str(self.threads)]

    def start(self):
        self.log = []
        self.process = subprocess.Popen(self.command(), stderr=subprocess.PIPE, text=True,
                                        env=self.environment)
        self.ready = threading.Event()
        self.reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self.reader.start()
        assert self.ready.wait(START_S), self.log
        assert self.listening(), self.log
        return self

    def listening(self):
        return any(line.startswith("listening on /") for line in self.log)

    def _read(self, process):
        for line in process.stderr:
            self.log.append(line.rstrip("\n"))
            found = re.match(r"listening on 127\.0\.0\.1:(\d+)$", line)
            if found:
                self.port = int(found.group(1))
            if line.startswith("listening on /"):
                self.ready.set()
        self.ready.set()

    def tcp(self):
        return Wire(("127.0.0.1", self.port))

    def unix(self):
        return Wire(self.socket)

    def _one(self, wire, method, path, body, fields):
        try:
            wire.send(request_bytes(method, path, body, fields))
            return wire.answer(head_only=method == "HEAD")
        finally:
            wire.close()

    def admin(self, method, path, body=None, fields=None):
        """As root, or the daemon's own user, over the Unix socket."""
        return self._one(self.unix(), method, path, body, fields)

    def public(self, method, path, body=None, fields=None):
        return self._one(self.tcp(), method, path, body, fields)

    def poll(self, poll_id, **members):
        body = {"title": "T", "options": [{"label": c} for c in "abcd"], "voters": "token"}
        if members.get("kind") == "rating":
            del body["options"]
        body.update(members)
        answer = self.admin("PUT", f"/v1/polls/{poll_id}", body)
        assert answer.status in (200, 201), answer
        return answer

    def vote(self, poll_id, option, voter):
        return self.admin("POST", f"/v1/polls/{poll_id}/votes", {"option": option, "voter": voter})

    def tally(self, poll_id):
        return self.admin("GET", f"/v1/polls/{poll_id}/tally").json()

    def threads_by_name(self):
        """Name: number. (A sanitizer may have one of its own, named as the program.)"""
        folder = f"/proc/{self.process.pid}/task"
        found = {}
        for thread in os.listdir(folder):
            with open(f"{folder}/{thread}/comm") as file:
                found[file.read().strip()] = int(thread)
        found.pop("tallyd")
        return found

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self._ended()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self._ended()
        assert status == 0, (status, self.log)

    def _ended(self):
        status = self.process.wait(START_S)
        self.reader.join(START_S)
        self.process.stderr.close()
        self.process = None
        reports = [line for line in self.log if "Sanitizer" in line or "runtime error" in line]
        assert not reports, self.log
        return status

    def end(self):
        """Whatever happened in a test, nothing stays behind."""
        if self.process and self.process.poll() is None:
            self.stop()


def until(what, seconds=START_S):
    """Asks again until it is true; fails after a while."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come true"
        threading.Event().wait(0.01)
