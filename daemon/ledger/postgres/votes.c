/*
 * ledger/postgres/votes.c - votes, retractions, bulks and questions of one batch.
 *
 * Under the locks of their polls: by what stands of each voter and each address, and by the rules
 * of core/, one after the other, as a single node would.
 *
 * Threads: the writer.
 */
#include "ledger/postgres/votes.h"

#include <assert.h>

#include "ledger/postgres/votes_keys.h"
#include "ledger/postgres/votes_rows.h"

struct votes {
    struct job **jobs;
    size_t n;
    struct keys_of_votes keys;
    struct vote_rows rows;
};

bool votes_are(const struct job *job)
{
    return job->kind == JOB_VOTE || job->kind == JOB_RETRACT || job->kind == JOB_ASK ||
           job->kind == JOB_BULK;
}

static void queue_voters(struct votes *votes, struct link *link)
{
    struct column poll = { .n = 0 };
    struct column voter = { .n = 0 };
    struct values values = { .n = 0 };

    for (size_t i = 0; i < votes->keys.n_voters; i++) {
        column_int(&poll, (int64_t)votes->keys.voters[i].poll);
        column_hash(&voter, &votes->keys.voters[i].voter);
    }
    values_ints(&values, &poll);
    values_hashes(&values, &voter);
    link_queue(link, "SELECT n, seq, at, options, address FROM voter_find($1, $2)", &values);
    column_free(&poll);
    column_free(&voter);
}

static void queue_groups(struct votes *votes, struct link *link)
{
    struct column poll = { .n = 0 };
    struct column group = { .n = 0 };
    struct values values = { .n = 0 };

    for (size_t i = 0; i < votes->keys.n_groups; i++) {
        column_int(&poll, (int64_t)votes->keys.groups[i].poll);
        column_int(&group, (int64_t)votes->keys.groups[i].group);
    }
    values_ints(&values, &poll);
    values_ints(&values, &group);
    link_queue(link, "SELECT n, votes FROM address_find($1, $2)", &values);
    column_free(&poll);
    column_free(&group);
}

static enum turn_step ask(struct turn *turn, void *context)
{
    struct votes *votes = context;
    enum turn_step step = turn_about(turn, votes->keys.polls, votes->keys.n_polls);

    if (step != STEP_DONE)
        return step;
    queue_voters(votes, turn->store->link);
    if (votes->keys.n_groups > 0)
        queue_groups(votes, turn->store->link);
    return STEP_DONE;
}

/* Number `n` of these keys, counted from 1 as the engine does. */
static size_t key_index(const PGresult *result, int row, size_t n)
{
    int64_t number = value_int(result, row, 0);

    assert(number >= 1 && (uint64_t)number <= n);
    return (size_t)number - 1;
}

static void take_voters(struct votes *votes, const PGresult *result)
{
    for (size_t i = 0; i < votes->keys.n_voters; i++) {
        votes->keys.voters[i].has_row = false;
        votes->keys.voters[i].found = false;
        votes->keys.voters[i].changed = false;
    }
    for (int i = 0; i < pq.PQntuples(result); i++) {
        struct voter_key *key = &votes->keys.voters[key_index(result, i, votes->keys.n_voters)];

        key->has_row = true;
        key->found = true;
        key->standing = (struct standing){ .seq = (uint32_t)value_int(result, i, 1),
                                           .at_ms = value_int(result, i, 2),
                                           .marks = (uint64_t)value_int(result, i, 3),
                                           .has_address = !value_is_null(result, i, 4),
                                           .address_group = (uint64_t)value_int(result, i, 4) };
    }
}

static void take_groups(struct votes *votes, const PGresult *result)
{
    for (size_t i = 0; i < votes->keys.n_groups; i++)
        votes->keys.groups[i].votes = 0;
    for (int i = 0; i < pq.PQntuples(result); i++)
        votes->keys.groups[key_index(result, i, votes->keys.n_groups)].votes =
            (uint64_t)value_int(result, i, 1);
}

/* A vote more, or less, that stands of an address. */
static void address_add(struct votes *votes, const struct draft *draft, uint64_t group,
                        int64_t more)
{
    struct group_key *key = keys_group(&votes->keys, draft->number, group);

    if (draft->poll->per_address == 0)
        return;
    if (key)
        key->votes += (uint64_t)more;
    vote_rows_address(&votes->rows, draft->number, group, more);
}

/* A row that replaces another keeps the address that the first one came from. */
static struct ledger_row row_for(const struct draft *draft, const struct ballot *ballot,
                                 const struct standing *replaced)
{
    return (struct ledger_row){
        .poll = draft->number,
        .seq = draft->seq + 1,
        .at_ms = draft->now_ms,
        .voter = ballot->voter,
        .retracted = ballot->marks == 0,
        .marks = ballot->marks,
        .replaces = replaced ? replaced->seq : 0,
        .has_address = replaced ? replaced->has_address : ballot->has_address,
        .group = replaced ? replaced->address_group : ballot->address_group,
    };
}

static void record(struct votes *votes, struct draft *draft, struct voter_key *key,
                   const struct ballot *ballot, enum decision decision)
{
    bool fresh = decision == DECIDED_COUNTED;
    struct ledger_row row = row_for(draft, ballot, fresh ? NULL : &key->standing);

    assert(fresh || key->found); /* only a standing vote is changed or taken back */
    counts_apply(&draft->counts, fresh ? 0 : key->standing.marks, row.marks);
    if (row.has_address && decision != DECIDED_CHANGED)
        address_add(votes, draft, row.group, fresh ? 1 : -1);
    draft->seq = row.seq;
    draft->seen = true;
    key->found = decision != DECIDED_RETRACTED;
    key->changed = true;
    key->standing = (struct standing){ .seq = row.seq,
                                       .at_ms = row.at_ms,
                                       .marks = row.marks,
                                       .has_address = row.has_address,
                                       .address_group = row.group };
    vote_rows_add(&votes->rows, &row);
}

