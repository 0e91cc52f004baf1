"""Each mistake in tallyd.conf is one line: FILE:LINE: section.key: what; how to mend it."""
import os
import re
import signal
import subprocess

import pytest

import harness

FITS = "a-token-of-enough-bytes"
KEYS = {"admin_token_file": "roles", "app_token_file": "roles", "site_key_file": "voters"}


def check(path, *before):
    done = subprocess.run([*before, harness.TALLYD, "-c", str(path), "--check-config"],
                          capture_output=True, text=True, timeout=harness.START_S, check=False)
    return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()


# Text of the file, the line at fault, what the message says behind FILE:LINE:, and the remedy.
BAD = [
    ("[server]\nport = 80\n", 2, "server.port: there is no such key", "tallyd.conf(5) lists them"),
    ("[sever]\n", 1, "[sever]: there is no such section", "tallyd.conf(5) lists them"),
    ("threads = 2\n", 1, "threads: no section stands before this key", "begin with [server]"),
    ("[server\n", 1, "a section's heading is [name]", "leave nothing else on its line"),
    ("[log]\nlevel = info\n[server]\n[log]\nlevel = info\n", 5,
     "log.level: stands in line 2 already", "remove one of them"),
    ("[log]\nlevel = info\nlevel = info\n", 3, "log.level: stands in line 2 already",
     "remove one of them"),
    ("[log]\nlevel =\n", 2, "log.level: has no value", "give one, or remove the line"),
    ("[log]\nlevel\n", 2, "this line is neither", "a comment begins with #"),
    ("[log]\nlevel = \x01\n", 2, "log.level: has a control character", "spaces stand between words"),
    ("[log]\n\n#" + "x" * 17000, 3, "this line has 17001 bytes", "shorten it"),
    ("[log]\nlevel = loud\n", 2, "log.level: takes", "error warning notice info debug"),
    ("[server]\nthreads = 0\n", 2, "server.threads: takes", "a number of 1 to 256"),
    ("[server]\nsocket_mode = 9\n", 2, "server.socket_mode: takes", "octal"),
    ("[server]\nlisten = 80\n", 2, "server.listen: takes", "ADDR:PORT"),
    ("[server]\nlisten =" + " a:1" * 17, 2, "server.listen: takes 16 at most", "take some out"),
    ("[server]\ntrusted_proxies = 10.0.0.1/8\n", 2, "server.trusted_proxies: takes", "ADDR"),
    ("[server]\nproxy_users = no-such-user\n", 2, "server.proxy_users: there is no user",
     "make it with adduser"),
    ("[server]\npublic_url = here\n", 2, "server.public_url: takes", "HOST"),
    ("[server]\norigins = https://a/b\n", 2, "server.origins: takes", "without a path"),
    ("[server]\nproxy_users = root\n[roles]\napp_users = root\n", 4,
     "roles.app_users: user root is in server.proxy_users too", "take it out of one"),
    ("[store]\nballast = 1T\n", 2, "store.ballast: takes a size", "1024G at most, not 1T"),
    ("[store]\nballast = much\n", 2, "store.ballast: takes a size", "8M"),
    ("[store]\nurl = tally.db\n", 2, "store.url: takes", "sqlite:PATH"),
    ("[roles]\nadmin_group = no-such-group\n", 2, "roles.admin_group: there is no group",
     "name another"),
    ("[roles]\ninsecure_tcp = perhaps\n", 2, "roles.insecure_tcp: takes", "yes or no"),
    ("[voters]\ntoken_lifetime = soon\n", 2, "voters.token_lifetime: takes a time", "d"),
    ("[voters]\naddress_prefix = 99\n", 2, "voters.address_prefix: takes", "32 64"),
    ("[limits]\nstreams = -1\n", 2, "limits.streams: takes", "a number of 0 to"),
]


@pytest.mark.parametrize("text,line,what,remedy", BAD)
def test_a_mistake_is_named_with_file_line_and_remedy_and_exit_6(tmp_path, text, line, what, remedy):
    path = tmp_path / "tallyd.conf"
    path.write_text(text)
    status, out, err = check(path)
    assert (status, out, len(err)) == (6, [], 1), err
    assert err[0].startswith(f"{path}:{line}: {what}"), err
    assert remedy in err[0][len(f"{path}:{line}: {what}"):], err
    done = subprocess.run([harness.TALLYD, "-c", str(path), "--store", f"sqlite:{tmp_path}/t.db"],
                          capture_output=True, text=True, timeout=harness.START_S, check=False)
    assert (done.returncode, done.stderr.splitlines()) == (6, err)
    assert os.listdir(tmp_path) == ["tallyd.conf"]


