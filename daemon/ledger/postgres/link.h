/*
 * ledger/postgres/link.h - the one connection of a node to its engine: made, lost, made again.
 *
 * Statements are queued and sent together (libpq's pipeline), so that a turn costs two round trips,
 * whatever it has to say. Nothing waits for longer than its deadline. Nothing is kept in the
 * session: a pooler may give every transaction another one.
 *
 * Deadlines are on the system's monotonic clock, in milliseconds.
 */
#ifndef TALLYD_LEDGER_POSTGRES_LINK_H
#define TALLYD_LEDGER_POSTGRES_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/why.h"
#include "ledger/postgres/values.h"

enum link_result {
    LINK_DONE,
    LINK_AGAIN,    /* the engine says: not now. Nothing was written; roll back and try again */
    LINK_LOST,     /* the connection is gone, or nothing came in time: nobody knows what was done */
    LINK_REFUSED,  /* the engine will not, and says why in the log. Nothing was written */
    LINK_NO_MEMORY /* it was not sent */
};

#define LINK_STATEMENTS_MAX 16 /* of one link_flush() */

struct link; /* opaque: ledger/postgres/link.c */

/* Connects to nothing yet. NULL: *reterr_why says what is wrong with the URL. */
MUST_USE struct link *link_new(const char *url, struct why *reterr_why);
void link_free(struct link *link);
AUTO_FREE(link);

/* `turned` is called while it waits, a few times a second. */
void link_set_turned(struct link *link, void (*turned)(void *context), void *context);

/* Asked while it waits: true is as good as the deadline. NULL: never. */
void link_set_ended(struct link *link, bool (*ended)(void));

/* Nothing is logged when the engine is away or back: for whoever ends then, and says so. */
void link_say_nothing(struct link *link);

/* Whether there is a connection, tried for until the deadline; at least once. */
MUST_USE bool link_up(struct link *link, int64_t deadline_ms);
bool link_is_up(const struct link *link);
/* Why there was none the last time, or what the engine refused. */
const char *link_why(const struct link *link);
/* Grows with each new connection. */
uint64_t link_generation(const struct link *link);

/* Queues a statement; `values` may be NULL. */
void link_queue(struct link *link, const char *sql, const struct values *values);

size_t link_queued(const struct link *link); /* how many */

/* Sends what is queued and waits for all results. The connection is dropped where it is LOST. */
enum link_result link_flush(struct link *link, int64_t deadline_ms);

/* The result of a statement of the last flush, from 0; valid until the next link_queue(). */
const PGresult *link_get(const struct link *link, size_t statement);

/* Whether the engine warned in the last flush: behind a COMMIT, that it may not be where it should
 * be. */
bool link_warned(const struct link *link);

/* Ends a transaction that cannot go on. Where that fails, the connection goes with it. */
void link_roll_back(struct link *link);

/* Runs a script of several statements, outside of everything else. false: link_why(); the
 * connection is dropped where it is lost. Main, while the store opens. */
MUST_USE bool link_script(struct link *link, const char *sql, int64_t deadline_ms);

int64_t link_now_ms(void);

#endif
