/*
 * core/queue.h - many threads put in, one takes everything out at once.
 *
 * Used both ways: loops hand jobs to the writer, the writer hands answers to each loop. Intrusive:
 * putting in needs no memory and never fails. First in, first out.
 */
#ifndef TALLYD_CORE_QUEUE_H
#define TALLYD_CORE_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct queue_node {
    struct queue_node *next;
};

/* A list under construction, of one thread. Zeroed is empty. */
struct queue_list {
    struct queue_node *first;
    struct queue_node *last;
    size_t n;
};

void queue_list_add(struct queue_list *list, struct queue_node *node);
struct queue_node *queue_list_take(struct queue_list *list); /* the first, or NULL */

struct queue {
    pthread_mutex_t lock;
    struct queue_list list;           /* lock */
    void (*wake)(void *wake_context); /* any thread: tells the taker; called outside the lock */
    void *wake_context;
};

/* `wake` is called when the queue was empty before a put; it may be called once too often. */
void queue_init(struct queue *queue, void (*wake)(void *), void *wake_context);
void queue_destroy(struct queue *queue); /* empty by then: asserted */

/* Puts everything of `list` in, in order, and empties it. Any thread. */
void queue_put(struct queue *queue, struct queue_list *list);

/* Takes all there is. The one taker. */
struct queue_list queue_take(struct queue *queue);

#endif
