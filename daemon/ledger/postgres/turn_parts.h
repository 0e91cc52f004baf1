/*
 * ledger/postgres/turn_parts.h - how a turn writes and shows its drafts.
 */
#ifndef TALLYD_LEDGER_POSTGRES_TURN_PARTS_H
#define TALLYD_LEDGER_POSTGRES_TURN_PARTS_H

#include "ledger/postgres/turn.h"

/* Queues the rows of all drafts that changed, and makes what will be shown. */
enum turn_step turn_write(struct turn *turn);

/* Never fails. */
void turn_show(struct turn *turn);

#endif
