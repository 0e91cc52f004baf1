/*
 * ledger/postgres/forget.c - who voted in a closed poll is forgotten; what was counted stands.
 *
 * As in the SQLite store, a whole poll is forgotten by its salt, a single voter by a random hash.
 * The engine keeps old versions of rows until its vacuum, and its logs and backups for as long as
 * they are kept: that is the engine's operator's to settle, and docs/scale.md says so.
 *
 * Threads: the writer.
 */
#include <string.h>

#include "ledger/postgres/admin.h"
#include "ledger/postgres/votes_rows.h"

struct forgetting_turn {
    struct job *job;
    struct vote_rows rows;
};

enum turn_step turn_forget_poll(struct turn *turn, struct draft *draft)
{
    struct poll *poll = poll_copy(draft->poll);

    if (!poll)
        return STEP_NO_MEMORY;
    poll->forgotten = true;
    memset(poll->salt, 0, SALT_BYTES);
    poll_free(draft->poll);
    draft->poll = poll;
    draft->forgotten = true;
    turn->writes = true;
    return STEP_DONE;
}

static enum turn_step ask(struct turn *turn, void *context)
{
    struct forgetting_turn *at = context;
    const struct forgetting *forgetting = at->job->forgetting;
    struct column seqs = { .n = 0 };
    struct values values = { .n = 0 };
    enum turn_step step = turn_about(turn, &forgetting->poll, 1);

    if (step != STEP_DONE)
        return step;
    for (size_t i = 0; !forgetting->all && i < forgetting->n; i++)
        column_int(&seqs, forgetting->seqs[i]);
    values_int(&values, (int64_t)forgetting->poll);
    values_ints(&values, &seqs);
    /* Addresses that votes of this voter stand for: whatever replaces one is this voter's too. */
    link_queue(turn->store->link,
               "SELECT v.voter, v.address FROM vote v WHERE v.poll = $1 AND v.seq = ANY($2) AND "
               "v.options <> 0 AND NOT EXISTS (SELECT FROM vote r WHERE r.poll = v.poll AND "
               "r.replaces = v.seq)",
               &values);
    column_free(&seqs);
    return STEP_DONE;
}

static void queue_forget(struct link *link, const struct forgetting *forgetting)
{
    struct column seqs = { .n = 0 };
    struct column random = { .n = 0 };
    struct values values = { .n = 0 };

    for (size_t i = 0; i < forgetting->n; i++)
        column_int(&seqs, forgetting->seqs[i]);
    column_hash(&random, &forgetting->random);
    values_int(&values, (int64_t)forgetting->poll);
    values_ints(&values, &seqs);
    values_hashes(&values, &random);
    link_queue(link,
               "WITH gone AS (DELETE FROM voter w USING vote v WHERE v.poll = $1 AND "
               "v.seq = ANY($2) AND w.poll = v.poll AND w.voter = v.voter) "
               "UPDATE vote SET voter = $3[1], address = NULL WHERE poll = $1 AND seq = ANY($2)",
               &values);
    column_free(&seqs);
    column_free(&random);
}

static enum turn_step forget_rows(struct forgetting_turn *at, struct turn *turn,
                                  const struct draft *draft)
{
    const PGresult *standing = turn_result(turn, 0);

    vote_rows_clear(&at->rows);
    for (int i = 0; draft->poll->per_address > 0 && i < pq.PQntuples(standing); i++) {
        if (!value_is_null(standing, i, 1))
            vote_rows_address(&at->rows, draft->number, (uint64_t)value_int(standing, i, 1), -1);
    }
    vote_rows_queue(&at->rows, turn->store->link);
    queue_forget(turn->store->link, at->job->forgetting);
    turn->writes = true;
    return STEP_DONE;
}

static bool may_forget(const struct draft *draft, const struct job *job)
{
    if (!draft)
        return refuse(job->refusal, PROBLEM_NO_SUCH_POLL, "there is no poll of this id");
    if (poll_phase(draft->poll, draft->now_ms) != PHASE_CLOSED)
        return refuse(job->refusal, PROBLEM_POLL_OPEN, "close the poll first");
    if (!job->forgetting->all && draft->seq != job->forgetting->end)
        return refuse(job->refusal, PROBLEM_BUSY, "rows were added meanwhile; send it again");
    return true;
}

static enum turn_step decide(struct turn *turn, void *context)
{
    struct forgetting_turn *at = context;
    struct job *job = at->job;
    struct draft *draft = turn_draft(turn, job->forgetting->poll);

    job->result = JOB_REFUSED;
    if (!may_forget(draft, job))
        return STEP_DONE;
    job->result = JOB_READ;
    job->ballot.poll = draft->number; /* whose tally goes with the answer */
    if (draft->poll->forgotten)
        return STEP_DONE; /* once is enough */
    return job->forgetting->all ? turn_forget_poll(turn, draft) : forget_rows(at, turn, draft);
}

enum turn_end forget_run(struct postgres *store, struct job *job, int64_t now_ms,
                         int64_t deadline_ms)
{
    struct forgetting_turn at = { .job = job };
    enum turn_end end = turn_run(
        store, &(struct turn_task){ .ask = ask, .decide = decide, .context = &at, .locks = true },
        now_ms, deadline_ms);

    vote_rows_free(&at.rows);
    return end;
}
