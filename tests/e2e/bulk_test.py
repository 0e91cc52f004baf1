"""POST /v1/votes: many votes in one request, and what it answers line by line."""
import socket
import threading

import pytest

import harness
from bulk import Bulk, ballot, bulk_all


def test_each_line_is_answered_in_its_order(daemon):
    daemon.poll("p")
    daemon.poll("r", kind="rating")
    daemon.poll("m", max_choices=3)
    answers = bulk_all(daemon, ballot("p", 1, "a"), ballot("p", 2, "b"),
                       {"poll": "r", "rating": 5, "voter": "a"},
                       {"voter": "a", "options": [1, 3], "poll": "m"},
                       ballot("p", 1, "a"), ballot("p", 3, "a"))
    assert answers[:5] == [
        {"line": 1, "result": "counted", "seq": 1}, {"line": 2, "result": "counted", "seq": 2},
        {"line": 3, "result": "counted", "seq": 1}, {"line": 4, "result": "counted", "seq": 1},
        {"line": 5, "result": "already", "seq": 1}]
    assert (answers[5]["line"], answers[5]["status"], answers[5]["error"]) == (
        6, 409, "already-voted")
    assert daemon.tally("p")["votes"] == 2
    assert daemon.tally("m")["votes"] == 2


def test_a_bad_line_is_refused_by_its_number_and_the_rest_goes_on(daemon):
    daemon.poll("p")
    rows = [
        (b"\n", None),
        (b"   \t\r\n", None),
        (ballot("p", 1, "a"), "counted"),
        (b"{\"poll\":\"p\"\n", (400, "malformed")),
        (b"\xff\xfe\x00rubbish\n", (400, "malformed")),
        (b"[]\n", (422, "invalid")),
        (ballot("nope", 1, "a"), (404, "no-such-poll")),
        (ballot("p", 5, "b"), (422, "invalid")),
        (ballot("p", 0, "b"), (422, "invalid")),
        (b'{"poll":"p","option":1.0,"voter":"b"}\n', (422, "invalid")),
        (b'{"poll":"p","option":1,"option":1,"voter":"b"}\n', (400, "malformed")),
        (b'{"poll":"p","option":1,"voter":"b","voter":"c"}\n', (400, "malformed")),
        ({"poll": "p", "rating": 1, "voter": "b"}, (422, "invalid")),
        ({"poll": "p", "option": 1, "options": [1], "voter": "b"}, (422, "invalid")),
        (ballot("p", 1, ""), (422, "invalid")),
        (ballot("p", 1, "x" * 257), (422, "invalid")),
        (ballot("p", 1, "a\nb"), (422, "invalid")),
        ({"poll": "p", "option": 1}, (422, "invalid")),
        (ballot("p", 1, "b", colour="red"), (422, "invalid")),
        ({"poll": "p", "option": 1, "token": "t"}, (422, "invalid")),
        (b'{"poll":"p","option":1,"voter":"' + b"y" * 20000 + b'"}\n', (413, "too-large")),
        (b"z" * 1000000 + b"\n", (413, "too-large")),
        (b' { "voter" : "\\u0062" , "poll" : "p" , "option" : 2 } \r\n', "counted"),
        (b'{"poll":"p","option":2,"voter":"last"}', "counted"),  # without an end of line
    ]
    answers = bulk_all(daemon, *[row[0] for row in rows])
    expected = [(number, row[1]) for number, row in enumerate(rows, 1) if row[1]]
    assert len(answers) == len(expected), answers
    for answer, (number, outcome) in zip(answers, expected):
        assert answer["line"] == number
        if isinstance(outcome, str):
            assert answer["result"] == outcome
        else:
            assert (answer["status"], answer["error"]) == outcome, answer
            assert answer["detail"]
    assert [option["votes"] for option in daemon.tally("p")["options"]] == [1, 2, 0, 0]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_line_is_as_long_as_it_is_without_its_end(daemon, end):
    daemon.poll("p")
    start = b'{"poll":"p","option":1,"voter":"%c"'
    lines = [(start % voter).ljust(size - 1) + b"}" + end
             for voter, size in ((b"a", 16384), (b"b", 16385))]
    answers = bulk_all(daemon, *lines)
    assert [answer.get("result", answer.get("status")) for answer in answers] == ["counted", 413]


def test_the_refusal_of_a_line_names_the_member(daemon):
    daemon.poll("p")
    assert bulk_all(daemon, ballot("p", 9, "a"))[0]["detail"].startswith("/option: ")


def test_answers_flow_while_the_request_does(daemon):
    daemon.poll("p")
    bulk = Bulk(daemon.unix())
    assert bulk.head() == 200
    for i in range(1, 50):
        bulk.send(ballot("p", 1, f"v{i}"))
        assert bulk.line() == {"line": i, "result": "counted", "seq": i}
    bulk.end()
    assert bulk.rest() == []
    assert daemon.tally("p")["votes"] == 49


def test_10000_lines_may_be_sent_before_the_first_answer_is_read(daemon):
    daemon.poll("p")
    bulk = Bulk(daemon.unix())
    for start in range(0, 10000, 500):
        bulk.send(*[ballot("p", 1 + i % 4, f"v{i}") for i in range(start, start + 500)])
    bulk.end()
    bulk.wire.send(harness.request_bytes("GET", "/livez"))
    assert bulk.head() == 200
    answers = bulk.rest()
    assert [a["line"] for a in answers] == list(range(1, 10001))
    assert [a["seq"] for a in answers] == list(range(1, 10001))
    assert bulk.wire.answer().body == b"live\n"
    assert [o["votes"] for o in daemon.tally("p")["options"]] == [2500] * 4