def test_a_file_that_is_no_text_is_named_with_its_line(tmp_path):
    path = tmp_path / "tallyd.conf"
    path.write_bytes(b"[log]\n# \xff\n")
    assert check(path) == (6, [], [f"{path}:2: this line is no text; write the file in UTF-8"])


# What the file holds, its mode, what is said of it, and the remedy.
SECRETS = [
    (None, 0o600, "No such file", "make the file, or let the daemon's user read it"),
    (FITS, 0o000, "Permission denied", "make the file, or let the daemon's user read it"),
    ("x" * 70000, 0o600, "is larger than 64 KiB", "name a file that holds the secret alone"),
]
TOKENS = [
    ("", 0o600, "is empty", "make a token: openssl rand -hex 32"),
    (" \n", 0o600, "is empty", "make a token: openssl rand -hex 32"),
    (FITS + " and more", 0o600, "holds more than one word", "leave the token alone in it"),
    ("aaaaaaaaaa.bbbbbbbbbb.cccccccccc", 0o600, "has two dots", "openssl rand -hex 32"),
]
SITE_KEYS = [
    ("one c2hvcnQ\n", 0o600, "line 1 of ", "write `kid secret`"),
    ("# none\n", 0o600, "holds no key", "write a line `kid secret`"),
    (f"a {'A' * 43}\na {'A' * 43}\n", 0o600, "line 2 of ", "write `kid secret`"),
]
CASES = [(key, *row) for key in KEYS for row in SECRETS]
CASES += [(key, *row) for key in ("admin_token_file", "app_token_file") for row in TOKENS]
CASES += [("site_key_file", *row) for row in SITE_KEYS]


@pytest.mark.parametrize("key,text,mode,what,remedy", CASES)
def test_a_secret_file_that_will_not_do_is_named_with_the_line_that_names_it(
        tmp_path, key, text, mode, what, remedy):
    secret = tmp_path / "secret"
    path = tmp_path / "tallyd.conf"
    path.write_text(f"# mine\n[{KEYS[key]}]\n\n{key} = {secret}\n")
    if text is not None:
        secret.write_text(text)
        secret.chmod(mode)
    status, out, err = check(path, *harness.powerless())
    assert (status, out, len(err)) == (6, [], 1), err
    assert err[0].startswith(f"{path}:4: {KEYS[key]}.{key}: "), err
    assert what in err[0] and str(secret) in err[0] and err[0].endswith(remedy), err
    for word in re.findall(r"\S{8,}", text or ""):
        assert word not in err[0]


def test_a_secret_that_is_no_file_is_named_with_its_line(tmp_path):
    path = tmp_path / "tallyd.conf"
    path.write_text(f"[roles]\nadmin_token_file = {tmp_path}\n")
    assert check(path) == (6, [], [f"{path}:2: roles.admin_token_file: {tmp_path} is no regular "
                                   "file; name one"])


SITE_LINE = f"a {'A' * 43}\n"
OPEN = "everybody may read or change {}; chmod 640 it, and change the secret if somebody may have read it"
SHORT = ("the token in {} has 15 bytes, and can be guessed; make one of 16 or more: "
         "openssl rand -hex 32")
# The key, what its file holds, its mode, and what is warned of.
RISKS = [(key, SITE_LINE if key == "site_key_file" else FITS, mode, warnings)
         for key in KEYS
         for mode, warnings in ((0o600, []), (0o640, []), (0o660, []), (0o644, [OPEN]),
                                (0o602, [OPEN]))]
RISKS += [(key, "x" * 15, mode, warnings) for key in ("admin_token_file", "app_token_file")
          for mode, warnings in ((0o600, [SHORT]), (0o644, [OPEN, SHORT]))]


@pytest.mark.parametrize("key,text,mode,warnings", RISKS)
def test_a_secret_that_is_not_safe_is_warned_of_and_holds(tmp_path, key, text, mode, warnings):
    secret = tmp_path / "secret"
    secret.write_text(text)
    secret.chmod(mode)
    path = tmp_path / "tallyd.conf"
    one = harness.Daemon(tmp_path)
    one.config = f"[{KEYS[key]}]\n{key} = {secret}\n"
    path.write_text(one.config)
    lines = [f"{path}:2: {KEYS[key]}.{key}: {warning.format(secret)}" for warning in warnings]
    assert check(path) == (0, [f"configuration is good: {path}"], lines)
    try:
        one.start()
        assert [line for line in one.log if ".conf:" in line] == lines
        one.process.send_signal(signal.SIGHUP)
        harness.until(lambda: any("is reloaded" in line for line in one.log))
        assert [line for line in one.log if ".conf:" in line] == 2 * lines
        if key == "admin_token_file":
            done = one.public("DELETE", "/v1/polls/none", fields={"authorization": f"Bearer {text}"})
            assert done.status == 404
    finally:
        one.end()
