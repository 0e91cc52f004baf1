/*
 * bench/resp.h - votes in Redis: one EVALSHA a vote, over RESP.
 *
 * Pure but for the memory it takes; any thread.
 */
#ifndef TALLYD_BENCH_RESP_H
#define TALLYD_BENCH_RESP_H

#include "bench/protocol.h"

/*
 * Votes: EVALSHA SHA 2 POLL:voters POLL:votes OPTION VOTER. Right is an integer, the option's new
 * count, larger than the option's last one on the connection.
 *
 *   sha      of a script that answers the count for a new voter, else 0; loaded before
 *   poll     what both keys begin with
 *   voters, options   as for http_vote()
 */
struct protocol resp_vote(const char *sha, const char *poll, const char *voters, unsigned options);

#endif