def test_a_client_that_reads_no_answers_is_not_read_either(daemon):
    """Memory stays bounded, votes that were taken count, and nobody else is held up."""
    daemon.poll("p")
    daemon.poll("q")
    bulk = Bulk(daemon.unix())
    bulk.wire.socket.settimeout(1)
    sent = 0
    line = b'{"poll":"p","option":9,"voter":"' + b"x" * 60 + b'"}\n'
    block = line * 1000
    try:
        while sent < 400000:
            bulk.wire.send(b"%x\r\n%s\r\n" % (len(block), block))
            sent += 1000
    except socket.timeout:
        pass
    assert sent < 400000
    assert daemon.vote("q", 1, "a").status == 201
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as status:
        resident = next(int(row.split()[1]) for row in status if row.startswith("VmRSS"))
    if "asan" not in harness.TALLYD and "tsan" not in harness.TALLYD:
        assert resident < 64 * 1024
    bulk.wire.close()


def test_a_client_that_goes_away_leaves_what_was_taken_and_can_go_on(daemon):
    daemon.poll("p")
    lines = [ballot("p", 1, f"v{i}") for i in range(3000)]
    bulk = Bulk(daemon.unix())
    bulk.send(*lines)
    assert bulk.head() == 200
    assert bulk.line()["result"] == "counted"
    bulk.wire.close()
    answers = bulk_all(daemon, *lines)
    assert {a["result"] for a in answers} <= {"counted", "already"}
    assert [a["seq"] for a in answers] == list(range(1, 3001))
    assert daemon.tally("p")["votes"] == 3000


def test_voters_that_are_being_loaded_hold_up_their_own_poll_alone(daemon):
    daemon.poll("old")
    daemon.poll("new")
    bulk_all(daemon, *[ballot("old", 1, f"v{i}") for i in range(9000)])
    daemon.stop()
    daemon.start()
    answers = bulk_all(daemon, ballot("old", 1, "v8999"), ballot("new", 1, "a"),
                       *[ballot("old", 2, f"w{i}") for i in range(2000)],
                       ballot("old", 1, "v0"))
    assert answers[0] == {"line": 1, "result": "already", "seq": 9000}
    assert answers[1] == {"line": 2, "result": "counted", "seq": 1}
    assert answers[-1] == {"line": 2003, "result": "already", "seq": 1}
    assert daemon.tally("old")["votes"] == 11000


def test_votes_in_bulk_and_one_by_one_count_each_voter_once(daemon):
    daemon.poll("p")
    results = []

    def one_by_one():
        for i in range(300):
            results.append(daemon.vote("p", 1, f"v{i}").json()["result"])

    thread = threading.Thread(target=one_by_one)
    thread.start()
    answers = bulk_all(daemon, *[ballot("p", 1, f"v{i}") for i in range(300)])
    thread.join()
    results += [answer["result"] for answer in answers]
    assert results.count("counted") == 300
    assert daemon.tally("p")["votes"] == 300


def test_many_bulks_at_once_are_counted_whole_and_refuse_no_vote_that_comes_by_itself(daemon):
    bulks, lines = 12, 8000  # more than may wait one by one
    daemon.poll("p")
    results = []

    def one_bulk(number):
        answers = bulk_all(daemon, *[ballot("p", 1, f"{number}-{i}") for i in range(lines)])
        results.extend(answer.get("result") for answer in answers)

    threads = [threading.Thread(target=one_bulk, args=(number,)) for number in range(bulks)]
    for thread in threads:
        thread.start()
    votes = 0
    while any(thread.is_alive() for thread in threads):
        assert daemon.vote("p", 2, f"single{votes}").status == 201
        votes += 1
    for thread in threads:
        thread.join()
    assert results == ["counted"] * (bulks * lines)
    assert [option["votes"] for option in daemon.tally("p")["options"]] == [
        bulks * lines, votes, 0, 0]


def test_an_empty_bulk_is_200_and_the_type_must_be_right(daemon):
    wire = daemon.unix()
    wire.send(b"POST /v1/votes HTTP/1.1\r\nHost: t\r\n\r\n")
    bulk = Bulk.__new__(Bulk)
    bulk.wire, bulk.got, bulk.over = wire, b"", False
    assert bulk.head() == 200
    assert bulk.rest() == []
    for type_name in ("text/plain", "application/x-www-form-urlencoded"):
        answer = daemon.admin("POST", "/v1/votes", b"{}\n", {"Content-Type": type_name})
        assert answer.status == 415
    assert daemon.public("POST", "/v1/votes", b"{}\n").status == 401


def test_sigterm_answers_what_was_taken_and_ends_the_answer(daemon):
    daemon.poll("p")
    bulk = Bulk(daemon.unix())
    bulk.send(*[ballot("p", 1, f"v{i}") for i in range(700)])
    assert bulk.head() == 200
    first = bulk.line()
    daemon.stop()
    answers = [first] + bulk.rest()
    assert all(a["result"] == "counted" for a in answers)
    daemon.start()
    assert daemon.tally("p")["votes"] == len(answers)
