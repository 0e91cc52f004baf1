/*
 * ledger/copy.h - moves a site over: from an SQLite store that no daemon has open into PostgreSQL.
 *
 * Polls that are there, their rows, voters, counts and hours; deleted polls stay behind. May be
 * stopped and run again: it goes on where it was. Until it has ended no node starts on the target.
 * At the end the counts are worked out again from the rows that arrived.
 *
 * Threads: main, where no daemon runs.
 */
#ifndef TALLYD_LEDGER_COPY_H
#define TALLYD_LEDGER_COPY_H

#include <stdint.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/why.h"
#include "ledger/keys.h"

struct copy {
    const char *from; /* sqlite:PATH, where there is a store */
    const char *to;   /* postgresql://… */
    const struct keys *keys;
    const struct clock *clock;
    void (*random)(void *bytes, size_t len);
    /* Told now and then, for people who wait. */
    void (*tell)(void *context, uint64_t rows);
    void *context;

    uint64_t polls; /* the answer: copied … */
    uint64_t votes; /* … and standing in them, without what is carried */
    uint64_t rows;
};

/* false: *reterr_why. Only where PostgreSQL is built in. */
MUST_USE bool store_copy(struct copy *copy, struct why *reterr_why);

#endif
