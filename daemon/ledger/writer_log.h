/*
 * ledger/writer_log.h - what the writer has to say of itself while it works: too slow, too much.
 *
 * Each is said once and then counted for a minute (base/repeat.h).
 */
#ifndef TALLYD_LEDGER_WRITER_LOG_H
#define TALLYD_LEDGER_WRITER_LOG_H

#include <stdint.h>

#include "base/repeat.h"
#include "ledger/store.h"

/* A commit that takes longer names itself: voters feel it. */
#define SLOW_COMMIT_MS 500

struct writer_log {
    struct repeat slow;
    struct repeat busy;
};

void writer_log_init(struct writer_log *log);
void writer_log_end(struct writer_log *log);
/* Tells what was counted and is a minute old. Any thread. */
void writer_log_tell(struct writer_log *log, int64_t mono_ms);

/* The batch, which began with so much weight, was committed, and its jobs are not handed back yet.
 * Says nothing up to SLOW_COMMIT_MS. Writer. */
void writer_log_commit(struct writer_log *log, struct store *store, const struct batch *batch,
                       size_t weight, int64_t took_ms, int64_t mono_ms);
/* Votes are refused, for so many wait already. Any thread. */
void writer_log_busy(struct writer_log *log, int64_t mono_ms);

#endif
