"""GET /v1/top: the best polls, for whoever may see them."""
import json
import random
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest

SEEN_BY_ALL = "public, max-age=1, stale-while-revalidate=5"


def top(daemon, query="", admin=False):
    answer = (daemon.admin if admin else daemon.public)("GET", "/v1/top" + query)
    assert answer.status == 200, answer
    return answer.json()["top"]


def ids(rows):
    return [row["id"] for row in rows]


def rating(daemon, poll_id, carried, **members):
    daemon.poll(poll_id, kind="rating", carried=carried, **members)


@pytest.fixture(name="rated")
def fixture_rated(daemon):
    rating(daemon, "one", [0, 0, 0, 0, 1])
    rating(daemon, "many", [0, 0, 0, 10, 90])
    rating(daemon, "bad", [20, 0, 0, 0, 0])
    rating(daemon, "none", [0, 0, 0, 0, 0])
    daemon.poll("choice", carried=[500, 1, 1, 1])
    return daemon


def test_one_five_does_not_lead_and_each_item_is_the_tally_with_its_score_behind(rated):
    rows = top(rated)
    assert [(row["id"], row["rating"], row["score"]) for row in rows] == [
        ("many", 4.9, 4.84), ("one", 5, 4.32), ("bad", 1, 2.09)]
    for row in rows:
        assert list(row)[-1] == "score"
        del row["score"]
        assert json.dumps(row) == json.dumps(rated.tally(row["id"]))


@pytest.mark.parametrize("query, expected", [
    ("?sort=score", ["many", "one", "bad"]),
    ("?sort=rating", ["one", "many", "bad"]),
    ("?sort=votes", ["choice", "many", "bad", "one"]),
    ("?sort=votes&kind=rating", ["many", "bad", "one"]),
    ("?kind=choice", ["choice"]),
    ("?sort=score&kind=choice", ["choice"]),
    ("?sort=score&min_votes=20", ["many", "bad"]),
    ("?sort=rating&min_votes=0", ["one", "many", "bad", "none"]),
    ("?sort=votes&min_votes=504", []),
    ("?sort=rating&limit=1", ["one"]),
    ("?prefix=o", ["one"]),
    ("?prefix=one", ["one"]),
    ("?prefix=ones", []),
    ("?state=closed", []),
    ("?state=open&limit=100", ["many", "one", "bad"]),
])
def test_the_list_is_of_what_is_asked_for(rated, query, expected):
    assert ids(top(rated, query)) == expected


@pytest.mark.parametrize("query, parameter", [
    ("?sort=best", "sort"), ("?sort=", "sort"), ("?kind=any", "kind"), ("?state=new", "state"),
    ("?limit=0", "limit"), ("?limit=101", "limit"), ("?min_votes=-1", "min_votes"),
    ("?min_votes=1.5", "min_votes"), ("?min_votes=9223372036854775808", "min_votes"),
    ("?after=a", "after"),
])
def test_a_bad_parameter_is_named(daemon, query, parameter):
    answer = daemon.public("GET", "/v1/top" + query)
    assert answer.status == 422
    assert answer.json()["errors"][0]["parameter"] == parameter


def test_a_filter_does_not_change_a_score(rated):
    assert top(rated, "?prefix=one")[0]["score"] == 4.32
    assert top(rated, "?min_votes=100")[0]["score"] == 4.84


def test_a_choice_and_what_nobody_rated_have_no_score(rated):
    assert top(rated, "?kind=choice")[0]["score"] is None
    assert top(rated, "?min_votes=0")[-1]["score"] is None


def test_hidden_results_are_neither_in_the_list_nor_in_any_mean(rated):
    before = top(rated)
    rating(rated, "after", [0, 0, 0, 0, 1000], results="after_vote", voters="address")
    rating(rated, "close", [0, 0, 0, 0, 1000], results="after_close")
    assert top(rated) == before
    assert rated.public("POST", "/v1/polls/after/votes", {"rating": 5}).status == 201
    assert top(rated) == before
    seen = rated.admin("GET", "/v1/top")
    assert ids(seen.json()["top"])[:2] == ["after", "close"]
    assert seen.fields["cache-control"] == "private, no-store"
    rated.admin("PATCH", "/v1/polls/close", {"state": "closed"})
    assert ids(top(rated))[0] == "close"


def test_caches_keep_it_as_they_keep_a_tally(rated):
    answer = rated.public("GET", "/v1/top")
    assert answer.fields["cache-control"] == SEEN_BY_ALL
    assert "accept-language" in answer.fields["vary"].lower()
    assert answer.fields["content-type"] == "application/json"


def test_titles_come_in_the_reader_s_language(daemon):
    rating(daemon, "p", [0, 0, 0, 0, 1], title={"en": "Rate", "ru": "Оцените"})
    assert top(daemon, "?lang=ru")[0]["title"] == "Оцените"
    answer = daemon.public("GET", "/v1/top", fields={"Accept-Language": "ru-RU"})
    assert answer.json()["top"][0]["title"] == "Оцените"


def test_a_vote_is_seen_in_it(rated):
    rated.poll("new", kind="rating")
    rated.admin("POST", "/v1/polls/new/votes", {"rating": 5, "voter": "v"})
    assert "new" in ids(top(rated, "?prefix=new"))


def half_up(value):
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(
        Decimal("0.01"), ROUND_HALF_UP)


def test_many_polls_have_the_scores_that_fractions_give(daemon):
    chance = random.Random(7)
    given = {}
    for i in range(300):
        given[f"p{i:03}"] = [chance.randrange(12) for _ in range(5)]
    for poll_id, carried in given.items():
        rating(daemon, poll_id, carried)
    votes = sum(map(sum, given.values()))
    stars = sum(n * (i + 1) for carried in given.values() for i, n in enumerate(carried))
    mean = Fraction(stars, votes)
    expected = []
    for poll_id, carried in given.items():
        n = sum(carried)
        total = sum(c * (i + 1) for i, c in enumerate(carried))
        expected.append((half_up((10 * mean + total) / (10 + n)), n, poll_id))
    expected.sort(key=lambda row: (-row[0], -row[1], row[2]))
    assert [(Decimal(str(row["score"])).quantize(Decimal("0.01")), row["votes"], row["id"])
            for row in top(daemon, "?limit=100")] == expected[:100]
