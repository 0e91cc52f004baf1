/*
 * core/queue.c - many threads put in, one takes everything out at once.
 *
 * Threads: queue_put() any, queue_take() the one taker, init and destroy main.
 */
#include "core/queue.h"

#include <assert.h>

void queue_list_add(struct queue_list *list, struct queue_node *node)
{
    node->next = NULL;
    if (list->last)
        list->last->next = node;
    else
        list->first = node;
    list->last = node;
    list->n++;
}

struct queue_node *queue_list_take(struct queue_list *list)
{
    struct queue_node *node = list->first;

    if (!node)
        return NULL;
    list->first = node->next;
    if (!list->first)
        list->last = NULL;
    list->n--;
    return node;
}

static void append(struct queue_list *list, const struct queue_list *more)
{
    if (list->last)
        list->last->next = more->first;
    else
        list->first = more->first;
    list->last = more->last;
    list->n += more->n;
}

void queue_init(struct queue *queue, void (*wake)(void *), void *wake_context)
{
    *queue = (struct queue){ .wake = wake, .wake_context = wake_context };
    (void)pthread_mutex_init(&queue->lock, NULL); /* never fails on Linux with no attributes */
}

void queue_destroy(struct queue *queue)
{
    assert(queue->list.n == 0);
    (void)pthread_mutex_destroy(&queue->lock);
}

void queue_put(struct queue *queue, struct queue_list *list)
{
    bool was_empty;

    if (list->n == 0)
        return;
    (void)pthread_mutex_lock(&queue->lock);
    was_empty = queue->list.n == 0;
    append(&queue->list, list);
    (void)pthread_mutex_unlock(&queue->lock);
    *list = (struct queue_list){ NULL, NULL, 0 };
    if (was_empty)
        queue->wake(queue->wake_context);
}

struct queue_list queue_take(struct queue *queue)
{
    struct queue_list list;

    (void)pthread_mutex_lock(&queue->lock);
    list = queue->list;
    queue->list = (struct queue_list){ NULL, NULL, 0 };
    (void)pthread_mutex_unlock(&queue->lock);
    return list;
}
