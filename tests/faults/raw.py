"""One request, and whatever becomes of it: an answer, a part of one, or a closed connection."""
import json

import harness

CLOSED = "closed"


class Outcome:
    """`status` is CLOSED where no whole head came; `whole`: and the body to its end."""

    def __init__(self, status, fields, body, whole):
        self.status = status
        self.fields = fields
        self.body = body
        self.whole = whole

    def json(self):
        return json.loads(self.body)

    def slug(self):
        return self.json()["type"].removeprefix("/problems/")

    def __repr__(self):
        return f"{self.status} {self.fields} {self.body[:300]!r}{'' if self.whole else ' (cut)'}"


def _length_of(fields):
    return int(fields["content-length"]) if "content-length" in fields else None


def _unchunked(data):
    """What the chunks hold, and whether the last one is there."""
    body = b""
    while b"\r\n" in data:
        size, data = data.split(b"\r\n", 1)
        length = int(size, 16)
        if length == 0:
            return body, data == b"\r\n"
        body, data = body + data[:length], data[length + 2:]
    return body, False


def read(data, head_only=False):
    """All that was received on a connection that has closed."""
    if b"\r\n\r\n" not in data:
        return Outcome(CLOSED, {}, b"", False)
    head, rest = data.split(b"\r\n\r\n", 1)
    lines = head.decode("latin-1").split("\r\n")
    fields = dict((name.lower(), value.strip())
                  for name, value in (line.split(":", 1) for line in lines[1:]))
    status = int(lines[0].split(" ")[1])
    if status == 100:
        return read(rest, head_only)
    if "transfer-encoding" in fields:
        body, whole = _unchunked(rest)
        return Outcome(status, fields, body, whole)
    length = 0 if head_only or status in (204, 304) else _length_of(fields)
    return Outcome(status, fields, rest, length is not None and len(rest) == length)


def ask(connect, data):
    """Sends one request that says Connection: close, and reads all there is."""
    got = b""
    try:
        wire = connect()
    except OSError:
        return Outcome(CLOSED, {}, b"", False)
    try:
        wire.send(data)
        while piece := wire.socket.recv(65536):
            got += piece
    except (ConnectionError, BrokenPipeError):
        pass
    finally:
        wire.close()
    return read(got, data.startswith(b"HEAD"))


def closing(method, path, body=None, fields=None):
    return harness.request_bytes(method, path, body, {"Connection": "close", **(fields or {})})
