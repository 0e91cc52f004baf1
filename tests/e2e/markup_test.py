"""What other programs read of a poll: JSON-LD for search engines, oEmbed for other sites."""
import html.parser
import json
from urllib.parse import quote

import pytest

NASTY = '</script><script>alert("1")</script> & \'x\' \u2028 \u202e😀'


class Frames(html.parser.HTMLParser):
    """All elements of a piece of HTML."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.found.append(data)


def jsonld(daemon, poll_id, query="", **more):
    answer = daemon.public("GET", f"/v1/polls/{poll_id}/jsonld{query}", **more)
    assert answer.status == 200, answer
    assert answer.fields["content-type"] == "application/ld+json"
    return answer.json()


def oembed(daemon, path, query="", host=None):
    url = f"http://{host or 'test'}{path}"
    return daemon.public("GET", f"/oembed?url={quote(url, safe='')}{query}")


def test_a_rating_is_an_aggregate_rating_of_what_it_is_about(daemon):
    daemon.poll("r", kind="rating", carried=[0, 0, 1, 0, 2],
                about={"type": "Article", "name": "Kyrgyzstan", "url": "https://x.example/a?b&c"})
    assert jsonld(daemon, "r") == {
        "@context": "https://schema.org", "@type": "AggregateRating", "ratingValue": 4.33,
        "ratingCount": 3, "bestRating": 5, "worstRating": 1,
        "itemReviewed": {"@type": "Article", "name": "Kyrgyzstan",
                         "url": "https://x.example/a?b&c"}}


def test_what_is_not_known_of_the_thing_is_left_out(daemon):
    daemon.poll("bare", kind="rating", scale=10, carried={"count": 2, "sum": 20})
    assert jsonld(daemon, "bare") == {
        "@context": "https://schema.org", "@type": "AggregateRating", "ratingValue": 10,
        "ratingCount": 2, "bestRating": 10, "worstRating": 1}
    daemon.poll("url", kind="rating", carried=[0, 0, 0, 0, 1], about={"url": "https://x.example/"})
    assert jsonld(daemon, "url")["itemReviewed"] == {"@type": "Thing", "url": "https://x.example/"}


def test_a_rating_that_nobody_gave_is_404(daemon):
    daemon.poll("r", kind="rating")
    answer = daemon.public("GET", "/v1/polls/r/jsonld")
    assert (answer.status, answer.json()["type"]) == (404, "/problems/no-such-vote")
    daemon.admin("POST", "/v1/polls/r/votes", {"rating": 4, "voter": "v"})
    assert jsonld(daemon, "r")["ratingValue"] == 4


def test_a_choice_is_a_question_with_the_counts_of_its_answers(daemon):
    daemon.poll("c", title={"en": "Which?", "ru": "Какой?"}, max_choices=2,
                options=[{"label": {"en": "one", "ru": "один"}}, {"label": "two"}])
    daemon.admin("POST", "/v1/polls/c/votes", {"options": [1, 2], "voter": "a"})
    daemon.admin("POST", "/v1/polls/c/votes", {"options": [2], "voter": "b"})
    assert jsonld(daemon, "c", "?lang=ru") == {
        "@context": "https://schema.org", "@type": "Question", "name": "Какой?",
        "inLanguage": "ru", "answerCount": 2,
        "suggestedAnswer": [
            {"@type": "Answer", "position": 1, "text": "один", "upvoteCount": 1},
            {"@type": "Answer", "position": 2, "text": "two", "upvoteCount": 2}],
        "interactionStatistic": {"@type": "InteractionCounter",
                                 "interactionType": {"@type": "VoteAction"},
                                 "userInteractionCount": 2}}


def test_no_text_can_end_the_script_that_it_stands_in(daemon):
    daemon.poll("c", title=NASTY.replace("\u2028", ""), options=[{"label": "<!--"}, {"label": "b"}],
                about={"type": "</script>", "name": "<script>"})
    raw = daemon.public("GET", "/v1/polls/c/jsonld").body
    assert not any(c in raw for c in (b"<", b">", b"&"))
    assert json.loads(raw)["name"] == NASTY.replace("\u2028", "")


def test_jsonld_is_cached_as_the_tally_is_and_changes_with_what_it_is_about(daemon):
    daemon.poll("r", kind="rating", carried=[0, 0, 0, 0, 1])
    path = "/v1/polls/r/jsonld"
    first = daemon.public("GET", path)
    assert first.fields["cache-control"] == "public, max-age=1, stale-while-revalidate=5"
    assert "accept-language" in first.fields["vary"].lower()

    def again():
        return daemon.public("GET", path, fields={"If-None-Match": first.fields["etag"]})
    assert (again().status, again().body) == (304, b"")
    daemon.admin("PATCH", "/v1/polls/r", {"about": {"name": "New"}})
    assert again().status == 200
    first = daemon.public("GET", path)
    daemon.admin("POST", "/v1/polls/r/votes", {"rating": 4, "voter": "v"})
    assert again().status == 200


def test_hidden_results_are_in_no_jsonld(daemon):
    daemon.poll("p", voters="address", results="after_vote", kind="rating")
    daemon.admin("POST", "/v1/polls/p/votes", {"rating": 4, "voter": "v"})
    answer = daemon.public("GET", "/v1/polls/p/jsonld")
    assert (answer.status, answer.json()["type"]) == (403, "/problems/results-hidden")
    assert "etag" not in answer.fields
    daemon.public("POST", "/v1/polls/p/votes", {"rating": 5})
    seen = daemon.public("GET", "/v1/polls/p/jsonld")
    assert (seen.status, seen.json()["ratingValue"]) == (200, 4.5)
    assert seen.fields["cache-control"] == "private, no-store"
    assert daemon.admin("GET", "/v1/polls/p/jsonld").json()["ratingCount"] == 2


def test_an_unknown_poll_and_an_unknown_parameter_are_refused(daemon):
    assert daemon.public("GET", "/v1/polls/none/jsonld").status == 404
    daemon.poll("p")
    assert daemon.public("GET", "/v1/polls/p/jsonld?x=1").status == 422
    assert daemon.public("GET", "/v1/polls/p/jsonld?lang=en").status == 200


def test_oembed_gives_a_frame_with_the_poll_in_it(daemon):
    daemon.poll("p", title="Which?", carried=[3, 4, 5, 6])
    answer = oembed(daemon, "/p/p")
    assert answer.status == 200
    assert answer.fields["content-type"] == "application/json"
    assert answer.fields["access-control-allow-origin"] == "*"
    told = answer.json()
    frame = told.pop("html")
    assert told == {"version": "1.0", "type": "rich", "provider_name": "tallyd",
                    "provider_url": "http://test/", "title": "Which?", "width": 480,
                    "height": 456}
    [(tag, attributes)] = Frames(frame).found
    assert tag == "iframe"
    assert (attributes["src"], attributes["width"], attributes["height"], attributes["title"]) == (
        "http://test/embed/p", "480", "456", "Which?")
    assert oembed(daemon, "/embed/p?utm_source=x#top", "&format=json&utm=1").json() == answer.json()


def test_oembed_is_never_larger_than_asked(daemon):
    daemon.poll("p", kind="rating")
    small = oembed(daemon, "/p/p", "&maxwidth=300&maxheight=100").json()
    assert (small["width"], small["height"]) == (300, 100)
    assert 'width="300" height="100"' in small["html"]
    large = oembed(daemon, "/p/p", "&maxwidth=9000&maxheight=9000").json()
    assert (large["width"], large["height"]) == (480, 260)
    for bad in ("maxwidth=0", "maxwidth=x", "maxheight=-1", "maxheight=1e9"):
        assert oembed(daemon, "/p/p", "&" + bad).status == 422


def test_the_language_of_the_link_goes_along(daemon):
    daemon.poll("p", title={"en": "Which?", "ru": "Какой?"})
    russian = oembed(daemon, "/p/p?a=b&lang=ru").json()
    assert russian["title"] == "Какой?"
    assert 'src="http://test/embed/p?lang=ru"' in russian["html"]
    odd = oembed(daemon, '/p/p?lang=ru"onload=x').json()
    assert (odd["title"], "onload" in odd["html"]) == ("Which?", False)


def test_a_title_is_a_title_and_no_markup(daemon):
    title = NASTY.replace("\u2028", "")
    daemon.poll("p", title=title)
    raw = oembed(daemon, "/p/p").body
    assert b"<" not in raw
    told = json.loads(raw)
    assert told["title"] == title
    [(tag, attributes)] = Frames(told["html"]).found
    assert (tag, attributes["title"]) == ("iframe", title)


@pytest.mark.parametrize("url", [
    "http://test/p/none", "http://test/p/", "http://test/p/p/x", "http://test/q/p", "http://test/",
    "http://test/v1/polls/p", "http://evil.example/p/p", "http://test:81/p/p",
    "http://test@evil.example/p/p", "//test/p/p", "/p/p", "javascript:alert(1)", "http://test/p/%70",
])
def test_a_url_that_is_no_poll_of_ours_is_404(daemon, url):
    daemon.poll("p")
    answer = daemon.public("GET", "/oembed?url=" + quote(url, safe=""))
    assert (answer.status, answer.json()["type"]) == (404, "/problems/no-such-poll")


def test_other_formats_are_501_and_no_url_is_422(daemon):
    daemon.poll("p")
    assert oembed(daemon, "/p/p", "&format=xml").status == 501
    assert daemon.public("GET", "/oembed").status == 422


def test_under_a_public_url_only_its_pages_are_ours(daemon):
    daemon.stop()
    daemon.config += "[server]\npublic_url = https://News.example/polls/\n"
    daemon.start()
    daemon.poll("p")
    told = daemon.public("GET", "/oembed?url=https%3A%2F%2Fnews.example%2Fpolls%2Fp%2Fp").json()
    assert told["provider_url"] == "https://news.example/polls/"
    assert 'src="https://news.example/polls/embed/p"' in told["html"]
    for other in ("http://test/p/p", "https://news.example/p/p", "http://news.example/polls/p/p"):
        assert daemon.public("GET", "/oembed?url=" + quote(other, safe="")).status == 404


def test_oembed_tells_nothing_of_results(daemon):
    daemon.poll("p", results="after_close", kind="rating", carried=[0, 0, 0, 0, 7654])
    assert b"7654" not in oembed(daemon, "/p/p").body
