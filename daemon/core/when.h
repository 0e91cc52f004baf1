/*
 * core/when.h - times on the way in: RFC 3339 with any offset.
 */
#ifndef TALLYD_CORE_WHEN_H
#define TALLYD_CORE_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/str.h"

/* No such moment: a poll without opens_at or closes_at. */
#define WHEN_NEVER INT64_MAX
/* 9999-12-31T23:59:59Z, the last that RFC 3339 can say, in seconds since 1970. */
#define WHEN_LAST_S INT64_C(253402300799)

/*
 * Reads an RFC 3339 §5.6 date-time: real dates only (leap years known), `T` and `Z` in either case,
 * offsets up to 23:59, a leap second (:60) taken as the next second, fractions cut off to whole
 * seconds, years 0000..9999.
 *
 *   ret_ms   milliseconds since 1970, a multiple of 1000
 *   returns  false when it is anything else; pure, any thread
 */
MUST_USE bool when_parse(struct str text, int64_t *ret_ms);

#endif
