"""docs/voters.md: nginx in front, as the page has it, and the mistakes that it names."""
import os
import pathlib
import pwd
import re
import shutil
import socket
import subprocess
import tempfile

import pytest

import harness
from side_doors_test import Wire

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/voters.md"
NGINX = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
VOTE = "/v1/polls/p/votes"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may change users")


def block(language):
    return re.search(rf"```{language}\n(.*?)```", PAGE.read_text(), re.S)[1]


class Front:
    """nginx by the page's own text, with another port, and tallyd behind it."""

    def __init__(self, folder, tallyd=block("ini"), edit=lambda text: text, tcp=False):
        self.folder = folder
        self.daemon = harness.Daemon(folder)
        self.daemon.socket = os.path.join(folder, "tallyd.sock")
        self.daemon.config = tallyd + harness.NO_LIMITS
        self.daemon.start()
        # The kernel's choice, which nginx inherits, as it does from an older nginx.
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.daemon.port_of_tallyd = self.daemon.port
        self.daemon.port = self.listener.getsockname()[1]
        upstream = f"127.0.0.1:{self.daemon.port_of_tallyd}" if tcp else f"unix:{self.daemon.socket}"
        text = edit(block("nginx")).replace("listen 443 ssl", f"listen 127.0.0.1:{self.daemon.port}")
        text = text.replace("unix:/run/tallyd/tallyd.sock", upstream)
        path = os.path.join(folder, "nginx.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"user www-data; pid {folder}/pid; daemon off; error_log {folder}/errors;\n"
                       "events { }\nhttp { access_log off;\n" + text + "}\n")
        fd = self.listener.fileno()
        self.nginx = subprocess.Popen([NGINX, "-c", path, "-e", f"{folder}/errors"],
                                      pass_fds=[fd], env={**os.environ, "NGINX": f"{fd};"})

    def end(self):
        self.nginx.terminate()
        self.nginx.wait(harness.START_S)
        self.listener.close()
        self.daemon.end()

    def vote(self, option, source, fields=None):
        wire = Wire(self.daemon, source)
        wire.send(harness.request_bytes("POST", VOTE, {"option": option}, fields))
        answer = wire.answer()
        wire.close()
        return answer


@pytest.fixture
def front():
    folder = tempfile.mkdtemp()  # where www-data may go
    os.chmod(folder, 0o755)
    made = []

    def make(**how):
        made.append(Front(folder, **how))
        made[-1].daemon.poll("p", voters="address")
        return made[-1]

    pwd.getpwnam("www-data")
    yield make
    for one in made:
        one.end()
    shutil.rmtree(folder)


TCP = "[server]\ntrusted_proxies = 127.0.0.1\n"


@pytest.mark.parametrize("how", [{}, {"tcp": True, "tallyd": TCP}])
def test_each_reader_behind_the_proxy_has_one_vote_whatever_they_claim(front, how):
    site = front(**how)
    assert site.vote(1, "127.3.0.1").status == 201
    assert site.vote(1, "127.3.0.1", {"X-Forwarded-For": "192.0.2.1"}).json()["result"] == "already"
    assert site.vote(2, "127.3.0.1", {"Forwarded": "for=192.0.2.1"}).status == 409
    assert site.vote(1, "127.3.0.2").status == 201
    audit = site.daemon.admin("GET", "/v1/polls/p/audit").json()
    assert (audit["votes"], audit["address_groups"]) == (2, 2)
    assert site.daemon.public("PUT", "/v1/polls/q", {"title": "T", "kind": "rating"}).status == 401


def test_a_proxy_that_is_not_trusted_makes_all_readers_one(front):
    site = front(tcp=True, tallyd="")
    assert site.vote(1, "127.3.0.1").status == 201
    assert site.vote(1, "127.3.0.2").json()["result"] == "already"


def test_a_proxy_that_is_no_proxy_user_is_told_which_key_to_set(front):
    site = front(tallyd="")
    refused = site.vote(1, "127.3.0.1")
    assert refused.status == 403 and "proxy_users" in refused.json()["detail"]


def test_a_proxy_that_names_nobody_is_told_which_field_to_send(front):
    site = front(edit=lambda text: re.sub(r".*X-Forwarded-For.*\n", "", text))
    refused = site.vote(1, "127.3.0.1")
    assert refused.status == 403 and "X-Forwarded-For" in refused.json()["detail"]
    assert site.daemon.public("GET", "/readyz").status == 200
