"""README, 'More than one machine': its commands, as they stand there."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import urllib.request

import harness

README = pathlib.Path(__file__).parents[2] / "README.md"


def recipe():
    section = README.read_text(encoding="utf-8").split("\n## More than one machine\n")[1]
    return re.search(r"```\n(.*?)```", section, re.S)[1]


def free_ports(n):
    """The recipe's own may be somebody's."""
    probes = [socket.socket() for _ in range(n)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def begin(commands, folder, engine):
    """What it says goes to files: the nodes that it leaves behind would keep a pipe open."""
    programs = {os.path.dirname(harness.TALLYD), os.path.dirname(harness.TALLY), "/usr/sbin"}
    path = os.pathsep.join([*programs, os.environ["PATH"]])
    environment = dict(os.environ, PATH=path, PGHOST=engine.folder, PGUSER=engine.user)
    with open(folder / "out", "wb") as out, open(folder / "log", "wb") as log:
        return subprocess.Popen(["bash", "-euc", commands], cwd=folder, env=environment,
                                stdout=out, stderr=log, start_new_session=True)


def test_two_nodes_behind_nginx_by_the_commands_of_the_readme(engine, tmp_path):
    ports = free_ports(3)
    commands = recipe()
    for written, free in zip(("8080", "8081", "8082"), ports):
        commands = commands.replace(written, str(free))
    ran = begin(commands, tmp_path, engine)
    try:
        assert ran.wait(60) == 0, (tmp_path / "log").read_text()
        tally = json.loads((tmp_path / "out").read_text().splitlines()[-1])
        assert (tally["id"], tally["votes"]) == ("lunch", 1)
        os.kill(int(nodes_of(ran.pid)[0]), signal.SIGKILL)
        for _ in range(4):  # whichever node the proxy thinks of first
            url = f"http://127.0.0.1:{ports[0]}/v1/polls/lunch/tally"
            with urllib.request.urlopen(url, timeout=30) as answer:
                assert json.load(answer)["id"] == "lunch"
    finally:
        pid = tmp_path / "nginx.pid"
        if pid.exists():
            os.kill(int(pid.read_text()), signal.SIGTERM)
        os.killpg(ran.pid, signal.SIGKILL)


def nodes_of(group):
    """The tallyd that the commands have started."""
    found = subprocess.run(["ps", "-o", "pid=,comm=", "-g", str(group)], text=True,
                           capture_output=True, check=True).stdout
    return [line.split()[0] for line in found.splitlines() if line.split()[1] == "tallyd"]
