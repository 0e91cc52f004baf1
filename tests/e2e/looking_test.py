"""tally top, chart, and what history and watch draw on a terminal."""
import os

import pytest

import client
from client import tally
from fake import Canned, whole

BARS = "▁▂▃▄▅▆▇█"


def terminal(folder, *args, locale="C.UTF-8", **how):
    return client.Terminal("--socket", os.path.join(folder, "s"), *args, LC_ALL=locale,
                           TERM="xterm", NO_COLOR="1", **how)


def on_terminal(folder, *args, **how):
    with terminal(folder, *args, **how) as one:
        out = one.rest()
        assert one.run.wait(client.ENDS_WITHIN_S) == 0
        return out


@pytest.fixture(name="canned")
def fixture_canned(tmp_path):
    made = []

    def make(answers):
        made.append(Canned(tmp_path / "s", answers))
        return made[0]

    yield make
    for one in made:
        one.end()


# top

ROWS = [{"id": "many", "kind": "rating", "title": "Первая статья", "state": "open", "votes": 100,
         "rating": 4.9, "score": 4.84},
        {"id": "c", "kind": "choice", "title": "Which of\nthese is it?", "state": "closed",
         "votes": 7, "score": None}]


def test_top_is_a_table_of_the_best(canned, tmp_path):
    canned({"GET /v1/top": whole({"top": ROWS})})
    ran = tally(tmp_path, "top")
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert ran.stdout.decode() == (
        "ID    KIND    STATE   VOTES  RATING  SCORE  TITLE\n"
        "many  rating  open      100     4.9   4.84  Первая статья\n"
        "c     choice  closed      7       -      -  Which of?these is it?\n")


def test_top_asks_for_what_its_options_say(canned, tmp_path):
    query = "sort=rating&min_votes=5&kind=rating&state=open&limit=3&prefix=a%2Fb"
    canned({"GET /v1/top?" + query: whole({"top": []})})
    ran = tally(tmp_path, "top", "--prefix", "a/b", "--limit", "3", "--state", "open", "--kind",
                "rating", "--min-votes", "5", "--sort", "rating")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.decode() == "ID  KIND  STATE  VOTES  RATING  SCORE  TITLE\n"


def test_on_a_terminal_a_title_ends_with_the_line(canned, tmp_path):
    canned({"GET /v1/top": whole({"top": ROWS})})
    out = on_terminal(tmp_path, "top", columns=60)
    assert max(map(len, out.splitlines())) <= 60
    assert out.splitlines()[2].endswith("Which of?these")


def test_so_does_one_in_a_list(canned, tmp_path):
    canned({"GET /v1/polls?limit=1000": whole({"polls": ROWS, "next": None})})
    out = on_terminal(tmp_path, "list", columns=50)
    assert [line[29:] for line in out.splitlines()] == [
        "TITLE", "Первая статья", "Which of?these is it?"]
    narrow = on_terminal(tmp_path, "list", columns=40)
    assert [line[29:] for line in narrow.splitlines()] == ["TITLE", "Первая", "Which"]


def test_top_shows_what_the_daemon_says(daemon):
    for name, carried in (("one", [0, 0, 0, 0, 1]), ("many", [0, 0, 0, 10, 90]),
                          ("bad", [20, 0, 0, 0, 0])):
        daemon.poll(name, kind="rating", carried=carried)
    ran = tally(daemon.folder, "top")
    lines = ran.stdout.decode().splitlines()
    assert [line.split()[:6] for line in lines[1:]] == [
        ["many", "rating", "open", "100", "4.9", "4.84"],
        ["one", "rating", "open", "1", "5", "4.32"],
        ["bad", "rating", "open", "20", "1", "2.09"]]
    assert tally(daemon.folder, "top", "--sort", "best").returncode == 6


@pytest.mark.parametrize("args", [["--limit", "x"], ["--min-votes", "-1"], ["p"],
                                  ["--limit", "99999999999999999999"]])
def test_a_number_that_is_none_is_wrong_usage(tmp_path, args):
    assert tally(tmp_path, "top", *args).returncode == 2


