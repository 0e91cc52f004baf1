/*
 * api/request_log.h - `requests = yes` of [log]: a line for each request when it is answered.
 *
 *   request method=GET status=200 bytes=312 ms=0 role=public path=/v1/polls/us-goals/tally
 *
 * No voters, no tokens, no bodies; the client's address at level debug alone. Where the key says
 * no, a request costs one comparison.
 */
#ifndef TALLYD_API_REQUEST_LOG_H
#define TALLYD_API_REQUEST_LOG_H

#include "api/caller.h"
#include "base/buf.h"
#include "net/http1.h"

struct call;
struct request_line; /* opaque: of a request that is not answered yet */

/* A request begins. Returns what request_log_caller() needs: NULL: no line will be written, or no
 * memory for one. It ends with the exchange. */
struct request_line *request_log_begin(const struct call *call);
/* Who has sent it; `line` may be NULL. Before the exchange ends. */
void request_log_caller(struct request_line *line, const struct caller *caller);

/* A request that could not be read. */
void request_log_refused(unsigned status, const char *detail);

/* The path and what the query asks for: of parameters that this API does not know, which may be
 * anything, only that they are there: `/p/a?lang=ru&...`. */
void request_log_target(struct str path, struct str query, struct buf *out);

#endif
