/*
 * figures.h - sizes and times for people.
 */
#ifndef TALLY_FIGURES_H
#define TALLY_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* `512 B`, `41.2 MiB` */
void figure_size(struct buf *out, double bytes);

/* `1 poll`, `2 polls`; `?` where the count is no number */
void figure_counted(struct buf *out, struct str count, const char *noun);

/* `59 s`, `3 min 20 s`, `2 h 5 min`, `12 d 3 h` */
void figure_duration(struct buf *out, uint64_t seconds);

/* Reads what people write: 3600, 90m, 1h, 7d; false: it is none, or beyond INT64_MAX seconds. */
MUST_USE bool figure_read_duration(struct str text, uint64_t *ret_seconds);

#endif
