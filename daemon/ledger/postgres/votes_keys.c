/*
 * ledger/postgres/votes_keys.c - what a batch of votes has to know: polls, voters, addresses.
 *
 * Threads: the writer.
 */
#include "ledger/postgres/votes_keys.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static int by_number(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a;
    uint64_t other = *(const uint64_t *)b;

    return (one > other) - (one < other);
}

static int by_voter(const void *a, const void *b)
{
    const struct voter_key *one = a;
    const struct voter_key *other = b;

    if (one->poll != other->poll)
        return one->poll < other->poll ? -1 : 1;
    return memcmp(one->voter.bytes, other->voter.bytes, sizeof one->voter.bytes);
}

static int by_group(const void *a, const void *b)
{
    const struct group_key *one = a;
    const struct group_key *other = b;

    if (one->poll != other->poll)
        return one->poll < other->poll ? -1 : 1;
    return (one->group > other->group) - (one->group < other->group);
}

/* Sorts, and leaves one of each. */
static size_t sort(void *at, size_t n, size_t size, int (*compare)(const void *, const void *))
{
    char *items = at;
    size_t left = 0;

    if (n > 1)
        qsort(at, n, size, compare);
    for (size_t i = 0; i < n; i++) {
        if (left > 0 && compare(items + (left - 1) * size, items + i * size) == 0)
            continue;
        if (left != i)
            memcpy(items + left * size, items + i * size, size);
        left++;
    }
    return left;
}

static size_t count(struct job **jobs, size_t n)
{
    size_t items = 0;

    for (size_t i = 0; i < n; i++)
        items += jobs[i]->kind == JOB_BULK ? jobs[i]->bulk->n : 1;
    return items;
}

static void add(struct keys_of_votes *keys, struct job *job, struct bulk_line *line,
                const struct ballot *ballot)
{
    size_t i = keys->n_items++;

    keys->items[i] = (struct item){ .job = job, .line = line, .ballot = ballot };
    keys->polls[i] = ballot->poll;
    keys->voters[i] = (struct voter_key){ .poll = ballot->poll, .voter = ballot->voter };
    if (ballot->has_address)
        keys->groups[keys->n_groups++] =
            (struct group_key){ .poll = ballot->poll, .group = ballot->address_group };
}

/* Lines that the loop has refused already are none of ours. */
static void add_bulk(struct keys_of_votes *keys, struct job *job)
{
    for (size_t i = 0; i < job->bulk->n; i++) {
        struct bulk_line *line = &job->bulk->lines[i];

        if (line->problem == PROBLEM_NONE)
            add(keys, job, line, &line->ballot);
    }
}

void keys_clear(struct keys_of_votes *keys)
{
    free(keys->items);
    free(keys->polls);
    free(keys->voters);
    free(keys->groups);
    *keys = (struct keys_of_votes){ .n_items = 0 };
}

bool keys_gather(struct keys_of_votes *keys, struct job **jobs, size_t n)
{
    size_t room = count(jobs, n) + 1;

    *keys = (struct keys_of_votes){ .items = calloc(room, sizeof *keys->items),
                                    .polls = calloc(room, sizeof *keys->polls),
                                    .voters = calloc(room, sizeof *keys->voters),
                                    .groups = calloc(room, sizeof *keys->groups) };
    if (!keys->items || !keys->polls || !keys->voters || !keys->groups) {
        keys_clear(keys);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (jobs[i]->kind == JOB_BULK)
            add_bulk(keys, jobs[i]);
        else
            add(keys, jobs[i], NULL, &jobs[i]->ballot);
    }
    keys->n_polls = sort(keys->polls, keys->n_items, sizeof *keys->polls, by_number);
    keys->n_voters = sort(keys->voters, keys->n_items, sizeof *keys->voters, by_voter);
    keys->n_groups = sort(keys->groups, keys->n_groups, sizeof *keys->groups, by_group);
    for (size_t i = 0; i < keys->n_items; i++) {
        struct item *item = &keys->items[i];
        struct voter_key wanted = { .poll = item->ballot->poll, .voter = item->ballot->voter };

        item->voter =
            bsearch(&wanted, keys->voters, keys->n_voters, sizeof *keys->voters, by_voter);
        assert(item->voter);
    }
    return true;
}

struct group_key *keys_group(const struct keys_of_votes *keys, uint64_t poll, uint64_t group)
{
    struct group_key wanted = { .poll = poll, .group = group };

    if (keys->n_groups == 0)
        return NULL;
    return bsearch(&wanted, keys->groups, keys->n_groups, sizeof *keys->groups, by_group);
}
