"""tally, the client, against a server that plays canned answers of the contract.

The binary is named by the environment variable TALLY. No test waits: Retry-After is 0 wherever a
vote is sent again, and nothing is asserted about time.
"""

import http.server
import json
import os
import signal
import socketserver
import subprocess
import threading

import pytest

from client import ENDS_WITHIN_S, EVERYWHERE, TALLY, on_terminal

LABELS = ("U.S. wants to establish partnership relations with Russia", "wants to deter", "Распад", "同盟")


def choice(votes=(33, 30, 24, 21), shown=("31%", "28%", "22%", "19%"), **more):
    total = sum(votes)
    options = [
        {"option": i + 1, "label": LABELS[i], "votes": v, "percent": 0,
         "share": round(v / total, 6) if total else 0, "shown": s}
        for i, (v, s) in enumerate(zip(votes, shown))
    ]
    tally = {"id": "goals", "kind": "choice", "state": "open", "title": "Which goals?",
             "votes": total, "voters": total, "carried": 0, "options": options, "version": 1,
             "updated_at": "2026-11-23T08:40:12Z"}
    return {**tally, **more}


def rating(votes=2, mean=5, **more):
    tally = {"id": "article", "kind": "rating", "state": "open", "title": "Rate it",
             "votes": votes, "voters": votes, "carried": votes, "rating": mean, "scale": 5,
             "options": [], "version": 1, "updated_at": "2026-11-23T08:40:12Z"}
    return {**tally, **more}


