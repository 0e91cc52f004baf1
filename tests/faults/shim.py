"""Arms tests/faults/shim.c in a running daemon, and reads what it saw."""
import ctypes
import contextlib
import errno
import mmap
import os
import pathlib

import harness

SHIM = os.environ["TALLYD_SHIM"]
CALLS = ("open", "read", "write", "sync", "truncate", "allocate", "unlink", "rename")
KINDS = ("none", "main", "wal", "journal", "keys", "ballast", "lock", "folder", "draft",
         "other")
STORE = ("main", "wal", "journal", "keys", "folder")
TRACE_MAX = 65536


class _Trace(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in ("call", "kind", "failed", "detail")]


class _Control(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in (
        "calls", "kinds", "countdown", "for_ever", "hold", "held", "error", "failed", "traced",
        "dies")]
    _fields_ += [("trace", _Trace * TRACE_MAX)]


class Seen:
    """One call that the daemon made."""

    def __init__(self, entry):
        self.call = CALLS[entry.call]
        self.kind = KINDS[entry.kind]
        self.failed = bool(entry.failed)
        self.detail = entry.detail

    def __repr__(self):
        return f"{self.call} {self.kind} {self.detail}{' failed' if self.failed else ''}"


class Shim:
    def __init__(self, path):
        self.path = str(path)
        with open(self.path, "wb") as file:
            file.truncate(ctypes.sizeof(_Control))
        with open(self.path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 0)
        self.control = _Control.from_buffer(self.map)

    def arm(self, calls, kinds=STORE, nth=1, for_ever=False, error="EIO", hold=False):
        """The nth of these calls on these kinds of file fails; `short`: a write is cut short,
        `KILL`: the process is killed in its place."""
        control = self.control
        control.countdown = 0
        control.calls = sum(1 << CALLS.index(call) for call in calls.split())
        control.kinds = sum(1 << KINDS.index(kind) for kind in kinds)
        control.for_ever = for_ever
        control.error = 0 if error in ("short", "KILL") else getattr(errno, error)
        control.dies = error == "KILL"
        control.failed = 0
        control.held = 0
        control.hold = hold
        control.countdown = nth

    def hold(self, calls, kinds, nth=1):
        """The nth of these calls is not done until disarm(), and its thread stands still."""
        self.arm(calls, kinds, nth, hold=True)

    @property
    def held(self):
        return bool(self.control.held)

    def disarm(self):
        """Nothing fails any more, and what is held goes on."""
        self.control.countdown = 0
        self.control.hold = False

    @property
    def failed(self):
        return self.control.failed

    def forget(self):
        self.control.traced = 0

    def trace(self):
        assert self.control.traced < TRACE_MAX, "the trace ran over"
        return [Seen(self.control.trace[i]) for i in range(self.control.traced)]


@contextlib.contextmanager
def environment(**values):
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class FaultyDaemon(harness.Daemon):
    """The real daemon with the shim in front of its files. Its store has a folder of its own."""

    def __init__(self, folder, store_folder=None):
        folder = pathlib.Path(folder)
        state = pathlib.Path(store_folder or folder / "state")
        state.mkdir(exist_ok=True)
        super().__init__(folder, store=str(state / "tally.db"))
        self.state = state
        self.shim = Shim(folder / "control")

    def start(self):
        with self.shimmed():
            return super().start()

    def shimmed(self):
        return environment(LD_PRELOAD=SHIM, FAULTS_CONTROL=self.shim.path,
                            FAULTS_FOLDER=str(self.state))

    def start_refused(self):
        """A start that ends by itself. The exit status and what was said."""
        assert not self.started(), "it came up"
        return self.ended(), self.log

    def started(self):
        """Whether it came up; where it did not, ended() tells more."""
        try:
            self.start()
        except AssertionError:
            return False
        return True

    def ended(self):
        """Waits until it has ended by itself, and gives the exit status."""
        return self._ended()
