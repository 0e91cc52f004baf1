"""What attacks are made of: other addresses, other users, tokens of all sorts."""
import base64
import hashlib
import hmac
import json
import os
import pathlib
import pwd
import re
import signal
import socket
import time

import harness

UNLIMITED = {"votes_per_minute": 0, "tokens_per_hour": 0, "reads_per_second": 0,
             "connections": 0, "streams": 0}
ADMIN_TOKEN = "admin-token-0123456789abcdef"
APP_TOKEN = "app-token-0123456789abcdef"
OWN_KEY = re.compile(r"^token (\S+) (\S+) \d+ \d+$", re.M)


def conf(**sections):
    """tallyd.conf; what is not given is not limited."""
    sections["limits"] = {**UNLIMITED, **sections.get("limits", {})}
    text = ""
    for section, keys in sections.items():
        text += f"[{section}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())
    return text


def start(folder, threads=2, **sections):
    """A daemon of this configuration, with an admin's and an app's token."""
    one = Attacked(folder, threads)
    one.configure(**sections)
    return one.start()


class Attacked(harness.Daemon):
    def configure(self, **sections):
        roles = {}
        for name, token in (("admin_token_file", ADMIN_TOKEN), ("app_token_file", APP_TOKEN)):
            path = os.path.join(self.folder, name)
            with open(path, "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as file:
                file.write(token + "\n")
            roles[name] = path
        sections["roles"] = {**roles, **sections.get("roles", {})}
        self.config = conf(**sections)

    def reload(self, **sections):
        self.configure(**sections)
        self.command()  # writes the file
        before = len(self.log)
        self.process.send_signal(signal.SIGHUP)
        harness.until(lambda: any("is reloaded" in line for line in self.log[before:]))

    def ask(self, wire, method, path, body=None, fields=None):
        wire.send(harness.request_bytes(method, path, body, fields))
        return wire.answer(head_only=method == "HEAD")

    def source(self, address):
        """A connection from one of this machine's addresses."""
        return wire_from(address, self.port)

    def at(self, address, method, path, body=None, fields=None):
        wire = self.source(address)
        try:
            return self.ask(wire, method, path, body, fields)
        finally:
            wire.close()

    def by(self, user, method, path, body=None, fields=None):
        """As this user on the Unix socket."""
        wire = self.socket_of(user)
        try:
            return self.ask(wire, method, path, body, fields)
        finally:
            wire.close()

    def socket_of(self, user):
        os.chmod(self.folder, 0o755)
        return wire_as(user, self.socket)

    def bulk(self, wire, lines, fields):
        """Votes in bulk; the answers by line."""
        body = "".join(json.dumps(line) + "\n" for line in lines).encode()
        wire.send(harness.request_bytes("POST", "/v1/votes", body,
                                        {"Content-Type": "application/x-ndjson", **fields}))
        while b"\r\n0\r\n\r\n" not in wire.left:
            wire._more()
        head, rest = wire.left.split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 200"), head
        wire.left = b""
        return [json.loads(line) for line in rest.splitlines() if line.startswith(b"{")]

    def token(self, **members):
        """A voter token as the daemon signs it; with members, asked for by the admin."""
        answer = self.admin("POST", "/v1/voters", members) if members else \
            self.public("POST", "/v1/voters")
        assert answer.status == 201, answer
        return answer.json()["token"]

    def resident_kb(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))

    def grew_less(self, most_kb, before_kb):
        grown = self.resident_kb() - before_kb
        if "asan" in harness.TALLYD or "tsan" in harness.TALLYD:
            return  # sanitizers keep what was freed
        assert grown < most_kb

    def own_key(self):
        """kid and secret of the key that signs now."""
        keys = pathlib.Path(self.folder, "keys").read_text(encoding="ascii")
        (kid, secret), = OWN_KEY.findall(keys)
        return kid, bytes.fromhex(secret)


def wire_from(address, port, to="127.0.0.1"):
    wire = harness.Wire.__new__(harness.Wire)
    wire.socket = socket.socket()
    wire.socket.settimeout(harness.START_S)
    wire.socket.bind((address, 0))
    wire.socket.connect((to, port))
    wire.left = b""
    return wire


def wire_as(user, path):
    """The kernel notes who connected, not who uses the descriptor: a child connects as `user`.

    It goes to the folder first: what lies above it may be closed to others, and pytest closes it.
    """
    entry = pwd.getpwnam(user)
    wire = harness.Wire.__new__(harness.Wire)
    wire.socket = socket.socket(socket.AF_UNIX)
    wire.socket.settimeout(harness.START_S)
    wire.left = b""
    child = os.fork()
    if child == 0:
        try:
            os.chdir(os.path.dirname(path))
            os.setgroups([])
            os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
            os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
            wire.socket.connect(os.path.basename(path))
            os._exit(0)
        except BaseException:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0, f"{user} cannot connect"
    return wire


def outer_address():
    """An address of this machine that is not loopback, or None. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.250", 9))
            address = probe.getsockname()[0]
        except OSError:
            return None
    return None if address.startswith("127.") else address


def b64(data):
    if not isinstance(data, bytes):
        data = data.encode() if isinstance(data, str) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(key, claims, header=None, algorithm=hashlib.sha256):
    """A JWT. `header` and `claims`: values, or JSON text as it is to stand there."""
    kid, secret = key
    if header is None:
        header = {"alg": "HS256", "kid": kid}
    signed = b64(header) + "." + b64(claims)
    return signed + "." + b64(hmac.new(secret, signed.encode(), algorithm).digest())


def in_an_hour():
    return int(time.time()) + 3600


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def slug(answer):
    return answer.json()["type"].removeprefix("/problems/")
