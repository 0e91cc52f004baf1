/*
 * core/voters.c - who has voted in one poll: an exact set in 8 bytes an entry.
 *
 * The table is sorted by tag: an entry's home is its tag scaled to the capacity, it stands there or
 * behind, and nobody with a larger tag stands before it. So growing keeps the order, and is done in
 * place: all entries are pushed to the end of the longer array, then laid out again from its start.
 * Behind the homes lies some room for those that the last ones push out; there is no wrapping.
 *
 * Threads: one at a time.
 */
#include "core/voters.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/ckd.h"

#define HOMES_MIN 64
#define ROOM_MIN 64
/* Full at 4/5, then 3/2 as long: 10 to 15 bytes a voter. */
#define LOAD_OF 5
#define LOAD_MOST 4

struct entry {
    uint32_t tag;
    uint32_t seq; /* 0: free */
};

static_assert(sizeof(struct entry) == 8, "memory per voter is a promise of the design");

struct voters {
    struct entry *entries;
    size_t n;
    size_t homes;  /* where entries belong */
    size_t length; /* homes, and the room behind them */
};

struct voters *voters_new(void)
{
    AUTO(voters) set = calloc(1, sizeof *set);

    if (!set)
        return NULL;
    set->homes = HOMES_MIN;
    set->length = HOMES_MIN + ROOM_MIN;
    set->entries = calloc(set->length, sizeof *set->entries);
    if (!set->entries)
        return NULL;
    return TAKE(set);
}

void voters_free(struct voters *set)
{
    if (!set)
        return;
    free(set->entries);
    free(set);
}

static uint32_t tag_of(const struct voter_hash *hash)
{
    uint32_t tag;

    memcpy(&tag, hash->bytes, sizeof tag);
    return tag;
}

static size_t home_of(uint32_t tag, size_t homes)
{
    return (size_t)(((uint64_t)tag * homes) >> 32);
}

/* Where the last entry would end with so many homes. */
static size_t end_with(const struct voters *set, size_t homes)
{
    size_t end = 0;

    for (size_t i = 0; i < set->length; i++) {
        size_t home;

        if (set->entries[i].seq == 0)
            continue;
        home = home_of(set->entries[i].tag, homes);
        end = (home > end ? home : end) + 1;
    }
    return end;
}

static void push_to_the_end(struct voters *set)
{
    size_t to = set->length;

    for (size_t from = set->length; from-- > 0;) {
        struct entry entry = set->entries[from];

        if (entry.seq == 0)
            continue;
        set->entries[from] = (struct entry){ 0, 0 };
        set->entries[--to] = entry;
    }
}

/* Entry k of n goes from length - n + k to no later place, since those behind it fit too. */
static void lay_out(struct voters *set)
{
    size_t free_from = 0;

    for (size_t from = set->length - set->n; from < set->length; from++) {
        struct entry entry = set->entries[from];
        size_t home = home_of(entry.tag, set->homes);
        size_t to = home > free_from ? home : free_from;

        assert(to <= from);
        set->entries[from] = (struct entry){ 0, 0 };
        set->entries[to] = entry;
        free_from = to + 1;
    }
}

static bool grow(struct voters *set, size_t homes)
{
    size_t end = end_with(set, homes);
    size_t length = (end > homes ? end : homes) + ROOM_MIN + (end > homes ? end - homes : 0);
    size_t bytes;
    struct entry *entries;

    if (length < set->length)
        length = set->length;
    if (ckd_mul(&bytes, length, sizeof *entries))
        return false;
    entries = realloc(set->entries, bytes);
    if (!entries)
        return false;
    memset(entries + set->length, 0, (length - set->length) * sizeof *entries);
    set->entries = entries;
    set->length = length;
    set->homes = homes;
    push_to_the_end(set);
    lay_out(set);
    return true;
}

/* The first place at or behind its home that is free or holds a larger tag. */
static size_t place_for(const struct voters *set, uint32_t tag)
{
    size_t at = home_of(tag, set->homes);

    while (at < set->length && set->entries[at].seq != 0 && set->entries[at].tag <= tag)
        at++;
    return at;
}

static size_t free_from(const struct voters *set, size_t at)
{
    while (at < set->length && set->entries[at].seq != 0)
        at++;
    return at;
}

enum voters_added voters_add(struct voters *set, const struct voter_hash *hash, uint32_t seq)
{
    uint32_t tag = tag_of(hash);
    size_t at;
    size_t gap;

    assert(seq != 0);
    if ((set->n + 1) * LOAD_OF > set->homes * LOAD_MOST && !grow(set, set->homes / 2 * 3))
        return VOTERS_NO_MEMORY;
    at = place_for(set, tag);
    gap = free_from(set, at);
    if (gap == set->length) {
        /* Too many at the very end: the same homes, more room. */
        if (!grow(set, set->homes))
            return VOTERS_NO_MEMORY;
        at = place_for(set, tag);
        gap = free_from(set, at);
    }
    memmove(&set->entries[at + 1], &set->entries[at], (gap - at) * sizeof *set->entries);
    set->entries[at] = (struct entry){ tag, seq };
    set->n++;
    return VOTERS_ADDED;
}

bool voters_find(const struct voters *set, const struct voter_hash *hash, size_t *at,
                 uint32_t *ret_seq)
{
    uint32_t tag = tag_of(hash);
    size_t i = *at;

    if (i == 0) {
        i = home_of(tag, set->homes);
        while (i < set->length && set->entries[i].seq != 0 && set->entries[i].tag < tag)
            i++;
    }
    if (i >= set->length || set->entries[i].seq == 0 || set->entries[i].tag != tag)
        return false;
    *ret_seq = set->entries[i].seq;
    *at = i + 1;
    return true;
}

/* The caller has found it, so it is there: another answer would be a wrong tally. */
static size_t index_of(const struct voters *set, const struct voter_hash *hash, uint32_t seq)
{
    size_t at = 0;
    uint32_t found = 0;
    bool is_there = false;

    while (!is_there && voters_find(set, hash, &at, &found))
        is_there = found == seq;
    assert(is_there);
    return at - 1;
}

void voters_move(struct voters *set, const struct voter_hash *hash, uint32_t old_seq,
                 uint32_t new_seq)
{
    assert(new_seq != 0);
    set->entries[index_of(set, hash, old_seq)].seq = new_seq;
}

void voters_remove(struct voters *set, const struct voter_hash *hash, uint32_t seq)
{
    size_t gap = index_of(set, hash, seq);

    for (size_t next = gap + 1; next < set->length; next++) {
        struct entry entry = set->entries[next];

        if (entry.seq == 0 || home_of(entry.tag, set->homes) == next)
            break;
        set->entries[gap] = entry;
        gap = next;
    }
    set->entries[gap] = (struct entry){ 0, 0 };
    set->n--;
}

size_t voters_count(const struct voters *set)
{
    return set->n;
}

size_t voters_bytes(const struct voters *set)
{
    return sizeof *set + set->length * sizeof *set->entries;
}
