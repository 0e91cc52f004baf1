"""Sets the wall clock of a running daemon (tests/faults/clock_shim.c)."""
import ctypes
import datetime
import math
import mmap
import os
import pathlib
import time

import harness
import shim

SHIM = os.environ["TALLYD_CLOCK_SHIM"]


class _Control(ctypes.Structure):
    _fields_ = [("offset_ms", ctypes.c_longlong), ("asked", ctypes.c_ulonglong)]


def seconds(text):
    """Of RFC 3339."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def stamp(at_s):
    """As RFC 3339, whole seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s))


class Clock:
    """Of a daemon that is started in its environment. It goes on like the machine's, from where it
    was set."""

    def __init__(self, folder):
        path = pathlib.Path(folder) / "clock"
        path.write_bytes(bytes(ctypes.sizeof(_Control)))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 0)
        self.control = _Control.from_buffer(self.map)
        self.environment = {"LD_PRELOAD": SHIM, "CLOCK_CONTROL": str(path)}

    def set(self, at_s):
        """To this moment or a little behind it, never before it."""
        self.control.offset_ms = math.ceil((at_s - time.time()) * 1000) + 1

    def now_s(self):
        return time.time() + self.control.offset_ms / 1000


class TimedDaemon(harness.Daemon):
    """The real daemon, in a place with summer time, with a clock that can be set."""

    def __init__(self, folder, **more):
        super().__init__(folder, **more)
        self.clock = Clock(folder)
        self.set = self.clock.set
        self.now_s = self.clock.now_s

    def start(self):
        with shim.environment(TZ="Europe/Berlin", **self.clock.environment):
            return super().start()
