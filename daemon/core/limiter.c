/*
 * core/limiter.c - token buckets in bounded memory.
 *
 * Threads: any; a shard's lock guards all that is in it.
 */
#include "core/limiter.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SHARDS 16 /* the top four bits of a hash */
#define SHARD_SHIFT 60
#define SET_BUCKETS 8
#define SECOND_SET_SHIFT 24
#define NS_PER_MS 1000000
#define NS_PER_S 1000000000
/* 146 years after the monotonic clock's zero: sums with a period cannot wrap. */
#define NOW_MS_MAX (INT64_MAX / 2 / NS_PER_MS)

struct bucket {
    uint64_t hash;   /* 0: nobody's */
    int64_t full_ns; /* full again from then on: whoever comes may have its place */
};
static_assert(sizeof(struct bucket) == 16, "memory per address is a promise of the header");

struct pace {
    int64_t one_ns; /* how long one takes to flow in; 0: no limit */
    int64_t all_ns; /* … and a whole bucket */
};

struct shard {
    pthread_mutex_t lock;
    struct pace paces[LIMIT_KINDS]; /* lock: the same in all shards but while a rate is set */
    int64_t crowd_ns[LIMIT_KINDS];  /* lock: when the common buckets are full again */
    uint64_t crowded;               /* lock */
    struct bucket *buckets;         /* lock: n_sets sets */
} __attribute__((aligned(64)));     /* one cache line is not two loops' */

struct limiter {
    unsigned char seed[SIPHASH_KEY_BYTES];
    size_t n_sets; /* of each shard; a power of two */
    struct bucket *buckets;
    struct shard shards[SHARDS];
};

struct limiter *limiter_new(size_t buckets, const unsigned char seed[SIPHASH_KEY_BYTES])
{
    AUTO(limiter) limiter = NULL;
    size_t n_sets = 1;

    assert(buckets >= LIMITER_BUCKETS_MIN && buckets <= LIMITER_BUCKETS_MAX);
    while (n_sets * SHARDS * SET_BUCKETS < buckets)
        n_sets *= 2;
    limiter = aligned_alloc(_Alignof(struct limiter), sizeof *limiter);
    if (!limiter)
        return NULL;
    memset(limiter, 0, sizeof *limiter);
    memcpy(limiter->seed, seed, sizeof limiter->seed);
    limiter->n_sets = n_sets;
    for (size_t i = 0; i < SHARDS; i++)
        (void)pthread_mutex_init(&limiter->shards[i].lock, NULL);
    limiter->buckets = calloc(n_sets * SHARDS * SET_BUCKETS, sizeof *limiter->buckets);
    if (!limiter->buckets)
        return NULL;
    for (size_t i = 0; i < SHARDS; i++)
        limiter->shards[i].buckets = limiter->buckets + i * n_sets * SET_BUCKETS;
    return TAKE(limiter);
}

void limiter_free(struct limiter *limiter)
{
    if (!limiter)
        return;
    for (size_t i = 0; i < SHARDS; i++)
        (void)pthread_mutex_destroy(&limiter->shards[i].lock);
    free(limiter->buckets);
    free(limiter);
}

void limiter_set_rate(struct limiter *limiter, enum limiter_kind kind, struct limiter_rate rate)
{
    struct pace pace = { 0, 0 };

    assert(rate.n == 0 || (rate.period_s > 0 && rate.period_s <= LIMITER_PERIOD_S_MAX));
    if (rate.n > 0) {
        /* Rounded up: never more than n a period. */
        pace.one_ns = ((int64_t)rate.period_s * NS_PER_S + rate.n - 1) / rate.n;
        pace.all_ns = pace.one_ns * rate.n;
    }
    for (size_t i = 0; i < SHARDS; i++) {
        (void)pthread_mutex_lock(&limiter->shards[i].lock);
        limiter->shards[i].paces[kind] = pace;
        (void)pthread_mutex_unlock(&limiter->shards[i].lock);
    }
}

static uint64_t hash_of(const struct limiter *limiter, enum limiter_kind kind, enum limiter_by by,
                        struct str who)
{
    unsigned char bytes[2 + LIMITER_WHO_BYTES_MAX] = { (unsigned char)kind, (unsigned char)by };
    uint64_t hash;

    assert(who.len > 0 && who.len <= LIMITER_WHO_BYTES_MAX);
    memcpy(bytes + 2, who.at, who.len);
    hash = siphash(limiter->seed, bytes, 2 + who.len);
    return hash > 0 ? hash : 1;
}

/* Looks through one set: *ret_own is set where the bucket of `hash` is, else *ret_free where a
 * place is to be had. */
