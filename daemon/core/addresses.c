/*
 * core/addresses.c - standing votes per address group, by open addressing.
 *
 * Groups are keyed hashes already, so their own bits choose the slot.
 *
 * Threads: one at a time.
 */
#include "core/addresses.h"

#include <assert.h>
#include <stdlib.h>

#define SLOTS_MIN 16

struct slot {
    uint64_t group;
    uint64_t votes; /* 0: free */
};

struct addresses {
    struct slot *slots;
    size_t n_slots; /* a power of two */
    size_t n_used;
};

struct addresses *addresses_new(void)
{
    AUTO(addresses) addresses = calloc(1, sizeof *addresses);

    if (!addresses)
        return NULL;
    addresses->n_slots = SLOTS_MIN;
    addresses->slots = calloc(SLOTS_MIN, sizeof *addresses->slots);
    if (!addresses->slots)
        return NULL;
    return TAKE(addresses);
}

void addresses_free(struct addresses *addresses)
{
    if (!addresses)
        return;
    free(addresses->slots);
    free(addresses);
}

/* The slot of this group, or the free one where it would stand. */
static size_t find(const struct slot *slots, size_t n_slots, uint64_t group)
{
    size_t at = (size_t)group & (n_slots - 1);

    while (slots[at].votes > 0 && slots[at].group != group)
        at = (at + 1) & (n_slots - 1);
    return at;
}

uint64_t addresses_count(const struct addresses *addresses, uint64_t group)
{
    return addresses->slots[find(addresses->slots, addresses->n_slots, group)].votes;
}

static bool grow(struct addresses *addresses)
{
    size_t n_slots = addresses->n_slots * 2;
    struct slot *slots = calloc(n_slots, sizeof *slots);

    if (!slots)
        return false;
    for (size_t i = 0; i < addresses->n_slots; i++) {
        if (addresses->slots[i].votes > 0)
            slots[find(slots, n_slots, addresses->slots[i].group)] = addresses->slots[i];
    }
    free(addresses->slots);
    addresses->slots = slots;
    addresses->n_slots = n_slots;
    return true;
}

bool addresses_add(struct addresses *addresses, uint64_t group)
{
    size_t at = find(addresses->slots, addresses->n_slots, group);

    if (addresses->slots[at].votes > 0) {
        addresses->slots[at].votes++;
        return true;
    }
    if ((addresses->n_used + 1) * 4 > addresses->n_slots * 3) {
        if (!grow(addresses))
            return false;
        at = find(addresses->slots, addresses->n_slots, group);
    }
    addresses->slots[at] = (struct slot){ group, 1 };
    addresses->n_used++;
    return true;
}

/* Closes the gap at `at`: whoever stood behind it because of it moves up. */
static void close_gap(struct addresses *addresses, size_t at)
{
    size_t mask = addresses->n_slots - 1;
    size_t next = at;

    for (;;) {
        size_t home;

        next = (next + 1) & mask;
        if (addresses->slots[next].votes == 0)
            break;
        home = (size_t)addresses->slots[next].group & mask;
        if (((next - home) & mask) < ((next - at) & mask))
            continue; /* stands between the gap and its home: stays */
        addresses->slots[at] = addresses->slots[next];
        at = next;
    }
    addresses->slots[at] = (struct slot){ 0, 0 };
}

void addresses_remove(struct addresses *addresses, uint64_t group)
{
    size_t at = find(addresses->slots, addresses->n_slots, group);

    assert(addresses->slots[at].votes > 0);
    if (--addresses->slots[at].votes > 0)
        return;
    addresses->n_used--;
    close_gap(addresses, at);
}
