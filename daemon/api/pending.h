/*
 * api/pending.h - a call that waits for the writer.
 *
 * Holds the exchange, the jobs and what is needed to answer, and outlives the call. The writer
 * takes the jobs at the end of the loop's turn; when the last one is back, `finish` answers and
 * the pending is freed.
 */
#ifndef TALLYD_API_PENDING_H
#define TALLYD_API_PENDING_H

#include <stdbool.h>
#include <stddef.h>

#include "api/call.h"
#include "api/definitions.h"
#include "ledger/job.h"

struct pending;

struct pending_job {
    struct job job; /* first: a job is its pending_job */
    struct pending *pending;
};

struct pending {
    struct pending *next_spare; /* while it is freed */
    bool again;                 /* pending_again() was called */
    struct api *api;
    struct api_loop *loop;
    struct exchange *exchange;
    /* All jobs are back. Answers the exchange; frees nothing of the pending. */
    void (*finish)(struct pending *pending);
    void *detail;               /* the route's own, or NULL … */
    void (*drop)(void *detail); /* … freed by this with the pending */
    int64_t since_ms;           /* mono: when it was made */
    enum role role;
    struct who who;                            /* for the log */
    char language[LANGUAGE_TAG_BYTES_MAX + 1]; /* chosen when the call came; "": the first */
    /* ETag of what the caller has, as far as it was the newest when the call came; "": none. It is
     * kept in place of If-None-Match, which may be as long as a head. */
    char had[DEFINITION_ETAG_BYTES_MAX];
    size_t n_left;
    struct refusal refusal;
    size_t n_jobs;
    struct pending_job jobs[];
};

/* NULL: no memory. Nothing is submitted yet; pending_free() takes it back. */
MUST_USE struct pending *pending_new(const struct call *call, size_t n_jobs,
                                     void (*finish)(struct pending *));
/* The same when the call is over, for an exchange that was kept. */
MUST_USE struct pending *pending_new_later(struct api *api, struct api_loop *loop,
                                           struct exchange *exchange, enum role role, size_t n_jobs,
                                           void (*finish)(struct pending *));
void pending_free(struct pending *pending);
AUTO_FREE(pending);

/* Gives back what a loop keeps for its next votes. */
void pending_free_spare(struct api_loop *loop);

/* Hands the jobs over at the end of this turn. The exchange is the pending's from now on. */
void pending_submit(struct pending *pending);

/* From within `finish`, instead of an answer: the jobs go to the writer once more, and `finish` is
 * called again. For long reads, slice by slice. */
void pending_again(struct pending *pending);

/* The same for jobs that somebody else than the writer has now, and will put into their homes. */
void pending_wait(struct pending *pending);

/* Remembers the language that this call gets of this poll. */
void pending_remember_language(struct pending *pending, const struct call *call,
                               const struct published *published);

/* Remembers the ETag that If-None-Match matched, or "": an answer with the same one is a 304. */
void pending_remember_etag(struct pending *pending, const char *etag);

/* The same language in a later publication, or its first. */
size_t pending_language(const struct pending *pending, const struct published *published);

#endif