static void set_search(struct bucket *set, uint64_t hash, int64_t now_ns, struct bucket **ret_own,
                       struct bucket **ret_free, size_t *ret_n_free)
{
    *ret_n_free = 0;
    for (size_t i = 0; i < SET_BUCKETS; i++) {
        if (set[i].hash == hash)
            *ret_own = &set[i];
        if (set[i].full_ns > now_ns)
            continue;
        if (*ret_n_free == 0)
            *ret_free = &set[i];
        ++*ret_n_free;
    }
}

/* The bucket of `hash`, or a place for it in the emptier of its two sets (which lets the table
 * fill almost wholly before anybody finds none), or NULL. */
static struct bucket *bucket_find(const struct limiter *limiter, const struct shard *shard,
                                  uint64_t hash, int64_t now_ns)
{
    size_t mask = limiter->n_sets - 1;
    struct bucket *first = shard->buckets + (hash & mask) * SET_BUCKETS;
    struct bucket *second = shard->buckets + ((hash >> SECOND_SET_SHIFT) & mask) * SET_BUCKETS;
    struct bucket *own = NULL;
    struct bucket *free_first = NULL;
    struct bucket *free_second = NULL;
    size_t n_first;
    size_t n_second;

    set_search(first, hash, now_ns, &own, &free_first, &n_first);
    if (own)
        return own;
    set_search(second, hash, now_ns, &own, &free_second, &n_second);
    if (own)
        return own;
    return n_first >= n_second ? free_first : free_second;
}

/* Takes one that needs one_ns to flow in, where a bucket holds all_ns. 0, or the seconds to wait.
 */
static uint64_t pour(int64_t *full_ns, int64_t one_ns, int64_t all_ns, int64_t now_ns, bool take)
{
    int64_t then_ns = (*full_ns > now_ns ? *full_ns : now_ns) + one_ns;
    int64_t wait_ns = then_ns - now_ns - all_ns;

    if (wait_ns > 0)
        return (uint64_t)((wait_ns + NS_PER_S - 1) / NS_PER_S);
    if (take)
        *full_ns = then_ns;
    return 0;
}

static uint64_t ask(const struct limiter *limiter, struct shard *shard, enum limiter_kind kind,
                    uint64_t hash, int64_t now_ns, bool take)
{
    const struct pace *pace = &shard->paces[kind];
    struct bucket *bucket;

    if (pace->one_ns == 0)
        return 0;
    bucket = bucket_find(limiter, shard, hash, now_ns);
    if (!bucket) {
        if (take)
            shard->crowded++;
        return pour(&shard->crowd_ns[kind], (pace->one_ns + LIMITER_CROWD - 1) / LIMITER_CROWD,
                    pace->all_ns, now_ns, take);
    }
    if (bucket->hash != hash && !take)
        return 0;        /* it would get a full bucket */
    bucket->hash = hash; /* whose it was is full again: nothing is lost */
    return pour(&bucket->full_ns, pace->one_ns, pace->all_ns, now_ns, take);
}

static uint64_t ask_locked(struct limiter *limiter, enum limiter_kind kind, enum limiter_by by,
                           struct str who, int64_t now_ms, bool take)
{
    uint64_t hash = hash_of(limiter, kind, by, who);
    struct shard *shard = &limiter->shards[hash >> SHARD_SHIFT];
    uint64_t wait_s;

    assert(now_ms >= 0 && now_ms <= NOW_MS_MAX);
    (void)pthread_mutex_lock(&shard->lock);
    wait_s = ask(limiter, shard, kind, hash, now_ms * NS_PER_MS, take);
    (void)pthread_mutex_unlock(&shard->lock);
    return wait_s;
}

uint64_t limiter_take(struct limiter *limiter, enum limiter_kind kind, enum limiter_by by,
                      struct str who, int64_t now_ms)
{
    return ask_locked(limiter, kind, by, who, now_ms, true);
}

uint64_t limiter_wait_s(struct limiter *limiter, enum limiter_kind kind, enum limiter_by by,
                        struct str who, int64_t now_ms)
{
    return ask_locked(limiter, kind, by, who, now_ms, false);
}

size_t limiter_bytes(const struct limiter *limiter)
{
    return sizeof *limiter + limiter->n_sets * SHARDS * SET_BUCKETS * sizeof *limiter->buckets;
}

uint64_t limiter_crowded(struct limiter *limiter)
{
    uint64_t crowded = 0;

    for (size_t i = 0; i < SHARDS; i++) {
        (void)pthread_mutex_lock(&limiter->shards[i].lock);
        crowded += limiter->shards[i].crowded;
        (void)pthread_mutex_unlock(&limiter->shards[i].lock);
    }
    return crowded;
}
