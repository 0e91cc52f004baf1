/*
 * api/pending.c - calls that wait for the writer.
 *
 * Threads: the loop of the exchange; between pending_submit() and job_back() each job is the
 * writer's.
 */
#include "api/pending.h"

#include <stdio.h>
#include <stdlib.h>

/* A pending is 3 kB, most of it room for a refusal: malloc() would merge and split such pieces at
 * each vote. */
#define SPARE_MAX 1024

/* What a person waits for, and what takes no longer by nature; NULL: something else. */
static const char *prompt_name(enum job_kind kind)
{
    switch (kind) {
    case JOB_VOTE:
        return "a vote";
    case JOB_RETRACT:
        return "a retraction";
    case JOB_ASK:
        return "a question after a vote";
    case JOB_EDIT:
        return "a change";
    case JOB_DELETE:
        return "a deletion";
    case JOB_BULK:
    case JOB_SCAN:
    case JOB_HOURS:
    case JOB_STATUS:
    case JOB_BACKUP:
    case JOB_VOID:
    case JOB_FORGET:
    case JOB_RUN:
        break;
    }
    return NULL;
}

static void complain_if_slow(const struct pending *pending)
{
    const struct job *job = &pending->jobs[0].job;
    int64_t now_ms = loop_mono_ms(exchange_loop(pending->exchange));
    const char *what = prompt_name(job->kind);

    if (what)
        complain_of_slowness(&pending->api->complaints,
                             job->published ? job->published->poll->id : NULL, what,
                             now_ms - pending->since_ms, now_ms);
}

/* A job is back: finishes its pending when it was the last one. */
static void job_back(struct job *job)
{
    struct pending *pending = ((struct pending_job *)job)->pending;

    if (--pending->n_left > 0)
        return;
    complain_if_slow(pending);
    pending->again = false;
    pending->finish(pending);
    if (!pending->again)
        pending_free(pending);
}

static struct pending *take_or_make(struct api_loop *loop, size_t n_jobs)
{
    struct pending *pending = loop->spare;

    if (n_jobs != 1 || !pending)
        return malloc(sizeof *pending + n_jobs * sizeof pending->jobs[0]);
    loop->spare = pending->next_spare;
    loop->n_spare--;
    return pending;
}

struct pending *pending_new_later(struct api *api, struct api_loop *loop, struct exchange *exchange,
                                  enum role role, size_t n_jobs, void (*finish)(struct pending *))
{
    struct pending *pending = take_or_make(loop, n_jobs); /* not zeroed */

    if (!pending)
        return NULL;
    pending->api = api;
    pending->loop = loop;
    pending->exchange = exchange;
    pending->finish = finish;
    pending->since_ms = loop_mono_ms(exchange_loop(exchange));
    pending->detail = NULL;
    pending->drop = NULL;
    pending->role = role;
    pending->who = (struct who){ .role = role };
    pending->language[0] = '\0';
    pending->had[0] = '\0';
    pending->n_left = n_jobs;
    pending->refusal.problem = PROBLEM_NONE;
    pending->n_jobs = n_jobs;
    for (size_t i = 0; i < n_jobs; i++) {
        pending->jobs[i].pending = pending;
        pending->jobs[i].job =
            (struct job){ .home = &loop->answers, .back = job_back, .refusal = &pending->refusal };
    }
    return pending;
}

struct pending *pending_new(const struct call *call, size_t n_jobs,
                            void (*finish)(struct pending *))
{
    struct pending *pending =
        pending_new_later(call->api, call->loop, call->exchange, call->caller.role, n_jobs, finish);

    if (pending)
        pending->who = caller_who(&call->caller);
    return pending;
}

void pending_free(struct pending *pending)
{
    if (!pending)
        return;
    for (size_t i = 0; i < pending->n_jobs; i++) {
        struct job *job = &pending->jobs[i].job;

        if (job->published)
            published_free(job->published);
        if (job->edit)
            edit_free(job->edit);
        free(job->backup);
    }
    if (pending->drop)
        pending->drop(pending->detail);
    if (pending->n_jobs != 1 || pending->loop->n_spare == SPARE_MAX) {
        free(pending);
        return;
    }
    pending->next_spare = pending->loop->spare;
    pending->loop->spare = pending;
    pending->loop->n_spare++;
}

void pending_free_spare(struct api_loop *loop)
{
    while (loop->spare) {
        struct pending *pending = loop->spare;

        loop->spare = pending->next_spare;
        free(pending);
    }
}

void pending_submit(struct pending *pending)
{
    for (size_t i = 0; i < pending->n_jobs; i++)
        queue_list_add(&pending->loop->submissions, &pending->jobs[i].job.node);
}

void pending_wait(struct pending *pending)
{
    pending->again = true;
    pending->n_left = pending->n_jobs;
    for (size_t i = 0; i < pending->n_jobs; i++) {
        published_free(pending->jobs[i].job.published);
        pending->jobs[i].job.published = NULL;
    }
}

void pending_again(struct pending *pending)
{
    pending_wait(pending);
    pending_submit(pending);
}

void pending_remember_language(struct pending *pending, const struct call *call,
                               const struct published *published)
{
    language_keep(published, call_language(call, published), pending->language);
}

void pending_remember_etag(struct pending *pending, const char *etag)
{
    (void)snprintf(pending->had, sizeof pending->had, "%s", etag);
}

size_t pending_language(const struct pending *pending, const struct published *published)
{
    return language_find(published, pending->language);
}
