"""The running daemon, walked by /openapi.json: every route, every status, every schema."""
import copy
import json
import pathlib
import re
import urllib.parse

import jsonschema
import pytest

import harness
import node
from bulk import Bulk
from events_test import Stream

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
FILE = SOURCE / "daemon" / "api" / "reference" / "openapi.json"
SPEC = json.loads(FILE.read_text())
METHODS = ("get", "put", "post", "patch", "delete")
OPERATIONS = {(path, method): SPEC["paths"][path][method]
              for path in SPEC["paths"] for method in METHODS if method in SPEC["paths"][path]}
ROUTE = re.compile(r'\{ METHOD_(\w+),\s*(POLL)?\s*(?:"([^"]*)")?,\s*(ROLE_\w+),'
                   r'\s*(NULL|"[^"]*"),\s*\w+ \}')
AT_ONCE = 30  # more than the guesses of a minute
JSON_TYPE = re.compile(r"application/(problem\+|ld\+)?json$")


def closed(schema):
    """The same schema, in which an object has no other members than those it names."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(value) for key, value in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        found.setdefault("additionalProperties", False)
    return found


CLOSED = closed(copy.deepcopy(SPEC))
RESOLVER = jsonschema.RefResolver("", CLOSED)


def resolved(part):
    """What a $ref stands for."""
    while "$ref" in part:
        part = RESOLVER.resolve(part["$ref"])[1]
    return part


def validate(value, schema):
    jsonschema.Draft202012Validator(schema, resolver=RESOLVER).validate(value)


class Walk:
    """Calls the daemon, holds each answer against the document, and notes what has been seen."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.seen = set()

    def note(self, operation, answer):
        """An answer of this operation is one that the document tells of."""
        path, method = operation
        responses = CLOSED["paths"][path][method]["responses"]
        told = resolved(responses.get(str(answer.status), responses["default"]))
        assert str(answer.status) in responses or answer.status >= 500, (operation, answer)
        self.seen.add((path, method, str(answer.status)))
        for name in told.get("headers", {}):
            assert name.lower() in answer.fields, (operation, name)
        if not answer.body:
            assert answer.status in (204, 303, 304, 307), (operation, answer)
            return answer
        kind = answer.fields["content-type"].partition(";")[0]
        assert kind in told["content"], (operation, answer)
        schema = told["content"][kind]["schema"]
        if JSON_TYPE.match(kind):
            validate(answer.json(), schema)
        elif kind == "application/x-ndjson":
            for line in answer.body.splitlines():
                validate(json.loads(line), schema)
        if kind == "application/problem+json":
            slug = answer.json()["type"].rpartition("/")[2]
            assert f"`{slug}`" in told["description"], (operation, slug)
        return answer

    def call(self, method, path, target=None, body=None, fields=None, who=None, status=None):
        operation = (path, method)
        target = target or path
        answer = (who or self.daemon.admin)(method.upper(), target, body, fields)
        assert status is None or answer.status == status, (operation, target, answer)
        content = OPERATIONS[operation].get("requestBody", {}).get("content", {})
        if answer.status < 300 and isinstance(body, dict):
            validate(body, CLOSED["paths"][path][method]["requestBody"]["content"]
                     ["application/json"]["schema"])
            assert "application/json" in content
        return self.note(operation, answer)


def named(path, poll="p"):
    return path.replace("{id}", poll)


def rows_of_the_table():
    """(path, method): (least role, parameters) of daemon/api/routes.c."""
    table = (SOURCE / "daemon" / "api" / "routes.c").read_text()
    table = table[table.index("const struct route routes[]"):]
    table = table[:table.index("};")]
    found = {}
    for method, poll, rest, role, names in ROUTE.findall(table):
        path = ("/v1/polls/{id}" if poll else "") + (rest or "")
        found[path, method.lower()] = (role, None if names == "NULL" else names.strip('"').split())
    assert len(found) == table.count("{ METHOD_")
    return found


