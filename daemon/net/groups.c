/*
 * net/groups.c - how many connections each address group has: a small chained table.
 *
 * Bounded by the cap on connections, so it never grows beyond one node a connection.
 *
 * Threads: any; one lock.
 */
#include "net/groups.h"

#include <assert.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHAINS 1024 /* a power of two */

struct node {
    struct node *next;
    struct address group;
    size_t n;
};

struct groups {
    pthread_mutex_t lock;
    size_t most;                 /* lock */
    struct cidr *exempt;         /* lock; owned */
    size_t n_exempt;             /* lock */
    struct node *chains[CHAINS]; /* lock; counted without a limit too: one may come later */
};

struct groups *groups_new(size_t most)
{
    struct groups *groups = calloc(1, sizeof *groups);

    if (!groups)
        return NULL;
    groups->most = most;
    (void)pthread_mutex_init(&groups->lock, NULL);
    return groups;
}

void groups_limit(struct groups *groups, size_t most)
{
    (void)pthread_mutex_lock(&groups->lock);
    groups->most = most;
    (void)pthread_mutex_unlock(&groups->lock);
}

void groups_free(struct groups *groups)
{
    if (!groups)
        return;
    for (size_t i = 0; i < CHAINS; i++) {
        struct node *next;

        for (struct node *node = groups->chains[i]; node; node = next) {
            next = node->next;
            free(node);
        }
    }
    (void)pthread_mutex_destroy(&groups->lock);
    free(groups->exempt);
    free(groups);
}

/* FNV-1a: who floods chains here has to own the addresses, and is capped anyway. */
static size_t chain_of(const struct address *group)
{
    uint32_t hash = 2166136261U;

    for (size_t i = 0; i < sizeof group->bytes; i++)
        hash = (hash ^ group->bytes[i]) * 16777619U;
    return hash & (CHAINS - 1);
}

static bool same(const struct address *a, const struct address *b)
{
    return a->v6 == b->v6 && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static struct node **find(struct groups *groups, const struct address *group)
{
    struct node **place = &groups->chains[chain_of(group)];

    while (*place && !same(&(*place)->group, group))
        place = &(*place)->next;
    return place;
}

static bool enter(struct groups *groups, const struct address *group, bool exempt)
{
    struct node **place = find(groups, group);

    if (!*place) {
        *place = calloc(1, sizeof **place);
        if (!*place)
            return false;
        (*place)->group = *group;
    }
    if (groups->most > 0 && !exempt && (*place)->n >= groups->most)
        return false;
    (*place)->n++;
    return true;
}

bool groups_enter(struct groups *groups, struct address address)
{
    struct address group = address_group(address, 32, 64);
    bool entered;

    (void)pthread_mutex_lock(&groups->lock);
    entered = enter(groups, &group, cidrs_contain(groups->exempt, groups->n_exempt, &address));
    (void)pthread_mutex_unlock(&groups->lock);
    return entered;
}

void groups_leave(struct groups *groups, struct address address)
{
    struct address group = address_group(address, 32, 64);
    struct node **place;
    struct node *node;

    (void)pthread_mutex_lock(&groups->lock);
    place = find(groups, &group);
    node = *place;
    assert(node && node->n > 0);
    if (--node->n == 0) {
        *place = node->next;
        free(node);
    }
    (void)pthread_mutex_unlock(&groups->lock);
}

void groups_exempt(struct groups *groups, const struct cidr *cidrs, size_t n)
{
    struct cidr *copy = n > 0 ? malloc(n * sizeof *copy) : NULL;

    if (n > 0 && !copy)
        return;
    for (size_t i = 0; i < n; i++)
        copy[i] = cidrs[i];
    (void)pthread_mutex_lock(&groups->lock);
    free(groups->exempt);
    groups->exempt = copy;
    groups->n_exempt = n;
    (void)pthread_mutex_unlock(&groups->lock);
}
