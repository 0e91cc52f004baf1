/*
 * ledger/postgres/head.h - a row of the table tally: how a poll stands, and its lock.
 */
#ifndef TALLYD_LEDGER_POSTGRES_HEAD_H
#define TALLYD_LEDGER_POSTGRES_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "core/poll.h"
#include "core/tally.h"
#include "ledger/postgres/values.h"

struct head {
    uint64_t number;
    uint64_t revision;
    bool deleted;
    bool forgotten;
    enum poll_phase phase;
    uint32_t seq;
    struct counts counts;
};

/* The columns that head_read() wants, first of all, of `tally t`. */
#define HEAD_COLUMNS                                                                               \
    "t.poll, t.revision, t.deleted::int::bigint, t.forgotten::int::bigint, t.phase, t.seq, "       \
    "t.voters, t.version, t.updated_at, t.marks"
#define HEAD_COLUMNS_N 10

/* false: it cannot be one. */
MUST_USE bool head_read(const PGresult *result, int row, struct head *ret_head);

/* Whether these counts can be this poll's: the options sum to the votes, nothing is too large. */
MUST_USE bool head_fits(const struct head *head, const struct poll *poll);

#endif
