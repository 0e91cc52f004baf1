/*
 * dump.h - the SQL that mysqldump, phpMyAdmin and pg_dump write: rows of INSERT and COPY.
 */
#ifndef TALLY_TAKEOVER_DUMP_H
#define TALLY_TAKEOVER_DUMP_H

#include "rows.h"
#include "source.h"

/*
 * Reads all of a dump and hands on the rows of the tables that the sink wants; the rest is looked
 * at no closer than to find its end. Nothing of it is run.
 *
 *   returns  false, with the fault: it is no such dump, or cut, or a row was refused
 */
MUST_USE bool dump_read(struct source *source, const struct sink *sink, struct fault *reterr_fault);

#endif