def test_the_paths_are_the_routes_with_their_roles_and_parameters():
    table = rows_of_the_table()
    assert set(OPERATIONS) == set(table)
    for operation, (role, names) in table.items():
        told = OPERATIONS[operation]
        assert "401" in told["responses"] or role == "ROLE_PUBLIC", operation
        assert (told.get("security") == [{"role": []}]) == (role != "ROLE_PUBLIC"), operation
        parameters = [resolved(one) for one in told.get("parameters", [])]
        in_query = {one["name"] for one in parameters if one["in"] == "query"}
        assert names is None or in_query == set(names), operation
        assert ("{id}" in operation[0]) == any(one["in"] == "path" for one in parameters)


def test_a_validator_of_other_people_finds_nothing(tmp_path):
    assert node.run("openapi.js", FILE) == ""
    wrong = tmp_path / "wrong.json"
    wrong.write_text(FILE.read_text().replace('"in": "path"', '"in": "nowhere"', 1))
    assert node.run("openapi.js", wrong) != ""


def test_the_problems_are_those_of_the_table():
    table = (SOURCE / "daemon" / "core" / "problem.h").read_text()
    slugs = set(re.findall(r'X\(\w+, \d+, "([\w-]+)"', table))
    problem = SPEC["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]
    assert set(problem) == {f"/problems/{slug}" for slug in slugs}


def test_its_addresses_are_beside_it_also_below_a_path_of_public_url():
    [server] = SPEC["servers"]
    for home in ("https://votes.example", "https://www.example.org/polls"):
        assert urllib.parse.urljoin(home + "/openapi.json", server["url"]).rstrip("/") == home


def test_it_is_served_as_it_is_and_cached(daemon):
    answer = daemon.public("GET", "/openapi.json?x=y")
    assert answer.body == FILE.read_bytes()
    assert answer.fields["content-type"] == "application/json"
    assert answer.fields["cache-control"] == "public, max-age=3600"
    assert answer.fields["access-control-allow-origin"] == "*"
    again = daemon.public("GET", "/openapi.json", None, {"If-None-Match": answer.fields["etag"]})
    assert (again.status, again.body) == (304, b"")
    assert again.fields["etag"] == answer.fields["etag"]


def bulk_answer(wire, fields, *lines):
    bulk = Bulk(wire, fields)
    bulk.send(*lines)
    bulk.end()
    assert bulk.head() == 200
    return "".join(json.dumps(line) + "\n" for line in bulk.rest()).encode()


def chunked(wire, target):
    """A whole answer that comes in chunks."""
    wire.send(harness.request_bytes("GET", target))
    while b"\r\n\r\n" not in wire.left:
        wire._more()
    head, wire.left = wire.left.split(b"\r\n\r\n", 1)
    fields = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:])
    body = b""
    while True:
        while b"\r\n" not in wire.left:
            wire._more()
        size, wire.left = wire.left.split(b"\r\n", 1)
        while len(wire.left) < int(size, 16) + 2:
            wire._more()
        body += wire.left[:int(size, 16)]
        wire.left = wire.left[int(size, 16) + 2:]
        if int(size, 16) == 0:
            return harness.Answer(int(head.split(b" ")[1]), fields, body)


def refuse_everywhere(walk, daemon, limited):
    """What any route may answer, whatever it is for."""
    for (path, method), told in OPERATIONS.items():
        listed = told["responses"]
        target = named(path)
        walk.call(method, path, target + "?x=%zz", status=400)
        walk.call(method, path, target, fields={"X-Forwarded-For": "192.0.2.1"}, status=403)
        if "security" in told:
            walk.call(method, path, target, who=daemon.public, status=401)
        if path.startswith("/v1/"):
            walk.call(method, path, target + "?nonsense=1", status=422)
        if "413" in listed:
            walk.call(method, path, target, status=413,
                      fields={"Content-Length": "1000000", "Content-Type": "application/json"})
        if "415" in listed:
            walk.call(method, path, target, body=b"x", fields={"Content-Type": "text/plain"},
                      status=415)
        if "429" in listed:
            too_many(walk, limited, (path, method), target)


