/*
 * ledger/postgres/void.c - an operator takes votes back: new rows, nothing erased.
 *
 * Threads: the writer.
 */
#include "ledger/postgres/admin.h"
#include "ledger/postgres/votes_rows.h"

struct voiding_turn {
    struct job *job;
    struct vote_rows rows;
};

static enum turn_step ask(struct turn *turn, void *context)
{
    struct voiding_turn *at = context;
    const struct voiding *voiding = at->job->voiding;
    struct column seqs = { .n = 0 };
    struct values values = { .n = 0 };
    enum turn_step step = turn_about(turn, &voiding->poll, 1);

    if (step != STEP_DONE)
        return step;
    for (size_t i = 0; i < voiding->n; i++)
        column_int(&seqs, voiding->seqs[i]);
    values_int(&values, (int64_t)voiding->poll);
    values_ints(&values, &seqs);
    /* Votes that still stand, and whether each is its voter's newest row. */
    link_queue(turn->store->link,
               "SELECT v.seq, v.voter, v.options, v.address, "
               "(coalesce(w.seq, 0) = v.seq)::int::bigint "
               "FROM vote v LEFT JOIN voter w ON w.poll = v.poll AND w.voter = v.voter "
               "WHERE v.poll = $1 AND v.seq = ANY($2) AND v.options <> 0 AND NOT EXISTS "
               "(SELECT FROM vote r WHERE r.poll = v.poll AND r.replaces = v.seq) ORDER BY v.seq",
               &values);
    column_free(&seqs);
    return STEP_DONE;
}

static void void_one(struct voiding_turn *at, struct draft *draft, const PGresult *votes, int i)
{
    struct ledger_row row = { .poll = draft->number,
                              .seq = ++draft->seq,
                              .at_ms = draft->now_ms,
                              .replaces = (uint32_t)value_int(votes, i, 0),
                              .has_address = !value_is_null(votes, i, 3),
                              .group = (uint64_t)value_int(votes, i, 3) };

    value_hash(votes, i, 1, &row.voter);
    vote_rows_add(&at->rows, &row);
    if (value_int(votes, i, 4) != 0)
        vote_rows_voter(&at->rows,
                        &(struct voter_key){ .poll = draft->number,
                                             .voter = row.voter,
                                             .has_row = true,
                                             .found = true,
                                             .standing = { .seq = row.seq,
                                                           .at_ms = row.at_ms,
                                                           .has_address = row.has_address,
                                                           .address_group = row.group } });
    if (row.has_address && draft->poll->per_address > 0)
        vote_rows_address(&at->rows, draft->number, row.group, -1);
    counts_apply(&draft->counts, (uint64_t)value_int(votes, i, 2), 0);
    at->job->voiding->voided++;
    draft->seen = true;
}

static bool may_void(const struct draft *draft, const struct job *job)
{
    if (!draft)
        return refuse(job->refusal, PROBLEM_NO_SUCH_POLL, "there is no poll of this id");
    if (draft->poll->forgotten)
        return refuse(job->refusal, PROBLEM_POLL_FORGOTTEN,
                      "who voted here was forgotten for good");
    if (UINT32_MAX - draft->seq < job->voiding->n)
        return refuse(job->refusal, PROBLEM_STORE_UNAVAILABLE,
                      "this poll's ledger is full: 2^32 rows");
    return true;
}

static enum turn_step decide(struct turn *turn, void *context)
{
    struct voiding_turn *at = context;
    struct job *job = at->job;
    struct draft *draft = turn_draft(turn, job->voiding->poll);
    const PGresult *votes = turn_result(turn, 0);

    job->voiding->voided = 0;
    job->result = JOB_REFUSED;
    if (!may_void(draft, job))
        return STEP_DONE;
    job->result = JOB_READ;
    job->ballot.poll = draft->number; /* whose tally goes with the answer */
    vote_rows_clear(&at->rows);
    for (int i = 0; i < pq.PQntuples(votes); i++)
        void_one(at, draft, votes, i);
    vote_rows_queue(&at->rows, turn->store->link);
    turn->writes = draft->seen;
    return STEP_DONE;
}

enum turn_end void_run(struct postgres *store, struct job *job, int64_t now_ms, int64_t deadline_ms)
{
    struct voiding_turn at = { .job = job };
    enum turn_end end = turn_run(
        store, &(struct turn_task){ .ask = ask, .decide = decide, .context = &at, .locks = true },
        now_ms, deadline_ms);

    vote_rows_free(&at.rows);
    return end;
}
