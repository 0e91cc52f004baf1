"""Arms tests/faults/memory_shim.c in a running daemon, and reads what it counted."""
import ctypes
import mmap
import os
import pathlib

import harness
import shim

SHIM = os.environ["TALLYD_MEMORY_SHIM"]


class _Control(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in (
        "countdown", "for_ever", "bytes_min", "failed", "counted")]


class Memory:
    def __init__(self, path):
        self.path = str(path)
        with open(self.path, "wb") as file:
            file.truncate(ctypes.sizeof(_Control))
        with open(self.path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 0)
        self.control = _Control.from_buffer(self.map)
        self.where_path = pathlib.Path(self.path + ".where")

    def arm(self, nth, for_ever=False, bytes_min=0):
        """The nth allocation of this size or larger fails, and all behind it where for_ever."""
        control = self.control
        control.countdown = 0
        control.for_ever = for_ever
        control.bytes_min = bytes_min
        control.failed = 0
        control.counted = 0
        self.where_path.write_bytes(b"")
        control.countdown = nth

    def disarm(self):
        self.control.countdown = 0

    @property
    def failed(self):
        return self.control.failed

    def where(self):
        """Who asked for what was not there; addresses for addr2line."""
        return self.where_path.read_text(encoding="utf-8") if self.where_path.exists() else ""


class ForgetfulDaemon(harness.Daemon):
    """The real daemon with the shim in front of its allocator."""

    def __init__(self, folder, **more):
        super().__init__(folder, **more)
        self.memory = Memory(pathlib.Path(folder) / "memory")

    def start(self):
        with shim.environment(LD_PRELOAD=SHIM, MEMORY_CONTROL=self.memory.path):
            return super().start()

    def has_ended(self):
        return self.process.poll() is not None

    def ended(self):
        return self._ended()
