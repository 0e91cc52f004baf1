/*
 * ledger/postgres/copy_poll.h - one poll on its way from SQLite.
 */
#ifndef TALLYD_LEDGER_POSTGRES_COPY_POLL_H
#define TALLYD_LEDGER_POSTGRES_COPY_POLL_H

#include "ledger/copy.h"
#include "ledger/postgres/link.h"
#include "ledger/sqlite.h"

#define COPY_WAIT_MS (10 * 60 * 1000) /* for one step */

/* Copies all of a poll that is not there yet, and checks it. */
MUST_USE bool copy_poll(struct copy *copy, struct sqlite_store *from, struct book *book,
                        struct link *to, struct why *reterr_why);

/* Sends what is queued. */
MUST_USE bool copy_flush(struct link *to, struct why *reterr_why);

#endif
