"""tally-import: from the tables of an older system, by `tally apply`, to the tallies of tallyd."""
import json
import os
import re
import subprocess

from takeover import SANITIZED, TALLY_IMPORT, figures, fixture, labels, polls, run, taken_over, text


def test_polls_of_wp_polls_have_the_same_figures(daemon, tmp_path):
    got = taken_over(daemon, tmp_path, "wp-polls", fixture("wp-polls.sql"))
    assert list(got) == ["wp-polls-12", "wp-polls-13", "wp-polls-14"]
    first = got["wp-polls-12"]
    assert figures(first) == [33, 30, 24, 21] and first["carried"] == 108
    assert [option["percent"] for option in first["options"]] == [31, 28, 22, 19]
    assert first["title"] == "What's the goal?"
    assert labels(first) == ["Stability & peace", "It's trade", "Влияние", "(a), or \"b\"; -- c"]
    several = got["wp-polls-13"]
    assert (figures(several), several["votes"], several["voters"]) == ([5, 2, 4], 11, 5)
    assert labels(several) == ["Red", "Green", "Blue"]
    closed = got["wp-polls-14"]
    assert (closed["state"], figures(closed), closed["title"]) == ("closed", [3, 1],
                                                                  "Closed — was it?")


def test_times_of_a_site_are_moved_by_its_zone():
    moscow = polls("wp-polls", fixture("wp-polls.sql"))["wp-polls-12"]
    assert moscow["closes_at"] == "2037-12-31T21:00:00Z"  # midnight there
    said = polls("--zone", "-05:30", "wp-polls", fixture("wp-polls.sql"))["wp-polls-12"]
    assert said["closes_at"] == "2038-01-01T05:30:00Z"


def test_a_poll_that_opens_later_opens_when_its_site_would_open_it(tmp_path):
    dump = text("wp-polls.sql").replace("'1700000000',11,1,", "'2145916800',0,-1,")
    (tmp_path / "d.sql").write_text(dump)
    poll = polls("wp-polls", tmp_path / "d.sql")["wp-polls-13"]
    assert (poll["opens_at"], poll["state"]) == ("2037-12-31T21:00:00Z", "open")


def test_times_without_a_zone_are_asked_for(tmp_path):
    (tmp_path / "d.sql").write_text(text("wp-polls.sql").replace("Europe/Moscow", ""))
    out, told = run("wp-polls", tmp_path / "d.sql", status=6)
    assert out == ""
    assert told[-2:] == ["wp-polls-12: its times are by the clock of its site",
                         "say whose clock it was, as --zone Europe/Berlin"]
    run("--zone", "Europe/Moscow", "wp-polls", tmp_path / "d.sql")


def test_where_a_total_and_its_log_disagree_the_total_wins_and_both_are_told():
    out, told = run("wp-polls", fixture("wp-polls.sql"))
    assert told == [
        "wp-polls-12: it has a total of 108 votes, and the log none; the total is taken",
        "wp-polls-14: answer 1 has a total of 3 votes, and 1 in the log; the total is taken",
        "polls: 3, votes: 123, disagreements: 2"]
    assert json.loads(out)["polls"][2]["carried"] == [3, 1]


def test_the_log_wins_where_it_is_preferred_and_there():
    out, told = run("--prefer=log", "wp-polls", fixture("wp-polls.sql"))
    assert told[1] == ("wp-polls-14: answer 1 has a total of 3 votes, and 1 in the log; "
                       "the log is taken")
    got = json.loads(out)["polls"]
    assert [got[0]["carried"], got[2]["carried"]] == [[33, 30, 24, 21], [1, 1]]


def test_answers_of_one_ballot_are_one_voter_in_the_log(tmp_path):
    (tmp_path / "d.sql").write_text(text("wp-polls.sql").replace(",1,0,2,5)", ",1,0,2,4)"))
    _, told = run("wp-polls", tmp_path / "d.sql")
    assert "wp-polls-13: it has a total of 4 voters, and 5 in the log; the total is taken" in told


def test_voters_that_cannot_have_made_the_votes_are_told_and_mended(tmp_path):
    (tmp_path / "d.sql").write_text(text("wp-polls.sql").replace(",1,0,2,5)", ",1,0,2,12)"))
    got = polls("wp-polls", tmp_path / "d.sql")["wp-polls-13"]
    assert got["carried_voters"] == 11
    (tmp_path / "d.sql").write_text(text("wp-polls.sql").replace(",1,0,2,5)", ",1,0,2,0)"))
    got = polls("wp-polls", tmp_path / "d.sql")["wp-polls-13"]
    assert got["carried_voters"] == 5
    (tmp_path / "d.sql").write_text(text("wp-polls.sql").replace(",0,0,108)", ",0,0,100)").replace(
        "2145916800,0,108)", "2145916800,0,100)"))
    out, told = run("wp-polls", tmp_path / "d.sql")
    assert any("a total of 100 voters, and its answers 108 votes" in line for line in told)
    assert json.loads(out)["polls"][0]["carried"] == [33, 30, 24, 21]


