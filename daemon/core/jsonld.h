/*
 * core/jsonld.h - a tally as schema.org's JSON-LD, for search engines.
 */
#ifndef TALLYD_CORE_JSONLD_H
#define TALLYD_CORE_JSONLD_H

#include "base/buf.h"
#include "core/poll.h"
#include "core/tally.h"

/*
 * Appends an AggregateRating for a rating, a Question for a choice. Safe inside a <script>.
 * Failure stays in `out`. Pure; any thread.
 *
 *   counts    a rating's tally has votes: there is no mean of none
 *   language  as for text_value()
 */
void jsonld_render(const struct poll *poll, const struct counts *counts, const char *language,
                   struct buf *out);

#endif
