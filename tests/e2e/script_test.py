"""/widget.js: how it is served, how much a page loads with it, and the words that it is given."""
import gzip
import json
import pathlib
import re

import pytest

from page_test import page

LANGUAGES = pathlib.Path(__file__).resolve().parents[2] / "daemon/web/languages"
KB = 1024


def texts(language):
    """The texts of a language file, {key: text} and {key: {form: text}} for what counts."""
    found = {}
    for line in (LANGUAGES / f"{language}.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            key, text = line.split(" = ", 1)
            key, _, form = key.partition(".")
            if form:
                found.setdefault(key, {})[form] = text
            else:
                found[key] = text
    return found


def test_any_site_may_load_the_script_and_keep_it_for_a_while(daemon):
    answer = daemon.public("GET", "/widget.js", fields={"Origin": "https://site.example"})
    assert answer.status == 200
    assert answer.fields["content-type"] == "text/javascript; charset=utf-8"
    assert answer.fields["access-control-allow-origin"] == "*"
    assert answer.fields["cache-control"] == "public, max-age=300"
    assert answer.fields["x-content-type-options"] == "nosniff"
    same = daemon.public("GET", "/widget.js", fields={"If-None-Match": answer.fields["etag"]})
    assert (same.status, same.body, same.fields["etag"]) == (304, b"", answer.fields["etag"])
    head = daemon.public("HEAD", "/widget.js")
    assert (head.status, head.fields["etag"]) == (200, answer.fields["etag"])


def test_a_page_loads_the_same_script_by_a_name_that_caches_keep_for_ever(daemon):
    daemon.poll("p")
    source = page(daemon, "/p/p").one("script")
    assert source["type"] == "module"
    answer = daemon.public("GET", source["src"].removeprefix(".."))
    assert "immutable" in answer.fields["cache-control"]
    assert answer.body == daemon.public("GET", "/widget.js").body
    assert not page(daemon, "/p/").all("script") and not page(daemon, "/p/none").all("script")


def test_a_site_loads_at_most_6_kb_of_script_and_style(daemon):
    daemon.poll("p")
    style = page(daemon, "/embed/p").all("link", rel="stylesheet")[0]["href"]
    loaded = [daemon.public("GET", path).body for path in ("/widget.js", style.removeprefix(".."))]
    assert b"<tally-poll" not in loaded[0] and b"--tally-accent" in loaded[1]
    assert sum(len(gzip.compress(one, 9)) for one in loaded) <= 6 * KB


@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_page_brings_the_words_that_the_script_needs_in_its_language(daemon, language):
    daemon.poll("p")
    words = json.loads(page(daemon, f"/embed/p?lang={language}").one("main")["data-words"])
    known = texts(language)
    assert words == {key: known[key] for key in words}
    script = daemon.public("GET", "/widget.js").body.decode()
    for word in ("figure", "rated", "votes", "several", "no-votes", "tied", "tied-first", "sending",
                 "offline", "again", "refused", "refused-origin", "refused-often"):
        assert word in words and re.search(rf"\b{word}\b", script)


def test_an_article_tells_the_script_what_holds_but_no_version_where_results_are_hidden(daemon):
    daemon.poll("open", voters="address")
    daemon.poll("secret", results="after_vote")
    daemon.poll("later", opens_at="2035-11-23T08:40:12Z")
    daemon.admin("PATCH", "/v1/polls/open", {"state": "closed"})
    shown = page(daemon, "/p/open,secret,later")
    said = {a["id"]: {k: v for k, v in a.items() if k.startswith("data-")}
            for a in shown.all("article")}
    assert said == {
        "open": {"data-state": "closed", "data-version": "2", "data-voters": "address"},
        "secret": {"data-state": "open", "data-results": "after_vote"},
        "later": {"data-state": "scheduled", "data-version": "1"}}
