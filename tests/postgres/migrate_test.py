"""A database of an older version is brought to this one; one of a newer version is left alone."""
import harness
import nodes as nodes_of

VOTES = 40


def make_version_1(site):
    """As the first version left it: it had no functions."""
    drops = site.ask("SELECT string_agg(format('DROP FUNCTION %s', oid::regprocedure), ';') "
                     "FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
    assert "turn_begin" in drops, drops
    site.ask(f"{drops}; DELETE FROM migration WHERE number > 1")


def test_a_database_of_version_1_keeps_every_vote_and_counts_on(site):
    node = site.node().start()
    node.poll("p", revote=True)
    for voter in range(3):
        assert node.vote("p", 1, f"v{voter}").status == 201
    node.stop()
    make_version_1(site)
    node.start()
    assert node.tally("p")["votes"] == 3
    assert node.vote("p", 1, "v0").json()["result"] == "already"
    assert node.vote("p", 2, "v1").json()["result"] == "changed"
    assert node.vote("p", 2, "v3").json()["receipt"]["seq"] == 5
    verified = node.admin("POST", "/v1/verify", {}).json()
    assert (verified["ok"], verified["votes"]) == (True, 4)
    assert site.ask("SELECT max(number) FROM migration") == str(
        len(list(nodes_of.MIGRATIONS.iterdir())))


def test_a_database_of_a_newer_version_is_not_opened(site):
    node = site.node().start()
    node.stop()
    site.ask("INSERT INTO migration (number) VALUES (1000)")
    try:
        node.start()
    except AssertionError:
        pass
    assert node.process.wait(harness.START_S) == 1
    harness.until(lambda: any("newer tallyd" in line for line in node.log))
    node.process = None


def test_no_batch_reads_a_table_whole_though_it_was_small_when_its_plan_was_made(site):
    node = site.node().start()
    node.poll("p", revote=True, per_address=VOTES)
    for voter in range(VOTES):
        token = node.public("POST", "/v1/voters").json()["token"]
        for option in (1, 2):
            answer = node.public("POST", "/v1/polls/p/votes", {"option": option, "token": token})
            assert answer.status in (200, 201), answer
        if voter == 0:
            site.ask("ANALYZE")  # plans are made anew, by tables of a row or two
    # The engine's figures come a second or so behind.
    harness.until(lambda: site.ask("SELECT n_tup_ins FROM pg_stat_user_tables "
                                   "WHERE relname = 'vote'") == str(2 * VOTES))
    scans = site.ask("SELECT max(seq_scan) FROM pg_stat_user_tables "
                     "WHERE relname IN ('vote', 'voter', 'address', 'hour')")
    assert int(scans) < VOTES
