/*
 * index.h - finds a number by a key of bytes.
 */
#ifndef TALLY_TAKEOVER_INDEX_H
#define TALLY_TAKEOVER_INDEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/str.h"

struct index; /* opaque: index.c */

MUST_USE struct index *index_new(void); /* NULL: no memory */
void index_free(struct index *index);
AUTO_FREE(index);

/* The number of that key, which may be written to until the next index_put(); NULL: there is none.
 */
size_t *index_find(const struct index *index, struct str key);

/* Adds a key that is not there yet, and is copied; NULL: no memory. */
MUST_USE size_t *index_put(struct index *index, struct str key, size_t number);

#endif
