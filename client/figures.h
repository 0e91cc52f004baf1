/*
 * figures.h - sizes and times for people.
 */
#ifndef TALLY_FIGURES_H
#define TALLY_FIGURES_H

#include <stdint.h>

#include "base/buf.h"

/* `512 B`, `41.2 MiB` */
void figure_size(struct buf *out, double bytes);

/* `59 s`, `3 min 20 s`, `2 h 5 min`, `12 d 3 h` */
void figure_duration(struct buf *out, uint64_t seconds);

#endif
