"""HTTP as strangers and proxies send it."""
import pytest

from harness import request_bytes


def test_every_refusal_is_a_problem_document(daemon):
    daemon.poll("p")
    for method, path, status, slug in [
            ("GET", "/v1/polls/nope/tally", 404, "no-such-poll"),
            ("GET", "/nowhere", 404, "no-such-route"),
            ("PUT", "/v1/polls/p/tally", 405, "method-not-allowed"),
            ("GET", "/v1/polls/p/tally?colour=red", 422, "invalid"),
            ("GET", "/v1/polls/%zz/tally", 400, "malformed"),
            ("GET", "/metrics", 403, "forbidden")]:
        answer = daemon.public(method, path)
        assert (answer.status, answer.json()["type"]) == (status, "/problems/" + slug), path
        assert answer.fields["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status
        assert answer.json()["title"] and answer.json()["detail"]


def test_a_method_that_a_route_lacks_is_told_which_it_takes(daemon):
    answer = daemon.public("POST", "/v1/polls/p/tally", {})
    assert answer.fields["allow"] == "GET, HEAD"


def test_the_list_of_polls_is_a_page_to_read_and_takes_no_vote(daemon):
    daemon.poll("p")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for path, allow in (("/p/", "GET, HEAD"), ("/p/p", "GET, HEAD, POST")):
        refused = daemon.public("PUT", path, b"option=1", form)
        assert (refused.status, refused.fields["allow"]) == (405, allow), path
        options = daemon.public("OPTIONS", path)
        assert (options.status, options.fields["allow"]) == (204, allow + ", OPTIONS"), path
    refused = daemon.public("POST", "/p/", b"option=1", form)
    assert (refused.status, refused.fields["allow"]) == (405, "GET, HEAD")
    assert daemon.public("HEAD", "/p/").status == 200


def test_an_unknown_method_is_501(daemon):
    assert daemon.public("BREW", "/v1/polls").status == 501


def test_admin_routes_over_tcp_are_401(daemon):
    for method, path in [("PUT", "/v1/polls/p"), ("PATCH", "/v1/polls/p"),
                         ("DELETE", "/v1/polls/p"), ("PUT", "/v1/polls/p/carried"),
                         ("GET", "/v1/status"), ("POST", "/v1/backup")]:
        answer = daemon.public(method, path, {})
        assert (answer.status, answer.fields["www-authenticate"]) == (401, "Bearer"), path


def test_a_forwarded_request_gets_no_role_from_the_socket(daemon):
    for field in ("X-Forwarded-For", "Forwarded", "Via"):
        answer = daemon.admin("PUT", "/v1/polls/p", {}, {field: "1.2.3.4"})
        assert answer.status == 403
        assert "proxy_users" in answer.json()["detail"]


def test_a_body_of_another_type_is_415(daemon):
    daemon.poll("p")
    for fields in ({"Content-Type": "text/plain"}, {"Content-Type": "application/x-ndjson"}):
        answer = daemon.admin("POST", "/v1/polls/p/votes", b'{"option":1}', fields)
        assert answer.status == 415
    wire = daemon.unix()
    wire.send(b"POST /v1/polls/p/votes HTTP/1.1\r\nHost: t\r\nContent-Length: 12\r\n\r\n"
              b'{"option":1}')
    assert wire.answer().status == 415
    wire.close()
    charset = {"Content-Type": "application/json; charset=utf-8"}
    assert daemon.admin("POST", "/v1/polls/p/votes", b'{"option":1}', charset).status == 201


@pytest.mark.parametrize("path", ["/v1/keys/rotate", "/v1/verify", "/v1/polls/p/forget"])
def test_a_body_that_may_be_left_out_is_read_where_it_is_sent(daemon, path):
    daemon.poll("p", state="closed")
    for body, kind, status in [(b"{}", "text/plain", 415), (b"{", "application/json", 400),
                               (b"[]", "application/json", 422),
                               (b'{"colour":1}', "application/json", 422),
                               (b"{}", "application/json", 200)]:
        answer = daemon.admin("POST", path, body, {"Content-Type": kind})
        assert answer.status == status, (body, kind, answer)
    assert daemon.admin("POST", path).status == 200


def test_an_id_is_percent_decoded_once(daemon):
    daemon.poll("a~b")
    assert daemon.public("GET", "/v1/polls/a%7Eb/tally").status == 200
    assert daemon.public("GET", "/v1/polls/a%257Eb/tally").status == 404


@pytest.mark.parametrize("data, status", [
    (b"nonsense\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 400),
    (b"GET / HTTP/1.1\nHost: a\n\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
    (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 9000 + b"\r\n\r\n", 431),
    (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 64 + b"\r\n", 431),
    (b"POST /v1/polls/p/votes HTTP/1.1\r\nHost: a\r\nContent-Length: 16385\r\n\r\n", 413),
])
def test_what_is_not_strict_http_is_refused_and_the_connection_closes(daemon, data, status):
    wire = daemon.tcp()
    wire.send(data)
    answer = wire.answer()
    assert (answer.status, answer.fields["connection"]) == (status, "close")
    assert wire.is_closed()
    wire.close()


def test_pipelined_replies_come_in_order_and_a_read_behind_a_vote_shows_it(daemon):
    daemon.poll("p")
    wire = daemon.unix()
    sent = b""
    for i in range(20):
        body = {"option": 1, "voter": f"v{i}"}
        sent += request_bytes("POST", "/v1/polls/p/votes", body)
        sent += request_bytes("GET", "/v1/polls/p/tally")
    wire.send(sent)
    for i in range(20):
        assert wire.answer().json()["receipt"]["seq"] == i + 1
        assert wire.answer().json()["votes"] >= i + 1
    wire.close()


def test_a_thousand_pipelined_votes_are_answered_in_their_order(daemon):
    daemon.poll("p")
    wire = daemon.unix()
    wire.send(b"".join(request_bytes("POST", "/v1/polls/p/votes", {"option": 2, "voter": f"v{i}"})
                       for i in range(1000)))
    seqs = [wire.answer().json()["receipt"]["seq"] for _ in range(1000)]
    assert seqs == list(range(1, 1001))
    wire.close()


def test_a_client_that_expects_100_gets_it_and_a_chunked_body_is_read(daemon):
    daemon.poll("p")
    wire = daemon.unix()
    wire.send(b"POST /v1/polls/p/votes HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
              b"Expect: 100-continue\r\nContent-Length: 26\r\n\r\n")
    assert wire.answer().status == 100
    wire.send(b'{"option":1,"voter":"ann"}')
    assert wire.answer().status == 201
    wire.send(b"POST /v1/polls/p/votes HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
              b"Transfer-Encoding: chunked\r\n\r\n"
              b'd\r\n{"option":1,"\r\nd;x=y\r\nvoter":"ben"}\r\n0\r\nA: b\r\n\r\n')
    assert wire.answer().status == 201
    wire.close()


def test_half_a_request_and_a_closed_half_are_no_vote_but_a_whole_one_is(daemon):
    import socket
    daemon.poll("p")
    wire = daemon.unix()
    whole = request_bytes("POST", "/v1/polls/p/votes", {"option": 1, "voter": "a"})
    wire.send(whole + whole[:-3])
    wire.socket.shutdown(socket.SHUT_WR)
    assert wire.answer().status == 201
    assert wire.is_closed()
    wire.close()
    assert daemon.tally("p")["votes"] == 1


def test_health_is_told_without_a_role(daemon):
    assert daemon.public("GET", "/livez").status == 200
    assert daemon.public("GET", "/readyz?x=y").status == 200
