"""POST /v1/votes, line by line."""
import json

CRLF = b"\r\n"


class Bulk:
    """A bulk request whose lines are sent, and whose answers are read, one by one."""

    def __init__(self, wire, fields=""):
        self.wire = wire
        self.wire.send(b"POST /v1/votes HTTP/1.1\r\nHost: test\r\n"
                       b"Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n" +
                       fields.encode() + CRLF)
        self.got = b""
        self.over = False

    def send(self, *lines):
        data = b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n"
                        for line in lines)
        self.wire.send(b"%x\r\n%s\r\n" % (len(data), data))

    def end(self):
        self.wire.send(b"0\r\n\r\n")

    def head(self):
        while b"\r\n\r\n" not in self.wire.left:
            self.wire._more()
        head, self.wire.left = self.wire.left.split(b"\r\n\r\n", 1)
        assert b"transfer-encoding: chunked" in head.lower(), head
        return int(head.split(b" ")[1])

    def _chunk(self):
        while CRLF not in self.wire.left:
            self.wire._more()
        size, rest = self.wire.left.split(CRLF, 1)
        length = int(size, 16)
        while len(rest) < length + 2:
            self.wire._more()
            rest = self.wire.left.split(CRLF, 1)[1]
        self.wire.left = rest[length + 2:]
        self.over = length == 0
        self.got += rest[:length]

    def line(self):
        """The next answer, or None at the end."""
        while b"\n" not in self.got:
            if self.over:
                assert self.got == b""
                return None
            self._chunk()
        line, self.got = self.got.split(b"\n", 1)
        return json.loads(line)

    def rest(self):
        lines = []
        while (line := self.line()) is not None:
            lines.append(line)
        return lines


def bulk_all(daemon, *lines):
    bulk = Bulk(daemon.unix())
    bulk.send(*lines)
    bulk.end()
    assert bulk.head() == 200
    return bulk.rest()


def ballot(poll, option, voter, **more):
    return {"poll": poll, "option": option, "voter": voter, **more}
