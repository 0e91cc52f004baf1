/*
 * ledger/postgres/migrate.h - brings the engine's tables to the newest version.
 */
#ifndef TALLYD_LEDGER_POSTGRES_MIGRATE_H
#define TALLYD_LEDGER_POSTGRES_MIGRATE_H

#include "ledger/postgres/link.h"

/* Any number of nodes may do this at once. There is a connection. */
MUST_USE bool postgres_migrate(struct link *link, struct why *reterr_why);

#endif
