/*
 * api/topics.c - polls that somebody on this loop follows.
 *
 * Threads: the loop.
 */
#include "api/topics.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CHAINS 256 /* a power of two */

struct topic {
    struct watch watch; /* first: a watch that was told is its topic */
    struct topic *next;
    uint64_t number; /* the poll's: one that takes its id later is another poll */
    char id[POLL_ID_BYTES_MAX + 1];
    struct follower *followers;
    struct follower *at; /* whose turn comes next, while they are told */
    bool is_telling;
    bool over; /* out of its chain: freed when it comes out of `told` */
};

struct topics {
    struct topic *chains[CHAINS];
};

static struct topic **chain_of(struct topics *topics, uint64_t number)
{
    return &topics->chains[number & (CHAINS - 1)];
}

static struct topic *topic_find(struct topics *topics, uint64_t number)
{
    struct topic *topic = *chain_of(topics, number);

    while (topic && topic->number != number)
        topic = topic->next;
    return topic;
}

static struct topic *topic_make(struct api *api, struct api_loop *loop,
                                const struct published *published)
{
    struct topic **chain = chain_of(loop->topics, published->poll->number);
    struct topic *topic = calloc(1, sizeof *topic);

    if (!topic)
        return NULL;
    topic->watch.told = &loop->told;
    topic->number = published->poll->number;
    memcpy(topic->id, published->poll->id, sizeof topic->id);
    topic->next = *chain;
    *chain = topic;
    /* A poll that was taken down this moment is found out by the look that follows. */
    if (!board_watch(api->board, str_of(topic->id), &topic->watch))
        topic->watch.place = NULL;
    return topic;
}

static void topic_end(struct api *api, struct api_loop *loop, struct topic *topic)
{
    struct topic **place = chain_of(loop->topics, topic->number);

    while (*place != topic)
        place = &(*place)->next;
    *place = topic->next;
    topic->over = true;
    if (board_unwatch(api->board, &topic->watch))
        free(topic);
}

static struct published *look(struct api *api, const struct topic *topic)
{
    AUTO(published) published = board_get(api->board, str_of(topic->id));

    return published && published->poll->number == topic->number ? TAKE(published) : NULL;
}

/* Whoever is told may leave, and with that the topic may be nobody's any more. */
static void tell(struct api *api, struct api_loop *loop, struct topic *topic)
{
    AUTO(published) published = look(api, topic);

    assert(!topic->is_telling);
    topic->is_telling = true;
    for (struct follower *follower = topic->followers; follower; follower = topic->at) {
        topic->at = follower->next;
        follower->changed(follower, published);
    }
    topic->is_telling = false;
    if (!topic->followers)
        topic_end(api, loop, topic);
}

bool topics_follow(struct api *api, struct api_loop *loop, const struct published *published,
                   struct follower *follower)
{
    struct topic *topic;
    bool changed;

    if (!loop->topics)
        loop->topics = calloc(1, sizeof *loop->topics);
    if (!loop->topics)
        return false;
    topic = topic_find(loop->topics, published->poll->number);
    if (!topic)
        topic = topic_make(api, loop, published);
    if (!topic)
        return false;
    follower->topic = topic;
    follower->prev = NULL;
    follower->next = topic->followers;
    if (follower->next)
        follower->next->prev = follower;
    topic->followers = follower;
    {
        /* What changed between the look that came before and the watch would be missed. */
        AUTO(published) now = look(api, topic);

        changed = now != published;
    }
    if (changed)
        board_tell(api->board, &topic->watch);
    return true;
}

void topics_leave(struct api *api, struct api_loop *loop, struct follower *follower)
{
    struct topic *topic = follower->topic;

    if (!topic)
        return;
    if (topic->at == follower)
        topic->at = follower->next;
    if (follower->prev)
        follower->prev->next = follower->next;
    else
        topic->followers = follower->next;
    if (follower->next)
        follower->next->prev = follower->prev;
    follower->topic = NULL;
    if (!topic->followers && !topic->is_telling)
        topic_end(api, loop, topic);
}

const char *topics_id(const struct follower *follower)
{
    return follower->topic->id;
}

struct published *topics_look(struct api *api, const struct follower *follower)
{
    return look(api, follower->topic);
}

void topics_told(struct api *api, struct api_loop *loop, struct watch *watch)
{
    struct topic *topic = (struct topic *)watch;

    if (topic->over) {
        free(topic);
        return;
    }
    (void)board_watch_again(api->board, watch); /* of one taken down the look tells */
    tell(api, loop, topic);
}

void topics_free(struct api *api, struct api_loop *loop)
{
    struct queue_list told = queue_take(&loop->told);
    struct queue_node *node;

    while ((node = queue_list_take(&told)) != NULL)
        topics_told(api, loop, (struct watch *)node);
    free(loop->topics);
}
