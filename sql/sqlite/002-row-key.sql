-- Poll and seq in one number, which is the row's own key: a table of its own tree, where a WITHOUT
-- ROWID one kept an eighth of each page empty. 36 bytes a row where there were 41, and 44 with an
-- address where there were 50.
CREATE TABLE vote_by_row (
    row INTEGER PRIMARY KEY, -- poll << 32 | seq
    at INTEGER NOT NULL,     -- ms since the poll's creation: four bytes for its first 24 days
    voter BLOB NOT NULL,     -- keyed hash, 16 bytes
    options INTEGER,         -- bit (option - 1) for each; NULL: retracted; 0: voided
    replaces INTEGER,        -- seq of the row it takes the place of, or NULL
    address BLOB,            -- keyed hash of the address group, 8 bytes, or NULL; a row that
                             -- replaces another carries that row's
    poll INTEGER AS (row >> 32),       -- not stored: for people who look
    seq INTEGER AS (row & 4294967295)  -- the same
) STRICT;

INSERT INTO vote_by_row (row, at, voter, options, replaces, address)
SELECT (poll << 32) + seq, at, voter, options, replaces, address FROM vote ORDER BY poll, seq;

DROP TABLE vote;
ALTER TABLE vote_by_row RENAME TO vote;