def sheets(folder):
    """The tables of wp-polls.sql as two programs export them."""
    (folder / "wp_pollsq.csv").write_text(
        "pollq_id,pollq_question,pollq_timestamp,pollq_totalvotes,pollq_active,pollq_expiry,"
        "pollq_multiple,pollq_totalvoters\n"
        "12,What\\'s the goal?,1700000000,108,1,0,0,108\n")
    (folder / "answers.csv").write_text(
        "\ufeff\"polla_aid\";\"polla_qid\";\"polla_answers\";\"polla_votes\"\r\n"
        "\"31\";\"12\";\"A; \"\"b\"\"\";\"33\"\r\n\"32\";\"12\";\"C\";\"75\"\r\n")


def test_tables_as_csv_are_read_by_their_names(tmp_path):
    sheets(tmp_path)
    out, told = run("wp-polls", "wp_pollsq.csv", "wp_pollsa=answers.csv", cwd=tmp_path)
    poll = json.loads(out)["polls"][0]
    assert (poll["title"], poll["carried"]) == ("What's the goal?", [33, 75])
    assert [option["label"] for option in poll["options"]] == ['A; "b"', "C"]
    assert told[0].startswith("the files hold no log (pollsip)")
    _, told = run("wp-polls", "wp_pollsq.csv", "answers.csv", cwd=tmp_path, status=6)
    assert told == ['answers.csv: "answers" is no table that wp-polls reads, with the prefix "wp_"',
                    "--help names the tables; say it as TABLE=FILE"]


def test_a_rating_has_its_stars_where_log_and_total_agree_and_its_sum_where_not(daemon, tmp_path):
    got = taken_over(daemon, tmp_path, "wp-postratings", "--prefix", "blog_",
                     fixture("wp-postratings.sql"))
    assert list(got) == ["wp-postratings-345", "wp-postratings-346"]
    one = got["wp-postratings-345"]
    assert (one["title"], one["votes"], one["rating"], one["scale"]) == ("Kyrgyzstan & Russia", 2,
                                                                        5, 5)
    assert figures(one) == [0, 0, 0, 0, 2]
    two = got["wp-postratings-346"]
    assert (two["votes"], two["rating"], figures(two)) == (40, 2.68, [0] * 5)


def test_a_post_that_nobody_rated_is_left_and_its_log_is_told(tmp_path):
    dump = text("wp-postratings.sql").replace("(3, 346, 'Second', 3, '1700000002');",
                                              "(3, 347, 'Never rated', 3, '1700000002');")
    (tmp_path / "d.sql").write_text(dump)
    out, told = run("wp-postratings", "--prefix", "blog_", tmp_path / "d.sql")
    assert [poll["id"] for poll in json.loads(out)["polls"]] == ["wp-postratings-345",
                                                                 "wp-postratings-346"]
    assert ("wp-postratings-347: it has a total of 0 ratings with a sum of 0, and 1 with 3 in the "
            "log; the total is taken" in told)


def test_the_scale_is_the_files_or_what_is_said(tmp_path):
    (tmp_path / "d.sql").write_text(text("wp-postratings.sql").replace("max\\\";i:5", "max\\\";i:10"))
    words = ["wp-postratings", "--prefix", "blog_", tmp_path / "d.sql"]
    assert polls(*words)["wp-postratings-346"]["scale"] == 10
    assert polls("--scale", "6", *words)["wp-postratings-346"]["scale"] == 6
    out, told = run("--scale", "2", *words, status=6)
    assert out == ""
    assert ("wp-postratings-346: 40 ratings of 1 to 2 cannot add up to 107; is it another --scale?"
            in told)
    assert told[-2:] == ["polls that tallyd cannot hold: 2; nothing is written",
                         "--leave-out writes the others"]
    assert polls("--scale", "2", "--leave-out", *words) == {}


