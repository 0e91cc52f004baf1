/*
 * ledger/postgres/edit.c - polls that are made, changed and deleted.
 *
 * Threads: the writer.
 */
#include <assert.h>

#include "core/definition.h"
#include "ledger/postgres/admin.h"
#include "ledger/postgres/votes_rows.h"

struct editing {
    struct job *job;
    uint64_t number; /* 0: no poll of this id is known */
};

static void refused(struct job *job, enum problem problem, const char *detail)
{
    refuse(job->refusal, problem, "%s", detail);
    job->result = JOB_REFUSED;
}

static enum turn_step about_id(struct turn *turn, struct editing *editing, const char *id)
{
    const struct book *book = book_called(turn->store, id);

    editing->number = book ? book->poll->number : 0;
    editing->job->refusal->problem = PROBLEM_NONE;
    editing->job->refusal->n_errors = 0;
    return turn_about(turn, &editing->number, book ? 1 : 0);
}

static enum turn_step ask_edit(struct turn *turn, void *context)
{
    struct editing *editing = context;
    enum turn_step step = about_id(turn, editing, editing->job->edit->id);

    if (step == STEP_DONE && editing->number == 0)
        link_queue(turn->store->link, "SELECT nextval('poll_number')", NULL);
    return step;
}

/* Another node may be making a poll of this id at the same time: the unique key tells, and then
 * this is begun anew and finds it. */
static enum turn_step create(struct turn *turn, struct job *job, struct poll *poll)
{
    poll->number = (uint64_t)value_int(turn_result(turn, 0), 0, 0);
    poll->prefix_v4 = turn->store->prefix_v4;
    poll->prefix_v6 = turn->store->prefix_v6;
    turn->store->random(poll->salt, sizeof poll->salt);
    turn->writes = true;
    job->result = JOB_CREATED;
    job->ballot.poll = poll->number; /* whose tally goes with the answer */
    (void)turn_create(turn, poll);
    return STEP_DONE;
}

/* Votes of each address are only counted where there is a limit: one that is set now counts those
 * before. */
static void count_addresses(struct turn *turn, const struct draft *draft)
{
    struct values values = { .n = 0 };

    values_int(&values, (int64_t)draft->number);
    link_queue(turn->store->link, "DELETE FROM address WHERE poll = $1", &values);
    link_queue(turn->store->link, COUNT_ADDRESSES, &values);
}

static enum turn_step change(struct turn *turn, struct draft *draft, struct poll *poll, bool seen)
{
    bool counts_anew;

    assert(draft); /* what is not there is created, never changed */
    counts_anew = draft->poll->per_address == 0 && poll->per_address > 0;
    poll_free(draft->poll);
    draft->poll = poll;
    draft->defined = true;
    draft->seen = seen;
    turn->writes = true;
    if (counts_anew)
        count_addresses(turn, draft);
    return STEP_DONE;
}

static enum turn_step decide_edit(struct turn *turn, void *context)
{
    struct editing *editing = context;
    struct job *job = editing->job;
    struct draft *draft = editing->number > 0 ? turn_draft(turn, editing->number) : NULL;
    struct poll *poll = NULL;
    bool seen = false;

    if (editing->number > 0 && !draft)
        return STEP_AGAIN; /* another node has deleted it */
    switch (edit_apply(job->edit, draft ? draft->poll : NULL, draft ? &draft->counts : NULL,
                       draft ? draft->now_ms : turn->now_ms, &poll, &seen, job->refusal)) {
    case EDIT_CREATED:
        return create(turn, job, poll);
    case EDIT_CHANGED:
        job->result = JOB_REPLACED;
        job->ballot.poll = editing->number;
        return change(turn, draft, poll, seen);
    case EDIT_UNCHANGED:
        job->result = JOB_REPLACED;
        job->ballot.poll = editing->number;
        return STEP_DONE;
    case EDIT_REFUSED:
        job->result = JOB_REFUSED;
        return STEP_DONE;
    case EDIT_NO_MEMORY:
        break;
    }
    return STEP_NO_MEMORY;
}

enum turn_end edit_run(struct postgres *store, struct job *job, int64_t now_ms, int64_t deadline_ms)
{
    struct editing editing = { .job = job };

    return turn_run(
        store,
        &(struct turn_task){
            .ask = ask_edit, .decide = decide_edit, .context = &editing, .locks = true },
        now_ms, deadline_ms);
}

static enum turn_step ask_delete(struct turn *turn, void *context)
{
    struct editing *editing = context;

    return about_id(turn, editing, editing->job->id);
}

static enum turn_step decide_delete(struct turn *turn, void *context)
{
    struct editing *editing = context;
    struct draft *draft = editing->number > 0 ? turn_draft(turn, editing->number) : NULL;

    if (!draft) {
        refused(editing->job, PROBLEM_NO_SUCH_POLL, "there is no poll of this id");
        return STEP_DONE;
    }
    draft->deleted = true;
    turn->writes = true;
    editing->job->result = JOB_DELETED;
    return STEP_DONE;
}

enum turn_end delete_run(struct postgres *store, struct job *job, int64_t now_ms,
                         int64_t deadline_ms)
{
    struct editing editing = { .job = job };

    return turn_run(
        store,
        &(struct turn_task){
            .ask = ask_delete, .decide = decide_delete, .context = &editing, .locks = true },
        now_ms, deadline_ms);
}