# chart

PICTURE = bytes(range(256)) * 100


@pytest.mark.parametrize("name, args, asked", [
    ("F.svg", [], "chart.svg"), ("F.png", [], "chart.png"), ("a.png/F.SVG", [], "chart.svg"),
    ("F.png", ["--theme", "dark", "--of", "history", "--width", "1200"],
     "chart.png?theme=dark&width=1200&of=history")])
def test_a_chart_is_the_picture_that_its_name_says(canned, tmp_path, name, args, asked):
    canned({f"GET /v1/polls/p/{asked}": whole(PICTURE)})
    (tmp_path / "a.png").mkdir()
    ran = tally(tmp_path, "chart", "p", "-o", name, *args)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")
    assert (tmp_path / name).read_bytes() == PICTURE


def test_a_picture_that_is_refused_or_cut_leaves_the_file_as_it_was(canned, tmp_path):
    problem = whole({"type": "/problems/not-implemented", "status": 501, "title": "No",
                     "detail": "PNG is not built in"}, b"501 Not Implemented")
    canned({"GET /v1/polls/p/chart.png": problem,
            "GET /v1/status": whole({}, b"403 Forbidden"), "GET /metrics": whole({}),
            "GET /v1/polls/p/chart.svg": whole(PICTURE)[:-1]})
    for name, status in (("F.png", 1), ("F.svg", 3)):
        (tmp_path / name).write_bytes(b"old")
        ran = tally(tmp_path, "chart", "p", "-o", name)
        assert ran.returncode == status
        assert len(ran.stderr.splitlines()) == 2
        assert (tmp_path / name).read_bytes() == b"old"
    assert sorted(os.listdir(tmp_path)) == ["F.png", "F.svg", "s"]


@pytest.mark.parametrize("args", [
    ["p"], ["p", "-o", "F"], ["p", "-o", "F.gif"], ["p", "-o", "svg"], ["p", "-o", "-"], ["-o", "F.svg"],
    ["p", "-o", "F.svg", "--theme", "<"], ["p", "-o", "F.svg", "--of", "votes"],
    ["p", "-o", "F.svg", "--width", "wide"]])
def test_a_chart_that_cannot_be_is_wrong_usage(tmp_path, args):
    ran = tally(tmp_path, "chart", *args)
    assert ran.returncode == 2
    assert os.listdir(tmp_path) == []


# history

HISTORY = {"id": "p", "step": 3600, "points": [
    {"at": "2026-11-23T08:00:00Z", "votes": [0, 1]},
    {"at": "2026-11-23T10:00:00Z", "votes": [7, 2]},
    {"at": "2026-11-23T10:20:00Z", "votes": [7, 3]}]}
ANSWERS = {"GET /v1/polls/p/history?step=3600": whole(HISTORY),
           "GET /v1/polls/p/tally": whole({"id": "p", "options": [
               {"option": 1, "label": "Да"}, {"option": 2, "label": "\x1b[31mNo"}]})}


def test_on_a_terminal_a_history_has_bars(canned, tmp_path):
    canned(ANSWERS)
    out = on_terminal(tmp_path, "history", "p")
    assert out.split("\n\n")[1].splitlines() == ["Да       ▁▁▁█", "?[31mNo  ▂▂▂▄"]


def test_a_pipe_and_an_ascii_terminal_get_none(canned, tmp_path):
    canned(ANSWERS)
    piped = tally(tmp_path, "history", "p").stdout.decode()
    plain = on_terminal(tmp_path, "history", "p", locale="C")
    for out in (piped, plain):
        assert len(out.splitlines()) == 4
        assert not set(out) & set(BARS)


# watch


def test_on_a_terminal_a_watch_tells_how_fast_votes_come(daemon):
    daemon.poll("p")
    daemon.vote("p", 1, "before")
    with terminal(daemon.folder, "watch", "p") as screen:
        screen.until(b"0 votes/min (0 in ")
        for voter in "abc":
            daemon.vote("p", 2, voter)
        screen.until(b" votes/min (3 in ")
