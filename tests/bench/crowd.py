"""Voters by the million for script/bench: in files, from addresses, and who reads them all."""

import ipaddress
import random
import socket
import subprocess
import threading

from servers import Failed

OPTIONS = 4
IMPORT_S = 600
EXPORT_S = 120
READ_BYTES = 1 << 18
FIRST_ADDRESS = int(ipaddress.IPv4Address("127.1.0.0"))  # all of 127.0.0.0/8 is the loopback


def voters(first, count):
    """The numbers of so many voters, in the order they come: none; the same in every run."""
    numbers = list(range(first, first + count))
    random.Random(first).shuffle(numbers)
    return numbers


def name(voter):
    """As the load generator names them."""
    return f"v{voter:010}"


def write_ndjson(path, poll, numbers):
    """One vote a line, as POST /v1/votes and `tally import` take them."""
    with open(path, "w", encoding="ascii") as file:
        file.writelines(f'{{"poll":"{poll}","option":{n % OPTIONS + 1},"voter":"{name(n)}"}}\n'
                        for n in numbers)


def write_copy(path, poll, numbers):
    """The same rows, as PostgreSQL's COPY takes them."""
    with open(path, "w", encoding="ascii") as file:
        file.writelines(f"{poll}\t{name(n)}\t{n % OPTIONS + 1}\n" for n in numbers)


def import_votes(stage, server, path):
    """`tally import`; Failed unless every line was taken."""
    ran = subprocess.run([stage.programs["tally"], "--socket", server.socket, "import", path],
                         capture_output=True, text=True, timeout=IMPORT_S, check=False)
    if ran.returncode != 0:
        complaint = ran.stderr.strip().splitlines() or ["no reason given"]
        raise Failed(f"tally import: exit {ran.returncode}: {complaint[-1]}")


def fill(stage, server, poll, count, at_once=1_000_000):
    """Brings so many voters into a poll, by files that are not left behind."""
    path = stage.folder / "fill.ndjson"
    for first in range(0, count, at_once):
        write_ndjson(path, poll, voters(first, min(at_once, count - first)))
        import_votes(stage, server, path)
        path.unlink()
    stored = server.votes(poll)
    if stored != count:
        raise Failed(f"{poll}: {count} votes imported, {stored} stored")


def vote_from_addresses(server, poll, count):
    """A vote from each of so many addresses of the loopback, a connection each."""
    body = b'{"option":2}'
    head = (f"POST /v1/polls/{poll}/votes HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n")
    for n in range(count):
        with socket.socket() as link:
            link.bind((str(ipaddress.IPv4Address(FIRST_ADDRESS + n)), 0))
            link.connect(("127.0.0.1", server.port))
            link.sendall(head.encode() + body)
            answer = link.recv(4096)
        if not answer.startswith(b"HTTP/1.1 201 "):
            raise Failed(f"a vote from an address: {answer[:200]!r}")


def export(server, poll, stop=None, count_lines=False):
    """Reads a poll's whole export, or until `stop` is set; its bytes, or its lines."""
    got, last, buffer = 0, b"", bytearray(READ_BYTES)
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(EXPORT_S)
        link.connect(str(server.socket))
        link.sendall(f"GET /v1/polls/{poll}/votes HTTP/1.1\r\nHost: localhost\r\n"
                     "Connection: close\r\n\r\n".encode())
        while (n := link.recv_into(buffer)) > 0:
            if count_lines:
                got += buffer.count(b"}\n", 0, n) + (last[-1:] == b"}" and buffer[0] == ord("\n"))
            else:
                got += n
            last = (last + bytes(buffer[max(0, n - 5):n]))[-5:]
            if stop and stop.is_set():
                return got
    if last != b"0\r\n\r\n":
        raise Failed(f"the export of {poll} was cut")
    return got


class Meanwhile:
    """Does one thing again and again, from `with` to its end; it must not fail."""

    def __init__(self, work):
        self.work, self.stop = work, threading.Event()
        self.times, self.error = 0, None
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        try:
            while not self.stop.is_set():
                self.work(self.stop)
                self.times += 1
        except (OSError, Failed) as error:
            self.error = error

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        if self.error:
            raise Failed(f"meanwhile: {self.error}")


def backup(server, folder):
    """A whole one, thrown away."""
    path = folder / "backup.db"
    try:
        server.ask("POST", "/v1/backup", {"path": str(path)}, timeout=EXPORT_S)
    finally:
        for made in folder.glob("backup.db*"):
            made.unlink()
