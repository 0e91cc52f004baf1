/*
 * core/frequent.c - which keys come most often, in bounded memory.
 *
 * Threads: one at a time.
 */
#include "core/frequent.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS (FREQUENT_KEYS_MAX * 2) /* a power of two */

struct frequent {
    size_t n;
    bool dropped;                     /* some key went, or all were lowered */
    struct frequent_key slots[SLOTS]; /* times 0: free */
    bool used[SLOTS];                 /* in the second pass a key may stand at 0 */
};

struct frequent *frequent_new(void)
{
    return calloc(1, sizeof(struct frequent));
}

void frequent_free(struct frequent *frequent)
{
    free(frequent);
}

/* Its slot, or the free one where it would go. */
static size_t find(const struct frequent *frequent, uint64_t key)
{
    size_t at = (size_t)key & (SLOTS - 1);

    while (frequent->used[at] && frequent->slots[at].key != key)
        at = (at + 1) & (SLOTS - 1);
    return at;
}

static void put(struct frequent *frequent, struct frequent_key key)
{
    size_t at = find(frequent, key.key);

    frequent->slots[at] = key;
    frequent->used[at] = true;
    frequent->n++;
}

/* One off each: those at 0 go. As many were added since the last time, so it costs O(1) each. */
static void lower_all(struct frequent *frequent)
{
    struct frequent_key kept[FREQUENT_KEYS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < SLOTS; i++) {
        if (frequent->used[i] && frequent->slots[i].times > 1)
            kept[n++] =
                (struct frequent_key){ frequent->slots[i].key, frequent->slots[i].times - 1 };
    }
    memset(frequent->used, 0, sizeof frequent->used);
    frequent->n = 0;
    frequent->dropped = true;
    for (size_t i = 0; i < n; i++)
        put(frequent, kept[i]);
}

void frequent_add(struct frequent *frequent, uint64_t key)
{
    size_t at = find(frequent, key);

    if (frequent->used[at])
        frequent->slots[at].times++;
    else if (frequent->n < FREQUENT_KEYS_MAX)
        put(frequent, (struct frequent_key){ key, 1 });
    else
        lower_all(frequent);
}

bool frequent_is_exact(const struct frequent *frequent)
{
    return !frequent->dropped;
}

void frequent_count_again(struct frequent *frequent)
{
    for (size_t i = 0; i < SLOTS; i++)
        frequent->slots[i].times = 0;
}

void frequent_count(struct frequent *frequent, uint64_t key)
{
    size_t at = find(frequent, key);

    if (frequent->used[at])
        frequent->slots[at].times++;
}

static bool comes_before(const struct frequent_key *a, const struct frequent_key *b)
{
    return a->times > b->times || (a->times == b->times && a->key < b->key);
}

/* An insertion into the few that are wanted: `max` is small. */
size_t frequent_largest(const struct frequent *frequent, struct frequent_key *ret_keys, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < SLOTS; i++) {
        struct frequent_key key = frequent->slots[i];
        size_t at = n;

        if (!frequent->used[i])
            continue;
        while (at > 0 && comes_before(&key, &ret_keys[at - 1])) {
            if (at < max)
                ret_keys[at] = ret_keys[at - 1];
            at--;
        }
        if (at < max)
            ret_keys[at] = key;
        n += n < max;
    }
    return frequent->n;
}
