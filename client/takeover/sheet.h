/*
 * sheet.h - a table as CSV (RFC 4180) with a header, separated by commas, semicolons or tabs.
 */
#ifndef TALLY_TAKEOVER_SHEET_H
#define TALLY_TAKEOVER_SHEET_H

#include "rows.h"
#include "source.h"

/*
 * Reads all of a file and hands its rows on. NULL and \N without quotes stand for no value.
 *
 *   table    what it holds
 *   returns  false, with the fault: it is no such table, or cut, or a row was refused
 */
MUST_USE bool sheet_read(struct source *source, const struct table *table, const struct sink *sink,
                         struct fault *reterr_fault);

#endif