def too_many(walk, limited, operation, target):
    """More at once than there may be: of this route, or of guesses at a role token."""
    fields = {"Authorization": "Bearer a-guess"} if "security" in OPERATIONS[operation] else {}
    request = harness.request_bytes(operation[1].upper(), target, None, fields)
    wire = limited.tcp()
    wire.send(request * AT_ONCE)
    answers = [wire.answer() for _ in range(AT_ONCE)]
    wire.close()
    refused = [answer for answer in answers if answer.status == 429]
    assert refused, (operation, answers)
    assert "retry-after" in refused[0].fields
    walk.note(operation, refused[0])


def unknown_polls(walk):
    bodies = {("patch", ""): {}, ("put", "/carried"): {"votes": [1, 2]},
              ("post", "/votes"): {"option": 1, "voter": "v"}, ("delete", "/votes"): {"voter": "v"},
              ("post", "/void"): {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}}
    for path, method in OPERATIONS:
        if path.startswith("/v1/polls/{id}") and method != "put" or path.endswith("/carried"):
            body = bodies.get((method, path[len("/v1/polls/{id}"):]))
            walk.call(method, path, named(path, "nope"), body, status=404)
    walk.call("get", "/v1/events", "/v1/events?ids=nope", status=404)
    walk.call("post", "/v1/verify", body={"polls": ["nope"]}, status=404)
    walk.call("get", "/oembed", "/oembed?url=http://test/p/nope", status=404)
    walk.call("get", "/oembed", status=422)
    walk.call("get", "/oembed", "/oembed?url=http://test/p/p&format=xml", status=501)
    for path in ("/p/{id}", "/embed/{id}", "/assets/{id}"):
        walk.call("get", path, named(path, "nope"), status=404)
    walk.call("post", "/p/{id}", "/p/nope", b"option=1",
              {"Content-Type": "application/x-www-form-urlencoded"}, status=404)


def definitions(walk):
    poll = "/v1/polls/{id}"
    whole = {"title": {"en": "T", "ru": "Т"}, "options": [{"label": "a"}, {"label": {"en": "b"}}],
             "about": {"type": "Article", "name": "N", "url": "https://example.org/"},
             "revote": True, "closes_at": "2099-01-01T00:00:00+03:00"}
    walk.call("put", poll, named(poll), whole, status=201)
    walk.call("put", poll, named(poll), walk.call("get", poll, named(poll)).json(), status=200)
    walk.call("put", poll, named(poll), whole, {"If-None-Match": "*"}, status=412)
    walk.call("put", poll, named(poll, "r"), {"kind": "rating", "title": "R", "about": None,
                                              "carried": {"count": 2, "sum": 9}}, status=201)
    walk.call("put", poll, named(poll, "h"), {"title": "H", "options": whole["options"],
                                              "results": "after_close"}, status=201)
    walk.call("put", poll, named(poll, "once"), {"title": "O", "options": whole["options"]})
    walk.call("patch", poll, named(poll), {"title": "T"}, status=200)
    walk.call("put", "/v1/polls/{id}/carried", "/v1/polls/once/carried", {"votes": [3, 1]},
              status=200)
    walk.call("put", poll, named(poll, "r"), {"kind": "rating", "title": "R", "scale": 3},
              status=409)
    walk.call("patch", poll, named(poll, "r"), {"scale": 3}, status=409)
    tag = walk.call("get", poll, named(poll), status=200).fields["etag"]
    walk.call("get", poll, named(poll), fields={"If-None-Match": tag}, status=304)


