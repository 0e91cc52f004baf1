/*
 * bench/http.h - votes and reads over HTTP/1.1, keep-alive.
 *
 * Pure but for the memory they take; any thread. Memory that runs out shows in
 * request.bytes.failed.
 */
#ifndef TALLYD_BENCH_HTTP_H
#define TALLYD_BENCH_HTTP_H

#include <stdbool.h>

#include "bench/protocol.h"

/*
 * Votes: POST /v1/polls/POLL/votes. Right is 201 with "result":"counted" and a seq that is larger
 * than the last one on the connection, for one connection's votes are taken in order.
 *
 *   poll     its id
 *   voters   what every voter's name begins with; a number follows
 *   options    1..POLL_OPTIONS_MAX
 *   forwarded  as a proxy hands them on, for clients of 100 addresses
 *   tokens     taken over: who votes, as many as are asked for; NULL: voters are named
 */
struct protocol http_vote(const char *poll, const char *voters, unsigned options, bool forwarded,
                          struct tokens *tokens);

/* Reads: GET PATH. Right is 200 with exactly `body`, which is taken over. */
struct protocol http_get(const char *path, struct buf body);

#endif
