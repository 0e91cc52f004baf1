/*
 * rate.c - how fast votes come.
 *
 * Threads: any; nothing is shared.
 */
#include "rate.h"

#include <inttypes.h>
#include <stdbool.h>

#include "figures.h"

#define TENTHS_BELOW 10.0 /* slower than this, a tenth of a vote matters */

void rate_add(struct buf *out, int64_t votes, int64_t took_ms)
{
    uint64_t seconds = took_ms < 1000 ? 1 : (uint64_t)took_ms / 1000;
    double per_minute = (double)votes * 60 / (double)seconds;
    bool whole = per_minute == 0 || per_minute >= TENTHS_BELOW || per_minute <= -TENTHS_BELOW;

    buf_format(out, whole ? "%.0f votes/min (%" PRId64 " in " : "%.1f votes/min (%" PRId64 " in ",
               per_minute, votes);
    figure_duration(out, seconds);
    buf_char(out, ')');
}
