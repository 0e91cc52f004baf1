"""nginx, haproxy and Caddy in front of tallyd, by docs/examples as they are but for paths.

Each takes its own ports, 80 and 443, in a network namespace that the test makes for itself.
"""
import contextlib
import ctypes
import fcntl
import os
import pathlib
import re
import shutil
import socket
import ssl
import struct
import subprocess

import harness
from service_test import Service

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "docs/examples"
PATHS = os.environ["PATH"] + ":/usr/sbin"
SITE = "polls.example.org"
CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def system(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


@contextlib.contextmanager
def own_network():
    """This thread, and whom it starts, see nothing but a loopback of their own."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net", "rb") as before:
        system(libc.unshare(CLONE_NEWNET), "unshare")
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
                request = bytearray(struct.pack("16sh22x", b"lo", 0))
                fcntl.ioctl(any_socket, SIOCGIFFLAGS, request)
                name, flags = struct.unpack("16sh22x", request)
                fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", name, flags | IFF_UP))
            yield
        finally:
            system(libc.setns(before.fileno(), CLONE_NEWNET), "setns")


class Wire(harness.Wire):
    """TLS with the site, from an address of 127.0.0.0/8."""

    def __init__(self, certificate, source="127.0.0.1"):
        self.left = b""
        plain = socket.create_connection(("127.0.0.1", 443), harness.START_S, (source, 0))
        context = ssl.create_default_context(cafile=certificate)
        self.socket = context.wrap_socket(plain, server_hostname=SITE)

    def ask(self, method, path, body=None, fields=None):
        request = harness.request_bytes(method, path, body, fields)
        self.send(request.replace(b"Host: test\r\n", f"Host: {SITE}\r\n".encode(), 1))

    def until(self, text):
        """Reads on until that has come."""
        while text not in self.left:
            self._more()


class Front:
    """A proxy, and behind it a tallyd whose sockets outlive it, as systemd's do."""

    def __init__(self, folder, example, edit):
        self.folder = folder
        self.repeats_votes = True
        self.certificate = f"{folder}/site.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", f"/CN={SITE}", "-addext", f"subjectAltName=DNS:{SITE}",
                        "-keyout", f"{folder}/site.key", "-out", self.certificate],
                       check=True, capture_output=True)
        self.daemon = Service(folder)
        os.chmod(self.daemon.socket, 0o666)
        text = (EXAMPLES / example).read_text()
        wanted = re.search(r"^#   \[server\]\n((#   .*\n)+)", text, re.M)[1].replace("#   ", "")
        # The sections of the test's own file come first; one may not stand there twice.
        path = pathlib.Path(self.daemon.path)
        path.write_text(path.read_text().replace("[server]\n", "[server]\n" + wanted))
        self.daemon.start()
        self.path = f"{folder}/{example}"
        text = edit(self, text.replace("/run/tallyd/tallyd.sock", self.daemon.socket))
        pathlib.Path(self.path).write_text(text)
        os.chmod(self.path, 0o644)
        self.process = None
        self.log = None

    def run(self, words, **how):
        program = shutil.which(words[0], path=PATHS)
        self.log = open(f"{self.folder}/proxy.log", "wb")
        self.process = subprocess.Popen([program, *words[1:]], stdout=self.log, stderr=self.log,
                                        **how)
        harness.until(self.answers)

    def answers(self):
        assert self.process.poll() is None, pathlib.Path(self.log.name).read_text()
        try:
            wire = self.wire()
        except ConnectionRefusedError:
            return False
        wire.close()
        return True

    def check(self, *words):
        """What the proxy's own checker says of the file."""
        done = subprocess.run([shutil.which(words[0], path=PATHS), *words[1:]],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=harness.START_S, check=False)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def end(self):
        if self.process:
            self.process.terminate()
            self.process.wait(harness.START_S)
            self.log.close()
        self.daemon.end()

    def wire(self, source="127.0.0.1"):
        return Wire(self.certificate, source)

    def ask(self, method, path, body=None, fields=None, source="127.0.0.1"):
        wire = self.wire(source)
        try:
            wire.ask(method, path, body, fields)
            return wire.answer()
        finally:
            wire.close()

    def vote(self, option, source, fields=None):
        return self.ask("POST", "/v1/polls/p/votes", {"option": option}, fields, source)


def nginx(folder):
    def edit(front, text):
        text = text.replace(f"/etc/ssl/{SITE}.pem", front.certificate)
        text = text.replace(f"/etc/ssl/private/{SITE}.key", f"{folder}/site.key")
        text = text.replace("/var/cache/nginx-tallyd", f"{folder}/cache")
        return (f"user www-data; pid {folder}/pid; daemon off; error_log {folder}/errors;\n"
                f"events {{ }}\nhttp {{ access_log off;\n{text}}}\n")

    front = Front(folder, "nginx-tallyd.conf", edit)
    front.said = front.check("nginx", "-t", "-c", front.path, "-e", f"{folder}/errors")
    front.run(["nginx", "-c", front.path, "-e", f"{folder}/errors"])
    return front


def haproxy(folder):
    def edit(front, text):
        both = f"{folder}/both.pem"
        parts = (front.certificate, f"{folder}/site.key")
        pathlib.Path(both).write_text("".join(pathlib.Path(part).read_text() for part in parts))
        return text.replace(f"/etc/haproxy/{SITE}.pem", both)

    front = Front(folder, "haproxy-tallyd.cfg", edit)
    front.said = front.check("haproxy", "-c", "-f", front.path)
    front.run(["haproxy", "-db", "-f", front.path])
    return front


def caddy(folder):
    def edit(front, text):
        """No authority signs certificates here: it is given one."""
        shutil.chown(f"{folder}/site.key", "caddy")
        return text.replace(f"{SITE} {{\n",
                            f"{SITE} {{\n\ttls {front.certificate} {folder}/site.key\n")

    front = Front(folder, "Caddyfile", edit)
    front.repeats_votes = False  # 2.6 sends no request again that has a body
    how = ["--config", front.path, "--adapter", "caddyfile"]
    home = f"{folder}/home"
    os.mkdir(home)
    shutil.chown(home, "caddy")
    front.said = front.check("caddy", "validate", *how)
    # Root may take ports below 1024; as its own user it is given just that, as its unit does.
    front.run(["setpriv", "--reuid=caddy", "--regid=caddy", "--clear-groups",
               "--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service",
               shutil.which("caddy", path=PATHS), "run", *how],
              env={"PATH": PATHS, "HOME": home})
    return front
