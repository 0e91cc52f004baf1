"""A machine for docs/first-day.md: a Debian in a folder, with a stand-in for systemd.

No systemd is process 1 here. So `systemctl` is a script that asks this program, which does with the
installed units what systemd would, as far as the page and the maintainer scripts need it: it holds
the sockets, starts a service when somebody connects, tells it its sockets and where to report, and
starts it anew behind them. What it does not know it refuses. All else is Debian's and ours.

    unshare --net --mount --pid --fork --kill-child python3 machine.py ROOT

It is process 1 of namespaces of its own, so ports are free and all ends with it. Lines of JSON come
in, a command each, and go out: {"status", "output"}.
"""
import json
import os
import pathlib
import selectors
import shlex
import signal
import socket
import subprocess
import sys

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SYSTEMCTL = """#!/bin/sh
# One at a time asks, and is answered by the status and what is to be printed.
exec 9>/run/systemctl.lock; flock 9
echo "$*" >/run/systemctl.ask
{ read -r status; cat; } </run/systemctl.answer
exit "$status"
"""
# Descriptors 3, 4, … and LISTEN_PID are set in the process that becomes the service.
LAUNCH = """
import fcntl, os, sys
fds = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 100) for fd in sys.argv[1].split(",") if fd]
for i, fd in enumerate(fds):
    os.dup2(fd, 3 + i)
    os.close(fd)
os.environ["LISTEN_PID"] = str(os.getpid())
os.environ["LISTEN_FDS"] = str(len(fds))
os.execvp("chroot", ["chroot", *sys.argv[2:]])
"""


class Unit:
    """What an installed unit says."""

    def __init__(self, name):
        self.name = name
        self.values = {}
        path = next(path for path in (f"usr/lib/systemd/system/{name}", f"lib/systemd/system/{name}")
                    if os.path.exists(path))
        for line in pathlib.Path(path).read_text().splitlines():
            key, is_there, value = line.partition("=")
            if is_there and line[0] not in "#;":
                self.values.setdefault(key, []).append(value)

    def __getitem__(self, key):
        return self.values.get(key, [""])[-1]

    def words(self, key, pid=""):
        return shlex.split(self[key].lstrip("-").replace("$MAINPID", str(pid)))


