-- What every turn of a node says, as functions. A pooler may give each transaction another session,
-- so no node prepares a statement; but each session keeps the plans of the functions that were run in
-- it, whoever ran them. Parsing and planning took nearly a third of the engine's CPU time for a batch
-- of 67 votes. The rules are not here but in core/ballot.c: these read and write what they are told.
--
-- Arrays are columns, whatever the number of rows. A plan is kept while arrays differ in length and
-- tables grow from nothing, so it has to go by the keys from the first: hence the settings of each
-- function, and those of turn_begin(), behind which the others are run.

-- The settings are this transaction's alone: whoever is cut off in the midst of a turn holds its
-- polls for five seconds at most, and nothing joins by reading a young table whole. Writes the
-- batch's id, where there is one; returns when the engine started.
CREATE FUNCTION turn_begin(of_node bigint, batch_n bigint)
RETURNS timestamptz LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('lock_timeout', '2s', true),
            set_config('statement_timeout', '60s', true),
            set_config('idle_in_transaction_session_timeout', '5s', true),
            set_config('enable_hashjoin', 'off', true),
            set_config('enable_mergejoin', 'off', true);
    IF batch_n IS NOT NULL THEN
        INSERT INTO batch (node, n, lost) VALUES (of_node, batch_n, false);
    END IF;
    RETURN pg_postmaster_start_time();
END $$;

-- The polls' locks, in the order of their numbers.
CREATE FUNCTION tally_lock(polls bigint[])
RETURNS SETOF tally LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY SELECT t.* FROM tally t WHERE t.poll = ANY(polls) ORDER BY t.poll FOR UPDATE;
END $$;

-- n: which of them, from 1; those that are not there are left out.
CREATE FUNCTION voter_find(polls bigint[], voters uuid[])
RETURNS TABLE (n bigint, seq bigint, at bigint, options bigint, address bigint) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY SELECT k.n, v.seq, v.at, v.options, v.address
        FROM unnest(polls, voters) WITH ORDINALITY AS k(poll, voter, n)
        JOIN voter v ON v.poll = k.poll AND v.voter = k.voter;
END $$;

CREATE FUNCTION address_find(polls bigint[], addresses bigint[])
RETURNS TABLE (n bigint, votes bigint) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY SELECT k.n, a.votes
        FROM unnest(polls, addresses) WITH ORDINALITY AS k(poll, address, n)
        JOIN address a ON a.poll = k.poll AND a.address = k.address;
END $$;

CREATE FUNCTION vote_add(polls bigint[], seqs bigint[], ats bigint[], voters uuid[],
                         options bigint[], replaces bigint[], addresses bigint[])
RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    INSERT INTO vote (poll, seq, at, voter, options, replaces, address)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7);
END $$;

-- Voters without a row; the key refuses one that has one.
CREATE FUNCTION voter_add(polls bigint[], voters uuid[], seqs bigint[], ats bigint[],
                          options bigint[], addresses bigint[])
RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    INSERT INTO voter (poll, voter, seq, at, options, address)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6);
END $$;

-- Voters with one; all of them, or a voter would be counted twice some day.
CREATE FUNCTION voter_change(polls bigint[], voters uuid[], seqs bigint[], ats bigint[],
                             options bigint[], addresses bigint[])
RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    changed bigint;
BEGIN
    UPDATE voter v SET seq = u.seq, at = u.at, options = u.options, address = u.address
        FROM unnest($1, $2, $3, $4, $5, $6) AS u(poll, voter, seq, at, options, address)
        WHERE v.poll = u.poll AND v.voter = u.voter;
    GET DIAGNOSTICS changed = ROW_COUNT;
    IF changed <> cardinality(polls) THEN
        RAISE EXCEPTION 'only % of % voters have a row to change', changed, cardinality(polls);
    END IF;
END $$;

CREATE FUNCTION voter_remove(polls bigint[], voters uuid[])
RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    DELETE FROM voter v USING unnest(polls, voters) AS u(poll, voter)
        WHERE v.poll = u.poll AND v.voter = u.voter;
END $$;

-- So many votes more, or less, stand of these addresses, each of which may come several times.
CREATE FUNCTION address_count(polls bigint[], addresses bigint[], more bigint[])
RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    INSERT INTO address AS a (poll, address, votes)
        SELECT u.poll, u.address, sum(u.more)::bigint
        FROM unnest($1, $2, $3) AS u(poll, address, more) GROUP BY u.poll, u.address
        ON CONFLICT (poll, address) DO UPDATE SET votes = a.votes + excluded.votes;
END $$;

-- Marks come as texts: there are no arrays of arrays of different lengths.
CREATE FUNCTION tally_change(polls bigint[], revisions bigint[], deleted bigint[],
                             forgotten bigint[], phases bigint[], seqs bigint[], voters bigint[],
                             versions bigint[], updated_at bigint[], marks text[])
RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    UPDATE tally t SET revision = u.revision, deleted = u.deleted <> 0,
            forgotten = u.forgotten <> 0, phase = u.phase, seq = u.seq, voters = u.voters,
            version = u.version, updated_at = u.updated_at, marks = u.marks::bigint[],
            touched = pg_current_xact_id()
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            AS u(poll, revision, deleted, forgotten, phase, seq, voters, version, updated_at, marks)
        WHERE t.poll = u.poll;
END $$;

CREATE FUNCTION hour_change(polls bigint[], hours bigint[], options bigint[], counts bigint[])
RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    INSERT INTO hour (poll, hour, option, votes) SELECT * FROM unnest($1, $2, $3, $4)
        ON CONFLICT (poll, hour, option) DO UPDATE SET votes = excluded.votes;
END $$;
