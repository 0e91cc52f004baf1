"""What tally-import refuses: dumps that were cut or are of another kind, and a wrong command line."""
import os
import re
import subprocess

import pytest

from takeover import TALLY_IMPORT, fixture, polls, run, text

FILES = {"wp-polls.sql": ["wp-polls"],
         "bitrix.sql": ["bitrix-vote", "--zone=UTC"],
         "discourse.sql": ["discourse"]}


@pytest.mark.parametrize("name", FILES)
def test_a_dump_cut_anywhere_is_refused_with_its_last_line_and_leaves_no_file(name, tmp_path):
    whole = text(name).encode().rstrip().removesuffix(b"\\unrestrict abcdef").rstrip()
    out = tmp_path / "polls.json"
    out.write_text("as it was")
    cuts = list(range(1, len(whole) - len("2026-11-25 12:00:00 -- Dump completed on "), 97))
    assert len(cuts) > 15
    for cut in cuts:
        (tmp_path / "d.sql").write_bytes(whole[:cut])
        _, told = run("-o", out, *FILES[name], tmp_path / "d.sql", status=6)
        lines = whole[:cut].count(b"\n") + 1
        place = re.match(r".*/d\.sql:(\d+): .*", told[-2])
        assert place, told
        assert int(place.group(1)) in (lines, lines - 1), (cut, told)
    assert out.read_text() == "as it was"
    assert sorted(os.listdir(tmp_path)) == ["d.sql", "polls.json"]


@pytest.mark.parametrize("begin,told", [
    (b"\x1f\x8b\x08\x00", "packed by gzip"), (b"PGDMP\x01\x0e", "pg_dump's custom format"),
    (b"PK\x03\x04", "a ZIP file"), (b"SQLite format 3\0", "a SQLite database"),
    (b"\xff\xfeC\0R\0", "UTF-16"), (b"<?xml version=\"1.0\"?>", "XML")])
def test_what_is_no_text_is_named_with_a_remedy(begin, told, tmp_path):
    (tmp_path / "d").write_bytes(begin + bytes(100))
    _, lines = run("wp-polls", tmp_path / "d", status=6)
    assert lines[0].startswith(f"{tmp_path}/d:1: this is {told}") and len(lines) == 2


def test_a_foreign_dump_names_the_table_that_it_lacks():
    _, told = run("wp-polls", fixture("wp-postratings.sql"), status=6)
    assert told == ["the files hold no table wp_pollsq",
                    "give the dump of the whole database, or that table too"]
    _, told = run("wp-postratings", fixture("wp-postratings.sql"), status=6)
    assert told == ["a table wp_postmeta was expected, and blog_postmeta found",
                    "say --prefix with what stands in front of that name"]


def test_what_is_not_utf_8_is_refused_with_its_line(tmp_path):
    dump = text("wp-polls.sql").replace("Влияние", "\udce9").encode("utf-8", "surrogateescape")
    (tmp_path / "d.sql").write_bytes(dump)
    _, told = run("wp-polls", tmp_path / "d.sql", status=6)
    line = dump[:dump.index(b"\xe9")].count(b"\n") + 1
    assert told[0].startswith(f"{tmp_path}/d.sql:{line}: pollsa: polla_answers: UTF-8")
    assert "mysqldump --default-character-set=utf8mb4" in told[1]


def test_a_number_that_is_none_is_refused_with_its_line(tmp_path):
    (tmp_path / "d.sql").write_text(text("wp-polls.sql").replace("(52,14,'No',1)", "(52,14,'No',x)"))
    _, told = run("wp-polls", tmp_path / "d.sql", status=6)
    assert re.match(r'.*/d\.sql:\d+: pollsa: polla_votes: a whole number was expected, and "x" found',
                    told[0])


def test_the_same_table_twice_is_refused():
    _, told = run("wp-polls", fixture("wp-polls.sql"), fixture("wp-polls.sql"), status=6)
    assert "number 12 was expected once, and is there twice" in told[0]


def test_polls_that_tallyd_cannot_hold_stop_all_or_are_left_out(tmp_path):
    dump = text("wp-polls.sql").replace(",(52,14,'No',1)", "")
    (tmp_path / "d.sql").write_text(dump)
    out, told = run("wp-polls", tmp_path / "d.sql", status=6)
    assert out == "" and "wp-polls-14: it has 1 answers; tallyd holds 2 to 64" in told
    assert list(polls("--leave-out", "wp-polls", tmp_path / "d.sql")) == ["wp-polls-12",
                                                                         "wp-polls-13"]


def test_an_output_that_cannot_be_written_is_a_failure(tmp_path):
    _, told = run("-o", tmp_path / "no" / "f", "wp-polls", fixture("wp-polls.sql"), status=1)
    assert "cannot write" in told[-2]
    with open("/dev/full", "wb") as full:
        done = subprocess.run([TALLY_IMPORT, "wp-polls", fixture("wp-polls.sql")], stdout=full,
                              stderr=subprocess.PIPE, timeout=120, check=False)
    assert done.returncode == 1


def test_a_write_that_fails_leaves_the_file_that_was_there(tmp_path):
    (tmp_path / "f").write_text("as it was")
    done = subprocess.run(["sh", "-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh", TALLY_IMPORT,
                           "-o", str(tmp_path / "f"), "wp-polls", fixture("wp-polls.sql")],
                          stderr=subprocess.PIPE, timeout=120, check=False)
    assert done.returncode == 1 and b"cannot write" in done.stderr
    assert (tmp_path / "f").read_text() == "as it was" and os.listdir(tmp_path) == ["f"]


@pytest.mark.parametrize("words,told", [
    ([], "a SYSTEM is missing, as wp-polls"),
    (["wp-pols", "f"], "there is no system wp-pols; is it wp-polls?"),
    (["wp-polls"], "a FILE is missing: a dump of wp-polls"),
    (["--dryrun", "wp-polls", "f"], "there is no option --dryrun; is it --dry-run?"),
    (["--zone=Moskow", "wp-polls", "f"], "--zone is as Europe/Berlin or +03:00; Moskow is not"),
    (["--scale=11", "wp-polls", "f"], "--scale is 2 to 10, or up-down; it is no 11"),
    (["--prefer=both", "wp-polls", "f"], "--prefer is total or log; it is no both"),
    (["wp-polls", "f", "--zone"], "--zone wants a value")])
def test_a_misuse_is_told_with_the_nearest_word(words, told):
    out, lines = run(*words, status=2)
    assert out == "" and lines[0].startswith(told)
    assert lines[1] == "`tally-import --help` shows how it is used"
