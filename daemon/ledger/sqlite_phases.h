/*
 * ledger/sqlite_phases.h - what the clock changes: polls that open and close by time.
 */
#ifndef TALLYD_LEDGER_SQLITE_PHASES_H
#define TALLYD_LEDGER_SQLITE_PHASES_H

#include <stdint.h>

#include "ledger/sqlite.h"

/*
 * Looks at every poll, at most twice a second or when the next change is due: phases that the
 * clock changed are written and shown as one batch, voter sets of polls closed long ago go.
 *
 *   ret_next_ms  when to look again; INT64_MAX: the clock changes nothing
 */
enum store_result phases_sweep(struct sqlite_store *store, int64_t *ret_next_ms);

#endif