static void refused(struct job *job, enum problem problem, const char *detail)
{
    refuse(job->refusal, problem, "%s", detail);
    job->result = JOB_REFUSED;
}

static enum decision decide_by_rules(const struct votes *votes, const struct draft *draft,
                                     const struct job *job, const struct standing *standing)
{
    const struct ballot *ballot = &job->ballot;
    const struct group_key *group =
        draft->poll->per_address > 0 && ballot->has_address
            ? keys_group(&votes->keys, draft->number, ballot->address_group)
            : NULL;

    if (job->kind == JOB_RETRACT)
        return ballot_decide_retraction(draft->poll, ballot, standing, draft->now_ms, job->refusal);
    return ballot_decide(draft->poll, &draft->counts, ballot, standing, group ? group->votes : 0,
                         draft->now_ms, job->refusal);
}

static void show_standing(struct job *job, const struct standing *standing)
{
    job->has_standing = standing != NULL;
    if (!standing)
        return;
    job->standing = *standing;
    job->seq = standing->seq;
}

static void decide_vote(struct votes *votes, struct turn *turn, struct draft *draft,
                        struct job *job, struct voter_key *key)
{
    const struct standing *standing = key->found ? &key->standing : NULL;
    enum decision decision = decide_by_rules(votes, draft, job, standing);

    job->result = job_result_of(decision);
    show_standing(job, standing);
    if (decision == DECIDED_ALREADY)
        turn->lasts = true;
    if (decision == DECIDED_REFUSED || decision == DECIDED_ALREADY)
        return;
    if (draft->seq == UINT32_MAX) {
        refused(job, PROBLEM_STORE_UNAVAILABLE, "this poll's ledger is full: 2^32 rows");
        return;
    }
    record(votes, draft, key, &job->ballot, decision);
    job->seq = draft->seq;
    turn->writes = true;
}

static void decide_job(struct votes *votes, struct turn *turn, struct job *job,
                       struct voter_key *key)
{
    struct draft *draft = turn_draft(turn, job->ballot.poll);

    job->refusal->problem = PROBLEM_NONE;
    job->refusal->n_errors = 0;
    job->seq = 0;
    job->has_standing = false;
    if (!draft) {
        refused(job, PROBLEM_NO_SUCH_POLL, "there is no poll of this id");
    } else if (!ballot_voter_ok(draft->poll, job->ballot.kind, job->refusal)) {
        job->result = JOB_REFUSED;
    } else if (job->kind == JOB_ASK) {
        job->result = key->found ? JOB_FOUND : JOB_NOT_FOUND;
        show_standing(job, key->found ? &key->standing : NULL);
    } else {
        decide_vote(votes, turn, draft, job, key);
    }
}

static void decide_line(struct votes *votes, struct turn *turn, struct item *item)
{
    struct refusal refusal;
    struct job one = { .kind = JOB_VOTE, .ballot = *item->ballot, .refusal = &refusal };

    decide_job(votes, turn, &one, item->voter);
    item->line->decided = true;
    item->line->result = one.result;
    item->line->seq = one.seq;
    if (one.result == JOB_REFUSED)
        bulk_refuse(item->job->bulk, item->line, &refusal);
}

/* Each voter's rows in the order of the keys, which is that of the index. */
static void add_voters(struct votes *votes)
{
    for (size_t i = 0; i < votes->keys.n_voters; i++) {
        if (votes->keys.voters[i].changed)
            vote_rows_voter(&votes->rows, &votes->keys.voters[i]);
    }
}

static enum turn_step decide(struct turn *turn, void *context)
{
    struct votes *votes = context;

    vote_rows_clear(&votes->rows);
    take_voters(votes, turn_result(turn, 0));
    if (votes->keys.n_groups > 0)
        take_groups(votes, turn_result(turn, 1));
    for (size_t i = 0; i < votes->n; i++) {
        if (votes->jobs[i]->kind != JOB_BULK)
            continue;
        bulk_undecide(votes->jobs[i]->bulk);
        votes->jobs[i]->result = JOB_READ;
    }
    for (size_t i = 0; i < votes->keys.n_items; i++) {
        struct item *item = &votes->keys.items[i];

        if (item->line)
            decide_line(votes, turn, item);
        else
            decide_job(votes, turn, item->job, item->voter);
    }
    add_voters(votes);
    vote_rows_queue(&votes->rows, turn->store->link);
    return STEP_DONE;
}

static bool any_votes(struct job **jobs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (jobs[i]->kind != JOB_ASK)
            return true;
    }
    return false;
}

enum turn_end votes_run(struct postgres *store, struct job **jobs, size_t n, int64_t now_ms,
                        int64_t deadline_ms)
{
    struct votes votes = { .jobs = jobs, .n = n };
    struct turn_task task = {
        .ask = ask, .decide = decide, .context = &votes, .locks = any_votes(jobs, n)
    };
    enum turn_end end = TURN_NO_MEMORY;

    if (keys_gather(&votes.keys, jobs, n))
        end = turn_run(store, &task, now_ms, deadline_ms);
    vote_rows_free(&votes.rows);
    keys_clear(&votes.keys);
    return end;
}
