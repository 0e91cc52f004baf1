/*
 * ledger/restore.h - a backup becomes a store again.
 *
 * Only where there is none: nothing is overwritten, and the backup is never written to. It is
 * checked as a whole before anything is touched. The copy gets a new epoch, so that no ETag from
 * before the restore means anything after it. The key is named first, then the store, each whole
 * and on disk: a crash in between leaves drafts, which the next run replaces, or a key alone, which
 * the next run takes as it is.
 *
 * Threads: main, where no daemon runs.
 */
#ifndef TALLYD_LEDGER_RESTORE_H
#define TALLYD_LEDGER_RESTORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/why.h"
#include "ledger/check.h"
#include "ledger/keys.h"

struct restore_settings {
    const char *file;        /* the backup; its key is FILE.key */
    const char *path;        /* of the store to be */
    const char *keys_path;   /* of its keys file; NULL: the keys are not in a file … */
    const struct keys *keys; /* … but these */
    void (*random)(void *bytes, size_t len); /* the epoch */
};

/*
 *   check    with `tell` and `context`: hears what is wrong with the backup, and counts what is in
 *   returns  false: *reterr_why; nothing was touched, but for drafts where the disk failed
 */
MUST_USE bool store_restore(const struct restore_settings *settings, struct check *check,
                            struct why *reterr_why);

#endif
