"""What other programs read of a poll: JSON-LD for search engines."""
import json

NASTY = '</script><script>alert("1")</script> & \'x\' \u2028 \u202e😀'


def jsonld(daemon, poll_id, query="", **more):
    answer = daemon.public("GET", f"/v1/polls/{poll_id}/jsonld{query}", **more)
    assert answer.status == 200, answer
    assert answer.fields["content-type"] == "application/ld+json"
    return answer.json()


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
