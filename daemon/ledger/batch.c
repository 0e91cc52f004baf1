/*
 * ledger/batch.c - what goes into one batch.
 *
 * Threads: the writer.
 */
#include "ledger/store.h"

void batch_fill(struct batch *batch, struct queue_list *from)
{
    size_t weight = 0;

    while (from->first && batch->n < BATCH_JOBS_MAX) {
        struct job *job = (struct job *)from->first;

        weight += job_weight(job);
        if (weight > BATCH_JOBS_MAX)
            break;
        batch->jobs[batch->n++] = (struct job *)queue_list_take(from);
    }
}
