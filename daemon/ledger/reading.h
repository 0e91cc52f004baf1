/*
 * ledger/reading.h - what is read from the ledger in slices: rows, hours, its state.
 *
 * A long read is many jobs, each a statement of its own by key that is over before the next batch.
 * Whoever reads takes `end` with the first slice: rows never change, so everything up to it is what
 * was true at that one moment, however long the reading takes.
 */
#ifndef TALLYD_LEDGER_READING_H
#define TALLYD_LEDGER_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/ballot.h"
#include "core/tally.h"

/* Of one slice: about 0.3 ms, which is what votes wait for it at most. */
#define SCAN_ROWS_MAX 512
#define HOURS_ROWS_MAX 1024

struct scanned {
    uint32_t seq;
    uint32_t replaces; /* 0: none */
    int64_t at_ms;
    uint64_t marks; /* 0: retracted or voided */
    bool retracted;
    struct voter_hash voter;
    bool has_address;
    uint64_t address_group; /* with has_address */
    /* With scan.with_replaced, of a row that replaces another: */
    uint64_t replaced_marks;
    bool same_voter; /* the replaced row is there, is earlier, and is this voter's */
};

struct scan {
    uint64_t poll;      /* struct poll's number */
    uint32_t after;     /* rows behind this seq … */
    uint32_t end;       /* … up to this one. 0: the newest row, which is written here, and … */
    bool with_replaced; /* look up what each row replaces */

    struct counts counts;  /* … how the poll stands at that row, from memory, … */
    struct counts stored;  /* … and from its table; only with `with_replaced` */
    bool all_replace_none; /* … and whether no row up to there replaces another */
    size_t n;
    bool done;            /* nothing follows up to `end`; then, with `with_replaced`, … */
    bool rows_differ;     /* … whether a row is not as it was written, where that is known */
    uint64_t rows_sum;    /* the store's own */
    uint64_t at_rewrites; /* the store's own */
    struct scanned rows[SCAN_ROWS_MAX];
};

struct hour_row {
    int64_t hour; /* since 1970 */
    unsigned option;
    uint64_t votes; /* carried included, after the hour's last change */
};

struct hours {
    uint64_t poll;
    int64_t from; /* hours from this one on, and of it options from `from_option` on, … */
    unsigned from_option;
    int64_t until; /* … before this one; by hour, then option */

    size_t n;
    bool done;
    struct hour_row rows[HOURS_ROWS_MAX];
};

struct store_figures {
    uint64_t polls;
    uint64_t bytes; /* of the store's file */
    uint64_t wal_bytes;
    uint64_t wal_waiting_bytes; /* of it, not yet in the store's file */
    bool ballast;               /* it is there */
    int64_t last_checkpoint_ms; /* wall, as all of them; 0: none since the start */
    int64_t last_backup_ms;
    uint64_t last_backup_bytes;
};

struct store_status {
    struct store_figures figures;
    uint64_t votes;    /* that stand, without what is carried */
    char weakness[64]; /* why an acknowledged vote may be lost in a crash; "": it may not */
};

#endif
