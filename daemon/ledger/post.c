/*
 * ledger/post.c - answers on their way from the writer to the loops that asked.
 *
 * Threads: the writer.
 */
#include "ledger/post.h"

static void arrived(atomic_size_t *waiting, size_t n)
{
    if (n > 0)
        atomic_fetch_sub_explicit(waiting, n, memory_order_relaxed);
}

void post_send(struct post *post)
{
    for (size_t i = 0; i < post->n; i++) {
        struct parcel *parcel = &post->parcels[i];

        arrived(&post->statistics->waiting, parcel->weight);
        arrived(&post->statistics->waiting_in_bulk, parcel->weight_in_bulk);
        queue_put(parcel->home, &parcel->list);
    }
    post->n = 0;
}

void post_add(struct post *post, struct job *job)
{
    size_t i = 0;

    statistics_job(post->statistics, post->store, job, post->mono_ms);
    while (i < post->n && post->parcels[i].home != job->home)
        i++;
    if (i == PARCELS_MAX) {
        post_send(post);
        i = 0;
    }
    if (i == post->n) {
        post->parcels[i] = (struct parcel){ .home = job->home };
        post->n++;
    }
    queue_list_add(&post->parcels[i].list, &job->node);
    if (job->kind == JOB_BULK)
        post->parcels[i].weight_in_bulk += job_weight(job);
    else
        post->parcels[i].weight += job_weight(job);
}

void post_busy(struct queue_list *list)
{
    struct queue_node *node;

    while ((node = queue_list_take(list)) != NULL) {
        struct job *job = (struct job *)node;
        struct queue_list one = { NULL, NULL, 0 };

        refuse(job->refusal, PROBLEM_BUSY, "too many votes are waiting; send it again");
        job->result = JOB_REFUSED;
        queue_list_add(&one, node);
        queue_put(job->home, &one);
    }
}
