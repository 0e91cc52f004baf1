"""Many at once: what counts is counted once."""
import threading


def at_once(n, one):
    results = [None] * n
    gate = threading.Barrier(n)

    def run(i):
        gate.wait()
        results[i] = one(i)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_of_50_identical_ballots_one_is_counted_and_49_are_already(daemon):
    daemon.poll("p")
    answers = at_once(50, lambda i: daemon.vote("p", 1, "anna"))
    results = [answer.json()["result"] for answer in answers]
    assert sorted(results) == ["already"] * 49 + ["counted"]
    assert daemon.tally("p")["votes"] == 1


def test_of_50_different_ballots_where_revote_is_allowed_one_stands(daemon):
    daemon.poll("p", options=[{"label": str(i)} for i in range(50)], revote=True)
    answers = at_once(50, lambda i: daemon.vote("p", i + 1, "anna"))
    assert all(answer.status in (200, 201) for answer in answers)
    tally = daemon.tally("p")
    assert (tally["votes"], tally["voters"]) == (1, 1)
    last = max(answers, key=lambda a: a.json()["receipt"]["seq"]).json()["receipt"]["seq"]
    mine = daemon.vote("p", [o["votes"] for o in tally["options"]].index(1) + 1, "anna").json()
    assert (mine["result"], mine["receipt"]["seq"]) == ("already", last)


def test_a_poll_closed_under_load_ends_at_the_number_of_its_201s(daemon):
    daemon.poll("p")

    def one(i):
        if i == 20:
            return daemon.admin("PATCH", "/v1/polls/p", {"state": "closed"}).status
        return [daemon.vote("p", 1, f"v{i}-{j}").status for j in range(25)]

    statuses = [s for s in at_once(41, one) if isinstance(s, list)]
    counted = sum(status.count(201) for status in statuses)
    assert all(status in (201, 409) for per in statuses for status in per)
    assert daemon.tally("p")["votes"] == counted
