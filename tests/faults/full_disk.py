#!/usr/bin/python3
"""A small disk fills up and has room again, over and over, under clients that vote, and counts.

A cycle: clients vote while the disk is filled, until each of them has been refused; somebody reads
meanwhile. On the full disk, or once there is room, the daemon may end or be killed, and starts
again. With room, everybody who was refused votes again and is counted at once. Now and then all who
ever voted vote again, the rows are recounted, and another store is begun.
"""
import argparse
import contextlib
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))

import harness  # noqa: E402
import shim  # noqa: E402

SIZE = 24 << 20
BALLAST = 1 << 20    # smaller than its default: a store has to grow beside it
CLIENTS = 3
DEPTH = 8
ENOUGH = 2 * DEPTH   # refusals of a client
MOST = 20000         # votes of a client that do not fill what room there is
LEFT_MAX = 64 << 10  # bytes that a filled disk may have left: a commit that fits in part
STORE_CYCLES = 10


class RealDisk:
    """A tmpfs of its own."""
    real = True

    def __init__(self, folder):
        self.folder = folder
        self.filler = folder / "filler"

    def fill(self, left=0):
        """All but `left` bytes."""
        with open(self.filler, "ab", buffering=0) as file:
            try:
                while True:
                    room = os.statvfs(self.folder)
                    file.write(b"x" * min(1 << 20, max(4096, room.f_bavail * room.f_frsize - left)))
                    if left and room.f_bavail * room.f_frsize <= left + 4096:
                        return
            except OSError:
                pass

    def empty(self):
        self.filler.unlink()


class PretendedDisk:
    """Where nothing may be mounted: the shim says that it is full."""
    real = False

    def __init__(self, daemon):
        self.daemon = daemon

    def fill(self, left=0):
        self.daemon.shim.arm("write allocate", kinds=("main", "wal", "ballast"), for_ever=True,
                             error="ENOSPC")

    def empty(self):
        self.daemon.shim.disarm()


@contextlib.contextmanager
def small_disk(folder, tell):
    """A daemon and the small disk that its store is on. `tell` hears why it is a pretended one."""
    mount = pathlib.Path(folder) / "disk"
    mount.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(mount)],
                          capture_output=True, text=True)
    one = shim.FaultyDaemon(folder, store_folder=mount)
    if done.returncode != 0:
        tell(f"no disk of its own, only a pretended one: {done.stderr.strip()}")
    try:
        yield one, RealDisk(mount) if done.returncode == 0 else PretendedDisk(one)
    finally:
        if one.process:
            one.kill()
        if done.returncode == 0:
            subprocess.run(["umount", str(mount)], check=True)


def refused(answer):
    return (answer.status == 503 and answer.json()["type"] == "/problems/store-unavailable"
            and int(answer.fields["retry-after"]) > 0)


class Sums:
    def __init__(self):
        self.acknowledged = self.refused = self.reads = self.freed = 0
        self.lost = self.phantom = self.hung = self.kept = self.late = 0
        self.wrong = []

    def clean(self):
        return not (self.lost or self.phantom or self.hung or self.kept or self.late or self.wrong)


