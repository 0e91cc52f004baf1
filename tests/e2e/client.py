"""tally as a process: in a pipe, and on a terminal of its own."""
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

TALLY = os.environ["TALLY"]
ENDS_WITHIN_S = 120
EVERYWHERE = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


def tally(folder, *args, stdin=b"", **env):
    """A command that has ended, at the daemon or fake whose socket is `s` in this folder."""
    return subprocess.run([TALLY, "--socket", os.path.join(folder, "s"), *map(str, args)],
                          input=stdin, env={**EVERYWHERE, **env}, cwd=folder, capture_output=True,
                          timeout=ENDS_WITHIN_S, check=False)


def version():
    """Of this tally."""
    return subprocess.run([TALLY, "--version"], capture_output=True, text=True, check=True,
                          timeout=ENDS_WITHIN_S).stdout.splitlines()[0].split()[1]


class Terminal:
    """A process on a terminal, and what it has been sent so far."""

    def __init__(self, *args, streams=("stdout",), columns=80, others=subprocess.DEVNULL, **env):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        ends = {"stdin": subprocess.DEVNULL, "stdout": others, "stderr": others}
        self.run = subprocess.Popen([TALLY, *map(str, args)], env={**EVERYWHERE, **env},
                                    **{**ends, **{name: slave for name in streams}})
        os.close(slave)
        self.seen = b""
        self.end_s = time.monotonic() + ENDS_WITHIN_S

    def _more(self):
        """False when the last writer has gone: Linux answers EIO then."""
        left = max(0, self.end_s - time.monotonic())
        assert select.select([self.master], [], [], left)[0], f"no more came: {self.seen!r}"
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.seen += data
        return bool(data)

    def until(self, what):
        while what not in self.seen:
            assert self._more(), f"{what!r} never came: {self.seen!r}"

    def rest(self):
        """All of it up to its end, as text."""
        while self._more():
            pass
        return self.seen.decode().replace("\r\n", "\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.run.kill()
        self.run.communicate()
        os.close(self.master)


def on_terminal(*args, status=0, **how):
    """What a terminal is sent by a command up to its end."""
    with Terminal(*args, **how) as one:
        out = one.rest()
        assert one.run.wait(ENDS_WITHIN_S) == status, out
        return out
