/*
 * ledger/post.h - answers on their way from the writer to the loops that asked.
 *
 * What goes to one loop goes as one parcel, so that it is woken once.
 */
#ifndef TALLYD_LEDGER_POST_H
#define TALLYD_LEDGER_POST_H

#include <stddef.h>

#include "core/queue.h"
#include "ledger/job.h"
#include "ledger/statistics.h"

#define PARCELS_MAX 32 /* one more, and those that are there are sent */

struct parcel {
    struct queue *home;
    struct queue_list list;
    size_t weight;         /* of its jobs, without … */
    size_t weight_in_bulk; /* … its bulks */
};

struct post {
    struct statistics *statistics; /* is told of each answer */
    struct store *store;           /* that gave them */
    int64_t mono_ms;               /* about now */
    struct parcel parcels[PARCELS_MAX];
    size_t n;
};

/* Takes a job that has its answer. Writer, like all but the last. */
void post_add(struct post *post, struct job *job);
/* Sends all of them; the jobs are the loops' then. */
void post_send(struct post *post);

/* Refuses all of `list` as busy and sends them home; nothing of them was taken in. Any thread. */
void post_busy(struct queue_list *list);

#endif
