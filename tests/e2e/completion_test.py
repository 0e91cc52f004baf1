"""`tally completion`, in real shells: what is offered where, with poll ids from a real daemon."""
import os
import pty
import re
import select
import subprocess

import pytest

import harness
from fake import Canned, whole

TALLY = os.environ["TALLY"]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    one = harness.Daemon(tmp_path_factory.mktemp("completion")).start()
    one.poll("us-goals", title="What are the goals?")
    one.poll("us-votes", title="Colon: in a title")
    one.poll("article", kind="rating")
    yield one
    one.end()


def environment(daemon):
    path = os.path.dirname(TALLY) + ":" + os.environ["PATH"]
    return {"PATH": path, "TALLY_SOCKET": daemon.socket, "LC_ALL": "C.UTF-8", "TERM": "dumb",
            "HOME": daemon.folder}


def bash(daemon, *words):
    """What bash would offer for the last word."""
    script = ('eval "$(tally completion bash)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tally;'
              ' printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "--norc", "-c", script, "bash", "tally", *words],
                          env=environment(daemon), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.parametrize("words, offered", [
    (["vo"], ["vote", "void"]),
    (["help", "vo"], ["vote", "void"]),
    (["vote", "us-"], ["us-goals", "us-votes"]),
    (["vote", "us-goals"], ["us-goals"]),
    (["vote", ""], ["article", "us-goals", "us-votes"]),
    (["vote", "us-goals", ""], []),  # numbers of options are not guessed
    (["show", "us-goals", "a"], ["article"]),
    (["delete", "none"], []),
    (["apply", ""], []),  # files are the shell's
    (["keys", ""], ["rotate"]),
    (["completion", ""], ["bash", "zsh"]),
    (["vote", "us-goals", "--v"], ["--version", "--voter"]),
    (["get", "--voter"], []),
    (["--color", "a"], ["auto", "always"]),
    (["list", "--state", ""], ["open", "closed", "scheduled"]),
    (["list", "--state=c"], ["--state=closed"]),
    (["list", "--state", "=", "c"], ["closed"]),  # as bash cuts the word
    (["list", "--state", "="], ["open", "closed", "scheduled"]),
    (["--color", "never", "top", "--sor"], ["--sort"]),
    (["token", "--poll", "art"], ["article"]),
])
def test_bash_is_offered_what_may_stand_there(daemon, words, offered):
    assert bash(daemon, *words) == offered


def test_the_daemon_named_on_the_line_is_the_one_that_is_asked(daemon):
    other = {**environment(daemon), "TALLY_SOCKET": "/nowhere"}
    done = subprocess.run([TALLY, "completion", "words", "--", "--socket", daemon.socket, "show",
                           "arti"], env=other, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "article\tT\n")


def test_what_is_no_id_is_not_put_on_a_command_line_and_titles_obey_nothing(tmp_path):
    ids = ["$(touch x)", "a b", "a\nb", "`x`", "-a", "", "p", "a" * 129]
    answer = {"polls": [{"id": one, "title": "T\x1b[2J\nq\tr"} for one in ids], "next": None}
    stranger = Canned(tmp_path / "s", {"GET /v1/polls?limit=1000": whole(answer)})
    done = subprocess.run([TALLY, "completion", "words", "--", "--socket", tmp_path / "s", "show",
                           ""], capture_output=True, timeout=60)
    stranger.end()
    assert (done.returncode, done.stdout) == (0, b"p\tT?[2J?q?r\n")


def test_without_a_daemon_nothing_is_offered_and_nothing_said(daemon):
    gone = {**environment(daemon), "TALLY_SOCKET": "/nowhere"}
    done = subprocess.run([TALLY, "completion", "words", "--", "show", ""], env=gone,
                          capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def plain(shown):
    """Without what moves the cursor."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|[\b\r\a]", "", shown)


def zsh(daemon, typed, wanted):
    """Types into a zsh on a terminal, and reads until it shows what is wanted."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe("zsh", ["zsh", "-f", "-i"], environment(daemon))
    shown = ""
    try:
        setup = ('autoload -Uz compinit && compinit -u -D; PROMPT="" ; '
                 'source <(tally completion zsh); echo "re""ady"\n')
        os.write(terminal, setup.encode())
        for what in ("ready", wanted):
            if what == wanted:
                os.write(terminal, typed.encode())
                shown = ""
            while not re.search(what, plain(shown)):
                ready, _, _ = select.select([terminal], [], [], 60)
                assert ready, shown
                shown += os.read(terminal, 65536).decode(errors="replace")
        return plain(shown)
    finally:
        os.close(terminal)  # which hangs up on the shell
        os.waitpid(pid, 0)


def test_zsh_completes_a_command_and_a_poll(daemon):
    zsh(daemon, "tally ret\tarti\t-end\n", r"retract +article +-end")


def test_zsh_shows_what_a_poll_is_about(daemon):
    shown = zsh(daemon, "tally show us-\t\t", r"Colon: in a title")
    assert "What are the goals?" in shown


def test_there_are_scripts_for_bash_and_zsh_alone(daemon):
    done = subprocess.run([TALLY, "completion", "fish"], env=environment(daemon),
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "bash and zsh" in done.stderr
