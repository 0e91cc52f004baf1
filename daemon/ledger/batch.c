/*
 * ledger/batch.c - what goes into one batch, and what is said of its ballots.
 *
 * Threads: the writer; bulk_refuse() whoever has the bulk.
 */
#include "ledger/store.h"

void batch_fill(struct batch *batch, struct queue_list *from, size_t ballots_max)
{
    while (from->first && batch->n < BATCH_JOBS_MAX) {
        size_t weight = job_weight((const struct job *)from->first);

        if (batch->weight + weight > ballots_max)
            break;
        batch->weight += weight;
        batch->jobs[batch->n++] = (struct job *)queue_list_take(from);
    }
}

enum job_result job_result_of(enum decision decision)
{
    switch (decision) {
    case DECIDED_COUNTED:
        return JOB_COUNTED;
    case DECIDED_CHANGED:
        return JOB_CHANGED;
    case DECIDED_ALREADY:
        return JOB_ALREADY;
    case DECIDED_RETRACTED:
        return JOB_RETRACTED;
    case DECIDED_REFUSED:
        break;
    }
    return JOB_REFUSED;
}

void bulk_refuse(struct bulk *bulk, struct bulk_line *line, const struct refusal *refusal)
{
    size_t start = bulk->details.len;

    line->result = JOB_REFUSED;
    line->problem = refusal->problem;
    line->detail = (uint32_t)start;
    if (refusal->problem == PROBLEM_INVALID && refusal->n_errors > 0 && refusal->errors[0].where[0])
        buf_format(&bulk->details, "%s: %s", refusal->errors[0].where, refusal->errors[0].detail);
    else
        buf_text(&bulk->details, refusal->detail);
    line->detail_len = buf_ok(&bulk->details) ? (uint32_t)(bulk->details.len - start) : 0;
}

void bulk_undecide(struct bulk *bulk)
{
    for (size_t i = 0; i < bulk->n; i++) {
        struct bulk_line *line = &bulk->lines[i];

        if (line->decided)
            *line = (struct bulk_line){ .number = line->number, .ballot = line->ballot };
    }
}
