/*
 * api/definitions.h - a definition as an answer, shared by reading and by edits.
 */
#ifndef TALLYD_API_DEFINITIONS_H
#define TALLYD_API_DEFINITIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/buf.h"
#include "core/board.h"

#define DEFINITION_ETAG_BYTES_MAX 160

/* Writes the definition with its tally, or with "tally":null where the caller may not see it; then
 * nothing in it moves with the votes. Failure stays in `out`. */
void definition_answer(struct published *published, bool visible, size_t language, struct buf *out);

/* Its strong ETag. false: no memory. */
MUST_USE bool definition_etag(struct published *published, bool visible, size_t language,
                              char ret_etag[DEFINITION_ETAG_BYTES_MAX]);

#endif
