"""Definitions: made, read, changed, deleted, listed; and the figures of the example article."""
import json
import pathlib

import pytest

ARTICLE = pathlib.Path(__file__).parents[2] / "docs" / "examples" / "article.json"


@pytest.fixture
def article(daemon):
    for poll in json.loads(ARTICLE.read_text())["polls"]:
        assert daemon.admin("PUT", f"/v1/polls/{poll['id']}", poll).status == 201
    return daemon


def test_the_article_shows_the_figures_it_had(article):
    goals = article.tally("us-goals-russia")
    assert [(o["votes"], o["percent"], o["shown"]) for o in goals["options"]] == [
        (33, 31, "31%"), (30, 28, "28%"), (24, 22, "22%"), (21, 19, "19%")]
    assert (goals["votes"], goals["voters"], goals["carried"], goals["version"]) == (
        108, 108, 108, 1)
    rating = article.tally("kyrgyzstan-russia")
    assert (rating["votes"], rating["rating"], rating["scale"]) == (2, 5, 5)


def test_a_tally_has_its_members_in_order_and_no_white_space(article):
    body = article.public("GET", "/v1/polls/us-goals-russia/tally").body.decode()
    assert list(json.loads(body)) == ["id", "kind", "state", "title", "votes", "voters", "carried",
                                      "options", "version", "updated_at"]
    assert '"options":[{"option":1,"label":"U.S. wants' in body
    assert '"votes":33,"percent":31,"share":0.305556,"shown":"31%"}' in body
    rated = article.public("GET", "/v1/polls/kyrgyzstan-russia/tally").json()
    assert list(rated) == ["id", "kind", "state", "title", "votes", "voters", "carried", "rating",
                           "scale", "options", "version", "updated_at"]


def test_a_reader_gets_her_language(article):
    path = "/v1/polls/kyrgyzstan-russia/tally"
    for query, accept, language, title in [
            ("", None, "en", "Rate this article"),
            ("?lang=ru", None, "ru", "Оцените статью"),
            ("?lang=ru-RU", "en", "ru", "Оцените статью"),
            ("", "de, ru;q=0.8, en;q=0.7", "ru", "Оцените статью"),
            ("?lang=de", None, "en", "Rate this article")]:
        answer = article.public("GET", path + query, fields={"Accept-Language": accept} if accept
                                else None)
        assert answer.fields["content-language"] == language
        assert answer.json()["title"] == title
        assert "Accept-Language" in answer.fields["vary"]


def test_every_answer_with_texts_of_one_language_names_it(article):
    rated = "/v1/polls/kyrgyzstan-russia"
    article.poll("english", title={"en": "E"}, voters="address", revote=True)
    article.poll("plain", title="P")
    article.poll("veiled", title={"en": "V", "ru": "В"}, results="after_close")
    russian = {"Accept-Language": "ru"}
    for who, method, path, body, language in [
            (article.public, "GET", rated + "?lang=ru", None, "ru"),
            (article.public, "GET", rated, None, "ru"),
            (article.public, "GET", "/v1/polls/veiled", None, None),
            (article.public, "GET", "/v1/tallies?ids=kyrgyzstan-russia,veiled", None, "ru"),
            (article.public, "GET", "/v1/tallies?ids=kyrgyzstan-russia,english", None, None),
            (article.public, "GET", "/v1/tallies?ids=plain", None, None),
            (article.public, "GET", "/v1/top?kind=rating", None, "ru"),
            (article.public, "GET", "/v1/top?sort=votes&min_votes=0", None, None),
            (article.public, "GET", "/v1/polls?kind=rating", None, "ru"),
            (article.public, "GET", "/v1/polls", None, None),
            (article.public, "POST", "/v1/polls/english/votes", {"option": 1}, "en"),
            (article.public, "DELETE", "/v1/polls/english/votes", None, "en"),
            (article.admin, "POST", rated + "/votes", {"rating": 5, "voter": "a"}, "ru"),
            (article.admin, "PATCH", rated, {"state": "closed"}, "ru"),
            (article.admin, "PUT", rated + "/carried", {"count": 2, "sum": 9}, "ru"),
            (article.admin, "POST", rated + "/void",
             {"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"}, "ru"),
            (article.admin, "POST", rated + "/forget", None, "ru")]:
        answer = who(method, path, body, russian)
        assert answer.status in (200, 201), (method, path, answer)
        assert answer.fields.get("content-language") == language, (method, path, answer)
        assert "Accept-Language" in answer.fields["vary"], (method, path, answer)


def test_an_unchanged_tally_is_304_and_each_version_has_its_etag(article):
    path = "/v1/polls/us-goals-russia/tally"
    first = article.public("GET", path)
    etag = first.fields["etag"]
    assert first.fields["cache-control"] == "public, max-age=1, stale-while-revalidate=5"
    assert article.public("GET", path, fields={"If-None-Match": etag}).status == 304
    assert article.public("GET", path + "?lang=ru").fields["etag"] != etag
    assert article.public("HEAD", path).fields["content-length"] == str(len(first.body))
    article.vote("us-goals-russia", 1, "a")
    after = article.public("GET", path, fields={"If-None-Match": etag})
    assert after.status == 200
    assert after.fields["etag"] != etag


def test_what_get_gives_may_be_put_back_and_changes_nothing(article):
    given = article.admin("GET", "/v1/polls/us-goals-russia")
    article.vote("us-goals-russia", 1, "a")
    version = article.tally("us-goals-russia")["version"]
    answer = article.admin("PUT", "/v1/polls/us-goals-russia", given.json())
    assert answer.status == 200
    tally = article.tally("us-goals-russia")
    assert (tally["version"], tally["carried"], tally["votes"]) == (version, 108, 109)


