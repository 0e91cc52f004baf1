"""A server that takes votes in bulk as the contract has it, and fails as it is told to."""
import contextlib
import json
import os
import socket
import struct
import threading


class Plan:
    """What one connection meets; counts are of its own lines."""

    def __init__(self, status=None, cut_after=None, reset=False, end_after=None, again_at=None,
                 nonsense_at=None, hold=False):
        self.status = status            # answers this, and reads nothing more
        self.cut_after = cut_after      # closes after so many answers, without an end
        self.reset = reset              # and with a reset in place of a close
        self.end_after = end_after      # ends the answer in good order after so many, and closes
        self.again_at = again_at        # line -> answers 503 for it and for all behind it
        self.nonsense_at = nonsense_at  # line -> bytes in place of its answer
        self.hold = hold                # answers nothing before the body has ended


class Gone(Exception):
    pass


class Fake:
    """Plays plans in the order of connections, the last of them for ever.

    Votes are counted by (poll, voter). Lines that are no JSON object with a voter are refused.
    """

    def __init__(self, path, *plans):
        self.plans = list(plans) or [Plan()]
        self.votes = {}
        self.bodies = []   # of each request: its lines
        self.heads = []
        self.lock = threading.Lock()
        self.path = str(path)
        self.begin()

    def begin(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def end(self):
        self.listener.close()
        if os.path.exists(self.path):
            os.unlink(self.path)

    def _accept(self, listener):
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                plan = self.plans.pop(0) if len(self.plans) > 1 else self.plans[0]
            threading.Thread(target=self._serve, args=(peer, plan), daemon=True).start()

    def _serve(self, peer, plan):
        with peer:
            try:
                Exchange(self, peer, plan).run()
            except (Gone, ConnectionError):
                pass

    def judge(self, text):
        """The members of the answer to one line."""
        try:
            vote = json.loads(text)
            key = vote["poll"], vote["voter"]
            choice = vote.get("option") or vote.get("rating") or tuple(vote["options"])
        except (ValueError, KeyError, TypeError):
            return {"status": 400, "error": "malformed", "detail": "this is no vote"}
        if choice == 9:
            return {"status": 422, "error": "invalid", "detail": "there are only 4 options"}
        with self.lock:
            before = self.votes.get(key)
            self.votes[key] = choice
            seq = len(self.votes)
        result = "counted" if before is None else "already" if before == choice else "changed"
        return {"result": result, "seq": seq}


class Exchange:
    def __init__(self, fake, peer, plan):
        self.fake, self.peer, self.plan = fake, peer, plan
        self.got = b""
        self.answers = 0

    def more(self):
        data = self.peer.recv(65536)
        if not data:
            raise Gone
        self.got += data

    def until(self, end):
        while end not in self.got:
            self.more()
        piece, self.got = self.got.split(end, 1)
        return piece

    def chunks(self):
        while True:
            size = int(self.until(b"\r\n"), 16)
            while len(self.got) < size + 2:
                self.more()
            piece, self.got = self.got[:size], self.got[size + 2:]
            if size == 0:
                return
            yield piece

    def lines(self):
        left = b""
        for chunk in self.chunks():
            *whole, left = (left + chunk).split(b"\n")
            yield whole
        if left:
            yield [left]

    def run(self):
        head = self.until(b"\r\n\r\n").decode()
        self.fake.heads.append(head)
        if self.plan.status:
            body = json.dumps({"type": "/problems/x", "title": "T", "status": self.plan.status,
                               "detail": "not now"}).encode()
            self.peer.sendall(b"HTTP/1.1 %d X\r\nRetry-After: 0\r\nConnection: close\r\n"
                              b"Content-Length: %d\r\n\r\n%s" % (self.plan.status, len(body), body))
            self.drain()
            return
        if "100-continue" in head:
            self.peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
                          b"Transfer-Encoding: chunked\r\n\r\n")
        self.body()

    def body(self):
        body, held, number = [], [], 0
        self.fake.bodies.append(body)
        for lines in self.lines():
            out = []
            for text in lines:
                number += 1
                body.append(text)
                if text.strip():
                    out.append(self.answer(number, text))
            held += out
            if not self.plan.hold:
                self.send(held)
                held = []
        self.send(held)
        self.peer.sendall(b"0\r\n\r\n")
        self.drain()

    def answer(self, number, text):
        plan = self.plan
        if plan.nonsense_at and number in plan.nonsense_at:
            return plan.nonsense_at[number]
        if plan.again_at and number >= plan.again_at:
            members = {"status": 503, "error": "outcome-unknown", "detail": "nobody knows"}
        else:
            members = self.fake.judge(text)
        return json.dumps({"line": number, **members}, separators=(",", ":")).encode()

    def send(self, answers):
        limit = self.plan.cut_after if self.plan.end_after is None else self.plan.end_after
        ends = limit is not None and self.answers + len(answers) >= limit
        if ends:
            answers = answers[:limit - self.answers]
        self.answers += len(answers)
        data = b"".join(a + b"\n" for a in answers)
        if data:
            self.peer.sendall(b"%x\r\n%s\r\n" % (len(data), data))
        if not ends:
            return
        if self.plan.end_after is not None:
            self.peer.sendall(b"0\r\n\r\n")
        elif self.plan.reset:
            self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone

    def drain(self):
        self.peer.shutdown(socket.SHUT_WR)
        while self.peer.recv(65536):
            pass


class Canned:
    """Answers each path with the raw bytes that it was given, and closes.

    What was asked stays in `asked`: request line and body.
    """

    def __init__(self, path, answers):
        self.answers = answers
        self.asked = []
        self.path = str(path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def end(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        with peer, contextlib.suppress(ConnectionError):  # who has read enough may go
            got = b""
            while b"\r\n\r\n" not in got:
                got += peer.recv(65536)
            head, body = got.split(b"\r\n\r\n", 1)
            fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
            while len(body) < int(fields.get(b"Content-Length", 0)):
                body += peer.recv(65536)
            line = head.split(b"\r\n")[0].decode().rsplit(" ", 1)[0]
            self.asked.append((line, body))
            answer = self.answers[line]
            peer.sendall(answer.pop(0) if isinstance(answer, list) else answer)


def whole(content, status=b"200 OK"):
    """An answer for Canned."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return b"HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (
        status, len(body), body)
