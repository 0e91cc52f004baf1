/*
 * nearest.h - which of some names was meant.
 */
#ifndef TALLY_NEAREST_H
#define TALLY_NEAREST_H

#include <stddef.h>

#define NEAREST_BYTES_MAX 31 /* longer names are near to none */

/* The name that is one or two slips of the finger away from `name`, or NULL: none is.
 *
 *   name_at  the names, by their place; NULL behind the last
 */
const char *nearest_name(const char *name, const char *(*name_at)(size_t i));

#endif
