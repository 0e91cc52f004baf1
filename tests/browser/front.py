"""A real nginx: another site's pages, or what stands in front of tallyd."""
import os
import pathlib
import shutil
import socket
import subprocess
import urllib.request

import harness

NGINX = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
AS = "user root;" if os.geteuid() == 0 else ""  # a test's own folder is closed to others


class Front:
    """nginx with these `server` lines, on a port that the kernel chose and nobody else can take: it
    is handed over as a socket, as nginx does with itself when it is upgraded."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        (self.folder / "root").mkdir(parents=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.process = None

    def configure(self, lines):
        path = self.folder
        (path / "nginx.conf").write_text(
            f"{AS} pid {path}/pid; daemon off; error_log {path}/errors; events {{ }}\n"
            f"http {{ access_log off; types {{ text/html html; text/css css; }}\n"
            f"client_body_temp_path {path}/body; proxy_temp_path {path}/proxy;\n"
            f"fastcgi_temp_path {path}/f; uwsgi_temp_path {path}/u; scgi_temp_path {path}/s;\n"
            f"server {{ listen 127.0.0.1:{self.port}; root {path}/root;\n"
            f"location = /up {{ return 200 up; }}\n{lines}\n}} }}\n")

    def start(self, lines):
        """Or goes on with other lines."""
        self.stop()
        self.configure(lines)
        number = self.socket.fileno()
        self.process = subprocess.Popen(
            [NGINX, "-c", str(self.folder / "nginx.conf"), "-e", str(self.folder / "errors")],
            pass_fds=[number], env={**os.environ, "NGINX": f"{number};"},
            stderr=subprocess.DEVNULL)
        assert self.answers() == b"up", (self.folder / "errors").read_text()
        return self

    def answers(self):
        """A worker is there: before that, nginx may not hear that it should end."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/up",
                                    timeout=harness.START_S) as answer:
            return answer.read()

    def write(self, name, html):
        (self.folder / "root" / name).write_text("<!doctype html>" + html, encoding="utf-8")

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(harness.START_S)
            self.process = None

    def end(self):
        self.stop()
        self.socket.close()


def to_tallyd(daemon, path, more=""):
    return (f"location {path}/ {{ proxy_pass http://127.0.0.1:{daemon.port}/;\n"
            "proxy_http_version 1.1; proxy_set_header Connection '';\n"
            f"{more} proxy_set_header Host $http_host;"
            "proxy_set_header X-Forwarded-For $remote_addr; }")
