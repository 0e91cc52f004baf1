-- The ledger. Every accepted vote is a row that is never changed, but that its voter may be
-- forgotten: a change, a retraction or a void is a new row that names the one it takes the place of.

-- What there is one of: epoch (random, made with the store; part of every ETag), key_fingerprint
-- (tells whether the keys beside the store are the ones it was made with), forgets (there while what
-- was forgotten is not out of the files yet).
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

-- One row for each poll there ever was: a number is never used twice, an id may be, once the poll
-- that bore it is deleted.
CREATE TABLE poll (
    poll INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    definition TEXT NOT NULL,     -- JSON, as GET shows it, with what is carried
    salt BLOB,                    -- of the voter hashes; NULL once its voters are forgotten
    prefix_v4 INTEGER NOT NULL,   -- bits of an address that make a group, fixed at creation
    prefix_v6 INTEGER NOT NULL,
    seq INTEGER NOT NULL,         -- of its newest row in vote; 0: none yet
    voters INTEGER NOT NULL,      -- votes that stand
    version INTEGER NOT NULL,     -- of the tally
    updated_at INTEGER NOT NULL,  -- ms since 1970, of that version
    phase INTEGER NOT NULL,       -- 0 scheduled, 1 open, 2 closed: what was last shown
    deleted_at INTEGER            -- ms since 1970; NULL while it is there
) STRICT;

CREATE UNIQUE INDEX poll_by_id ON poll (id) WHERE deleted_at IS NULL;

-- Keyed by (poll, seq) and only ever appended to, so that votes of random voters dirty few pages.
-- Who has voted is an index in memory, made from these rows. About 40 bytes a row.
CREATE TABLE vote (
    poll INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,     -- ms since the poll's creation: four bytes for its first 24 days
    voter BLOB NOT NULL,     -- keyed hash, 16 bytes
    options INTEGER,         -- bit (option - 1) for each; NULL: retracted; 0: voided
    replaces INTEGER,        -- seq of the row it takes the place of, or NULL
    address BLOB,            -- keyed hash of the address group, 8 bytes, or NULL; a row that
                             -- replaces another carries that row's
    PRIMARY KEY (poll, seq)
) STRICT, WITHOUT ROWID;

-- What stands now, without what is carried: a start reads tallies without counting.
CREATE TABLE tally (
    poll INTEGER NOT NULL,
    option INTEGER NOT NULL,
    votes INTEGER NOT NULL,
    PRIMARY KEY (poll, option)
) STRICT, WITHOUT ROWID;

-- What an option stood at, carried included, after its last change in an hour (hours since 1970).
-- Hours without a change have no row.
CREATE TABLE hour (
    poll INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    option INTEGER NOT NULL,
    votes INTEGER NOT NULL,
    PRIMARY KEY (poll, hour, option)
) STRICT, WITHOUT ROWID;
