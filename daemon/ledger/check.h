/*
 * ledger/check.h - whether a store, or a backup, is what its own rows say.
 *
 * Looks at the file's header, its pages, the fingerprint of its key, and counts every poll again
 * from its rows: each row follows from those before it, and together they are the tally, the poll's
 * votes and its newest hour. Polls that were deleted are not counted: their counts were let go with
 * them.
 *
 * Nothing is written. A store without a log is read as a file that does not change, since nobody
 * has it open; one with a log, left by a crash, is read through its log, which is neither written
 * again nor checkpointed: that stays for the next start.
 *
 * Threads: main, where no daemon runs.
 */
#ifndef TALLYD_LEDGER_CHECK_H
#define TALLYD_LEDGER_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/why.h"
#include "ledger/keys.h"

struct check {
    /* Each mismatch, as one line without its end: the poll, what is kept, what the rows give. */
    void (*tell)(void *context, const char *line);
    void *context;

    uint64_t polls; /* found: what is there … */
    uint64_t votes; /* … standing, without what is carried … */
    size_t mismatches;
};

/*
 * Checks the store at `path`, which no daemon may have open: its lock is held meanwhile.
 *
 *   check    with `tell` and `context`; the rest is filled in
 *   returns  false: *reterr_why says why it could not be checked. true: see `mismatches`
 */
MUST_USE bool check_store(const char *path, const struct keys *keys, struct check *check,
                          struct why *reterr_why);

/* Whether a file is a backup by its header, of a version that is known here. One that has a log
 * beside it is none. */
MUST_USE bool check_is_backup(const char *path, struct why *reterr_why);

/* As check_store(), of a backup, which nobody has open: nothing is locked. */
MUST_USE bool check_backup(const char *path, const struct keys *keys, struct check *check,
                           struct why *reterr_why);

#endif