def test_votes_up_and_down_are_a_poll_of_two_answers(daemon, tmp_path):
    dump = text("wp-postratings.sql").replace("'ratings_score', '107'", "'ratings_score', '-10'")
    dump = dump.replace("'ratings_score', '10'", "'ratings_score', '2'").replace(
        "'Kyrgyzstan', 5", "'Kyrgyzstan', 1").replace("'Second', 3", "'Second', -1")
    (tmp_path / "d.sql").write_text(dump)
    words = ["wp-postratings", "--prefix", "blog_", tmp_path / "d.sql"]
    _, told = run(*words, status=6)
    assert "sum of stars was expected, and one below 0 found" in told[0]
    assert re.match(r".*/d\.sql:\d+: ", told[0]) and "--scale up-down" in told[1]
    got = taken_over(daemon, tmp_path, "--scale=up-down", *words)
    assert figures(got["wp-postratings-345"]) == [2, 0]
    assert figures(got["wp-postratings-346"]) == [15, 25]
    assert labels(got["wp-postratings-346"]) == ["Up", "Down"]


def test_polls_of_bitrix_are_one_for_each_question(daemon, tmp_path):
    words = ["--zone", "Europe/Moscow", "bitrix-vote", fixture("bitrix.sql")]
    _, told = run(*words)
    assert told == ["polls: 2, votes: 7, disagreements: 0"]  # what is not valid does not count
    got = taken_over(daemon, tmp_path, *words)
    assert list(got) == ["bitrix-question-17", "bitrix-question-18"]
    one = got["bitrix-question-17"]
    assert (one["title"], labels(one), figures(one)) == ("One of two?", ["1 < 2", "Second"], [2, 1])
    several = got["bitrix-question-18"]
    assert (several["votes"], several["voters"], figures(several)) == (4, 3, [3, 1])


def test_events_that_are_not_valid_are_left(tmp_path):
    (tmp_path / "d.sql").write_text(text("bitrix.sql").replace("'192.0.2.4','N'", "'192.0.2.4','Y'"))
    _, told = run("--zone=UTC", "bitrix-vote", tmp_path / "d.sql")
    assert told[0] == ("bitrix-question-17: answer 2 has a total of 1 votes, and 2 in the log; "
                       "the total is taken")


def test_ratings_of_bitrix_are_count_and_sum(daemon, tmp_path):
    got = taken_over(daemon, tmp_path, "bitrix-rating", fixture("bitrix.sql"))
    assert list(got) == ["bitrix-article-345"]
    rating = got["bitrix-article-345"]
    assert (rating["votes"], rating["rating"], rating["title"]) == (2, 5, "Kyrgyzstan <-> Russia")


def test_percents_of_drupal_are_stars_and_its_results_are_compared(daemon, tmp_path):
    _, told = run("drupal-votes", fixture("drupal.sql"))
    assert told == [
        "drupal-node-12: its result has 5 votes, and there are 4; the votes are taken",
        "drupal-node-12: ratings between two of 5 stars: 1; the nearest star is taken",
        "polls: 1, votes: 4, disagreements: 1"]
    got = taken_over(daemon, tmp_path, "drupal-votes", fixture("drupal.sql"))
    assert figures(got["drupal-node-12"]) == [1, 0, 0, 2, 1]
    assert got["drupal-node-12"]["title"] == "Rated"


def test_votes_of_drupal_8_are_read_by_its_names(tmp_path):
    (tmp_path / "votingapi_vote.csv").write_text(
        "id,type,uuid,entity_type,entity_id,value,value_type,user_id,timestamp,vote_source\n"
        "1,vote,u,node,7,3,points,1,1700000000,s\n2,fast,u,node,7,5,points,1,1700000000,s\n")
    (tmp_path / "node_field_data.csv").write_text("nid,title\n7,Seven\n")
    got = polls("drupal-votes", "votingapi_vote.csv", "node_field_data.csv", cwd=tmp_path)
    assert got["drupal-node-7"]["carried"] == [0, 0, 1, 0, 0]
    assert got["drupal-node-7"]["title"] == "Seven"
    assert got["drupal-fast-node-7"]["carried"] == [0, 0, 0, 0, 1]


def test_polls_of_drupal_7_have_answers_by_their_weight(daemon, tmp_path):
    got = taken_over(daemon, tmp_path, "drupal-poll", fixture("drupal.sql"))
    poll = got["drupal-poll-13"]
    assert (poll["title"], labels(poll), figures(poll)) == ("Tea or coffee?", ["Tea", "Coffee"],
                                                            [2, 1])
    made = polls("drupal-poll", fixture("drupal.sql"))["drupal-poll-13"]
    assert made["closes_at"] == "2036-07-19T13:20:00Z"  # 2100000000 + 86400


