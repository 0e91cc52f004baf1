/*
 * core/top.c - the best polls: by score, by rating, by votes.
 *
 * Threads: any, one at a time.
 */
#include "core/top.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Divisible by each scale's steps (1..9): places on all scales add up without a remainder. */
#define STEP_PARTS 2520U
/* A score changes where the mean of all passes a multiple of 1/2000 star: 10 votes, hundredths, and
 * halves of them. In these parts every such place is a whole number, so cutting off what lies
 * behind never changes a score. */
#define PLACE_PARTS (2000U * STEP_PARTS)

/* Sums of many polls, each within INT64_MAX, and their products with the parts. */
__extension__ typedef unsigned __int128 wide;

struct stars {
    uint64_t votes;
    uint64_t sum; /* a choice: 0 */
};

struct ranked {
    struct top_row row;
    struct stars stars;
    uint64_t key; /* the larger the better; 0: it has none */
};

struct top {
    enum top_sort sort;
    size_t limit;
    wide votes;  /* of all ratings … */
    wide places; /* … and how far above one star they are, in STEP_PARTS of a scale */
    size_t n;
    struct ranked ranked[TOP_LIMIT_MAX]; /* the best first */
};

struct top *top_new(enum top_sort sort, size_t limit)
{
    struct top *top = calloc(1, sizeof *top);

    assert(limit >= 1 && limit <= TOP_LIMIT_MAX);
    if (!top)
        return NULL;
    top->sort = sort;
    top->limit = limit;
    return top;
}

void top_free(struct top *top)
{
    if (!top)
        return;
    for (size_t i = 0; i < top->n; i++)
        published_free(top->ranked[i].row.published);
    free(top);
}

/* Carried included, as in the tally, which costs more to work out. The sums fit: counts_fit(). */
static struct stars stars_of(const struct published *published)
{
    const struct poll *poll = published->poll;
    const struct carried *carried = &poll->carried;
    bool rated = poll->kind == POLL_RATING;
    struct stars stars = { 0, 0 };

    for (size_t i = 0; i < poll->n_options; i++) {
        uint64_t votes = published->counts.marks[i] + carried->marks[i];

        stars.votes += votes;
        stars.sum += rated ? votes * (i + 1) : 0;
    }
    if (carried->sum_only) {
        stars.votes += carried->count;
        stars.sum += carried->sum;
    }
    return stars;
}

static uint64_t steps_of(const struct poll *poll)
{
    assert(poll->n_options >= OPTIONS_MIN);
    return poll->n_options - 1;
}

void top_weigh(struct top *top, const struct published *published)
{
    struct stars stars;

    if (published->poll->kind != POLL_RATING)
        return;
    stars = stars_of(published);
    top->votes += stars.votes;
    top->places += (wide)(stars.sum - stars.votes) * (STEP_PARTS / steps_of(published->poll));
}

/* Hundredths of a star, rounded half up, of the mean that `weight` votes at the mean of all draw.
 */
static uint64_t mean_hundredths(const struct top *top, const struct stars *stars, uint64_t steps,
                                unsigned weight)
{
    wide place = top->votes > 0 ? top->places * (PLACE_PARTS / STEP_PARTS) / top->votes : 0;
    wide sum = ((wide)stars->sum + weight) * PLACE_PARTS + weight * steps * place;
    wide votes = ((wide)stars->votes + weight) * PLACE_PARTS;

    return (uint64_t)((sum * 200 + votes) / (votes * 2));
}

/* How far above one star, in parts that all scales have in common; one more, for 0 is none. */
static uint64_t place_of(uint64_t hundredths, uint64_t steps)
{
    return (hundredths - 100) * (STEP_PARTS / steps) + 1;
}

static struct ranked rank(const struct top *top, struct published *published,
                          const struct stars *stars)
{
    struct ranked ranked = { .row = { .published = published }, .stars = *stars };
    uint64_t steps = steps_of(published->poll);

    ranked.row.scored = published->poll->kind == POLL_RATING && stars->votes > 0;
    if (ranked.row.scored) /* votes may come after the weighing: there is no mean of all then */
        ranked.row.score_hundredths =
            mean_hundredths(top, stars, steps, top->votes > 0 ? TOP_WEIGHT_VOTES : 0);
    switch (top->sort) {
    case TOP_SCORE:
        if (ranked.row.scored)
            ranked.key = place_of(ranked.row.score_hundredths, steps);
        break;
    case TOP_RATING:
        if (ranked.row.scored)
            ranked.key = place_of(mean_hundredths(top, stars, steps, 0), steps);
        break;
    case TOP_VOTES:
        ranked.key = stars->votes;
        break;
    }
    return ranked;
}

static bool is_better(const struct ranked *a, const struct ranked *b)
{
    if (a->key != b->key)
        return a->key > b->key;
    if (a->stars.votes != b->stars.votes)
        return a->stars.votes > b->stars.votes;
    return strcmp(a->row.published->poll->id, b->row.published->poll->id) < 0;
}

void top_offer(struct top *top, struct published *published, uint64_t votes_min)
{
    struct stars stars = stars_of(published);
    struct ranked ranked;
    size_t at = top->n;

    if (stars.votes < votes_min)
        return;
    ranked = rank(top, published, &stars);
    while (at > 0 && is_better(&ranked, &top->ranked[at - 1]))
        at--;
    if (at == top->limit)
        return;
    if (top->n == top->limit)
        published_free(top->ranked[--top->n].row.published);
    memmove(&top->ranked[at + 1], &top->ranked[at], (top->n - at) * sizeof top->ranked[0]);
    top->ranked[at] = ranked;
    top->n++;
    (void)published_ref(published);
}

size_t top_count(const struct top *top)
{
    return top->n;
}

const struct top_row *top_row(const struct top *top, size_t i)
{
    assert(i < top->n);
    return &top->ranked[i].row;
}
