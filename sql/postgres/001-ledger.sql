-- The ledger for several nodes. What a vote decides is read and written under the lock of its poll's
-- row in tally, so that all nodes together count as one would.

-- What there is one of: epoch (random; part of every ETag), key_fingerprint (of the key of the voter
-- hashes, which is the same on every node), copying (there while --copy-store has not ended).
CREATE TABLE meta (
    name text PRIMARY KEY,
    value bytea NOT NULL
);

-- A number is never used twice, an id may be, once the poll that bore it is deleted.
CREATE SEQUENCE poll_number;

CREATE TABLE poll (
    poll bigint PRIMARY KEY,
    id text NOT NULL,
    definition text NOT NULL,    -- JSON, with what is carried
    salt bytea,                  -- of the voter hashes; NULL once its voters are forgotten
    prefix_v4 bigint NOT NULL,   -- bits of an address that make a group, fixed at creation
    prefix_v6 bigint NOT NULL,
    deleted_at bigint            -- ms since 1970; NULL while it is there
);

CREATE UNIQUE INDEX poll_by_id ON poll (id) WHERE deleted_at IS NULL;

-- What is counted, without what is carried, and the lock of the poll. Narrow, with room on its pages
-- and no index on what changes, so that a new version of a row stays on its page.
CREATE TABLE tally (
    poll bigint PRIMARY KEY,
    revision bigint NOT NULL,    -- of the definition, so that a node knows that its own is old
    deleted boolean NOT NULL,
    forgotten boolean NOT NULL,
    phase bigint NOT NULL,       -- 0 scheduled, 1 open, 2 closed: what was last shown
    seq bigint NOT NULL,         -- of its newest row in vote; 0: none yet
    voters bigint NOT NULL,      -- votes that stand
    version bigint NOT NULL,     -- of the tally
    updated_at bigint NOT NULL,  -- ms since 1970, of that version
    marks bigint[] NOT NULL,     -- by option: votes that stand
    touched xid8 NOT NULL        -- the transaction that wrote it: how nodes find what is new
) WITH (fillfactor = 50);

-- Keyed by (poll, seq) and only ever appended to: seq follows the order of the commits.
CREATE TABLE vote (
    poll bigint NOT NULL,
    seq bigint NOT NULL,
    at bigint NOT NULL,          -- ms since 1970
    voter uuid NOT NULL,         -- keyed hash: 16 bytes, which is what a uuid takes
    options bigint,              -- bit (option - 1) for each; NULL: retracted; 0: voided
    replaces bigint,             -- seq of the row it takes the place of, or NULL
    address bigint,              -- keyed hash of the address group, or NULL; a row that replaces
                                 -- another carries that row's
    PRIMARY KEY (poll, seq)
);

CREATE INDEX vote_replacing ON vote (poll, replaces) WHERE replaces IS NOT NULL;

-- A voter's newest row: this key is why nobody is counted twice.
CREATE TABLE voter (
    poll bigint NOT NULL,
    voter uuid NOT NULL,
    seq bigint NOT NULL,
    at bigint NOT NULL,
    options bigint NOT NULL,     -- 0: voided
    address bigint,
    PRIMARY KEY (poll, voter)
);

-- Votes that stand by address group, of polls that have a limit for one address.
CREATE TABLE address (
    poll bigint NOT NULL,
    address bigint NOT NULL,
    votes bigint NOT NULL,
    PRIMARY KEY (poll, address)
);

-- What an option stood at, carried included, after its last change in an hour (hours since 1970).
CREATE TABLE hour (
    poll bigint NOT NULL,
    hour bigint NOT NULL,
    option bigint NOT NULL,
    votes bigint NOT NULL,
    PRIMARY KEY (poll, hour, option)
);

-- Each batch writes its id. Who lost the connection in the midst of a COMMIT asks for it, by writing
-- it as lost: either it is there, or from now on it can never be.
CREATE TABLE batch (
    node bigint NOT NULL,
    n bigint NOT NULL,
    lost boolean NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (node, n)
);
