/*
 * core/limiter.h - how often an address group or a local user may do something: token buckets.
 *
 * n a period, and up to n at once: an empty bucket fills evenly in one period. Kept as the moment
 * when the bucket is full again (GCRA: the "theoretical arrival time"), so a bucket is a keyed hash
 * of who and what, and one time: 16 bytes, exact in whole nanoseconds, and no address in memory.
 *
 * Memory is fixed at creation. What a flood of addresses can do then:
 *
 *   - A bucket gives its place away only when it is full again; from then on it says what no bucket
 *     says. So nobody is forgotten early, however many others come, and no order of requests frees
 *     an offender.
 *   - A newcomer has two sets of eight places, chosen by a hash whose key strangers do not know. If
 *     all sixteen are taken by buckets that are not full, it is let in by a bucket that all such
 *     newcomers of its shard have in common, worth LIMITER_CROWD ordinary ones. So under a flood
 *     that fills the table newcomers wait together; they are neither let in freely nor locked out
 *     for good, and those who have a bucket notice nothing.
 *
 * One request uses up 1/n of a period, and after that time its bucket may go: to keep 65,536
 * buckets at 60 a minute busy takes 65,536 different groups a second.
 *
 * Threads: any; sixteen locks, one of them for each call.
 */
#ifndef TALLYD_CORE_LIMITER_H
#define TALLYD_CORE_LIMITER_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/siphash.h"
#include "base/str.h"

#define LIMITER_BUCKETS_MIN 128 /* the smallest table: one set for each shard */
#define LIMITER_BUCKETS_MAX (1 << 24)
#define LIMITER_CROWD 64
#define LIMITER_PERIOD_S_MAX 86400
#define LIMITER_WHO_BYTES_MAX 16

/* What is limited. GUESSES: wrong role tokens. */
enum limiter_kind { LIMIT_VOTES, LIMIT_TOKENS, LIMIT_READS, LIMIT_GUESSES, LIMIT_KINDS };

/* Whose bucket: of an address group (its 4 or 16 bytes) or of a uid (its bytes). */
enum limiter_by { LIMIT_BY_ADDRESS, LIMIT_BY_UID };

struct limiter_rate {
    uint32_t n;        /* 0: no limit */
    uint32_t period_s; /* 1..LIMITER_PERIOD_S_MAX */
};

struct limiter; /* opaque: core/limiter.c */

/*
 * Without any limit at first.
 *
 *   buckets  LIMITER_BUCKETS_MIN..LIMITER_BUCKETS_MAX, rounded up to a power of two; 16 bytes each
 *   seed     random; copied
 *   returns  NULL: no memory
 */
MUST_USE struct limiter *limiter_new(size_t buckets, const unsigned char seed[SIPHASH_KEY_BYTES]);
void limiter_free(struct limiter *limiter);
AUTO_FREE(limiter);

/* From now on this rate. Nothing is forgotten: a bucket that was empty still fills until the moment
 * it would have been full. */
void limiter_set_rate(struct limiter *limiter, enum limiter_kind kind, struct limiter_rate rate);

/*
 * Takes one from the bucket, if there is one.
 *
 *   who      1..LIMITER_WHO_BYTES_MAX bytes
 *   now_ms   monotonic, from 0; loops may differ by a little
 *   returns  0: go on. Else nothing was taken, and the next is there in so many seconds (rounded
 *            up, at least 1): Retry-After
 */
MUST_USE uint64_t limiter_take(struct limiter *limiter, enum limiter_kind kind, enum limiter_by by,
                               struct str who, int64_t now_ms);

/* What limiter_take() would return, without taking: for what is used up by failing only. */
MUST_USE uint64_t limiter_wait_s(struct limiter *limiter, enum limiter_kind kind,
                                 enum limiter_by by, struct str who, int64_t now_ms);

/* Bytes held; never changes. */
size_t limiter_bytes(const struct limiter *limiter);

/* How often since the start somebody found no bucket of their own: for metrics and the log. */
uint64_t limiter_crowded(struct limiter *limiter);

#endif
