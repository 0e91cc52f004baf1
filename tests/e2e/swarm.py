"""Clients that want the service for themselves: each attack is a process of its own.

They come by TCP, from one machine, where nothing limits them; what holds is what the daemon does
for every connection.
"""
import multiprocessing
import select
import socket
import struct
import time

VOTE = b"POST /v1/polls/p/votes HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
EXABYTE = 1 << 60
PIPELINED = 100_000


def dial(port, receive_bytes=None):
    peer = socket.socket()
    if receive_bytes:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    peer.settimeout(30)
    peer.connect(("127.0.0.1", port))
    return peer


def push(peer, data):
    """As much as is taken at once; False: the daemon has closed."""
    peer.setblocking(False)
    try:
        while data:
            data = data[peer.send(data):]
    except BlockingIOError:
        pass
    except OSError:
        return False
    return True


def hold(peers, stop, feed=None):
    """Keeps them all; where one was closed, it is left so. `feed` sends each a little, slowly."""
    while not stop.wait(0.05):
        if feed:
            peers = [peer for peer in peers if push(peer, feed)]


def idle(port, n, begun, stop):
    peers = [dial(port) for _ in range(n)]
    begun.set()
    hold(peers, stop)


def slow_head(port, n, begun, stop):
    peers = [dial(port) for _ in range(n)]
    for peer in peers:
        push(peer, b"GET /livez HTTP/1.1\r\nHost: t\r\nX: ")
    begun.set()
    hold(peers, stop, b"x")


def slow_body(port, n, begun, stop):
    peers = [dial(port) for _ in range(n)]
    for peer in peers:
        push(peer, VOTE + b"Content-Length: 16000\r\n\r\n{")
    begun.set()
    hold(peers, stop, b" ")


def slow_reader(port, n, begun, stop):
    peers = [dial(port, 4096) for _ in range(n)]
    for peer in peers:
        push(peer, b"GET /p/p HTTP/1.1\r\nHost: t\r\n\r\n" * 2000)
    begun.set()
    hold(peers, stop)


def streams(port, n, begun, stop):
    """Never read, while the poll changes."""
    peers = [dial(port, 4096) for _ in range(n)]
    for peer in peers:
        push(peer, b"GET /v1/events?ids=p HTTP/1.1\r\nHost: t\r\n\r\n")
    begun.set()
    hold(peers, stop)


def pipeline(port, n, begun, stop):
    """100,000 requests each, whose answers nobody reads."""
    peers = [dial(port, 4096) for _ in range(n)]
    data = b"GET /v1/polls/p HTTP/1.1\r\nHost: t\r\n\r\n" * PIPELINED
    begun.set()
    left = {peer: memoryview(data) for peer in peers}
    while not stop.wait(0.01):
        writable = select.select([], [peer for peer in left if left[peer]], [], 0.05)[1] \
            if n < 900 else list(left)
        for peer in writable:
            peer.setblocking(False)
            try:
                left[peer] = left[peer][peer.send(left[peer][:65536]):]
            except BlockingIOError:
                pass
            except OSError:
                left[peer] = left[peer][:0]


def again_and_again(one, port, n, begun, stop):
    begun.set()
    while not stop.is_set():
        for _ in range(n):
            try:
                one(port)
            except OSError:
                pass
        stop.wait(0.01)


def _half_close(port):
    peer = dial(port)
    peer.sendall(VOTE + b"Content-Length: 50\r\n\r\n{\"opt")
    peer.shutdown(socket.SHUT_WR)
    while peer.recv(65536):
        pass
    peer.close()


def half_close(port, n, begun, stop):
    again_and_again(_half_close, port, n, begun, stop)


def _reset(port):
    peer = dial(port)
    peer.sendall(b"GET /livez HTTP/1.1\r\nHost: t\r\n\r\n" * 20 + VOTE +
                 b"Content-Length: 50\r\n\r\n{")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def reset(port, n, begun, stop):
    again_and_again(_reset, port, n, begun, stop)


def _exabyte(port):
    peer = dial(port)
    peer.sendall(VOTE + b"Content-Length: %d\r\n\r\n" % EXABYTE)
    until = time.monotonic() + 5
    while push(peer, b" " * 65536) and time.monotonic() < until:
        select.select([], [peer], [], 0.1)
    peer.close()


def exabyte(port, n, begun, stop):
    again_and_again(_exabyte, port, n, begun, stop)


# What, how many in CI, how many in the campaign.
ATTACKS = {
    "idle": (idle, 300, 5000), "slow head": (slow_head, 50, 1000),
    "slow body": (slow_body, 50, 1000), "slow reader": (slow_reader, 10, 100),
    "streams": (streams, 50, 1000), "pipeline": (pipeline, 2, 50),
    "half close": (half_close, 5, 100), "reset": (reset, 5, 100),
    "exabyte": (exabyte, 2, 10)}


class Attack:
    """Runs from the moment that it has taken its place to the end of the block."""

    def __init__(self, attack, port, n):
        context = multiprocessing.get_context("fork")
        self.begun, self.stop = context.Event(), context.Event()
        self.process = context.Process(target=attack, args=(port, n, self.begun, self.stop))

    def __enter__(self):
        self.process.start()
        assert self.begun.wait(120), "the attack does not begin"
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.process.join(30)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
