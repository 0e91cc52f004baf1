/*
 * index.c - finds a number by a key of bytes: a table with open addressing.
 *
 * A dump's author chooses the keys, so they are hashed with a key of this run.
 *
 * Threads: main.
 */
#include "index.h"

#include <string.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/siphash.h"

#define SLOTS_MIN 64

struct slot {
    uint64_t hash;
    size_t key; /* where it begins in `keys` */
    size_t key_len;
    size_t number;
    bool taken;
};

struct index {
    unsigned char hash_key[SIPHASH_KEY_BYTES];
    struct slot *slots; /* owned */
    size_t room;        /* a power of two */
    size_t count;
    struct buf keys;
};

struct index *index_new(void)
{
    AUTO(index) index = calloc(1, sizeof *index);

    if (!index)
        return NULL;
    index->slots = calloc(SLOTS_MIN, sizeof *index->slots);
    index->room = SLOTS_MIN;
    if (!index->slots ||
        getrandom(index->hash_key, sizeof index->hash_key, 0) != sizeof index->hash_key)
        return NULL;
    return TAKE(index);
}

void index_free(struct index *index)
{
    if (!index)
        return;
    free(index->slots);
    buf_free(&index->keys);
    free(index);
}

/* The slot of that key, or the free one where it would be. */
static struct slot *slot_of(const struct index *index, struct str key, uint64_t hash)
{
    for (size_t i = hash & (index->room - 1);; i = (i + 1) & (index->room - 1)) {
        struct slot *slot = &index->slots[i];

        if (!slot->taken)
            return slot;
        if (slot->hash == hash &&
            str_eq(key, (struct str){ index->keys.bytes + slot->key, slot->key_len }))
            return slot;
    }
}

size_t *index_find(const struct index *index, struct str key)
{
    struct slot *slot = slot_of(index, key, siphash(index->hash_key, key.at, key.len));

    return slot->taken ? &slot->number : NULL;
}

static bool grow(struct index *index)
{
    struct slot *old = index->slots;
    size_t old_room = index->room;
    struct slot *slots = calloc(old_room * 2, sizeof *slots);

    if (!slots)
        return false;
    index->slots = slots;
    index->room = old_room * 2;
    for (size_t i = 0; i < old_room; i++) {
        size_t at = old[i].hash & (index->room - 1);

        if (!old[i].taken)
            continue;
        while (slots[at].taken)
            at = (at + 1) & (index->room - 1);
        slots[at] = old[i];
    }
    free(old);
    return true;
}

size_t *index_put(struct index *index, struct str key, size_t number)
{
    uint64_t hash = siphash(index->hash_key, key.at, key.len);
    size_t from = index->keys.len;
    struct slot *slot;

    if (index->count * 4 >= index->room * 3 && !grow(index))
        return NULL;
    buf_str_add(&index->keys, key);
    if (!buf_ok(&index->keys))
        return NULL;
    slot = slot_of(index, key, hash);
    *slot = (struct slot){ hash, from, key.len, number, true };
    index->count++;
    return &slot->number;
}
