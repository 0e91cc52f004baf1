"""The requests whose allocations fail in turn, and what each must leave behind."""
import json
import os

import harness
import raw
from kinds import Case, Doer, Reader, Writer, figures, need, no_answer, numbers

POLLS = ("p", "r", "address", "form")
FORM = "application/x-www-form-urlencoded"
NDJSON = "application/x-ndjson"
BULK_LINES = 40


def more_config(folder):
    app = os.path.join(folder, "app_token")
    with open(app, "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as file:
        file.write("app-token-0123456789abcdef\n")
    return f"[roles]\napp_token_file = {app}\n"


def prepare(daemon):
    languages = {"en": "Which of these?", "ru": "Что из этого?"}
    options = [{"label": {"en": f"one {i}", "ru": f"вариант {i}"}} for i in range(4)]
    daemon.poll("p", title=languages, options=options, revote=True,
                about={"type": "Article", "name": "An article", "url": "https://site.example/a"})
    daemon.poll("r", kind="rating", title="Rate", voters="address", carried=[0, 0, 0, 0, 2])
    daemon.poll("address", voters="address", revote=True, per_address=0)
    daemon.poll("form", title=languages, options=options)
    daemon.poll("secret", results="after_vote", title="Hidden", revote=True)
    assert daemon.vote("form", 2, "early form").status == 201
    for i in range(30):
        assert daemon.vote("p", 1 + i % 4, f"early {i}").status == 201
    assert daemon.public("POST", "/v1/polls/r/votes", {"rating": 4}).status == 201


def votes_of(poll):
    return lambda daemon, n: daemon.tally(poll)["votes"]


def standing(poll, value):
    """How many have the first option, for those who change."""
    return lambda daemon, n: daemon.tally(poll)["options"][value - 1]["votes"]


def vote(poll, n, option=1):
    return raw.closing("POST", f"/v1/polls/{poll}/votes", {"option": option, "voter": f"v{n}"})


def definition(n, **more):
    return {"title": {"en": f"title {n}", "ru": f"вопрос {n}"},
            "options": [{"label": f"label {i} of {n}"} for i in range(8)], **more}


def make(daemon, n):
    need(daemon.admin("PUT", f"/v1/polls/n{n}", definition(n, voters="address")).status == 201)


def make_and_vote(daemon, n):
    make(daemon, n)
    need(daemon.public("POST", f"/v1/polls/n{n}/votes", {"option": 1}).status == 201)


def make_and_close(daemon, n):
    make_and_vote(daemon, n)
    need(daemon.admin("PATCH", f"/v1/polls/n{n}", {"state": "closed"}).status == 200)


def exists(daemon, n):
    return int(daemon.admin("GET", f"/v1/polls/n{n}").status == 200)


def is_closed(daemon, n):
    return int(daemon.admin("GET", f"/v1/polls/n{n}").json()["state"] == "closed")


def own_votes(daemon, n):
    return daemon.tally(f"n{n}")["votes"]


def admin(method, path, body=None):
    """Of poll number n: %d in the path."""
    return lambda n: raw.closing(method, path.replace("%d", str(n)), body)


def vote_in_chunks(n):
    body = json.dumps({"options": [1], "voter": f"v{n}"}).encode()
    head = (f"POST /v1/polls/p/votes HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
            "Content-Type: application/json\r\nExpect: 100-continue\r\n"
            "Transfer-Encoding: chunked\r\n\r\n").encode()
    return head + b"".join(b"%x\r\n%s\r\n" % (len(part), part)
                           for part in (body[:5], body[5:])) + b"0\r\n\r\n"


tokens = {}


def token_of(daemon, n):
    answer = daemon.public("POST", "/v1/voters")
    need(answer.status == 201, answer)
    tokens[n] = answer.json()["token"]


def vote_by_token(n):
    return raw.closing("POST", "/v1/polls/p/votes?lang=ru", {"options": [2], "token": tokens[n]})


def vote_by_form(n):
    return raw.closing("POST", "/p/form", b"option=3", {
        "Content-Type": FORM, "Cookie": f"other=1; tallyd_voter={tokens[n]}"})


def vote_first(daemon, n):
    need(daemon.vote("p", 2, f"v{n}").status == 201)


def bulk(n):
    lines = "".join(json.dumps({"poll": "p", "option": 1 + i % 4, "voter": f"b{n}-{i}"}) + "\n"
                    for i in range(BULK_LINES))
    return raw.closing("POST", "/v1/votes", lines.encode(), {"Content-Type": NDJSON})


class Bulk(Writer):
    """Any number of its lines may count, and those that were answered do."""

    def __init__(self):
        super().__init__("votes in bulk", bulk, votes_of("p"), grows=BULK_LINES)

    def case(self, daemon):
        n = next(numbers)
        had = self.count(daemon, n)

        def check(outcome):
            got = [json.loads(line) for line in outcome.body.split(b"\n")[:-1] if line]
            counted = [line for line in got if line.get("result") == "counted"]
            refused_lines = [line for line in got if "status" in line]
            need(all(line["status"] == 503 for line in refused_lines), refused_lines)
            now = self.count(daemon, n)
            need(had + len(counted) <= now <= had + BULK_LINES, had, counted, now)
            if outcome.whole and outcome.status == 200:
                need(len(got) == BULK_LINES, outcome)
                need(now == had + len(counted), "lines that were refused count")
            again = raw.ask(daemon.unix, bulk(n))
            lines = [json.loads(line) for line in again.body.splitlines()]
            need(again.whole and [line["line"] for line in lines] ==
                 list(range(1, BULK_LINES + 1)), again)
            for line in counted:
                need(lines[line["line"] - 1] == {**line, "result": "already"}, line)
            need(self.count(daemon, n) == had + BULK_LINES)

        return Case(daemon.unix, bulk(n), check)


class Minting(Reader):
    """A token is good, or there is none."""
    writes = True

    def __init__(self):
        super().__init__("a token is minted", "POST", "/v1/voters")

    def case(self, daemon):
        def check(outcome):
            if no_answer(outcome):
                return
            need(outcome.status == 201, outcome)
            answer = daemon.public("POST", "/v1/polls/p/votes",
                                   {"option": 1, "token": outcome.json()["token"]})
            need(answer.status == 201, answer)

        return Case(daemon.tcp, self.data, check)


class Stream:
    """A stream that is open while the poll changes hears of it, or ends."""
    writes = True
    admin = False
    name = "a vote that a stream and a long poll hear of"

    def case(self, daemon):
        n = next(numbers)
        stream, waiting = daemon.tcp(), daemon.tcp()
        stream.send(harness.request_bytes("GET", "/v1/events?ids=p,r&lang=ru"))
        version = daemon.tally("p")["version"]
        waiting.send(harness.request_bytes("GET", f"/v1/polls/p/tally?wait=60&version={version}"))
        while stream.left.count(b"event: tally") < 2:
            stream._more()
        had = daemon.tally("p")["votes"]

        def check(outcome):
            if not no_answer(outcome):
                need(daemon.tally("p")["votes"] == had + 1)
            again = raw.ask(daemon.unix, vote("p", n))
            need(again.status in (200, 201) and again.whole, again)
            last = daemon.tally("p")  # nothing behind it: what was not sent must come by itself
            need(last["votes"] == had + 1, last)
            try:
                while f"id: {last['version']}\n".encode() not in stream.left:
                    stream._more()
            except ConnectionError:
                pass
            try:
                heard = waiting.answer()
                need(heard.status == 503 or heard.json()["votes"] > had, heard)
            except ConnectionError:
                pass
            stream.close()
            waiting.close()

        return Case(daemon.unix, vote("p", n), check)


ALL = [
    Writer("a vote", lambda n: vote("p", n), votes_of("p")),
    Writer("a vote by token", vote_by_token, votes_of("p"), local=False, before=token_of),
    Writer("a vote by form", vote_by_form, votes_of("form"), local=False, before=token_of,
           good=(303,)),
    Writer("a vote is changed", lambda n: vote("p", n), standing("p", 1), before=vote_first),
    Writer("a vote is retracted",
           lambda n: raw.closing("DELETE", "/v1/polls/p/votes", {"voter": f"v{n}"}),
           votes_of("p"), grows=-1, before=vote_first, again=(404,)),
    Writer("a vote in chunks", vote_in_chunks, votes_of("p")),
    Writer("the first vote of a poll", lambda n: vote(f"n{n}", n), own_votes, before=make),
    Bulk(),
    Minting(),
    Stream(),
    Reader("tally", "GET", "/v1/polls/p/tally"),
    Reader("tally in a language", "GET", "/v1/polls/p/tally", {"Accept-Language": "de, ru;q=0.8"}),
    Reader("tally unchanged", "GET", "/v1/polls/p/tally", {"If-None-Match": '"other", *'}),
    Reader("tallies", "GET", "/v1/tallies?ids=p,r,address,nowhere&lang=ru"),
    Reader("polls", "GET", "/v1/polls?limit=3&kind=choice"),
    Reader("poll", "GET", "/v1/polls/p?lang=ru"),
    Reader("top", "GET", "/v1/top?sort=votes&lang=ru"),
    Reader("history", "GET", "/v1/polls/p/history?step=3600"),
    Reader("chart", "GET", "/v1/polls/p/chart.svg?width=900&lang=ru"),
    Reader("chart of history", "GET", "/v1/polls/p/chart.svg?of=history"),
    Reader("chart of a rating", "GET", "/v1/polls/r/chart.svg?theme=dark"),
    Reader("jsonld", "GET", "/v1/polls/p/jsonld"),
    Reader("own vote", "GET", "/v1/polls/address/votes/mine"),
    Reader("own vote by name", "GET", "/v1/polls/p/votes/mine", local=True),
    Reader("hidden results", "GET", "/v1/polls/secret/tally"),
    Reader("page", "GET", "/p/p,r,address", {"Accept-Language": "ru", "Cookie": "a=b"}),
    Reader("page list", "GET", "/p/?lang=ru"),
    Reader("best rated", "GET", "/p/?sort=score"),
    Reader("embed", "GET", "/embed/p?theme=dark"),
    Reader("oembed", "GET", "/oembed?url=http://test/p/p&format=json"),
    Reader("asset", "HEAD", "/assets/page.css"),
    Reader("no such poll", "GET", "/v1/polls/nowhere/tally"),
    Reader("no such address", "GET", "/v2"),
    Reader("not allowed", "PATCH", "/v1/polls/p/tally"),
    Reader("preflight", "OPTIONS", "/v1/polls/p/votes", {
        "Origin": "http://test", "Access-Control-Request-Method": "POST"}),
    Reader("not HTTP", "GET", "/a b", bare=True),
    Reader("a foreign origin", "POST", "/v1/polls/p/votes", {"Origin": "https://x.example"},
           body={"option": 1}),
    Reader("not JSON", "POST", "/v1/polls/p/votes", body=b'{"option":'),
    Reader("no choice", "POST", "/v1/polls/p/votes", body={"option": 9, "voter": "x"}, local=True),
    Reader("already voted", "POST", "/v1/polls/form/votes", local=True,
           body={"option": 1, "voter": "early form"}),
    Reader("readyz", "GET", "/readyz"),
    Reader("livez", "GET", "/livez"),
    Reader("metrics", "GET", "/metrics", local=True, steady=figures),
    Reader("status", "GET", "/v1/status", local=True, steady=figures),
    Reader("the reference", "GET", "/openapi.json"),
    Reader("the reference unchanged", "GET", "/openapi.json", {"If-None-Match": '"other", *'}),
    Reader("export", "GET", "/v1/polls/r/votes?all=1", local=True),
    Reader("export as csv", "GET", "/v1/polls/r/votes?format=csv", local=True),
    Doer("a form without its cookie", lambda n: raw.closing(
        "POST", "/p/form", b"option=3", {"Content-Type": FORM}), (307,), local=False, admin=False),
    Writer("a poll is made", lambda n: raw.closing("PUT", f"/v1/polls/n{n}", definition(n)),
           exists, admin=True),
    Writer("a poll is closed", admin("PATCH", "/v1/polls/n%d", {"state": "closed"}), is_closed,
           before=make, admin=True),
    Writer("a poll is deleted", admin("DELETE", "/v1/polls/n%d"), exists, grows=-1, good=(204,),
           again=(404,), before=make_and_vote, admin=True),
    Writer("counts are carried over", admin("PUT", "/v1/polls/n%d/carried", {
        "votes": [3, 0, 0, 0, 0, 0, 0, 4]}), own_votes, grows=7, before=make, admin=True),
    Writer("votes are voided", admin("POST", "/v1/polls/n%d/void", {
        "from": "2000-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}), own_votes, grows=-1,
        before=make_and_vote, admin=True),
    Doer("voters are forgotten", admin("POST", "/v1/polls/n%d/forget", {}), (200,),
         before=make_and_close, again=(409,)),
    Doer("an audit", admin("GET", "/v1/polls/p/audit"), (200,)),
    Doer("keys are rotated", admin("POST", "/v1/keys/rotate"), (200,)),
    Doer("a recount", admin("POST", "/v1/verify", {"polls": ["r"]}), (200,)),
    Doer("a backup", lambda n: raw.closing("POST", "/v1/backup", {"path": f"backup-{n}"}), (200,),
         again=(409,)),
]
