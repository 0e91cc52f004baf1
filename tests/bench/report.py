"""What script/bench says about the machine and the run, and the tables it prints."""

import os
import pathlib
import platform
import re
import statistics
import subprocess
import time

from servers import output, program
from stage import OTHERS_CORES_MAX, PEERS, installed


def table(head, lines, markdown, left=(0, 1)):
    """Cells as text, columns in line: words to the left, numbers to the right."""
    cells = [head, *lines]
    widths = [max(len(one[i]) for one in cells) for i in range(len(head))]
    left = {*left, len(head) - 1}
    out = []
    for one in cells:
        padded = [c.ljust(w) if i in left else c.rjust(w)
                  for i, (c, w) in enumerate(zip(one, widths))]
        out.append(f"| {' | '.join(padded)} |" if markdown else "  ".join(padded).rstrip())
    if markdown:
        out.insert(1, "|" + "|".join("-" * (w + 1) + ("-" if i in left else ":")
                                     for i, w in enumerate(widths)) + "|")
    return "\n".join(out)


def filesystem(folder):
    """The kind of file system that holds a folder."""
    mounts = [m.split() for m in pathlib.Path("/proc/mounts").read_text().splitlines()]
    holding = [m for m in mounts if folder.is_relative_to(m[1])]
    return max(holding, key=lambda m: len(m[1]))[2] if holding else "unknown"


def sync_ms(folder):
    """The median time of a 4 KiB append with fdatasync."""
    times = []
    path = folder / "sync"
    with open(path, "wb", buffering=0) as file:
        for _ in range(200):
            begun = time.monotonic()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            times.append(1000 * (time.monotonic() - begun))
    path.unlink()
    return statistics.median(times)


def versions():
    """What each peer says it is."""
    found = []
    if program("redis-server"):
        found.append("Redis " + re.search(r"v=([\d.]+)", output(program("redis-server"),
                                                                "--version"))[1])
    if program("postgres"):
        found.append("PostgreSQL " + re.search(r"\) ([\d.]+)", output(program("postgres"),
                                                                      "--version"))[1])
    if program("nginx"):
        ran = subprocess.run([program("nginx"), "-v"], capture_output=True, text=True, check=False)
        found.append("nginx " + re.search(r"/([\d.]+)", ran.stderr)[1])
    return found


def preface(tallyd, folder):
    """On what everything was measured, and with what."""
    own = [output(tallyd, "--version").strip()] if tallyd else []
    lines = [
        f"{os.cpu_count()} cores ({platform.machine()}), Linux {platform.release()}, "
        f"{filesystem(folder)} with {sync_ms(folder):.2f} ms for a 4 KiB append and its fdatasync; "
        f"{', '.join(own + versions())}. tallyd's limits per address are off where no row says "
        "more.",
    ]
    missing = [PEERS[peer][0] for peer in PEERS if not installed(peer)]
    if missing:
        lines.append(f"Left out, for they are not installed: {', '.join(missing)} "
                     "(script/bootstrap --bench installs them).")
    return "\n".join(lines)


def disturbances(others):
    """Which rows were measured beside somebody else's work, or that none was."""
    disturbed = [f"{key} ({max(cores):.2f})" for key, cores in others.items()
                 if max(cores) > OTHERS_CORES_MAX]
    if not disturbed:
        return "The machine was quiet before every round."
    return ("NOT A QUIET MACHINE: other processes were at work before rounds of these rows (most "
            f"cores busy): {', '.join(disturbed)}. Their figures are in doubt; measure again.")
