/*
 * core/json_scan.h - whether bytes are JSON, by the grammar of RFC 8259, in one pass.
 *
 * Refuses what core/json.h says, but for members that stand twice: they are seen in the tree.
 */
#ifndef TALLYD_CORE_JSON_SCAN_H
#define TALLYD_CORE_JSON_SCAN_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/str.h"
#include "base/why.h"

/*
 *   bytes    any bytes at all; nothing of them is kept
 *   numbers  gets the text of each number, in the order of the document, a NUL behind each; whether
 *            memory sufficed is asked of it
 *   returns  false: *reterr_why says what is wrong, and at which byte
 *   thread   any
 */
MUST_USE bool json_scan(struct str bytes, struct buf *numbers, struct why *reterr_why);

#endif
