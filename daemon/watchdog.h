/*
 * watchdog.h - whether every thread still makes its turns.
 *
 * Threads: main.
 */
#ifndef TALLYD_WATCHDOG_H
#define TALLYD_WATCHDOG_H

#include <stdbool.h>

#include "base/auto.h"
#include "ledger/writer.h"
#include "net/server.h"

struct watchdog; /* opaque: watchdog.c */

/* Both outlive it. */
MUST_USE struct watchdog *watchdog_new(struct server *server, struct writer *writer);
void watchdog_free(struct watchdog *watchdog);
AUTO_FREE(watchdog);

/* Has every loop and the writer made a turn since this last said yes? One that has not is not
 * made up for by the others. Idle ones are poked, to have turned when it is asked again. */
MUST_USE bool watchdog_all_turn(struct watchdog *watchdog);

#endif
