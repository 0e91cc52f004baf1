/*
 * api/verify.c - POST /v1/verify: every vote counted again from the ledger's rows.
 *
 * Poll by poll, slice by slice, between the batches of the writer. The counts that the rows are
 * compared with are taken with the first slice of each poll, so votes may come meanwhile.
 *
 * Threads: the loop of the call.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/pending.h"
#include "api/routes.h"
#include "core/recount.h"

#define PAGE 256

struct verify {
    size_t n;
    size_t room;
    struct published **polls; /* a reference each */
    size_t at;                /* the poll at hand */
    uint64_t n_polls;         /* recounted */
    uint64_t votes;           /* that stand in them */
    size_t mismatches;
    struct buf out; /* the list of mismatches */
    struct recount recount;
    struct scan scan;
};

static void verify_free(struct verify *verify)
{
    if (!verify)
        return;
    for (size_t i = 0; i < verify->n; i++)
        published_free(verify->polls[i]);
    free(verify->polls);
    buf_free(&verify->out);
    free(verify);
}
AUTO_FREE(verify);

static void verify_drop(void *detail)
{
    verify_free(detail);
}

static void mismatch(struct verify *verify, const char *detail)
{
    struct buf *out = &verify->out;

    buf_text(out, verify->mismatches++ > 0 ? ",{\"poll\":\"" : "{\"poll\":\"");
    buf_text(out, verify->polls[verify->at]->poll->id);
    buf_text(out, "\",\"detail\":");
    buf_json_string(out, str_of(detail));
    buf_char(out, '}');
}

static void begin_poll(struct verify *verify)
{
    verify->recount = (struct recount){ .seq = 0 };
    verify->scan.after = 0;
    verify->scan.end = 0;
    verify->scan.rows_differ = false;
    verify->scan.with_replaced = true;
    if (verify->at < verify->n)
        verify->scan.poll = verify->polls[verify->at]->poll->number;
}

static void rows_take(struct verify *verify)
{
    for (size_t i = 0; i < verify->scan.n; i++) {
        const struct scanned *row = &verify->scan.rows[i];

        recount_add(&verify->recount, &(struct recount_row){ .seq = row->seq,
                                                             .marks = row->marks,
                                                             .retracted = row->retracted,
                                                             .replaces = row->replaces,
                                                             .replaced_marks = row->replaced_marks,
                                                             .same_voter = row->same_voter });
    }
}

static void end_poll(struct verify *verify)
{
    const struct recount *recount = &verify->recount;
    const struct scan *scan = &verify->scan;
    char detail[160];

    verify->n_polls++;
    verify->votes += recount->counts.voters;
    if (recount->contradicts) {
        (void)snprintf(detail, sizeof detail, "row %" PRIu32 " %s", recount->wrong_seq,
                       recount->wrong);
        mismatch(verify, detail);
    }
    if (recount->seq != scan->end) {
        (void)snprintf(detail, sizeof detail, "the newest row is %" PRIu32 ", not %" PRIu32,
                       recount->seq, scan->end);
        mismatch(verify, detail);
    }
    if (scan->rows_differ)
        mismatch(verify, "some row of it is not as it was written");
    if (!recount_agrees(recount, &scan->counts))
        mismatch(verify, "the rows add up to another tally than the one that is shown");
    if (!recount_agrees(recount, &scan->stored))
        mismatch(verify, "the rows add up to another tally than the one that is stored");
}

static void answer_verified(struct pending *pending, struct verify *verify)
{
    struct buf *out = &pending->loop->out;

    buf_clear(out);
    buf_text(out, verify->mismatches == 0 ? "{\"ok\":true" : "{\"ok\":false");
    buf_text(out, ",\"polls\":");
    buf_uint(out, verify->n_polls);
    buf_text(out, ",\"votes\":");
    buf_uint(out, verify->votes);
    buf_text(out, ",\"mismatches\":[");
    buf_str_add(out, buf_str(&verify->out));
    buf_text(out, "]}");
    buf_heed(out, &verify->out);
    answer_out(pending->exchange, pending->loop,
               &(struct answer){ .status = 200, .caching = CACHE_PRIVATE });
}

/* A poll that was deleted meanwhile is none to be verified. */
static bool take_slice(struct pending *pending, struct verify *verify)
{
    const struct job *job = &pending->jobs[0].job;

    if (job->result == JOB_REFUSED && pending->refusal.problem != PROBLEM_NO_SUCH_POLL)
        return false;
    if (job->result != JOB_REFUSED) {
        rows_take(verify);
        if (!verify->scan.done) {
            verify->scan.after = verify->scan.rows[verify->scan.n - 1].seq;
            return true;
        }
        end_poll(verify);
    }
    verify->at++;
    begin_poll(verify);
    return true;
}

