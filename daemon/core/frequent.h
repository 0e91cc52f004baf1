/*
 * core/frequent.h - which keys come most often, in bounded memory.
 *
 * Misra and Gries, "Finding repeated elements" (1982): of n keys, every one that comes more than
 * n / FREQUENT_KEYS_MAX times is kept. Exact while there are no more keys than that; else what is
 * kept is counted exactly in a second pass.
 *
 * Pure; one thread at a time. Keys are hashes already, so they are their own hash.
 */
#ifndef TALLYD_CORE_FREQUENT_H
#define TALLYD_CORE_FREQUENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"

#define FREQUENT_KEYS_MAX 16384

struct frequent; /* opaque: about 512 KiB */

struct frequent_key {
    uint64_t key;
    uint64_t times;
};

MUST_USE struct frequent *frequent_new(void); /* NULL: no memory */
void frequent_free(struct frequent *frequent);
AUTO_FREE(frequent);

/* The first pass. */
void frequent_add(struct frequent *frequent, uint64_t key);

/* All keys are kept, and their counts are exact: there is no need for a second pass. */
bool frequent_is_exact(const struct frequent *frequent);

/* The second pass: counts go to 0, keys stay; then each key is counted where it is kept. */
void frequent_count_again(struct frequent *frequent);
void frequent_count(struct frequent *frequent, uint64_t key);

/* The keys kept, the most frequent first, the smaller key of equals.
 *   returns  how many there are; at most `max` are written                                    */
size_t frequent_largest(const struct frequent *frequent, struct frequent_key *ret_keys, size_t max);

#endif
