/*
 * version.h - which is older, this tally or the daemon it has asked.
 */
#ifndef TALLY_VERSION_H
#define TALLY_VERSION_H

#include "base/buf.h"
#include "base/str.h"
#include "http.h"

/* Below, at or above 0 as `a` is older than, the same as or newer than `b`: by numbers between
 * dots, then by what stands behind them (0.9 < 0.10, 1.0 < 1.0.1, 1.0-rc1 < 1.0). */
int version_compare(struct str a, struct str b);

/*
 * How to go on where the daemon does not know a route, or has not got it built in: asks for its
 * version and adds which of the two is older, with a NUL behind it. Adds nothing where the answer
 * is another one, both are of one version, or the caller may not see it.
 */
void version_remedy(struct http *http, const struct http_answer *answer, struct buf *out);

#endif