def test_polls_of_discourse_count_users_who_are_there_and_who_left(daemon, tmp_path):
    _, told = run("discourse", fixture("discourse.sql"))
    assert told == [
        "discourse-poll-8: its results were for staff only; they will be shown after the close",
        "discourse-poll-7: one voter has two votes where one may pick one; the newest is taken",
        "polls: 2, votes: 7, disagreements: 1"]
    got = taken_over(daemon, tmp_path, "discourse", fixture("discourse.sql"))
    one = got["discourse-poll-7"]
    assert (one["title"], labels(one)) == ("Tea & coffee", ["Tea", "Coffee & milk"])
    assert (figures(one), one["voters"]) == ([2, 2], 4)
    several = got["discourse-poll-8"]
    assert (labels(several), figures(several)) == (["North East", "South", "C:\\west"], [1, 1, 1])
    assert (several["votes"], several["voters"], several["state"]) == (3, 2, "closed")


def test_inserts_of_pg_dump_give_what_its_copy_gives(tmp_path):
    def inserts(match):
        rows = [line.split("\t") for line in match.group(3).splitlines()]

        def value(cell):
            cell = cell.replace("\\t", "\t").replace("\\\\", "\\")
            return "NULL" if cell == "\\N" else "'" + cell.replace("'", "''") + "'"

        return "".join(f"INSERT INTO {match.group(1)} {match.group(2)} VALUES "
                       f"({', '.join(map(value, row))});\n" for row in rows)

    dump = re.sub(r"COPY (\S+) (\(.*?\)) FROM stdin;\n(.*?)\\\.\n", inserts, text("discourse.sql"),
                  flags=re.S)
    assert "COPY" not in dump
    (tmp_path / "d.sql").write_text(dump)
    assert polls("discourse", tmp_path / "d.sql") == polls("discourse", fixture("discourse.sql"))


def test_a_dry_run_lists_the_polls_and_writes_nothing(tmp_path):
    out, told = run("-n", "-o", "polls.json", "wp-polls", fixture("wp-polls.sql"), cwd=tmp_path)
    assert out.splitlines() == ["wp-polls-12  4 answers  108 votes  What's the goal?",
                                "wp-polls-13  3 answers  11 votes  Which colours?",
                                "wp-polls-14  2 answers  4 votes  Closed — was it?"]
    assert told[-1].endswith("; nothing was written") and os.listdir(tmp_path) == []


def test_an_output_replaces_the_file_behind_a_link(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    run("-o", tmp_path / "link", "wp-polls", fixture("wp-polls.sql"))
    assert (tmp_path / "link").is_symlink()
    assert len(json.loads((tmp_path / "real").read_text())["polls"]) == 3
    assert sorted(os.listdir(tmp_path)) == ["link", "real"]


def test_all_polls_are_closed_where_that_is_asked_for():
    got = polls("--closed", "wp-polls", fixture("wp-polls.sql"))
    assert {poll["state"] for poll in got.values()} == {"closed"}


def test_an_answer_that_is_only_a_picture_is_called_by_its_number(tmp_path):
    (tmp_path / "d.sql").write_text(text("wp-polls.sql").replace("alt=\\\"Blue\\\"", ""))
    out, told = run("wp-polls", tmp_path / "d.sql")
    assert "wp-polls-13: answer 3 holds no text; it is called 3" in told
    assert json.loads(out)["polls"][1]["options"][2] == {"label": "3"}


def test_a_log_far_larger_than_memory_for_it_is_read(tmp_path):
    """400,000 rows of 100 bytes, in an address space that is not half as large."""
    row = "(%d,14,%d,'" + "f" * 40 + "','host.example',1700000000,'Guest',0)"
    with open(tmp_path / "d.sql", "w", encoding="utf-8") as file:
        for line in text("wp-polls.sql").splitlines():
            if not line.startswith("INSERT INTO `wp_pollsip`"):
                file.write(line + "\n")
                continue
            for first in range(0, 200000, 1000):
                file.write("INSERT INTO `wp_pollsip` VALUES " + ",".join(
                    row % (n, 51 + n % 2) for n in range(first, first + 1000)) + ";\n")
    assert os.path.getsize(tmp_path / "d.sql") > 30 << 20
    limit = "" if SANITIZED else "ulimit -v 24000; "
    done = subprocess.run(["sh", "-c", limit + 'exec "$0" wp-polls --prefer log "$1"', TALLY_IMPORT,
                           str(tmp_path / "d.sql")], capture_output=True, text=True, timeout=300,
                          check=False, env={"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]})
    assert done.returncode == 0, done
    assert json.loads(done.stdout)["polls"][2]["carried"] == [200000, 200000]
