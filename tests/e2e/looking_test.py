"""What tally shows on a terminal."""
import fcntl
import os
import pty
import struct
import subprocess
import termios

import pytest

from fake import Canned, whole

TALLY = os.environ["TALLY"]
ENDS_WITHIN_S = 60


def terminal(folder, *args, columns=80, locale="C.UTF-8"):
    """A process on a terminal, and the end where its picture comes out."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        [TALLY, "--socket", os.path.join(folder, "s"), *map(str, args)], stdout=slave,
        stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        env={"LC_ALL": locale, "TERM": "xterm", "NO_COLOR": "1"})
    os.close(slave)
    return process, master


def on_terminal(folder, *args, **more):
    process, master = terminal(folder, *args, **more)
    out = b""
    while True:
        try:
            data = os.read(master, 65536)
        except OSError:  # Linux answers EIO when the last writer has gone
            break
        if not data:
            break
        out += data
    os.close(master)
    assert process.wait(ENDS_WITHIN_S) == 0
    return out.decode().replace("\r\n", "\n")


@pytest.fixture(name="canned")
def fixture_canned(tmp_path):
    made = []

    def make(answers):
        made.append(Canned(tmp_path / "s", answers))
        return made[0]

    yield make
    for one in made:
        one.end()


ROWS = [{"id": "many", "kind": "rating", "title": "Первая статья", "state": "open", "votes": 100,
         "rating": 4.9, "score": 4.84},
        {"id": "c", "kind": "choice", "title": "Which of\nthese is it?", "state": "closed",
         "votes": 7, "score": None}]


def test_on_a_terminal_a_title_in_a_list_ends_with_the_line(canned, tmp_path):
    canned({"GET /v1/polls?limit=1000": whole({"polls": ROWS, "next": None})})
    out = on_terminal(tmp_path, "list", columns=50)
    assert [line[29:] for line in out.splitlines()] == [
        "TITLE", "Первая статья", "Which of?these is it?"]
    narrow = on_terminal(tmp_path, "list", columns=40)
    assert [line[29:] for line in narrow.splitlines()] == ["TITLE", "Первая", "Which"]
