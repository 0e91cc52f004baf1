#!/usr/bin/python3
"""Cuts the power of a daemon at a file call chosen by chance, under load, and counts.

The daemon runs on a pretended disk (disk.c, preloaded): at the cut what it had not synced is kept,
dropped or torn, and the process is gone. Clients vote meanwhile as in kill.py, and what they were
told is compared in the same way.
"""
import os
import pathlib
import signal
import sys
import threading

import kill

CALLS_MAX_LOG2 = 11  # a start makes about 60 changing calls, a commit two


class CutRun(kill.Run):
    def __init__(self, binary, folder, seed):
        super().__init__(binary, folder, seed)
        self.state = os.path.join(folder, "state")
        os.mkdir(self.state)
        self.store = os.path.join(self.state, "tally.db")

    def start(self, cut_at=0):
        build = pathlib.Path(os.environ.get("TALLYD_BUILD", pathlib.Path(self.binary).parent))
        self.environment = os.environ | {
            "LD_PRELOAD": str(build / "tests" / "cut_daemon.so"), "CUT_FOLDER": self.state,
            "CUT_AT": str(cut_at), "CUT_SEED": str(self.rng.randrange(1 << 63))}
        super().start()

    def gone(self):
        """It ends with its machine, and in no other way."""
        status = self.process.wait(kill.START_S)
        self.process.stderr.close()
        if status != -signal.SIGKILL:
            raise kill.Wrong(f"it ended with {status}")

    def load(self):
        threads = [threading.Thread(target=self.client, args=(self.rng.random(), threading.Event()))
                   for _ in range(kill.CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(2 * kill.START_S)
            if thread.is_alive():
                self.errors.append("a client hangs")

    def cycle(self):
        self.start(cut_at=1 + self.rng.randrange(1 << self.rng.randint(2, CALLS_MAX_LOG2)))
        try:
            self.wait_ready()
            self.make_polls()
            self.check_versions()
            self.load()
        except (kill.Wrong, OSError):
            pass  # the power went before; what is amiss shows in gone(), or at the end
        self.gone()


if __name__ == "__main__":
    sys.exit(kill.main(CutRun, __doc__))
