/*
 * readable.h - text as readers saw it, out of what a system stored: HTML, slashes, entities.
 */
#ifndef TALLY_TAKEOVER_READABLE_H
#define TALLY_TAKEOVER_READABLE_H

#include "base/auto.h"
#include "base/buf.h"
#include "base/str.h"

enum stored_as {
    STORED_PLAIN,        /* what is stored is what was shown */
    STORED_HTML,         /* it was put into the page as it is */
    STORED_SLASHED_HTML, /* the same, less one layer of backslashes (PHP's addslashes) */
};

/*
 * A text without tags, entities, controls and doubled spaces; of a picture its alternative text.
 *
 *   stored   UTF-8
 *   returns  to be freed, perhaps empty; NULL: no memory
 */
MUST_USE char *readable(struct str stored, enum stored_as as);

/* The character that `&name;` stands for, given without & and ;, or 0: it is none. */
uint32_t entity_character(struct str name);

#endif
