/*
 * ledger/postgres/votes.h - votes, retractions, bulks and questions of one batch, decided in a
 * turn.
 */
#ifndef TALLYD_LEDGER_POSTGRES_VOTES_H
#define TALLYD_LEDGER_POSTGRES_VOTES_H

#include "ledger/postgres/turn.h"

/* Whether this is one of them. */
bool votes_are(const struct job *job);

/* Decides them in their order. TURN_DONE: each has its verdict, but not its tally yet. */
enum turn_end votes_run(struct postgres *store, struct job **jobs, size_t n, int64_t now_ms,
                        int64_t deadline_ms);

#endif