static void verify_back(struct pending *pending)
{
    struct verify *verify = pending->detail;

    if (exchange_gone(pending->exchange) || pending->loop->draining)
        refuse(&pending->refusal, PROBLEM_BUSY, "the server ends; ask again");
    else if (take_slice(pending, verify) && verify->at < verify->n) {
        pending_again(pending);
        return;
    } else if (verify->at == verify->n) {
        answer_verified(pending, verify);
        return;
    }
    answer_refusal(pending->exchange, pending->loop, &pending->refusal, (struct str){ NULL, 0 });
}

static bool make_room(struct verify *verify, size_t more)
{
    struct published **polls;

    if (verify->room - verify->n >= more)
        return true;
    polls = realloc(verify->polls, (verify->room + more + PAGE) * sizeof(struct published *));
    if (!polls)
        return false;
    verify->polls = polls;
    verify->room += more + PAGE;
    return true;
}

static bool add_all(struct verify *verify, struct board *board)
{
    struct str after = { NULL, 0 };
    size_t n = PAGE;

    while (n == PAGE) {
        if (!make_room(verify, PAGE))
            return false;
        n = board_list(board, after, verify->polls + verify->n, PAGE);
        verify->n += n;
        if (n > 0)
            after = str_of(verify->polls[verify->n - 1]->poll->id);
    }
    return true;
}

static bool add_one(struct verify *verify, struct board *board, const cJSON *item, size_t number,
                    struct refusal *reterr)
{
    char pointer[32];
    struct published *published;

    (void)snprintf(pointer, sizeof pointer, "/polls/%zu", number);
    if (!cJSON_IsString(item))
        return refuse_member(reterr, pointer, "names a poll by its id");
    if (!make_room(verify, 1))
        return refuse(reterr, PROBLEM_BUSY, "no memory for this request; send it again");
    published = board_get(board, json_string(item));
    if (!published)
        return refuse(reterr, PROBLEM_NO_SUCH_POLL, "there is no poll %.*s",
                      (int)json_string(item).len, json_string(item).at);
    verify->polls[verify->n++] = published;
    return true;
}

static int by_number(const void *a, const void *b)
{
    const struct published *const *one = a;
    const struct published *const *other = b;

    return ((*one)->poll->number > (*other)->poll->number) -
           ((*one)->poll->number < (*other)->poll->number);
}

/* One that is named twice is counted once. */
static void drop_repeated(struct verify *verify)
{
    size_t n = 0;

    if (verify->n > 1)
        qsort(verify->polls, verify->n, sizeof(struct published *), by_number);
    for (size_t i = 0; i < verify->n; i++) {
        if (n > 0 && by_number(&verify->polls[n - 1], &verify->polls[i]) == 0)
            published_free(verify->polls[i]);
        else
            verify->polls[n++] = verify->polls[i];
    }
    verify->n = n;
}

static bool polls_read(const struct call *call, struct verify *verify, struct refusal *reterr)
{
    AUTO(json) json = NULL;
    const cJSON *polls = NULL;
    const cJSON *item;
    size_t number = 0;

    if (!call_json(call, "application/json", BODY_OPTIONAL, &json, reterr))
        return false;
    if (json && !json_members_ok(json_root(json), "polls", reterr))
        return false;
    polls = json ? json_member(json_root(json), "polls") : NULL;
    if (!polls)
        return add_all(verify, call->api->board) ||
               refuse(reterr, PROBLEM_BUSY, "no memory for this request; send it again");
    if (!cJSON_IsArray(polls))
        return refuse_member(reterr, "/polls", "must be a list of ids");
    cJSON_ArrayForEach(item, polls)
    {
        if (!add_one(verify, call->api->board, item, number++, reterr))
            return false;
    }
    drop_repeated(verify);
    return true;
}

static bool start(const struct call *call, struct refusal *reterr)
{
    AUTO(verify) verify = calloc(1, sizeof *verify);
    AUTO(pending) pending = pending_new(call, 1, verify_back);

    if (!verify || !pending)
        return refuse(reterr, PROBLEM_BUSY, "no memory for this request; send it again");
    if (!polls_read(call, verify, reterr))
        return false;
    if (verify->n == 0) {
        answer_verified(pending, verify);
        return true;
    }
    begin_poll(verify);
    pending->jobs[0].job.kind = JOB_SCAN;
    pending->jobs[0].job.scan = &verify->scan;
    pending->detail = TAKE(verify);
    pending->drop = verify_drop;
    pending_submit(TAKE(pending));
    return true;
}

void verify_post(struct call *call)
{
    if (!start(call, &call->loop->refusal))
        answer_refusal(call->exchange, call->loop, &call->loop->refusal, (struct str){ NULL, 0 });
}