def votes(walk, daemon):
    path = "/v1/polls/{id}/votes"
    walk.call("post", path, named(path), {"option": 1, "voter": "a"}, status=201)
    walk.call("post", path, named(path), {"options": [2], "voter": "a"}, status=200)
    walk.call("post", path, named(path, "r"), {"rating": 5, "voter": "a"}, status=201)
    walk.call("post", path, named(path, "h"), {"option": 1, "voter": "a"}, status=201)
    token = walk.call("post", "/v1/voters", body={}, who=daemon.public, status=201).json()["token"]
    walk.call("post", "/v1/voters", body={"voter": "b", "polls": ["h"], "expires_in": 60},
              status=201)
    walk.call("post", path, named(path, "h"), {"option": 1, "token": token}, who=daemon.public,
              status=201)
    walk.call("post", path, named(path), {"option": 1}, who=daemon.public, status=401)
    walk.call("post", path, named(path, "once"), {"option": 1, "voter": "a"}, status=201)
    walk.call("post", path, named(path, "once"), {"option": 2, "voter": "a"}, status=409)
    walk.call("post", path, named(path), {"option": 9, "voter": "a"}, status=422)
    walk.call("delete", path, named(path), {}, who=daemon.public, status=401)
    walk.call("delete", path, named(path, "once"), {"voter": "a"}, status=409)
    walk.call("delete", path, named(path), {"voter": "a"}, status=200)
    walk.call("delete", path, named(path), {"voter": "a"}, status=404)
    mine = path + "/mine"
    walk.call("get", mine, named(mine, "h"), fields={"Authorization": f"Bearer {token}"},
              who=daemon.public, status=200)
    walk.call("get", mine, named(mine), who=daemon.public, status=401)
    wire = daemon.unix()
    lines = bulk_answer(wire, "", {"poll": "p", "option": 1, "voter": "x"}, b"nonsense\n")
    walk.note(("/v1/votes", "post"),
              harness.Answer(200, {"content-type": "application/x-ndjson"}, lines))
    wire.close()
    for query in ("", "?all=1", "?format=csv"):
        wire = daemon.unix()
        walk.note((path, "get"), chunked(wire, named(path) + query))
        wire.close()


def reads(walk, daemon):
    for path, target in [("/v1/polls", "/v1/polls?limit=2&kind=choice"), ("/v1/polls", None),
                         ("/v1/polls/{id}", "/v1/polls/h"),
                         ("/v1/tallies", "/v1/tallies?ids=p,h,r,nope"), ("/v1/top", None),
                         ("/v1/top", "/v1/top?sort=votes&min_votes=1&prefix=p"),
                         ("/v1/polls/{id}/tally", "/v1/polls/r/tally?lang=ru"),
                         ("/oembed", "/oembed?url=http://test/p/p&maxwidth=300"),
                         ("/p/", None), ("/p/", "/p/?sort=score"), ("/p/{id}", "/p/p,r"),
                         ("/embed/{id}", "/embed/p"),
                         ("/livez", None), ("/readyz", None), ("/openapi.json", None)]:
        walk.call("get", path, target, who=daemon.public, status=200)
    for path in ("/tally", "/jsonld", "/chart.svg", "/chart.png"):
        path = "/v1/polls/{id}" + path
        answer = walk.call("get", path, named(path, "r"))
        if answer.status == 200:
            walk.call("get", path, named(path, "r"), status=304,
                      fields={"If-None-Match": answer.fields["etag"]})
    for path in ("/tally", "/history", "/chart.svg", "/jsonld"):
        path = "/v1/polls/{id}" + path
        hidden = walk.call("get", path, named(path, "h"), who=daemon.public, status=403)
        assert hidden.json()["type"] == "/problems/results-hidden"
    for path in ("/jsonld", "/history"):
        path = "/v1/polls/{id}" + path
        walk.call("get", path, named(path), status=200)
    walk.call("get", "/openapi.json", status=304, fields={"If-None-Match": "*"})
    walk.call("get", "/metrics", status=200)
    walk.call("get", "/widget.js", status=200)
    walk.call("get", "/widget.js", status=304, fields={"If-None-Match": "*"})
    for path in ("/p/", "/p/{id}", "/embed/{id}"):
        walk.call("get", path, path.replace("{id}", "p"), status=304,
                  fields={"If-None-Match": "*"})
    style = re.search(rb"assets/([\w-]+\.css)", daemon.public("GET", "/p/p").body).group(1).decode()
    walk.call("get", "/assets/{id}", "/assets/" + style, status=200)
    stream = Stream(daemon, "p")
    walk.seen.add(("/v1/events", "get", str(stream.status)))
    assert stream.fields["content-type"] in \
        resolved(OPERATIONS["/v1/events", "get"]["responses"]["200"])["content"]
    validate(stream.event()[2], {"$ref": "#/components/schemas/Tally"})
    stream.wire.close()


