/*
 * ledger/draft.h - files that get their name only once they are whole and on disk.
 *
 * A draft lies in the folder of the file that it will be, under another name, so that what a crash
 * leaves behind is never taken for the file itself. Naming never overwrites.
 *
 * Each function returns false with errno. They block for as long as the disk takes: never the
 * writer's thread, but for draft_make() and draft_name().
 */
#ifndef TALLYD_LEDGER_DRAFT_H
#define TALLYD_LEDGER_DRAFT_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/str.h"

/* An empty file that was not there before, mode 0600. */
MUST_USE bool draft_make(const char *draft);

/* A copy of `from` that was not there before, mode 0600, synced. What is begun is removed again. */
MUST_USE bool draft_copy(const char *from, const char *draft);

/* These bytes in a file that was not there before, mode 0600, synced. What is begun stays. */
MUST_USE bool draft_write(struct str bytes, const char *draft);

MUST_USE bool draft_sync(const char *draft);

/* `draft` is called `path` from now on. EEXIST: there is something of this name. */
MUST_USE bool draft_name(const char *draft, const char *path);

#endif