def test_only_creating_is_412_where_it_exists(daemon):
    daemon.poll("p")
    body = {"title": "other", "options": [{"label": "x"}, {"label": "y"}]}
    answer = daemon.admin("PUT", "/v1/polls/p", body, {"If-None-Match": "*"})
    assert (answer.status, answer.json()["type"]) == (412, "/problems/exists")
    assert daemon.tally("p")["title"] == "T"


def test_a_new_label_keeps_the_votes_and_grows_the_version(daemon):
    daemon.poll("p")
    daemon.vote("p", 1, "a")
    options = [{"label": "A!"}] + [{"label": c} for c in "bcde"]
    answer = daemon.admin("PATCH", "/v1/polls/p", {"options": options},
                          {"Content-Type": "application/merge-patch+json"})
    assert answer.status == 200
    tally = daemon.tally("p")
    assert [o["votes"] for o in tally["options"]] == [1, 0, 0, 0, 0]
    assert (tally["options"][0]["label"], tally["version"]) == ("A!", 3)


def test_what_votes_rest_on_cannot_change(daemon):
    daemon.poll("p")
    daemon.vote("p", 4, "a")
    for patch in ({"options": [{"label": "a"}, {"label": "b"}]}, {"voters": "account"}):
        answer = daemon.admin("PATCH", "/v1/polls/p", patch)
        assert (answer.status, answer.json()["type"]) == (409, "/problems/options-in-use")
    assert daemon.tally("p")["version"] == 2


@pytest.mark.parametrize("members, pointer", [
    ({"titel": "x"}, "/titel"),
    ({"title": 7}, "/title"),
    ({"max_choices": 5}, "/max_choices"),
    ({"max_choices": 1.5}, "/max_choices"),
    ({"scale": 5}, "/scale"),
    ({"opens_at": "2026-01-02T00:00:00Z", "closes_at": "2026-01-01T00:00:00Z"}, "/closes_at"),
    ({"id": "other"}, "/id"),
    ({"max_choices": 2, "carried": [5, 1], "carried_voters": 4}, "/carried_voters"),
])
def test_a_definition_that_says_the_wrong_thing_is_422_and_makes_nothing(daemon, members, pointer):
    body = {"title": "T", "options": [{"label": "a"}, {"label": "b"}], **members}
    answer = daemon.admin("PUT", "/v1/polls/p", body)
    assert answer.status == 422
    assert pointer in [e["pointer"] for e in answer.json()["errors"]]
    assert daemon.admin("GET", "/v1/polls/p").status == 404


def test_a_deleted_poll_leaves_a_new_one_empty(daemon):
    daemon.poll("p")
    daemon.vote("p", 1, "a")
    etag = daemon.public("GET", "/v1/polls/p/tally").fields["etag"]
    assert daemon.admin("DELETE", "/v1/polls/p").status == 204
    assert daemon.public("GET", "/v1/polls/p/tally").status == 404
    assert daemon.vote("p", 1, "a").status == 404
    assert daemon.admin("DELETE", "/v1/polls/p").status == 404
    assert daemon.poll("p").status == 201
    assert daemon.public("GET", "/v1/polls/p/tally").fields["etag"] != etag
    vote = daemon.vote("p", 1, "a")
    assert (vote.status, vote.json()["receipt"]["seq"]) == (201, 1)


def test_carried_counts_come_in_both_forms(daemon):
    daemon.poll("p")
    answer = daemon.admin("PUT", "/v1/polls/p/carried", {"votes": [4, 4, 6, 0]})
    assert [o["percent"] for o in answer.json()["options"]] == [29, 28, 43, 0]
    daemon.poll("r", kind="rating", carried={"count": 40, "sum": 107})
    tally = daemon.tally("r")
    assert (tally["votes"], tally["carried"], tally["rating"]) == (40, 40, 2.68)
    assert [o["percent"] for o in tally["options"]] == [0, 0, 0, 0, 0]
    bad = daemon.admin("PUT", "/v1/polls/p/carried", {"votes": [1, 2]})
    assert bad.status == 422


def test_polls_are_listed_by_id_in_pages(daemon):
    for poll_id in ("c", "a", "b"):
        daemon.poll(poll_id)
    daemon.poll("r", kind="rating")
    daemon.admin("PATCH", "/v1/polls/b", {"state": "closed"})
    first = daemon.public("GET", "/v1/polls?limit=2").json()
    assert ([p["id"] for p in first["polls"]], first["next"]) == (["a", "b"], "b")
    rest = daemon.public("GET", "/v1/polls?limit=2&after=b").json()
    assert ([p["id"] for p in rest["polls"]], rest["next"]) == (["c", "r"], None)
    rated = daemon.public("GET", "/v1/polls?kind=rating").json()
    assert rated["polls"] == [
        {"id": "r", "kind": "rating", "title": "T", "state": "open", "votes": 0}]
    closed = daemon.public("GET", "/v1/polls?state=closed").json()
    assert [p["id"] for p in closed["polls"]] == ["b"]
    for query in ("limit=0", "limit=1001", "kind=x", "state=x", "colour=red", "limit=1&limit=2"):
        assert daemon.public("GET", "/v1/polls?" + query).status == 422


def test_several_tallies_come_at_once_and_the_missing_are_named(daemon):
    daemon.poll("a")
    daemon.poll("b")
    answer = daemon.public("GET", "/v1/tallies?ids=b,nope,a").json()
    assert [t["id"] for t in answer["tallies"]] == ["b", "a"]
    assert answer["missing"] == ["nope"]
    ids = ",".join(f"p{i}" for i in range(101))
    assert daemon.public("GET", "/v1/tallies?ids=" + ids).status == 422
