"""What the real pg_dump writes, in each of its ways, is read by tally-import as it was stored."""
import pytest

import engine as engines
from takeover import polls

TABLES = """
CREATE TABLE polls (id bigint PRIMARY KEY, post_id bigint, name varchar DEFAULT E'it\\'s (' NOT NULL,
  close_at timestamp, type int DEFAULT 0, status int DEFAULT 0, results int DEFAULT 0,
  visibility int DEFAULT 0, min int, max int, anonymous_voters int, title varchar,
  CHECK (id > 0));
CREATE TABLE poll_options (id bigint PRIMARY KEY, poll_id bigint, digest varchar, html text,
  anonymous_votes int, UNIQUE (poll_id, digest));
CREATE TABLE poll_votes (poll_id bigint, poll_option_id bigint, user_id bigint,
  created_at timestamp, rank int DEFAULT 0);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS
  $x$ BEGIN INSERT INTO polls VALUES ('; never run'); RETURN NEW; END $x$;
COMMENT ON TABLE polls IS E'a\\\\b; ''c''';
INSERT INTO polls (id, post_id, type, min, max, close_at, title) VALUES
  (1, 9, 1, 1, 2, '2099-01-01 12:00:00.25', E'a\\tb\\\\c ''d'' \\n$x$ "e" ;--');
INSERT INTO poll_options VALUES (1, 1, 'a', E'\\\\N', 0), (2, 1, 'b', 'Влияние', 3),
  (3, 1, 'c', E'\\\\.', NULL);
INSERT INTO poll_votes VALUES (1, 1, 5, '2026-01-01 10:00:00'), (1, 2, 5, '2026-01-01 10:00:00'),
  (1, 3, 6, '2026-01-01 10:00:00.5');
"""


@pytest.mark.parametrize("ways", [
    [], ["--inserts"], ["--column-inserts", "--rows-per-insert=2"],
    ["--quote-all-identifiers", "--no-comments"], ["--clean", "--if-exists", "--create"],
    ["--data-only", "--column-inserts"]], ids=" ".join)
def test_a_dump_of_each_kind_is_read_as_it_was_stored(engine, tmp_path, ways):
    engine.ask("DROP DATABASE IF EXISTS forum")
    engine.ask("CREATE DATABASE forum")
    engine.ask(TABLES, "forum")
    dump = engine.run(engines.program("pg_dump"), *ways, engine.url("forum"))
    (tmp_path / "forum.sql").write_text(dump + "\n", encoding="utf-8")
    got = polls("discourse", tmp_path / "forum.sql")
    assert got == {"discourse-poll-1": {
        "id": "discourse-poll-1", "kind": "choice", "title": "a b\\c 'd' $x$ \"e\" ;--",
        "options": [{"label": "\\N"}, {"label": "Влияние"}, {"label": "\\."}], "max_choices": 2,
        "closes_at": "2099-01-01T12:00:00Z", "state": "open", "carried": [1, 4, 1],
        "carried_voters": 4}}