class Machine:
    def __init__(self):
        self.sockets = {}  # unit of a socket: the socket
        self.running = {}  # unit of a service: its process
        self.ready = 0     # how often a service said so
        self.log = open("var/log/services", "ab")
        self.events = selectors.DefaultSelector()
        for name in ("systemctl.ask", "systemctl.answer"):
            os.mkfifo("run/" + name)
        self.asked = os.open("run/systemctl.ask", os.O_RDWR)
        self.events.register(self.asked, selectors.EVENT_READ, self.systemctl)
        self.reports = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.reports.bind("run/systemd/notify")
        os.chmod("run/systemd/notify", 0o777)
        self.events.register(self.reports, selectors.EVENT_READ, self.report)

    def turn(self):
        """What has come, or a moment without anything: whoever waits looks again then."""
        for key, _ in self.events.select(0.02):
            key.data()
        for name, process in list(self.running.items()):
            if process.poll() is not None:
                del self.running[name]
                self.listen_for(name)

    def until(self, what):
        while not what():
            self.turn()

    def report(self):
        self.ready += b"READY=1" in self.reports.recv(65536).splitlines()

    def inside(self, words, unit=None):
        """A command of a unit, to its end."""
        user = [f"--userspec={unit['User']}:{unit['Group']}"] if unit and unit["User"] else []
        process = subprocess.Popen(["chroot", *user, ".", *words], stdout=self.log, stderr=self.log,
                                   env={"PATH": PATH})
        self.until(lambda: process.poll() is not None)
        return process.returncode

    # Sockets

    def listen(self, unit):
        if unit.name in self.sockets:
            return
        where = unit["ListenStream"]
        if where.startswith("/"):
            path = where[1:]
            os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
            one = socket.socket(socket.AF_UNIX)
            one.bind(path)
            os.chmod(path, int(unit["SocketMode"], 8))
            one.listen(128)
        else:
            host, port = where.rsplit(":", 1)
            one = socket.create_server((host, int(port)))
        self.sockets[unit.name] = one
        self.listen_for(unit["Service"])

    def sockets_of(self, service):
        return [(Unit(name), one) for name, one in self.sockets.items()
                if Unit(name)["Service"] == service]

    def listen_for(self, service):
        """The service is not there: who connects starts it."""
        watched = [key.fileobj for key in self.events.get_map().values()]
        for _, one in self.sockets_of(service):
            if one in watched:
                continue
            self.events.register(one, selectors.EVENT_READ, lambda: self.start(Unit(service)))

    # Services

    def start(self, unit):
        if unit.name in self.running:
            return 0
        if unit["Type"] in ("oneshot", "forking"):
            return self.inside(unit.words("ExecStart"), unit)
        sockets = self.sockets_of(unit.name)
        for _, one in sockets:
            self.events.unregister(one)
        state = "/var/lib/" + unit["StateDirectory"]
        self.inside(["install", "-d", "-m", unit["StateDirectoryMode"], "-o", unit["User"],
                     "-g", unit["Group"], state])
        ready = self.ready
        fds = [one.fileno() for _, one in sockets]
        self.running[unit.name] = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, ",".join(map(str, fds)),
             f"--userspec={unit['User']}:{unit['Group']}", ".", *unit.words("ExecStart")],
            pass_fds=fds, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            env={"PATH": PATH, "STATE_DIRECTORY": state, "NOTIFY_SOCKET": "/run/systemd/notify",
                 "LISTEN_FDNAMES": ":".join(one["FileDescriptorName"] for one, _ in sockets)})
        self.until(lambda: self.ready > ready or unit.name not in self.running)
        return 0 if unit.name in self.running else 1

    def stop(self, unit):
        if unit.name in self.sockets:
            one = self.sockets.pop(unit.name)
            if one in [key.fileobj for key in self.events.get_map().values()]:
                self.events.unregister(one)
            if unit["RemoveOnStop"] == "yes":
                os.unlink(unit["ListenStream"][1:])
            one.close()
        elif unit.name in self.running:
            self.running[unit.name].send_signal(signal.SIGTERM)
            self.until(lambda: unit.name not in self.running)
        elif unit["ExecStop"]:
            status = self.inside(unit.words("ExecStop"))
            return 0 if unit["ExecStop"].startswith("-") else status
        return 0

    def reload(self, unit):
        """Behind a service's own word: who goes on meets the new configuration."""
        ready, process = self.ready, self.running.get(unit.name)
        status = self.inside(unit.words("ExecReload", process.pid if process else ""))
        if process and status == 0:
            self.until(lambda: self.ready > ready or process.poll() is not None)
        return status

    def act(self, verb, unit):
        if verb == "start" and unit.name.endswith(".socket"):
            self.listen(unit)
        elif verb == "start" and unit.name.endswith(".service"):
            return self.start(unit)
        elif verb == "stop":
            return self.stop(unit)
        elif verb == "restart":
            return self.stop(unit) or self.start(unit)
        elif verb == "try-restart":
            return self.act("restart", unit) if unit.name in self.running else 0
        elif verb == "reload":
            return self.reload(unit)
        elif verb not in ("enable", "start"):
            raise ValueError(verb)
        return 0  # enabled, and a timer: nothing more happens before the night

    def systemctl(self):
        words = [word for word in os.read(self.asked, 4096).decode().split()
                 if word not in ("--system", "--quiet")]
        status, said = 0, ""
        try:
            verb, *names = [word for word in words if word != "--now"]
            if verb != "daemon-reload":  # units are read whenever they are asked for
                for name in names:
                    unit = Unit(name if "." in name else name + ".service")
                    at_once = verb == "enable" and "--now" in words
                    status = status or self.act("start" if at_once else verb, unit)
        except (ValueError, StopIteration):
            status, said = 1, f"this stand-in does not know: {' '.join(words)}\n"
        with open("run/systemctl.answer", "w", encoding="utf-8") as answer:
            answer.write(f"{status}\n{said}")

    def command(self, line):
        """As root types it, with what it prints."""
        with open("var/log/command", "w+b") as output:
            process = subprocess.Popen(
                ["chroot", ".", "bash", "-c", "cd /root && " + line], stdin=subprocess.DEVNULL,
                stdout=output, stderr=output,
                env={"PATH": PATH, "HOME": "/root", "LC_ALL": "C.UTF-8",
                     "DEBIAN_FRONTEND": "noninteractive"})
            self.until(lambda: process.poll() is not None)
            output.seek(0)
            return {"status": process.returncode, "output": output.read().decode()}


def main():
    os.chdir(sys.argv[1])
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "-t", "proc", "proc", "proc"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    os.makedirs("run/systemd/system", exist_ok=True)  # so maintainer scripts speak to systemctl
    pathlib.Path("usr/bin/systemctl").write_text(SYSTEMCTL)
    machine = Machine()
    for line in sys.stdin:
        print(json.dumps(machine.command(json.loads(line))), flush=True)


main()