def page_votes(walk, daemon):
    path, form = "/p/{id}", {"Content-Type": "application/x-www-form-urlencoded"}
    first = walk.call("post", path, "/p/once", b"option=1", form, daemon.public, status=307)
    form["Cookie"] = first.fields["set-cookie"].partition(";")[0]
    target = "/p/once?c=1"
    walk.call("post", path, target, b"option=1", form, daemon.public, status=303)
    walk.call("post", path, target, b"option=2", form, daemon.public, status=409)
    walk.call("post", path, target, b"option=9", form, daemon.public, status=422)


def rule(walk, daemon):
    poll = "/v1/polls/{id}"
    walk.call("get", poll + "/audit", "/v1/polls/once/audit?limit=5", status=200)
    whole = {"from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}
    walk.call("post", poll + "/void", "/v1/polls/p/void", {**whole, "dry_run": True}, status=200)
    walk.call("post", poll + "/void", "/v1/polls/p/void", whole, status=200)
    walk.call("post", poll + "/forget", "/v1/polls/once/forget", {}, status=409)
    walk.call("patch", poll, "/v1/polls/once", {"state": "closed"}, status=200)
    walk.call("post", poll + "/forget", "/v1/polls/once/forget", {"voter": "a"}, status=200)
    walk.call("post", poll + "/forget", "/v1/polls/once/forget", status=200)
    walk.call("post", "/v1/keys/rotate", status=200)
    walk.call("post", "/v1/verify", status=200)
    walk.call("post", "/v1/verify", body={"polls": ["p"]}, status=200)
    walk.call("get", "/v1/status", status=200)
    walk.call("post", "/v1/backup", body={"path": "b"}, status=200)
    walk.call("post", "/v1/backup", body={"path": "b"}, status=409)
    walk.call("get", "/v1/status", status=200)
    walk.call("delete", poll, "/v1/polls/p", status=204)


@pytest.fixture
def limited(tmp_path):
    folder = tmp_path / "limited"
    folder.mkdir()
    one = harness.Daemon(folder)
    one.config = "[limits]\nvotes_per_minute = 1\ntokens_per_hour = 1\nreads_per_second = 1\n"
    yield one.start()
    one.end()


def test_every_route_and_status_is_met_and_every_answer_is_as_described(daemon, limited):
    walk = Walk(daemon)
    definitions(walk)
    unknown_polls(walk)
    votes(walk, daemon)
    page_votes(walk, daemon)
    reads(walk, daemon)
    refuse_everywhere(walk, daemon, limited)
    rule(walk, daemon)
    listed = {(path, method, status) for (path, method), told in OPERATIONS.items()
              for status in told["responses"] if status != "default"}
    # A part that is not built in (PNG without cairo) answers 501 in place of all it might say.
    missing = {(path, method) for path, method, status in walk.seen if status == "501"}
    left = {row for row in listed - walk.seen
            if row[:2] not in missing or row[2] not in ("200", "304")}
    assert not left, sorted(left)
