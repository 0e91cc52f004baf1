"""Pictures: what they show, how they are kept, and who may not see them."""
import os
import re
import shutil
import struct
import xml.etree.ElementTree
import zlib

import pytest

import harness
from waiting_test import waiting_for_sure

SVG = "{http://www.w3.org/2000/svg}"
HAS_PNG = os.environ["TALLYD_CAIRO"] == "1"
only_with_png = pytest.mark.skipif(not HAS_PNG, reason="built without cairo")
CARRIED = [33, 30, 24, 21]


@pytest.fixture
def goals(daemon):
    daemon.poll("goals", title={"en": "Goals?", "ru": "Цели?"}, carried=CARRIED,
                options=[{"label": {"en": f"Answer {i}", "ru": f"Ответ {i}"}} for i in range(4)])
    return daemon


def svg(daemon, path, **fields):
    answer = daemon.public("GET", f"/v1/polls/{path}", fields=fields)
    assert answer.status == 200, answer
    assert answer.fields["content-type"] == "image/svg+xml"
    return xml.etree.ElementTree.fromstring(answer.body)


def texts(root):
    return [element.text for element in root.iter(SVG + "text")]


def pixels(body):
    """Width, height and the rows of an RGB PNG, unfiltered only as far as comparing needs."""
    assert body[:8] == b"\x89PNG\r\n\x1a\n"
    at, data, size = 8, b"", None
    while at < len(body):
        length, kind = struct.unpack(">I4s", body[at:at + 8])
        if kind == b"IHDR":
            size = struct.unpack(">II", body[at + 8:at + 16])
        if kind == b"IDAT":
            data += body[at + 8:at + 8 + length]
        at += length + 12
    return (*size, zlib.decompress(data))


def test_the_figures_are_those_of_the_api(goals):
    goals.vote("goals", 2, "anna")
    tally = goals.tally("goals")
    root = svg(goals, "goals/chart.svg")
    shown = texts(root)
    for option in tally["options"]:
        assert f"{option['votes']} ({option['shown']})" in shown
        assert option["label"] in shown
    bars = [float(rect.get("width")) for rect in root.iter(SVG + "rect")
            if rect.get("fill") == "#2563c9"]
    track = [float(rect.get("width")) for rect in root.iter(SVG + "rect")
             if rect.get("fill") == "#e7ebf0"][0]
    for bar, option in zip(bars, tally["options"], strict=True):
        assert bar / track == pytest.approx(option["share"], abs=1e-4)


def test_a_rating_shows_its_mean_and_how_the_stars_were_given(daemon):
    daemon.poll("r", kind="rating", carried=[0, 0, 0, 0, 2])
    daemon.admin("POST", "/v1/polls/r/votes", {"rating": 4, "voter": "anna"})
    shown = texts(svg(daemon, "r/chart.svg"))
    assert "(votes: 3, rating: 4.67)" in shown
    assert "2 (67%)" in shown and "1 (33%)" in shown
    assert "(голосов: 3, рейтинг: 4,67)" in texts(svg(daemon, "r/chart.svg?lang=ru"))


def test_a_screen_reader_hears_title_and_figures(goals):
    root = svg(goals, "goals/chart.svg")
    named = {element.get("id"): element.text for element in root if element.get("id")}
    assert root.get("role") == "img"
    assert [named[name] for name in root.get("aria-labelledby").split()][0] == "Goals?"
    described = named[root.get("aria-labelledby").split()[1]]
    assert "108 votes" in described and "33 (31%)" in described and "21 (19%)" in described


def test_texts_are_shown_and_never_run(daemon):
    evil = ["<script>alert(1)</script>", "\"quotes\" & 'more' ]]>", "\u202ereversed\u200f", "😀" * 99,
            "x" * 500, "\ufffe\uffff"]
    daemon.poll("p", title="</title><script>alert(2)</script>",
                options=[{"label": label} for label in evil])
    for of in ("tally", "history"):
        answer = daemon.public("GET", f"/v1/polls/p/chart.svg?of={of}")
        root = xml.etree.ElementTree.fromstring(answer.body)
        assert {element.tag for element in root.iter()} <= {
            SVG + name for name in ("svg", "title", "desc", "rect", "circle", "polygon",
                                    "polyline", "text")}
        assert not re.search(rb"<script|href|url\(|style=|\son\w+=", answer.body)
        assert evil[0] in texts(root)
        assert answer.fields["content-security-policy"] == \
            "default-src 'none'; style-src 'unsafe-inline'"
        assert answer.fields["x-content-type-options"] == "nosniff"