class Store:
    """One store from its first vote to the recount, and what its clients know."""

    def __init__(self, daemon, disk, rng, sums):
        self.daemon = daemon
        self.disk = disk
        self.rng = rng
        self.sums = sums
        self.seqs = {}        # voter: as acknowledged
        self.refused = []     # voters, until there is room
        self.lock = threading.Lock()
        self.made = 0

    def next_voters(self):
        with self.lock:
            self.made += DEPTH
            return [f"v{i}" for i in range(self.made - DEPTH, self.made)]

    def ask(self, wire, voters):
        """Pipelined votes and their answers."""
        wire.send(b"".join(harness.request_bytes(
            "POST", "/v1/polls/p/votes", {"option": 1, "voter": voter}) for voter in voters))
        return [wire.answer() for _ in voters]

    def vote(self):
        wire = self.daemon.unix()
        told = 0
        try:
            for _ in range(0, MOST, DEPTH):
                voters = self.next_voters()
                for voter, answer in zip(voters, self.ask(wire, voters)):
                    told += self.hear(voter, answer)
                if told >= ENOUGH:
                    return
            self.sums.wrong.append("the disk never was full")
        except TimeoutError:
            self.sums.hung += 1
        except OSError as error:
            self.sums.wrong.append(f"a client was cut off: {error}")
        finally:
            wire.close()

    def hear(self, voter, answer):
        """Whether it was refused."""
        with self.lock:
            if answer.status == 201:
                self.seqs[voter] = answer.json()["receipt"]["seq"]
            elif refused(answer):
                self.refused.append(voter)
                return True
            else:
                self.sums.wrong.append(f"{voter}: {answer}")
        return False

    def read(self, at_least):
        answer = self.daemon.public("GET", "/v1/polls/p/tally")
        self.sums.reads += 1
        if answer.status != 200:
            self.sums.wrong.append(f"a read: {answer}")
        else:
            self.sums.lost += max(0, at_least - answer.json()["votes"])

    def fill_under_votes(self):
        """Over and over: what is freed, of the ballast or of the log, is filled again."""
        had_ballast = self.ballast_is_there()
        clients = [threading.Thread(target=self.vote, daemon=True) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        left = self.rng.choice((0, self.rng.randrange(LEFT_MAX)))
        while any(client.is_alive() for client in clients):
            self.read(len(self.seqs))
            self.disk.fill(left)
            clients[0].join(self.rng.uniform(0, 0.02))  # a random moment is the test
            left = 0
        if had_ballast:
            self.sums.kept += self.ballast_is_there()
            self.sums.freed += not self.ballast_is_there()

    def ballast_is_there(self):
        return pathlib.Path(self.daemon.store + ".ballast").exists()

    def restart(self):
        if self.rng.random() < 0.5:
            self.daemon.stop()
        else:
            self.daemon.kill()
        self.daemon.start()
        self.read(len(self.seqs))

    def count_the_refused(self):
        """There is room: whoever was refused is counted, the first time that the vote is sent."""
        wire = self.daemon.unix()
        again, self.refused = self.refused, []
        self.sums.refused += len(again)
        for at in range(0, len(again), DEPTH):
            part = again[at:at + DEPTH]
            for voter, answer in zip(part, self.ask(wire, part)):
                self.sums.late += self.hear(voter, answer)
                self.sums.phantom += answer.status == 200  # it was refused, and has counted
        wire.close()
        votes = self.daemon.tally("p")["votes"]
        self.sums.lost += max(0, len(self.seqs) - votes)
        self.sums.phantom += max(0, votes - len(self.seqs))

    def cycle(self):
        self.fill_under_votes()
        if self.rng.random() < 0.3:
            self.restart()
        self.read(len(self.seqs))
        self.disk.empty()
        self.count_the_refused()
        if self.rng.random() < 0.5:
            self.restart()  # which makes a ballast again

    def settle(self):
        self.restart()
        everybody = list(self.seqs)
        wire = self.daemon.unix()
        for at in range(0, len(everybody), DEPTH):
            part = everybody[at:at + DEPTH]
            for voter, answer in zip(part, self.ask(wire, part)):
                got = answer.json()
                self.sums.lost += (got["result"] != "already" or
                                   got["receipt"]["seq"] != self.seqs[voter])
        wire.close()
        if not self.daemon.admin("POST", "/v1/verify").json()["ok"]:
            self.sums.wrong.append("a recount does not agree")
        self.daemon.stop()
        self.sums.acknowledged += len(everybody)


def of_a_store(cycles, rng, sums, tell):
    with tempfile.TemporaryDirectory(prefix="tallyd-full-") as folder, \
            small_disk(folder, tell) as (daemon, disk):
        daemon.config += f"[store]\nballast = {BALLAST >> 20}M\n"
        daemon.start()
        daemon.poll("p")
        store = Store(daemon, disk, rng, sums)
        try:
            for _ in range(cycles):
                store.cycle()
            store.settle()
        except TimeoutError:
            sums.hung += 1
        except (AssertionError, OSError, KeyError) as error:
            sums.wrong.append(f"{error!r}, {daemon.log[-3:]}")


def run(cycles, seed, tell):
    rng = random.Random(seed)
    sums = Sums()
    for at in range(0, cycles, STORE_CYCLES):
        of_a_store(min(STORE_CYCLES, cycles - at), rng, sums, tell)
        if len(sums.wrong) > 20:
            break
    return sums


def tell_once(said):
    def tell(line):
        if line not in said:
            print(line, file=sys.stderr)
        said.add(line)
    return tell


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=10)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    sums = run(args.cycles, args.seed, tell_once(set()))
    for line in sums.wrong[:20]:
        print(line, file=sys.stderr)
    print(f"cycles {args.cycles}, acknowledged {sums.acknowledged}, lost {sums.lost}, phantom "
          f"{sums.phantom}, hung {sums.hung}, answered 503 {sums.refused}, did not resume "
          f"{sums.late}, reads {sums.reads}, ballast freed {sums.freed}, kept {sums.kept}, wrong "
          f"{len(sums.wrong)}")
    return 0 if sums.clean() else 1


if __name__ == "__main__":
    sys.exit(main())
