/*
 * api/pictures.h - rendered pictures, kept as long as there is room: the least lately asked for go
 * first.
 *
 * A name says all that a picture depends on, so what is kept is never stale.
 *
 * Threads: any; it locks itself, for a look-up and never while something is rendered.
 */
#ifndef TALLYD_API_PICTURES_H
#define TALLYD_API_PICTURES_H

#include <stdatomic.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/str.h"
#include "core/board.h"

/* An ETag of a tally, without its quotes, and what tells a picture from others of it. */
#define PICTURE_NAME_BYTES_MAX (ETAG_BYTES_MAX + 64)

struct picture { /* immutable, shared by count */
    atomic_uint refs;
    size_t len;
    char bytes[];
};

/* A copy of `bytes` with one reference, or NULL: no memory. */
MUST_USE struct picture *picture_new(struct str bytes);
struct picture *picture_ref(struct picture *picture);
void picture_free(struct picture *picture); /* one reference less */
AUTO_FREE(picture);

struct pictures; /* opaque: api/pictures.c */

/* What is kept and its names never take more than `bytes_max`. NULL: no memory. */
MUST_USE struct pictures *pictures_new(size_t bytes_max);
void pictures_free(struct pictures *pictures);
AUTO_FREE(pictures);

/* The picture of this name, with one more reference, or NULL. */
MUST_USE struct picture *pictures_get(struct pictures *pictures, const char *name);

/* Keeps a picture, with a reference of its own, unless it is too large or there is no memory. */
void pictures_put(struct pictures *pictures, const char *name, struct picture *picture);

#endif