def test_it_is_kept_like_the_tally_and_each_look_has_an_etag_of_its_own(goals):
    paths = ["chart.svg", "chart.svg?theme=dark", "chart.svg?width=641", "chart.svg?lang=ru",
             "chart.svg?of=history"]
    if HAS_PNG:
        paths += ["chart.png", "chart.png?theme=dark"]
    etags = [goals.public("GET", "/v1/polls/goals/tally").fields["etag"]]
    for path in paths:
        answer = goals.public("GET", f"/v1/polls/goals/{path}")
        assert answer.fields["cache-control"] == \
            "public, max-age=1, stale-while-revalidate=5"
        assert "Accept-Language" in answer.fields["vary"]
        etags.append(answer.fields["etag"])
        if "history" not in path: # which is another one each minute
            again = goals.public("GET", f"/v1/polls/goals/{path}")
            assert (again.fields["etag"], again.body) == (etags[-1], answer.body)
            not_modified = goals.public("GET", f"/v1/polls/goals/{path}",
                                        fields={"If-None-Match": etags[-1]})
            assert (not_modified.status, not_modified.body) == (304, b"")
            head = goals.public("HEAD", f"/v1/polls/goals/{path}")
            assert int(head.fields["content-length"]) == len(answer.body)
    assert len(set(etags)) == len(etags)


def test_a_vote_makes_another_picture(goals):
    before = goals.public("GET", "/v1/polls/goals/chart.svg")
    goals.vote("goals", 1, "anna")
    after = goals.public("GET", "/v1/polls/goals/chart.svg",
                         fields={"If-None-Match": before.fields["etag"]})
    assert after.status == 200
    assert b"34 (31%)" in after.body and b"34 (31%)" not in before.body


def test_language_of_labels_and_words(goals):
    assert "108 голосов" in texts(svg(goals, "goals/chart.svg", **{"Accept-Language": "ru-RU"}))
    russian = goals.public("GET", "/v1/polls/goals/chart.svg?lang=ru")
    assert russian.fields["content-language"] == "ru"
    assert "Ответ 1".encode() in russian.body


def test_a_title_from_right_to_left_mirrors_the_picture(daemon):
    daemon.poll("he", title="שאלה", options=[{"label": "כן"}, {"label": "no"}], carried=[1, 1])
    root = svg(daemon, "he/chart.svg")
    assert root.get("direction") == "rtl"
    label = next(element for element in root.iter(SVG + "text") if element.text == "כן")
    assert float(label.get("x")) > 320
    assert [element.get("direction") for element in root.iter(SVG + "text")
            if element.text == "no"] == ["ltr"]


@pytest.mark.parametrize("query, parameter", [
    ("width=199", "width"), ("width=2001", "width"), ("width=100000000", "width"),
    ("width=-1", "width"), ("width=", "width"), ("theme=%3C", "theme"), ("theme=", "theme"),
    ("of=x", "of"), ("color=red", "color")])
def test_what_is_no_picture_is_refused(goals, query, parameter):
    for name in ("chart.svg", "chart.png")[:2 if HAS_PNG else 1]:
        answer = goals.public("GET", f"/v1/polls/goals/{name}?{query}")
        assert answer.status == 422
        assert answer.json()["errors"][0]["parameter"] == parameter


def test_an_unknown_poll_has_no_picture(daemon):
    assert daemon.public("GET", "/v1/polls/none/chart.svg").status == 404


def test_hidden_results_are_in_no_picture(daemon):
    daemon.poll("p", voters="address", results="after_vote")
    daemon.vote("p", 2, "anna")
    paths = [f"/v1/polls/p/chart.{kind}?of={of}" for kind in ("svg", "png")[:2 if HAS_PNG else 1]
             for of in ("tally", "history")]
    for path in paths:
        assert daemon.admin("GET", path).fields["cache-control"] == "private, no-store"
        hidden = daemon.public("GET", path)
        assert (hidden.status, hidden.json()["type"]) == (403, "/problems/results-hidden")
        assert "etag" not in hidden.fields
    assert daemon.public("POST", "/v1/polls/p/votes", {"option": 1}).status == 201
    for path in paths:
        seen = daemon.public("GET", path)
        assert (seen.status, seen.fields["cache-control"]) == (200, "private, no-store")
    daemon.poll("q", results="after_close", voters="address")
    daemon.public("POST", "/v1/polls/q/votes", {"option": 1})
    assert daemon.public("GET", "/v1/polls/q/chart.svg").status == 403
    daemon.admin("PATCH", "/v1/polls/q", {"state": "closed"})
    assert daemon.public("GET", "/v1/polls/q/chart.svg").status == 200


def test_a_history_ends_with_the_figures_of_the_tally(goals):
    goals.vote("goals", 3, "anna")
    shown = texts(svg(goals, "goals/chart.svg?of=history"))
    for option in goals.tally("goals")["options"]:
        assert f"{option['votes']} ({option['shown']})" in shown
    root = svg(goals, "goals/chart.svg?of=history")
    lines = [line.get("points").split() for line in root.iter(SVG + "polyline")
             if line.get("stroke-width") == "2.2"]
    assert len(lines) == 4


def test_a_closed_poll_keeps_its_history_for_good(goals):
    goals.admin("PATCH", "/v1/polls/goals", {"state": "closed"})
    first = goals.public("GET", "/v1/polls/goals/chart.svg?of=history")
    again = goals.public("GET", "/v1/polls/goals/chart.svg?of=history",
                         fields={"If-None-Match": first.fields["etag"]})
    assert again.status == 304


