/*
 * ledger/postgres/admin.h - what an administrator asks for: each in a turn of its own.
 */
#ifndef TALLYD_LEDGER_POSTGRES_ADMIN_H
#define TALLYD_LEDGER_POSTGRES_ADMIN_H

#include "ledger/postgres/turn.h"

/* TURN_DONE: the job has its result, but not its tally yet. */
enum turn_end edit_run(struct postgres *store, struct job *job, int64_t now_ms,
                       int64_t deadline_ms);
enum turn_end delete_run(struct postgres *store, struct job *job, int64_t now_ms,
                         int64_t deadline_ms);
enum turn_end void_run(struct postgres *store, struct job *job, int64_t now_ms,
                       int64_t deadline_ms);
enum turn_end forget_run(struct postgres *store, struct job *job, int64_t now_ms,
                         int64_t deadline_ms);

/* Destroys the salt of a closed poll, with the turn at hand. */
enum turn_step turn_forget_poll(struct turn *turn, struct draft *draft);

#endif
