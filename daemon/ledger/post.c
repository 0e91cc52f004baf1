/*
 * ledger/post.c - answers on their way from the writer to the loops that asked.
 *
 * Threads: the writer.
 */
#include "ledger/post.h"

void post_send(struct post *post)
{
    for (size_t i = 0; i < post->n; i++) {
        atomic_fetch_sub_explicit(&post->statistics->waiting, post->parcels[i].weight,
                                  memory_order_relaxed);
        queue_put(post->parcels[i].home, &post->parcels[i].list);
    }
    post->n = 0;
}

void post_add(struct post *post, struct job *job)
{
    size_t i = 0;

    statistics_job(post->statistics, job);
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
    post->parcels[i].weight += job_weight(job);
}