@only_with_png
def test_a_png_has_its_size_and_a_theme_other_pixels(goals):
    light = goals.public("GET", "/v1/polls/goals/chart.png?width=500")
    dark = goals.public("GET", "/v1/polls/goals/chart.png?width=500&theme=dark")
    assert light.fields["content-type"] == "image/png"
    assert pixels(light.body)[:2] == pixels(dark.body)[:2]
    assert pixels(light.body)[0] == 500
    assert pixels(light.body)[2] != pixels(dark.body)[2]
    for of in ("tally", "history"):
        card = goals.public("GET", f"/v1/polls/goals/chart.png?width=1200&of={of}")
        assert pixels(card.body)[:2] == (1200, 630)


@only_with_png
def test_no_loop_paints_and_replies_stay_in_order(daemon):
    daemon.poll("p", options=[{"label": "W" * 500} for _ in range(64)], carried=[7] * 64)
    assert daemon.public("GET", "/v1/polls/p/chart.svg").status == 200
    assert "painter" not in daemon.threads_by_name() # nobody has asked for a PNG
    wire = daemon.tcp()
    wire.send(b"GET /v1/polls/p/chart.png?width=2000 HTTP/1.1\r\nHost: t\r\n\r\n"
              b"GET /v1/polls/p/tally HTTP/1.1\r\nHost: t\r\n\r\n")
    assert [wire.answer().fields["content-type"] for _ in range(2)] == \
        ["image/png", "application/json"]
    assert "painter" in daemon.threads_by_name()
    wire.close()


@only_with_png
def test_a_picture_that_is_being_painted_is_finished_when_the_server_ends(daemon):
    daemon.poll("p", options=[{"label": "W" * 500} for _ in range(64)], carried=[7] * 64)
    # Fonts are looked for before the first one: that may take longer than ending may.
    assert daemon.public("GET", "/v1/polls/p/chart.png?width=200").status == 200
    wire = waiting_for_sure(daemon, "/v1/polls/p/chart.png?width=2000")
    daemon.stop()
    assert wire.answer().status in (200, 503)  # 503 where it had not begun
    wire.close()


@only_with_png
def test_many_who_ask_at_once_share_one_picture(goals):
    wires = [goals.tcp() for _ in range(40)]
    for wire in wires:
        wire.send(b"GET /v1/polls/goals/chart.png?width=1999 HTTP/1.1\r\nHost: t\r\n\r\n")
    bodies = {wire.answer().body for wire in wires}
    assert len(bodies) == 1
    for wire in wires:
        wire.close()


def loaded(daemon):
    """The files whose code is in the process."""
    with open(f"/proc/{daemon.process.pid}/maps", encoding="ascii") as maps:
        return {os.path.basename(line.split()[-1]) for line in maps}


@only_with_png
def test_what_draws_png_is_loaded_with_the_first_one(goals):
    assert not any("cairo" in name or "pango" in name for name in loaded(goals))
    assert goals.public("GET", "/v1/polls/goals/chart.svg").status == 200
    assert "tallyd-png.so" not in loaded(goals)
    assert goals.public("GET", "/v1/polls/goals/chart.png").status == 200
    assert "tallyd-png.so" in loaded(goals)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A tallyd whose program is a copy, in a place where nothing else lies."""
    program = tmp_path / "usr" / "sbin" / "tallyd"
    program.parent.mkdir(parents=True)
    shutil.copy(harness.TALLYD, program)
    monkeypatch.setattr(harness, "TALLYD", str(program))
    # Nothing of this is to have a say in what is loaded.
    monkeypatch.setenv("LD_LIBRARY_PATH", os.path.dirname(os.environ["TALLYD_PNG"]))
    monkeypatch.chdir(os.path.dirname(os.environ["TALLYD_PNG"]))
    daemon = harness.Daemon(tmp_path).start()
    daemon.poll("goals", carried=CARRIED)
    yield daemon
    daemon.end()


@only_with_png
def test_a_module_that_is_missing_is_named_and_loaded_once_it_is_there(elsewhere):
    for _ in range(3):
        answer = elsewhere.public("GET", "/v1/polls/goals/chart.png")
        assert (answer.status, answer.json()["type"]) == (501, "/problems/not-implemented")
        wanted = re.search(r"(/\S+/usr/sbin/\S+/tallyd-png\.so): cannot open shared object file: "
                           "No such file", answer.json()["detail"])
        assert wanted, answer
    assert elsewhere.public("GET", "/v1/polls/goals/chart.svg").status == 200
    os.makedirs(os.path.dirname(os.path.normpath(wanted[1])))
    shutil.copy(os.environ["TALLYD_PNG"], os.path.normpath(wanted[1]))
    assert elsewhere.public("GET", "/v1/polls/goals/chart.png").status == 200
    elsewhere.stop()  # then all that it said has been read
    assert len([line for line in elsewhere.log if "tallyd-png.so" in line]) == 1


@pytest.mark.skipif(HAS_PNG, reason="built with cairo")
def test_without_cairo_there_is_no_png(goals):
    answer = goals.public("GET", "/v1/polls/goals/chart.png")
    assert (answer.status, answer.json()["type"]) == (501, "/problems/not-implemented")
