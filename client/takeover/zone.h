/*
 * zone.h - times that an older system kept as the clocks of its site showed them.
 */
#ifndef TALLY_TAKEOVER_ZONE_H
#define TALLY_TAKEOVER_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#define ZONE_BYTES_MAX 64

/* Is it the name of a zone that this machine knows (Europe/Moscow, UTC), or an offset as +03:00? */
bool zone_known(const char *zone);

/*
 * What time it was when clocks in that zone, which is known, showed `local_ms`. Of an hour that
 * clocks show twice, the one that the C library takes.
 */
int64_t zone_utc(const char *zone, int64_t local_ms);

#endif
