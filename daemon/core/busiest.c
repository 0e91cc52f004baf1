/*
 * core/busiest.c - how many votes the busiest polls got, and all of them together.
 *
 * Threads: the writer counts, any reads.
 */
#include "core/busiest.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define WEIGHT_MAX 100
#define ID_WORDS ((POLL_ID_BYTES_MAX + 1 + 7) / 8)

struct place {
    atomic_uint_least64_t
        turn; /* odd while another poll takes the place: what is read meanwhile is a mixture */
    atomic_uint_least64_t number;
    atomic_uint_least64_t id[ID_WORDS]; /* the bytes, eight a word */
    atomic_uint_least64_t votes[VOTE_RESULTS];
};

struct busiest {
    uint64_t numbers[BUSIEST_PLACES]; /* writer, as the next four: looked through for each vote */
    unsigned weights[BUSIEST_PLACES]; /* its own votes, less its share of others' */
    int64_t since_ms[BUSIEST_PLACES]; /* mono */
    size_t hand;                      /* whose turn it is to give way */
    size_t last;                      /* mostly the next vote is in the same poll */
    atomic_size_t n;                  /* writer writes, any reads, as all that follows */
    struct place places[BUSIEST_PLACES];
    atomic_uint_least64_t all[VOTE_RESULTS];
    atomic_uint_least64_t rest[VOTE_RESULTS];
};

const char *vote_result_word(enum vote_result result)
{
    switch (result) {
    case VOTE_COUNTED:
        return "counted";
    case VOTE_CHANGED:
        return "changed";
    case VOTE_ALREADY:
        return "already";
    case VOTE_RETRACTED:
        return "retracted";
    }
    return "";
}

struct busiest *busiest_new(void)
{
    return calloc(1, sizeof(struct busiest));
}

void busiest_free(struct busiest *busiest)
{
    free(busiest);
}

/* One thread writes: a load and a store are enough, and cost no lock on the bus. */
static void one_more(atomic_uint_least64_t *n)
{
    atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

static void read_all(const atomic_uint_least64_t votes[VOTE_RESULTS],
                     uint64_t ret_votes[VOTE_RESULTS])
{
    for (size_t i = 0; i < VOTE_RESULTS; i++)
        ret_votes[i] = atomic_load_explicit(&votes[i], memory_order_acquire);
}

/* Each store is a release, each load of a reader an acquire: who has seen any of it sees the odd
 * turn behind it. */
static void take(struct busiest *busiest, size_t at, uint64_t number, const char *id,
                 int64_t mono_ms)
{
    struct place *place = &busiest->places[at];
    uint64_t turn = atomic_load_explicit(&place->turn, memory_order_relaxed);
    uint64_t words[ID_WORDS] = { 0 };

    assert(strlen(id) <= POLL_ID_BYTES_MAX);
    memcpy(words, id, strlen(id));
    atomic_store_explicit(&place->turn, turn + 1, memory_order_relaxed);
    for (size_t i = 0; i < ID_WORDS; i++)
        atomic_store_explicit(&place->id[i], words[i], memory_order_release);
    for (size_t i = 0; i < VOTE_RESULTS; i++)
        atomic_store_explicit(&place->votes[i], 0, memory_order_release);
    atomic_store_explicit(&place->number, number, memory_order_release);
    atomic_store_explicit(&place->turn, turn + 2, memory_order_release);
    busiest->numbers[at] = number;
    busiest->weights[at] = 0;
    busiest->since_ms[at] = mono_ms;
}

/* A poll without a place asks for one: BUSIEST_PLACES for none. Each time another one loses some
 * of its weight, so that those with the most votes stay. */
static size_t ask_for_place(struct busiest *busiest, uint64_t number, const char *id,
                            int64_t mono_ms)
{
    size_t n = atomic_load_explicit(&busiest->n, memory_order_relaxed);
    size_t at = n < BUSIEST_PLACES ? n : busiest->hand;

    if (n == BUSIEST_PLACES) {
        busiest->hand = (at + 1) % BUSIEST_PLACES;
        if (busiest->weights[at] > 0)
            busiest->weights[at]--;
        if (busiest->weights[at] > 0 || mono_ms - busiest->since_ms[at] < BUSIEST_KEPT_MS)
            return BUSIEST_PLACES;
    }
    take(busiest, at, number, id, mono_ms);
    if (n < BUSIEST_PLACES)
        atomic_store_explicit(&busiest->n, n + 1, memory_order_release);
    return at;
}

static size_t find(const struct busiest *busiest, uint64_t number)
{
    size_t n = atomic_load_explicit(&busiest->n, memory_order_relaxed);

    if (busiest->last < n && busiest->numbers[busiest->last] == number)
        return busiest->last;
    for (size_t i = 0; i < n; i++) {
        if (busiest->numbers[i] == number)
            return i;
    }
    return BUSIEST_PLACES;
}

void busiest_add(struct busiest *busiest, uint64_t number, const char *id, enum vote_result result,
                 int64_t mono_ms)
{
    size_t at = find(busiest, number);

    one_more(&busiest->all[result]);
    if (at == BUSIEST_PLACES)
        at = ask_for_place(busiest, number, id, mono_ms);
    if (at == BUSIEST_PLACES) {
        one_more(&busiest->rest[result]);
        return;
    }
    busiest->last = at;
    if (busiest->weights[at] < WEIGHT_MAX)
        busiest->weights[at]++;
    one_more(&busiest->places[at].votes[result]);
}

/* false: another poll is taking it. */
static bool read_place(const struct place *place, struct busiest_poll *ret_poll)
{
    uint64_t turn = atomic_load_explicit(&place->turn, memory_order_acquire);
    uint64_t words[ID_WORDS];

    for (size_t i = 0; i < ID_WORDS; i++)
        words[i] = atomic_load_explicit(&place->id[i], memory_order_acquire);
    read_all(place->votes, ret_poll->votes);
    ret_poll->number = atomic_load_explicit(&place->number, memory_order_acquire);
    memcpy(ret_poll->id, words, sizeof ret_poll->id);
    return turn % 2 == 0 && atomic_load_explicit(&place->turn, memory_order_relaxed) == turn;
}

void busiest_read(const struct busiest *busiest, struct busiest_figures *ret_figures)
{
    size_t n = atomic_load_explicit(&busiest->n, memory_order_acquire);

    ret_figures->n = 0;
    for (size_t i = 0; i < n; i++)
        ret_figures->n += read_place(&busiest->places[i], &ret_figures->polls[ret_figures->n]);
    read_all(busiest->rest, ret_figures->rest);
    read_all(busiest->all, ret_figures->all);
}
