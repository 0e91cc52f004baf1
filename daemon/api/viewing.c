/*
 * api/viewing.c - who may see the figures of a poll whose results are hidden.
 *
 * Threads: the loop of the call.
 */
#include "api/viewing.h"

enum viewing viewing_of(const struct call *call, const struct published *published,
                        struct ballot *ret_ballot)
{
    const struct poll *poll = published->poll;

    if (!poll_hides_results(poll, published->phase, VIEWER_STRANGER))
        return VIEW_PUBLIC;
    if (role_is_trusted(call->caller.role))
        return VIEW_PRIVATE;
    if (poll_hides_results(poll, published->phase, VIEWER_VOTED))
        return VIEW_HIDDEN;
    if (!call_voter(call, NULL, poll, ret_ballot, NULL) ||
        !ballot_voter_ok(poll, ret_ballot->kind, NULL))
        return VIEW_HIDDEN;
    return VIEW_ASK;
}

bool viewing_allowed(const struct job *asked)
{
    return asked->result == JOB_FOUND && asked->standing.marks != 0 && asked->published != NULL;
}

void viewing_ask(struct job *job, const struct ballot *ballot)
{
    job->kind = JOB_ASK;
    job->ballot = *ballot;
}

struct pending *viewing_pending(const struct call *call, const struct published *published,
                                const struct ballot *ballot, void (*asked)(struct pending *pending),
                                struct refusal *reterr)
{
    struct pending *pending = pending_new(call, 1, asked);

    if (!pending) {
        refuse(reterr, PROBLEM_BUSY, "no memory for this request; send it again");
        return NULL;
    }
    viewing_ask(&pending->jobs[0].job, ballot);
    pending_remember_language(pending, call, published);
    return pending;
}

bool viewing_refuse(struct refusal *reterr)
{
    return refuse(reterr, PROBLEM_RESULTS_HIDDEN,
                  "the results of this poll are shown after the vote or after the close");
}
