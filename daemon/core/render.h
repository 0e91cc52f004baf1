/*
 * core/render.h - a tally as JSON, members in the contract's order, no white space.
 */
#ifndef TALLYD_CORE_RENDER_H
#define TALLYD_CORE_RENDER_H

#include "base/buf.h"
#include "core/poll.h"
#include "core/tally.h"

/* Appends `{"id":…,"updated_at":"…"}`. `language` as for text_value(). Failure stays in `out`. */
void render_tally(const struct poll *poll, const struct counts *counts, enum poll_phase phase,
                  const char *language, struct buf *out);

#endif
