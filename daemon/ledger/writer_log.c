/*
 * ledger/writer_log.c - what the writer has to say of itself while it works.
 *
 * Threads: the writer, but for writer_log_busy() and writer_log_tell(), which any may call.
 */
#include "ledger/writer_log.h"

#include <inttypes.h>

void writer_log_init(struct writer_log *log)
{
    repeat_init(&log->slow);
    repeat_init(&log->busy);
}

void writer_log_end(struct writer_log *log)
{
    repeat_end(&log->slow);
    repeat_end(&log->busy);
}

void writer_log_tell(struct writer_log *log, int64_t mono_ms)
{
    repeat_tell(&log->slow, mono_ms);
    repeat_tell(&log->busy, mono_ms);
}

/* The number of the poll that a job votes in; 0: it is no vote. */
static uint64_t poll_of(const struct job *job)
{
    switch (job->kind) {
    case JOB_VOTE:
    case JOB_RETRACT:
        return job->ballot.poll;
    case JOB_BULK:
        for (size_t i = 0; i < job->bulk->n; i++) {
            if (job->bulk->lines[i].decided)
                return job->bulk->lines[i].ballot.poll;
        }
        return 0;
    case JOB_VOID:
        return job->voiding->poll;
    case JOB_FORGET:
        return job->forgetting->poll;
    case JOB_ASK:
    case JOB_EDIT:
    case JOB_DELETE:
    case JOB_SCAN:
    case JOB_HOURS:
    case JOB_STATUS:
    case JOB_BACKUP:
    case JOB_RUN:
        break;
    }
    return 0;
}

void writer_log_commit(struct writer_log *log, struct store *store, const struct batch *batch,
                       size_t weight, int64_t took_ms, int64_t mono_ms)
{
    const struct published *shown;
    uint64_t first = 0;
    bool others = false;

    if (took_ms <= SLOW_COMMIT_MS)
        return;
    for (size_t i = 0; i < batch->n; i++) {
        uint64_t poll = poll_of(batch->jobs[i]);

        first = first == 0 ? poll : first;
        others |= poll != 0 && poll != first;
    }
    shown = first != 0 ? store_shown(store, first) : NULL;
    if (shown)
        repeat_say(&log->slow, mono_ms, LOG_WARNING,
                   "poll %s%s: commit of %zu %s took %" PRId64 " ms; votes wait, none is lost",
                   shown->poll->id, others ? " and others" : "", weight,
                   weight == 1 ? "vote" : "votes", took_ms);
    else
        repeat_say(&log->slow, mono_ms, LOG_WARNING,
                   "commit of %zu changes took %" PRId64 " ms; votes wait, none is lost", weight,
                   took_ms);
}

void writer_log_busy(struct writer_log *log, int64_t mono_ms)
{
    repeat_say(&log->busy, mono_ms, LOG_WARNING,
               "more votes wait than may: new ones hear busy and may be sent again, none is lost");
}