def problem(status, slug, detail=None, **more):
    return status, {"type": "/problems/" + slug, "title": slug, "status": status,
                    **({"detail": detail} if detail else {}), **more}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        fake = self.server.fake
        fake.requests.append((self.command, self.path, dict(self.headers), body))
        answers = fake.answers.get((self.command, self.path), [problem(404, "no-such-poll")])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer is None:  # hangs up without an answer
            self.close_connection = True
            return
        status, content, *fields = answer
        raw = content if isinstance(content, bytes) else json.dumps(
            content, ensure_ascii=False, separators=(",", ":")).encode()
        self.send_response(status)
        for name, value in (fields[0] if fields else {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        if status != 204:
            self.wfile.write(raw)

    do_GET = do_PUT = do_PATCH = do_POST = do_DELETE = answer

    def address_string(self):
        return "a client"

    def log_message(self, *args):
        pass


class TcpServer(http.server.ThreadingHTTPServer):
    daemon_threads = True


class UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


class Fake:
    """A server that plays `answers[METHOD, PATH]`, the last of them for ever."""

    def __init__(self, server):
        self.answers = {}
        self.requests = []
        self.server = server
        server.fake = self
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    def play(self, method, path, *answers):
        self.answers[method, path] = list(answers)

    def end(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def tcp():
    fake = Fake(TcpServer(("127.0.0.1", 0), Handler))
    fake.url = "http://127.0.0.1:%d" % fake.server.server_address[1]
    yield fake
    fake.end()


@pytest.fixture
def unix(tmp_path):
    fake = Fake(UnixServer(str(tmp_path / "s"), Handler))
    fake.path = str(tmp_path / "s")
    yield fake
    fake.end()


def tally(*args, stdin="", **env):
    return subprocess.run([TALLY, *args], env={**EVERYWHERE, **env}, input=stdin.encode(),
                          capture_output=True, timeout=ENDS_WITHIN_S)


def lines(raw):
    return raw.decode().splitlines()


# Exit statuses


@pytest.mark.parametrize("status, slug, exit_status", [
    (401, "unauthorized", 4), (403, "forbidden", 4), (403, "results-hidden", 4),
    (404, "no-such-poll", 5), (409, "poll-closed", 6), (412, "exists", 6), (422, "invalid", 6),
    (400, "malformed", 1), (413, "too-large", 1), (500, "anything", 1), (501, "not-implemented", 1),
])
def test_a_refusal_ends_with_the_exit_status_of_its_kind_and_two_lines(tcp, status, slug,
                                                                       exit_status):
    tcp.play("PATCH", "/v1/polls/p", problem(status, slug, "What it is"))
    done = tally("close", "p", "--url", tcp.url)
    assert done.returncode == exit_status
    assert done.stdout == b""
    said = lines(done.stderr)
    assert said[0] == "tally: p: What it is"
    assert len(said) == 2 and said[1].startswith("tally: ")


@pytest.mark.parametrize("args", [
    ["get", "p", "--socket", "/nonexistent/s"],
    ["get", "p", "q", "--socket", "/nonexistent/s"],
    ["get", "p", "--url", "http://127.0.0.1:1"],
    ["vote", "p", "1", "--no-retry", "--socket", "/nonexistent/s"],
])
def test_a_daemon_that_is_not_there_is_3(args):
    done = tally(*args)
    assert done.returncode == 3
    assert len(lines(done.stderr)) == 2


def test_an_answer_that_never_came_is_3(tcp):
    tcp.play("GET", "/v1/polls/p/tally", None)
    assert tally("get", "p", "--url", tcp.url).returncode == 3


@pytest.mark.parametrize("content", [b"<html>", b"", b"[1]", b'{"a":1}x', b'{"a":\xff}', b"{" * 99,
                                     b'{"a":01}', b'{"a":1.}', b'{"a":-}', b'{"a":1e}', b'{"a":1,}',
                                     b'{"a"}', b'{"a":"\\x"}', b'{"a":"\\u12g4"}', b'{"a":"\n"}',
                                     b'{"a":[1 2]}', b'{"a":[}', b'{"a":tru}', b'{a:1}', b'{"a":"'])
def test_an_answer_that_is_no_json_object_is_1(tcp, content):
    tcp.play("GET", "/v1/polls/p/tally", (200, content))
    done = tally("get", "p", "--url", tcp.url)
    assert (done.returncode, done.stdout) == (1, b"")


def test_a_gateway_that_answers_html_is_1_and_names_the_status(tcp):
    tcp.play("GET", "/v1/polls/p/tally", (502, b"<html>"))
    done = tally("get", "p", "--url", tcp.url)
    assert done.returncode == 1
    assert "502" in lines(done.stderr)[0]


@pytest.mark.parametrize("args", [
    [], ["get"], ["get", ""], ["get", "a\x01b"], ["get", "p", "--nonsense"], ["get", "p", "-x"],
    ["get", "p", "--voter", "v"], ["vote", "p"], ["vote", "p", "x"], ["vote", "p", "1x"],
    ["vote", "p", "99999999999999999999"], ["rate", "p", "1", "2"], ["rate", "p", "4.5"],
    ["create", "p"], ["create", "p", "--title", "T"], ["create", "p", "--option", "A"],
    ["create", "p", "--title", "T", "--rating", "--option", "A"],
    ["create", "p", "--title", "T", "--rating=x"],
    ["create", "p", "--title", "T", "--title", "U", "--rating"],
    ["create", "p", "--title", "T", "--title", "ru=U", "--rating"],
    ["create", "p", "--title", "T", "--rating", "--choices", "x"],
    ["create", "p", "--title", "T", "--rating", "--revote=perhaps"],
    ["set", "p"], ["carry", "p"], ["carry", "p", "--count", "1"], ["carry", "p", "x"],
    ["carry", "p", "1", "--count", "1", "--sum", "2"], ["get", "p", "--url"],
    ["get", "p", "--url", "localhost:80"], ["get", "p", "--color", "perhaps"],
    ["get", "p", "--lang", ""],
    ["get", "p", "--lang", "r u"], ["get", "p", "--no-retry=1"], ["help", "nothing"],
    ["get", "p", "--url", "http://127.0.0.1:1", "--socket", "/s"],
])
def test_a_wrong_command_line_is_2_and_asks_nobody(args):
    done = tally(*args, TALLY_SOCKET="/nonexistent/s")
    assert done.returncode == 2, done.stderr
    assert done.stdout == b""
    assert len(lines(done.stderr)) == 2


@pytest.mark.parametrize("typed, meant", [
    ("shwo", "show"), ("vot", "vote"), ("lsit", "list"), ("creat", "create"), ("gte", "get"),
    ("retarct", "retract"), ("closed", "close"),
])
def test_an_unknown_command_names_the_nearest(typed, meant):
    done = tally(typed, "p")
    assert done.returncode == 2
    assert lines(done.stderr)[0].endswith("is it %s?" % meant)


def test_a_word_that_is_near_to_no_command_names_none():
    done = tally("elephant")
    assert done.returncode == 2
    assert "is it" not in done.stderr.decode()


@pytest.mark.parametrize("typed, meant", [
    ("--stte", "state"), ("--votr", "voter"), ("--titel=T", "title"), ("--sokcet", "socket"),
])
def test_an_unknown_option_names_the_nearest(typed, meant):
    done = tally("list", typed)
    assert done.returncode == 2
    assert lines(done.stderr)[0].endswith("is it --%s?" % meant)


def test_an_option_that_is_near_to_none_names_none():
    done = tally("list", "--elephant")
    assert done.returncode == 2
    assert lines(done.stderr)[0] == "tally: unknown option --elephant"


TO_STDOUT = [("list",), ("get", "p"), ("show", "p"), ("watch", "p"), ("watch", "p", "--count", "1"),
             ("export", "p"), ("export", "p", "-o", "-"), ("status",), ("status", "--watch"),
             ("verify",), ("token",), ("help",), ("--help",), ("vote", "--help"), ("--version",),
             ("completion", "bash")]


def run_into(stdout, daemon, *args, **how):
    return subprocess.run([TALLY, "--socket", daemon.socket, *args], env=EVERYWHERE, stdout=stdout,
                          stderr=subprocess.PIPE, timeout=ENDS_WITHIN_S, check=False, **how)


@pytest.mark.parametrize("args", TO_STDOUT)
def test_a_full_disk_behind_stdout_is_1_and_told_once(daemon, args):
    daemon.poll("p")
    daemon.vote("p", 1, "v")
    with open("/dev/full", "wb") as full:
        done = run_into(full, daemon, *args)
    assert done.returncode == 1
    assert lines(done.stderr) == ["tally: cannot write to stdout: No space left on device",
                                  "tally: mend that and try again"]


@pytest.mark.parametrize("ignored", [False, True])
@pytest.mark.parametrize("args", TO_STDOUT)
def test_a_pipe_that_nobody_reads_any_more_ends_it_silently_as_others(daemon, args, ignored):
    """Also below a parent that ignores SIGPIPE, as many a supervisor does."""
    daemon.poll("p")
    daemon.vote("p", 1, "v")
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as pipe:
        done = run_into(pipe, daemon, *args, restore_signals=not ignored)
    assert (done.returncode, done.stderr) == (-signal.SIGPIPE, b"")


# Help


def test_help_names_each_command_and_each_global_option():
    done = tally("help")
    text = done.stdout.decode()
    assert done.returncode == 0
    for word in ("create set apply vote rate retract get show watch list open close delete carry "
                 "import export history top chart token keys audit void forget verify "
                 "backup status completion help "
                 "--url --socket --token-file --color --no-retry --lang").split():
        assert word in text, word
    assert tally("--help").stdout == tally("-h").stdout == done.stdout


def test_help_of_a_command_shows_its_own_options():
    done = tally("help", "vote")
    assert "--voter V" in done.stdout.decode()
    assert "--title" not in done.stdout.decode()
    assert tally("vote", "--help").stdout == done.stdout


@pytest.mark.parametrize("command, words", [
    ("import", ["--format", "FILE.rejects", "poll,options,voter"]),
    ("export", ["--all", "-o F"]), ("watch", ["--count N", "30 s"]), ("history", ["--step TIME"]),
    ("token", ["--voter V", "--poll ID", "--expires TIME", "TOKEN=$(tally token"]),
    ("keys", ["rotate"]), ("audit", ["JSON"]), ("forget", ["--voter V", "Backups"]),
    ("void", ["--address-group HEX", "--from TIME", "--to TIME", "--dry-run"]),
    ("top", ["--sort WHAT", "--min-votes N", "--limit N", "--prefix P", "10 votes"]),
    ("chart", ["-o F", "--theme THEME", "--width N", "--of WHAT", "PNG"]),
    ("backup", ["backup_dir"]), ("verify", ["mismatch"]), ("status", ["--watch"]),
])
def test_help_of_a_command_says_what_it_does_and_takes(command, words):
    text = tally("help", command).stdout.decode()
    for word in words:
        assert word in text, word
    assert max(map(len, text.splitlines())) <= 100


def test_version_is_one_line():
    done = tally("--version")
    assert done.returncode == 0
    assert len(lines(done.stdout)) == 1 and lines(done.stdout)[0].startswith("tally ")


# Where the daemon is


def test_the_unix_socket_is_asked_by_option_and_by_environment(unix):
    unix.play("GET", "/v1/polls/p/tally", (200, choice()))
    assert tally("--socket", unix.path, "get", "p").returncode == 0
    assert tally("get", "p", TALLY_SOCKET=unix.path).returncode == 0
    assert len(unix.requests) == 2
    assert unix.requests[0][2]["Host"] == "localhost"


@pytest.mark.parametrize("asked, args, env", [
    ("tcp", ["--url", "URL"], {"TALLY_SOCKET": "SOCKET"}),
    ("tcp", [], {"TALLY_URL": "URL", "TALLY_SOCKET": "SOCKET"}),
    ("unix", ["--socket", "SOCKET"], {"TALLY_URL": "URL"}),
    ("unix", ["--socket=SOCKET"], {"TALLY_URL": "URL", "TALLY_SOCKET": "/nonexistent"}),
    ("unix", [], {"TALLY_URL": "", "TALLY_SOCKET": "SOCKET"}),
])
def test_an_option_beats_the_environment_and_a_url_beats_a_socket(tcp, unix, asked, args, env):
    def fill(text):
        return text.replace("URL", tcp.url).replace("SOCKET", unix.path)

    tally("get", "p", *map(fill, args), **{k: fill(v) for k, v in env.items()})
    assert (len(tcp.requests), len(unix.requests)) == ((1, 0) if asked == "tcp" else (0, 1))


def test_a_url_may_have_a_path_of_its_own(tcp):
    tally("get", "p", "--url", tcp.url + "/tally/")
    assert tcp.requests[0][1] == "/tally/v1/polls/p/tally"


def test_options_stand_anywhere_and_end_at_two_dashes(tcp):
    for args in (["--url", tcp.url, "get", "p"], ["get", "--url", tcp.url, "p"],
                 ["get", "p", "--url=" + tcp.url], ["--url", tcp.url, "get", "--", "-p"]):
        tally(*args)
    assert [r[1] for r in tcp.requests] == ["/v1/polls/p/tally"] * 3 + ["/v1/polls/-p/tally"]


@pytest.mark.parametrize("poll, path", [
    ("a/b", "a%2Fb"), ("..", ".."), ("a b?c#d", "a%20b%3Fc%23d"), ("é", "%C3%A9"), ("a~b._-", "a~b._-"),
])
def test_an_id_is_one_segment_of_the_path(tcp, poll, path):
    tally("get", poll, "--url", tcp.url)
    assert tcp.requests[0][1] == "/v1/polls/%s/tally" % path


@pytest.mark.parametrize("env, args, language", [
    ({"LC_ALL": "ru_RU.UTF-8", "LANG": "de_DE"}, [], "ru-RU"),
    ({"LC_ALL": "", "LC_MESSAGES": "fr", "LANG": "de_DE"}, [], "fr"),
    ({"LC_ALL": "", "LANG": "de_DE@euro"}, [], "de-DE"),
    ({"LC_ALL": "C.UTF-8", "LANG": "de_DE"}, [], None),
    ({"LC_ALL": "POSIX"}, [], None),
    ({"LC_ALL": "ru_RU"}, ["--lang", "pt-BR"], "pt-BR"),
])
def test_labels_are_asked_for_in_the_locale_s_language(tcp, env, args, language):
    tally("get", "p", "--url", tcp.url, *args, **env)
    assert tcp.requests[0][2].get("Accept-Language") == language


def test_a_token_comes_from_a_file_and_an_option_beats_the_environment(tcp, tmp_path):
    (tmp_path / "a").write_text("one\nrest\n")
    (tmp_path / "b").write_text(" two \r\n")
    for name in "ab":
        (tmp_path / name).chmod(0o640)
    tally("get", "p", "--url", tcp.url, TALLY_TOKEN_FILE=str(tmp_path / "a"))
    tally("get", "p", "--url", tcp.url, "--token-file", str(tmp_path / "b"),
          TALLY_TOKEN_FILE=str(tmp_path / "a"))
    assert [r[2]["Authorization"] for r in tcp.requests] == ["Bearer one", "Bearer two"]


@pytest.mark.parametrize("content", [None, b"", b"\n", b"a b\n", b"a\x01\n"])
def test_a_token_file_without_a_token_is_1(tcp, tmp_path, content):
    if content is not None:
        (tmp_path / "t").write_bytes(content)
        (tmp_path / "t").chmod(0o600)
    done = tally("get", "p", "--url", tcp.url, "--token-file", str(tmp_path / "t"))
    assert done.returncode == 1
    assert tcp.requests == []


# Polls


def test_create_sends_the_definition_and_only_creates(tcp):
    tcp.play("PUT", "/v1/polls/p", (201, {"id": "p"}))
    done = tally("create", "p", "--title", 'A "B"', "--option", "Да", "--option", "No", "--url",
                 tcp.url, "--opens", "none", "--closes", "2026-12-01T00:00:00+01:00", "--choices",
                 "2", "--revote", "--results", "after_vote", "--voters", "address",
                 "--per-address", "3", "--again-after", "86400")
    assert (done.returncode, done.stdout) == (0, b"created: p\n")
    method, path, fields, body = tcp.requests[0]
    assert fields["If-None-Match"] == "*"
    assert fields["Content-Type"] == "application/json"
    assert json.loads(body) == {
        "title": 'A "B"', "options": [{"label": "Да"}, {"label": "No"}], "opens_at": None,
        "closes_at": "2026-12-01T00:00:00+01:00", "max_choices": 2, "revote": True,
        "results": "after_vote", "voters": "address", "per_address": 3, "again_after": 86400}


@pytest.mark.parametrize("args, members", [
    (["--rating"], {"title": "T", "kind": "rating"}),
    (["--rating=10"], {"title": "T", "kind": "rating", "scale": 10}),
])
def test_a_rating_may_name_its_scale(tcp, args, members):
    tcp.play("PUT", "/v1/polls/p", (201, {"id": "p"}))
    tally("create", "p", "--title", "T", *args, "--url", tcp.url)
    assert json.loads(tcp.requests[0][3]) == members


@pytest.mark.parametrize("titles, title", [
    (["ru=Да", "en=Yes"], {"ru": "Да", "en": "Yes"}),
    (["pt-BR=a=b"], {"pt-BR": "a=b"}),
    (["1+1=2"], "1+1=2"), (["x=2"], "x=2"), (["is it = 2"], "is it = 2"), (["=2"], "=2"),
])
def test_a_title_with_a_language_in_front_makes_a_map(tcp, titles, title):
    tcp.play("PATCH", "/v1/polls/p", (200, {"id": "p"}))
    args = [word for t in titles for word in ("--title", t)]
    done = tally("set", "p", *args, "--url", tcp.url)
    assert done.stdout == b"set: p\n"
    assert json.loads(tcp.requests[0][3]) == {"title": title}
    assert tcp.requests[0][2]["Content-Type"] == "application/merge-patch+json"


def test_create_of_an_id_that_exists_is_refused(tcp):
    tcp.play("PUT", "/v1/polls/p", problem(412, "exists", "There is a poll with this id"))
    assert tally("create", "p", "--title", "T", "--rating", "--url", tcp.url).returncode == 6


@pytest.mark.parametrize("command, request_line, body, done", [
    ("open", ("PATCH", "/v1/polls/p"), b'{"state":"open"}', b"opened: p\n"),
    ("close", ("PATCH", "/v1/polls/p"), b'{"state":"closed"}', b"closed: p\n"),
    ("delete", ("DELETE", "/v1/polls/p"), b"", b"deleted: p\n"),
])
def test_open_close_and_delete(tcp, command, request_line, body, done):
    tcp.play(*request_line, (204, b"") if command == "delete" else (200, {"id": "p"}))
    ran = tally(command, "p", "--url", tcp.url)
    assert (ran.returncode, ran.stdout) == (0, done)
    assert (*tcp.requests[0][:2], tcp.requests[0][3]) == (*request_line, body)


@pytest.mark.parametrize("args, body", [
    (["33", "30"], {"votes": [33, 30]}),
    (["33", "30", "--voters", "40"], {"votes": [33, 30], "voters": 40}),
    (["--count", "2", "--sum", "10"], {"count": 2, "sum": 10}),
    (["9223372036854775807", "0"], {"votes": [9223372036854775807, 0]}),
])
def test_carry_sends_both_forms_and_shows_the_tally(tcp, args, body):
    tcp.play("PUT", "/v1/polls/p/carried", (200, choice()))
    done = tally("carry", "p", *args, "--url", tcp.url)
    assert done.stdout == b"carried: p  33 (31%) 30 (28%) 24 (22%) 21 (19%)\n"
    assert json.loads(tcp.requests[0][3]) == body


def test_apply_sends_each_definition_as_it_is_written(tcp, tmp_path):
    first = '{ "id":"a", "title":"T, ]}\\"", "carried":[9223372036854775807, 1.0] }'
    second = '{"id":"b","tags":{}}'
    (tmp_path / "f").write_text(' {"x":[1], "polls" : [ %s ,\n %s ] }\n' % (first, second))
    tcp.play("PUT", "/v1/polls/a", (201, {"id": "a"}))
    tcp.play("PUT", "/v1/polls/b", (200, {"id": "b"}))
    done = tally("apply", str(tmp_path / "f"), "--url", tcp.url)
    assert (done.returncode, done.stdout) == (0, b"created: a\nreplaced: b\n")
    assert [r[3].decode() for r in tcp.requests] == [first, second]
    assert "If-None-Match" not in tcp.requests[0][2]


def test_apply_reads_one_definition_from_stdin(tcp):
    tcp.play("PUT", "/v1/polls/a", (201, {"id": "a"}))
    done = tally("apply", "-", "--url", tcp.url, stdin='\n{"id":"a","title":"T"}\n')
    assert done.stdout == b"created: a\n"


def test_apply_if_absent_leaves_what_is_there(tcp):
    tcp.play("PUT", "/v1/polls/a", problem(412, "exists"))
    tcp.play("PUT", "/v1/polls/b", (201, {"id": "b"}))
    done = tally("apply", "--if-absent", "-", "--url", tcp.url,
                 stdin='{"polls":[{"id":"a"},{"id":"b"}]}')
    assert (done.returncode, done.stdout) == (0, b"is there: a\ncreated: b\n")
    assert tcp.requests[0][2]["If-None-Match"] == "*"


def test_apply_goes_on_behind_a_refusal_and_ends_with_its_status(tcp):
    tcp.play("PUT", "/v1/polls/a", problem(422, "invalid", "Something is wrong", errors=[
        {"pointer": "/options/3", "detail": "no label"}]))
    tcp.play("PUT", "/v1/polls/b", (201, {"id": "b"}))
    done = tally("apply", "-", "--url", tcp.url, stdin='{"polls":[{"id":"a"},{"id":"b"}]}')
    assert (done.returncode, done.stdout) == (6, b"created: b\n")
    assert lines(done.stderr)[0] == "tally: a: Something is wrong; /options/3: no label"


@pytest.mark.parametrize("error, says", [
    ({"parameter": "step", "detail": "must be more"}, "step: must be more"),
    ({"pointer": "", "detail": "must be more"}, "must be more"),
])
def test_what_is_wrong_is_said_once(tcp, error, says):
    tcp.play("PUT", "/v1/polls/a", problem(422, "invalid", "must be more", errors=[error]))
    done = tally("apply", "-", "--url", tcp.url, stdin='{"id":"a"}')
    assert lines(done.stderr)[0] == f"tally: a: {says}"


@pytest.mark.parametrize("text, exit_status", [
    ("", 6), ("[]", 6), ("{", 6), ('{"title":"T"}', 6), ('{"polls":[{"id":""}]}', 6),
    ('{"polls":[1]}', 6), ('{"id":"a\\u0000b"}', 6),
])
def test_apply_refuses_what_is_no_definition(tcp, text, exit_status):
    assert tally("apply", "-", "--url", tcp.url, stdin=text).returncode == exit_status
    assert tcp.requests == []


def test_apply_of_a_file_that_is_not_there_is_1(tcp):
    assert tally("apply", "/nonexistent/f", "--url", tcp.url).returncode == 1


# Votes


def voted(result="counted", tally_of=None):
    return 200, {"result": result, "receipt": {"poll": "goals", "seq": 1},
                 "tally": tally_of if tally_of else choice((34, 30, 24, 21))}


@pytest.mark.parametrize("args, body", [
    (["vote", "goals", "2"], {"option": 2}),
    (["vote", "goals", "1", "3"], {"options": [1, 3]}),
    (["rate", "goals", "5"], {"rating": 5}),
    (["vote", "goals", "2", "--voter", 'a"b'], {"option": 2, "voter": 'a"b'}),
])
def test_a_vote_shows_its_result_and_the_new_tally(tcp, args, body):
    tcp.play("POST", "/v1/polls/goals/votes", voted())
    done = tally(*args, "--url", tcp.url)
    assert (done.returncode, done.stdout) == (
        0, b"counted: goals  34 (31%) 30 (28%) 24 (22%) 21 (19%)\n")
    assert done.stderr == b""
    assert json.loads(tcp.requests[0][3]) == body


@pytest.mark.parametrize("content, line", [
    ({"result": "already", "tally": rating()}, "already: p  (votes: 2, rating: 5)"),
    ({"result": "changed", "tally": rating(3, 4.67)}, "changed: p  (votes: 3, rating: 4.67)"),
    ({"result": "counted", "tally": None}, "counted: p  (results are hidden for now)"),
])
def test_a_rating_and_a_hidden_tally_have_their_own_line(tcp, content, line):
    tcp.play("POST", "/v1/polls/p/votes", (200, content))
    done = tally("rate", "p", "5", "--url", tcp.url)
    assert (done.returncode, lines(done.stdout)) == (0, [line])


def test_who_has_voted_otherwise_hears_what_stands(tcp):
    tcp.play("POST", "/v1/polls/p/votes", problem(
        409, "already-voted", "This voter has voted", standing={"options": [2, 3], "seq": 7}))
    done = tally("vote", "p", "1", "--url", tcp.url)
    assert done.returncode == 6
    assert lines(done.stderr)[0] == "tally: p: This voter has voted; what stands is 2, 3"


@pytest.mark.parametrize("first", [
    (*problem(503, "busy"), {"Retry-After": "0"}),
    (*problem(429, "rate-limited"), {"Retry-After": "0"}),
    problem(503, "outcome-unknown"),
    None,
])
def test_a_vote_without_a_verdict_is_sent_again_and_says_so(tcp, first):
    tcp.play("POST", "/v1/polls/goals/votes", first, first, voted("already"))
    done = tally("vote", "goals", "1", "--url", tcp.url)
    assert done.returncode == 0
    assert done.stdout.startswith(b"already: goals")
    assert len({r[3] for r in tcp.requests}) == 1 and len(tcp.requests) >= 3
    assert len(lines(done.stderr)) == 1 and "sending the same again" in done.stderr.decode()


@pytest.mark.parametrize("first, exit_status", [(problem(503, "busy"), 1), (None, 3)])
def test_no_retry_sends_once(unix, first, exit_status):
    unix.play("POST", "/v1/polls/p/votes", first, voted())
    done = tally("--no-retry", "vote", "p", "1", "--socket", unix.path)
    assert done.returncode == exit_status
    assert len(unix.requests) == 1


def test_a_vote_is_not_sent_again_when_the_daemon_asks_for_more_patience_than_there_is(tcp):
    tcp.play("POST", "/v1/polls/p/votes", (*problem(429, "rate-limited"), {"Retry-After": "99"}))
    assert tally("vote", "p", "1", "--url", tcp.url).returncode == 1
    assert len(tcp.requests) == 1


def test_a_read_is_not_sent_again(tcp):
    tcp.play("GET", "/v1/polls/p/tally", problem(503, "busy"), (200, choice()))
    assert tally("get", "p", "--url", tcp.url).returncode == 1
    assert len(tcp.requests) == 1


@pytest.mark.parametrize("content", [choice(), {"tally": choice()}])
def test_retract_shows_the_new_tally(tcp, content):
    tcp.play("DELETE", "/v1/polls/p/votes", (200, content))
    done = tally("retract", "p", "--voter", "v", "--url", tcp.url)
    assert done.stdout == b"retracted: p  33 (31%) 30 (28%) 24 (22%) 21 (19%)\n"
    assert json.loads(tcp.requests[0][3]) == {"voter": "v"}


def test_retract_without_a_voter_has_no_body(tcp):
    tcp.play("DELETE", "/v1/polls/p/votes", (200, {"tally": None}))
    assert tally("retract", "p", "--url", tcp.url).returncode == 0
    assert "Content-Type" not in tcp.requests[0][2] and tcp.requests[0][3] == b""


def test_a_retraction_that_was_done_unheard_is_done(tcp):
    tcp.play("DELETE", "/v1/polls/p/votes", (*problem(503, "outcome-unknown"),
                                             {"Retry-After": "0"}), problem(404, "no-such-vote"))
    assert tally("retract", "p", "--url", tcp.url).returncode == 0
    tcp.play("DELETE", "/v1/polls/p/votes", problem(404, "no-such-vote"))
    assert tally("retract", "p", "--url", tcp.url).returncode == 5


# Output


def test_get_prints_one_line_a_poll_in_a_pipe_and_misses_with_5(tcp):
    tcp.play("GET", "/v1/polls/a/tally", (200, choice()))
    tcp.play("GET", "/v1/polls/c/tally", (200, b'{ "votes" : 9223372036854775807,\n"t":"a \\" b" }\n'))
    done = tally("get", "a", "b", "c", "--url", tcp.url)
    assert done.returncode == 5
    assert lines(done.stdout)[1] == '{"votes":9223372036854775807,"t":"a \\" b"}'
    assert json.loads(lines(done.stdout)[0]) == choice()
    assert len(lines(done.stderr)) == 2


def test_a_run_keeps_its_connection(unix):
    opened = []
    accept = unix.server.get_request
    unix.server.get_request = lambda: opened.append(1) or accept()
    unix.play("GET", "/v1/polls/a/tally", (200, choice()))
    tally("get", "a", "a", "a", "--socket", unix.path)
    assert (len(unix.requests), len(opened)) == (3, 1)


def test_get_is_indented_on_a_terminal_and_sends_it_no_controls(tcp):
    tcp.play("GET", "/v1/polls/a/tally", (200, {"t": "x\x9by\x7f", "l": [1, {}], "e": []}))
    assert on_terminal("get", "a", "--url", tcp.url) == (
        '{\n  "t": "x\\u009by\\u007f",\n  "l": [\n    1,\n    {}\n  ],\n  "e": []\n}\n')


def shown(fake, definition, *args, **env):
    fake.play("GET", "/v1/polls/p", (200, definition))
    done = tally("show", "p", "--url", fake.url, *args, **env)
    assert done.returncode == 0, done.stderr
    return lines(done.stdout)


def test_show_draws_bars_as_long_as_the_share(tcp):
    definition = {"max_choices": 1, "tally": choice()}
    assert shown(tcp, definition, COLUMNS="60") == [
        "Which goals?",
        "  U.S. wants to establish  ███████                  33 (31%)",
        "  partnership relations",
        "  with Russia",
        "  wants to deter           ██████▍                  30 (28%)",
        "  Распад                   █████▏                   24 (22%)",
        "  同盟                     ████▌                    21 (19%)",
        "(votes: 108)",
    ]


def test_show_is_ascii_in_an_ascii_locale_but_labels_are_as_given(tcp):
    out = shown(tcp, {"max_choices": 1, "tally": choice()}, COLUMNS="60", LC_ALL="C")
    assert out[4] == "  wants to deter           ######                   30 (28%)"
    assert out[5].startswith("  Распад    ")
    assert not any(block in "".join(out) for block in "█▉▊▋▌▍▎▏")


@pytest.mark.parametrize("columns", ["20", "30", "45", "80", "132", "500"])
def test_no_line_is_wider_than_the_terminal(tcp, columns):
    import unicodedata
    for line in shown(tcp, {"max_choices": 1, "tally": choice()}, COLUMNS=columns):
        cells = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)
        assert cells <= int(columns), line


def test_a_pipe_is_80_wide_and_a_terminal_as_wide_as_it_is(tcp):
    definition = {"max_choices": 1, "tally": choice()}
    widest = max(map(len, shown(tcp, definition)))
    assert widest == max(map(len, shown(tcp, definition, COLUMNS="80")))
    screen = on_terminal("show", "p", "--url", tcp.url, "--color", "never", columns=40,
                         COLUMNS="200")
    assert max(map(len, screen.splitlines())) <= 40


@pytest.mark.parametrize("tally_of, definition, last", [
    (choice((0, 0, 0, 0), ("0%",) * 4), {}, "(no votes yet)"),
    (choice(state="closed"), {}, "(votes: 108)  closed"),
    (choice((0, 0, 0, 0), ("0%",) * 4, state="scheduled"), {"opens_at": "2027-01-01T00:00:00Z"},
     "(no votes yet)  scheduled, opens 2027-01-01T00:00:00Z"),
    (choice(voters=60), {"max_choices": 2}, "(several answers possible, shares of 60 voters)"),
    (rating(), {}, "★★★★★  (votes: 2, rating: 5)"),
    (rating(3, 3.67), {}, "★★★★☆  (votes: 3, rating: 3.67)"),
    (rating(0, None), {}, "☆☆☆☆☆  (no votes yet)"),
    (rating(9, 1.2, scale=10, state="closed"), {}, "★☆☆☆☆☆☆☆☆☆  (votes: 9, rating: 1.2)  closed"),
])
def test_the_last_line_tells_the_votes_and_the_state(tcp, tally_of, definition, last):
    assert shown(tcp, {"max_choices": 1, **definition, "tally": tally_of})[-1] == last


def test_stars_are_ascii_in_an_ascii_locale(tcp):
    assert shown(tcp, {"tally": rating(3, 3.67)}, LC_ALL="C")[-1] == (
        "****-  (votes: 3, rating: 3.67)")


def test_show_prints_percents_as_the_daemon_does_and_a_tiny_share_is_seen(tcp):
    tally_of = choice((999, 1, 0, 0), (">99%", "<1%", "0%", "0%"))
    out = shown(tcp, {"max_choices": 1, "tally": tally_of})
    assert any(line.endswith("999 (>99%)") for line in out)
    assert any("▏" in line and line.endswith(" 1 (<1%)") for line in out)


def test_show_of_hidden_results_is_4(tcp):
    tcp.play("GET", "/v1/polls/p", (200, {"id": "p", "tally": None}))
    done = tally("show", "p", "--url", tcp.url)
    assert (done.returncode, done.stdout) == (4, b"")


def test_controls_from_the_daemon_never_reach_the_terminal(tcp):
    tally_of = choice(title="a\x1b]0;x\x07b\x9bc\u2028d")
    tally_of["options"][0]["label"] = "\x1b[31mred"
    out = "\n".join(shown(tcp, {"max_choices": 1, "tally": tally_of}))
    assert "a?]0;x?b?c?d" in out
    assert not any(ord(c) < 32 and c != "\n" or 127 <= ord(c) < 160 for c in out)
    tcp.play("GET", "/v1/polls/p", problem(404, "x", "\x1b[2J"))
    assert b"\x1b" not in tally("show", "p", "--url", tcp.url).stderr


@pytest.mark.parametrize("args, env, colored", [
    ([], {}, True), ([], {"NO_COLOR": "1"}, False), ([], {"NO_COLOR": ""}, True),
    ([], {"TERM": "dumb"}, False), (["--color", "never"], {}, False),
    (["--color=always"], {"NO_COLOR": "1"}, True),
])
def test_colour_is_for_terminals_unless_somebody_says_otherwise(tcp, args, env, colored):
    tcp.play("GET", "/v1/polls/p", (200, {"max_choices": 1, "tally": choice()}))
    out = on_terminal("show", "p", "--url", tcp.url, *args, **{"TERM": "xterm", **env})
    assert ("\x1b[" in out) == colored


def test_a_pipe_gets_colour_only_when_asked(tcp):
    definition = {"max_choices": 1, "tally": choice()}
    assert "\x1b" not in "".join(shown(tcp, definition))
    assert "\x1b" in "".join(shown(tcp, definition, "--color", "always"))


def test_show_of_several_puts_an_empty_line_between(tcp):
    tcp.play("GET", "/v1/polls/a", (200, {"tally": rating()}))
    tcp.play("GET", "/v1/polls/b", (200, {"tally": rating()}))
    done = tally("show", "a", "b", "--url", tcp.url)
    assert lines(done.stdout).count("") == 1
    one = tally("show", "b", "--url", tcp.url).stdout
    done = tally("show", "nothing", "b", "nothing", "--url", tcp.url)
    assert (done.returncode, done.stdout) == (5, one)


def test_list_pages_through_all_polls(tcp):
    first = {"id": "a", "kind": "choice", "title": "One", "state": "open", "votes": 108}
    second = {"id": "long-id", "kind": "rating", "title": "Zwei", "state": "closed", "votes": None}
    path = "/v1/polls?limit=1000&kind=choice&state=open"
    tcp.play("GET", path, (200, {"polls": [first], "next": "a+b"}))
    tcp.play("GET", path + "&after=a%2Bb", (200, {"polls": [second], "next": None}))
    done = tally("list", "--kind", "choice", "--state", "open", "--url", tcp.url)
    assert done.returncode == 0
    assert lines(done.stdout) == [
        "ID  KIND    STATE  VOTES  TITLE",
        "a   choice  open     108  One",
        "long-id  rating  closed      -  Zwei",
    ]


def test_list_of_nothing_has_its_headings(tcp):
    tcp.play("GET", "/v1/polls?limit=1000", (200, {"polls": [], "next": None}))
    done = tally("list", "--url", tcp.url)
    assert (done.returncode, lines(done.stdout)) == (0, ["ID  KIND  STATE  VOTES  TITLE"])
