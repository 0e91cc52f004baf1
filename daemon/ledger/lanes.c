/*
 * ledger/lanes.c - what waits at the writer, by who goes before whom.
 *
 * Threads: the writer.
 */
#include "ledger/lanes.h"

static struct queue_list *lane_of(struct lanes *lanes, const struct job *job)
{
    if (job->kind == JOB_BULK)
        return &lanes->bulks;
    return job_reads(job) ? &lanes->reads : &lanes->singles;
}

void lanes_sort(struct lanes *lanes, struct queue_list *taken)
{
    struct queue_node *node;

    while ((node = queue_list_take(taken)) != NULL)
        queue_list_add(lane_of(lanes, (const struct job *)node), node);
}

bool lanes_have_ballots(const struct lanes *lanes)
{
    return lanes->singles.n > 0 || lanes->bulks.n > 0;
}

bool lanes_have_any(const struct lanes *lanes)
{
    return lanes_have_ballots(lanes) || lanes->reads.n > 0;
}

void lanes_fill(struct lanes *lanes, struct batch *batch)
{
    size_t for_a_bulk = lanes->bulks.n > 0 ? BULK_LINES_MAX : 0;

    batch_fill(batch, &lanes->singles, BATCH_JOBS_MAX - for_a_bulk);
    batch_fill(batch, &lanes->bulks, BATCH_JOBS_MAX);
}
