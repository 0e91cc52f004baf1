/*
 * rejects.h - the refused lines of an import: reasons on stderr, the lines in FILE.rejects.
 */
#ifndef TALLY_REJECTS_H
#define TALLY_REJECTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/str.h"
#include "outcome.h"

struct rejects; /* opaque: rejects.c */

/* NULL: no memory.
 *   file    as the user named it, kept; "-": the lines go to stderr
 *   header  is written in front of the lines, or empty; a literal */
MUST_USE struct rejects *rejects_new(const char *file, struct str header);
void rejects_free(struct rejects *rejects);
AUTO_FREE(rejects);

/*
 * A line was refused.
 *
 *   number  in the file
 *   text    with its line end, as it was read
 *   reason  for people, perhaps with controls in it
 */
void rejects_add(struct rejects *rejects, uint64_t number, struct str text, struct str reason);

uint64_t rejects_count(const struct rejects *rejects);

/* Closes the file and tells how many there were. An earlier import's FILE.rejects is removed when
 * `all` went through and nothing was refused. Not done: the lines could not be written. */
MUST_USE enum outcome rejects_end(struct rejects *rejects, bool all);

#endif
