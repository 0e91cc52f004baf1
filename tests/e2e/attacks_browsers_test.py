"""Attacks through a reader's browser: pages of other sites neither vote, nor rule, nor read."""
import pytest

import attackers
import harness
from attackers import ADMIN_TOKEN, slug

OWN = "https://polls.example"
ALLOWED = "https://news.example"
SITE = {"server": {"public_url": OWN + "/polls", "origins": ALLOWED + " http://localhost:8000"}}
FOREIGN = ["https://evil.example", "http://polls.example", "https://polls.example:8443",
           "https://polls.example.evil.example", "https://evilpolls.example",
           "https://news.example.", "https://polls.example/", "https://polls.example/polls",
           "https://user@polls.example", "http://localhost", "https://localhost:8000",
           "null", "", "file://", "https://", "polls.example", "*", "chrome-extension://abcdef",
           f"{OWN} {ALLOWED}", f"{OWN}, {ALLOWED}", "https://polls.example\u00a0"]


@pytest.fixture
def start(tmp_path):
    ones = []

    def started(**sections):
        ones.append(attackers.start(tmp_path, **sections))
        ones[-1].poll("a", voters="address", revote=True)
        return ones[-1]

    yield started
    for one in ones:
        one.end()


def send(daemon, method, path, host="test", body=None, **fields):
    """With this Host; fields by their names with _ for -."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    data = b"" if body is None else harness.json.dumps(body).encode()
    if body is not None and "Content_Type" not in fields:
        lines += "Content-Type: application/json\r\n"
    if body is not None:
        lines += f"Content-Length: {len(data)}\r\n"
    wire = daemon.tcp()
    try:
        wire.send(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n".encode() + data)
        return wire.answer(head_only=method == "HEAD")
    finally:
        wire.close()


def readers(answer):
    """Who may read it, as browsers understand it."""
    return answer.fields.get("access-control-allow-origin")


CHANGES = [("POST", "/v1/polls/a/votes", {"option": 1}), ("DELETE", "/v1/polls/a/votes", None),
           ("POST", "/v1/voters", None), ("POST", "/v1/votes", {}), ("PUT", "/v1/polls/x", {}),
           ("PATCH", "/v1/polls/a", {}), ("DELETE", "/v1/polls/a", None),
           ("POST", "/v1/keys/rotate", None), ("POST", "/v1/backup", {"path": "b"})]


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_page_of_a_foreign_origin_changes_nothing(start, origin):
    daemon = start(**SITE)
    for fields in ({}, {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-origin"},
                   {"Authorization": f"Bearer {ADMIN_TOKEN}"}):
        for method, path, body in CHANGES:
            answer = send(daemon, method, path, body=body, Origin=origin, **fields)
            assert (answer.status, slug(answer)) == (403, "forbidden"), (method, path, answer)
            assert "origin" in answer.json()["detail"]
            assert readers(answer) is None
    assert daemon.tally("a")["votes"] == 0


@pytest.mark.parametrize("origin", [OWN, OWN.upper(), OWN + ":443", ALLOWED, "http://localhost:8000"])
def test_pages_of_own_and_allowed_origins_vote_and_read_the_answer(start, origin):
    daemon = start(**SITE)
    for site in ("same-origin", "cross-site", "same-site"):
        answer = send(daemon, "POST", "/v1/polls/a/votes", body={"option": 1}, Origin=origin,
                      Sec_Fetch_Site=site)
        assert answer.status in (200, 201), answer
        assert readers(answer) == origin
        assert "origin" in answer.fields["vary"].lower()
    refused = send(daemon, "POST", "/v1/polls/a/votes", body={"option": 9}, Origin=origin)
    assert (refused.status, readers(refused)) == (422, origin)
    assert send(daemon, "DELETE", "/v1/polls/a/votes", Origin=origin).status == 200


def test_two_origins_are_foreign(start):
    daemon = start(**SITE)
    wire = daemon.tcp()
    wire.send(b"DELETE /v1/polls/a/votes HTTP/1.1\r\nHost: t\r\nOrigin: https://polls.example\r\n"
              b"Origin: https://news.example\r\n\r\n")
    assert wire.answer().status == 403


def test_a_cross_site_request_that_names_no_origin_changes_nothing(start):
    """As a form sends it under a Referrer-Policy of no-referrer, in some browsers."""
    daemon = start(**SITE)
    for method, path, body in CHANGES:
        answer = send(daemon, method, path, body=body, Sec_Fetch_Site="cross-site")
        assert (answer.status, slug(answer)) == (403, "forbidden"), (method, path, answer)
    for site in ("same-origin", "same-site", "none"):
        answer = send(daemon, "POST", "/v1/polls/a/votes", body={"option": 1}, Sec_Fetch_Site=site)
        assert answer.status in (200, 201)
    # A program has neither field; and what changes nothing is anybody's.
    assert send(daemon, "POST", "/v1/polls/a/votes", body={"option": 1}).status == 200
    assert send(daemon, "GET", "/v1/polls/a", Sec_Fetch_Site="cross-site").status == 200


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain",
                                  "multipart/form-data; boundary=x"])
def test_a_form_votes_in_no_api(start, kind):
    """What a form can send without asking first is no JSON, from whatever page."""
    daemon = start(**SITE)
    for fields, status in (({}, 415), ({"Origin": OWN}, 415), ({"Origin": "null"}, 403)):
        answer = send(daemon, "POST", "/v1/polls/a/votes", body={"option": 1}, Content_Type=kind,
                      **fields)
        assert answer.status == status, (fields, answer)
    assert daemon.tally("a")["votes"] == 0


def test_a_rebound_host_is_foreign_where_public_url_is_set(start):
    daemon = start(**SITE)
    answer = send(daemon, "POST", "/v1/polls/a/votes", "evil.example", {"option": 1},
                  Origin="http://evil.example")
    assert (answer.status, slug(answer)) == (403, "forbidden")
    # The public name stays own, whatever Host the proxy sends.
    answer = send(daemon, "POST", "/v1/polls/a/votes", "10.0.0.5:8080", {"option": 1}, Origin=OWN)
    assert answer.status == 201


def test_without_public_url_the_own_origin_is_the_host(start):
    """So a rebound name passes, as docs say: set public_url where the network is not trusted."""
    daemon = start()
    for host, origin, status in (("polls.example", "http://polls.example", 201),
                                 ("polls.example:80", "http://polls.example", 200),
                                 ("POLLS.example", "http://polls.EXAMPLE", 200),
                                 ("[::1]:8080", "http://[::1]:8080", 200),
                                 ("polls.example:8080", "http://polls.example", 403),
                                 ("polls.example", "http://polls.example:8080", 403),
                                 ("polls.example", "http://evil.example", 403),
                                 ("polls.example", "null", 403),
                                 ("null", "null", 403)):
        answer = send(daemon, "POST", "/v1/polls/a/votes", host, {"option": 1}, Origin=origin)
        assert answer.status == status, (host, origin, answer)
        assert readers(answer) == (None if status == 403 else origin)


def test_preflights_name_what_may_be_sent_to_known_pages_alone(start):
    daemon = start(**SITE)
    for origin in (OWN, ALLOWED, "https://evil.example", "null"):
        for path, methods in (("/v1/polls/a/votes", "POST DELETE GET HEAD"),
                              ("/v1/polls/a", "GET HEAD PUT PATCH DELETE"),
                              ("/v1/polls/a/tally", "GET HEAD"), ("/v1/voters", "POST")):
            answer = send(daemon, "OPTIONS", path, Origin=origin,
                          Access_Control_Request_Method="POST",
                          Access_Control_Request_Headers="authorization,content-type")
            assert (answer.status, answer.body) == (204, b"")
            assert readers(answer) == (origin if origin in (OWN, ALLOWED) else None)
            assert answer.fields["access-control-max-age"] == "86400"
            assert sorted(answer.fields["access-control-allow-methods"].split(", ")) == \
                sorted(methods.split())
            assert answer.fields["access-control-allow-headers"] == \
                "Authorization, Content-Type, If-None-Match"
            assert "access-control-allow-credentials" not in answer.fields
            assert "origin" in answer.fields["vary"].lower()
    answer = send(daemon, "OPTIONS", "/nowhere", Origin=OWN, Access_Control_Request_Method="POST")
    assert answer.status == 404
    plain = send(daemon, "OPTIONS", "/v1/polls/a/votes")
    assert plain.status == 204 and "POST" in plain.fields["allow"]


def test_every_page_reads_what_is_public(start):
    daemon = start(**SITE)
    etag = daemon.public("GET", "/v1/polls/a/tally").fields["etag"]
    for origin in ({}, {"Origin": OWN}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        for path, status, fields in (
                ("/v1/polls", 200, {}), ("/v1/polls/a", 200, {}), ("/v1/polls/a/tally", 200, {}),
                ("/v1/polls/a/tally", 304, {"If_None_Match": etag}),
                ("/v1/tallies?ids=a,b", 200, {}), ("/v1/polls/a/history", 200, {}),
                ("/v1/polls/a/tally?wait=1&version=0", 200, {}),
                ("/v1/polls/none", 404, {}), ("/v1/polls?limit=0", 422, {}), ("/nowhere", 404, {}),
                ("/livez", 200, {})):
            for method in ("GET", "HEAD"):
                answer = send(daemon, method, path, **origin, **fields)
                assert answer.status == status, (path, answer)
                assert readers(answer) == "*", (path, answer)
                exposed = answer.fields["access-control-expose-headers"].lower().split(", ")
                assert sorted(exposed) == ["etag", "retry-after"]


VOTE = "POST /v1/polls/a/votes HTTP/1.1", "Content-Type: application/json"
REFUSED_UNHEARD = [  # lines of a head, what follows it, status
    ((*VOTE, "Content-Length: 99999"), b"", 413),
    ((*VOTE, "Transfer-Encoding: chunked"), b"9000\r\n" + b"x" * 0x9000, 413),
    ((*VOTE, "Transfer-Encoding: chunked"), b"nonsense\r\n", 400),
    (("BREW /v1/polls/a/votes HTTP/1.1",), b"", 501),
]


@pytest.mark.parametrize("lines, rest, status", REFUSED_UNHEARD,
                         ids=["length", "chunked", "grammar", "method"])
def test_pages_of_ours_read_what_was_refused_before_it_was_heard(start, lines, rest, status):
    daemon = start(**SITE)
    for origin, reader in ((OWN, OWN), (ALLOWED, ALLOWED), ("https://evil.example", None)):
        wire = daemon.tcp()
        wire.send("\r\n".join((*lines, "Host: test", f"Origin: {origin}", "", "")).encode() + rest)
        head = head_of(wire)
        assert int(wire.left.split(b" ")[1]) == status, wire.left[:200]
        assert head.get("access-control-allow-origin") == reader, (origin, head)
        assert "origin" in head["vary"].lower()
        wire.close()


def test_a_get_that_is_too_large_is_refused_to_every_page_and_a_head_without_a_body(start):
    daemon = start(**SITE)
    for method in ("GET", "HEAD"):
        wire = daemon.tcp()
        wire.send(f"{method} /v1/polls/a HTTP/1.1\r\nHost: test\r\nOrigin: https://evil.example\r\n"
                  "Content-Length: 99999\r\n\r\n".encode())
        answer = wire.answer(head_only=method == "HEAD")
        assert (answer.status, readers(answer)) == (413, "*")
        assert wire.left == b"" and wire.is_closed()
        wire.close()


def test_no_foreign_page_reads_what_depends_on_the_caller(start):
    daemon = start(**SITE)
    daemon.poll("h", voters="address", results="after_vote")
    daemon.poll("c", results="after_close")
    token = daemon.token()
    paths = ["/v1/polls/a/votes/mine", "/v1/polls/h/tally", "/v1/polls/h/history",
             "/v1/polls/h/tally?wait=1&version=0", "/v1/polls/c/tally", "/v1/status",
             "/v1/polls/a/audit", "/v1/polls/a/votes"]
    rights = [{}, {"Authorization": f"Bearer {ADMIN_TOKEN}"}, {"Authorization": f"Bearer {token}"}]
    for voted in (False, True):
        for path in paths:
            for right in rights:
                for origin in (OWN, "https://evil.example", "null", None):
                    fields = {**right, **({"Origin": origin} if origin else {})}
                    wire = daemon.tcp()
                    wire.send(harness.request_bytes("GET", path, None, fields))
                    head = head_of(wire)
                    wire.close()
                    assert head.get("access-control-allow-origin") == \
                        (OWN if origin == OWN else None), (path, right, head)
                    assert "origin" in head["vary"].lower()
        assert daemon.public("POST", "/v1/polls/h/votes", {"option": 1}).status in (200, 201)


def head_of(wire):
    """The header fields; bodies of exports are chunked."""
    while b"\r\n\r\n" not in wire.left:
        wire._more()
    lines = wire.left.split(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}


def test_credentials_of_a_browser_are_never_asked_for(start):
    """Cookies do not go along, so * is no danger; nobody may turn that on by an Origin."""
    daemon = start(**SITE)
    for origin in (OWN, ALLOWED, "https://evil.example"):
        for method, path in (("GET", "/v1/polls/a"), ("OPTIONS", "/v1/polls/a/votes"),
                             ("POST", "/v1/voters")):
            answer = send(daemon, method, path, Origin=origin, Access_Control_Request_Method="POST")
            assert "access-control-allow-credentials" not in answer.fields


def test_an_origin_is_never_a_way_into_the_header(start):
    daemon = start()
    for origin in ("http://test%0d%0aSet-Cookie: a=b", "http://test\tx", "http://test\x0bx",
                   "http://test\"", "http://test;x"):
        answer = send(daemon, "POST", "/v1/polls/a/votes", "test", {"option": 1}, Origin=origin)
        assert answer.status in (400, 403), (origin, answer)
        assert "set-cookie" not in answer.fields


KINDS = [  # request, status
    (b"GET /v1/polls/a HTTP/1.1\r\nHost: t\r\n\r\n", 200),
    (b"GET /livez HTTP/1.1\r\nHost: t\r\n\r\n", 200),
    (b"HEAD /v1/polls HTTP/1.1\r\nHost: t\r\n\r\n", 200),
    (b"OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n", 204),
    (b"OPTIONS /v1/polls HTTP/1.1\r\nHost: t\r\nOrigin: http://x\r\n"
     b"Access-Control-Request-Method: GET\r\n\r\n", 204),
    (b"POST /v1/voters HTTP/1.1\r\nHost: t\r\n\r\n", 201),
    (b"GET /v1/status HTTP/1.1\r\nHost: t\r\n\r\n", 401),
    (b"PUT /v1/polls HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n", 405),
    (b"BREW / HTTP/1.1\r\nHost: t\r\n\r\n", 501),
    (b"GET /metrics HTTP/1.1\r\nHost: t\r\n\r\n", 403),
    (b"nonsense\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: t\r\n\r\n", 414),
    (b"GET / HTTP/1.1\r\nHost: t\r\nX: " + b"x" * 9000 + b"\r\n\r\n", 431),
    (b"POST /v1/polls/a/votes HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
     b"Content-Length: 99999\r\n\r\n", 413),
    (b"POST /v1/polls/a/votes HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n{}", 415),
    (b"DELETE /v1/polls/a/votes HTTP/1.1\r\nHost: t\r\n\r\n", 404),
    (b"GET /v1/polls/a/votes HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer %s\r\n\r\n"
     % ADMIN_TOKEN.encode(), 200),
    (b"POST /v1/votes HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer %s\r\n"
     b"Content-Type: application/x-ndjson\r\nContent-Length: 0\r\n\r\n" % ADMIN_TOKEN.encode(), 200),
]


def test_nosniff_and_a_referrer_policy_stand_on_everything(start):
    daemon = start()
    for request, status in KINDS:
        wire = daemon.tcp()
        wire.send(request)
        head = head_of(wire)
        assert int(wire.left.split(b" ")[1]) == status, (request[:80], wire.left[:200])
        assert head["x-content-type-options"] == "nosniff", request[:80]
        assert head["referrer-policy"] == "same-origin", request[:80]
        wire.close()


def test_so_they_do_where_too_many_connections_are_open(start):
    daemon = start(limits={"connections": 1})
    first = daemon.tcp()
    assert daemon.ask(first, "GET", "/livez").status == 200
    second = daemon.tcp()
    head = head_of(second)
    assert second.left.startswith(b"HTTP/1.1 503")
    assert (head["x-content-type-options"], head["referrer-policy"]) == ("nosniff", "same-origin")
    assert int(head["retry-after"]) >= 1


def test_pages_of_ours_are_told_why_they_were_refused(start):
    """Also where the caller could not be made out: else a page sees no more than a failure."""
    daemon = start(**SITE)
    for method, path in (("GET", "/v1/status"), ("POST", "/v1/keys/rotate")):
        answers = [send(daemon, method, path, Origin=OWN, **{"Authorization": "Bearer wrong"})
                   for _ in range(12)]
        assert answers[-1].status == 429
        expected = {"GET": (OWN, "*"), "POST": (OWN,)}[method]
        assert all(readers(answer) in expected for answer in answers)
