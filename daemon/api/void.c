/*
 * api/void.c - POST …/void: the operator takes votes back, in the open.
 *
 * Finds the votes of an address group, or of a time, that stand, and has the writer void them in
 * jobs of SEQS_MAX; each vote is looked at again there, for voters go on meanwhile.
 *
 * Threads: the loop of the call; a job while it is asked for the writer's.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/routes.h"
#include "api/rows.h"
#include "core/when.h"

#define GROUP_DIGITS 16
#define ROOM_MIN 1024

struct which {
    bool by_group;
    uint64_t group;
    int64_t from_ms; /* by time: from here on … */
    int64_t to_ms;   /* … up to, and without, this */
    bool dry_run;
};

struct void_call {
    struct rows rows; /* first: rows are their call's */
    struct job job;
    struct api *api;
    struct api_loop *loop;
    struct exchange *exchange;
    struct published *published;
    char language[LANGUAGE_TAG_BYTES_MAX + 1];
    struct who who;
    struct which which;
    uint32_t *seqs; /* of the votes that are to go */
    size_t n;
    size_t room;
    size_t done; /* of `seqs`: handed over */
    uint64_t voided;
    struct refusal refusal;
    struct voiding voiding;
};

static void void_call_free(struct void_call *call)
{
    if (!call)
        return;
    published_free(call->job.published);
    published_free(call->published);
    rows_clear(&call->rows);
    free(call->seqs);
    free(call);
}
AUTO_FREE(void_call);

static bool is_meant(const struct which *which, const struct scanned *row)
{
    if (which->by_group)
        return row->has_address && row->address_group == which->group;
    return row->at_ms >= which->from_ms && row->at_ms < which->to_ms;
}

/* false: no memory. */
static bool remember(struct void_call *call, uint32_t seq)
{
    if (call->n == call->room) {
        size_t room = call->room < ROOM_MIN ? ROOM_MIN : call->room * 2;
        uint32_t *more = realloc(call->seqs, room * sizeof *more);

        if (!more)
            return false;
        call->seqs = more;
        call->room = room;
    }
    call->seqs[call->n++] = seq;
    return true;
}

static void tell(const struct void_call *call)
{
    char what[64];

    (void)snprintf(what, sizeof what, "voided %" PRIu64 " votes", call->voided);
    change_log(&call->who, what, call->published->poll->id);
}

static void end(struct void_call *call, const struct refusal *refusal)
{
    if (call->voided > 0)
        tell(call); /* what was voided before stays so */
    answer_refusal(call->exchange, call->loop, refusal, (struct str){ NULL, 0 });
    void_call_free(call);
}

static void answer_voided(struct void_call *call)
{
    struct published *published = call->job.published ? call->job.published : call->published;
    const struct rendered *tally =
        published_json(published, language_find(published, call->language));
    struct buf *out = &call->loop->out;

    if (!call->which.dry_run)
        tell(call);
    buf_clear(out);
    buf_text(out, "{\"voided\":");
    buf_uint(out, call->which.dry_run ? call->n : call->voided);
    buf_text(out, call->which.dry_run ? ",\"dry_run\":true,\"tally\":" : ",\"tally\":");
    if (tally)
        buf_add(out, tally->json, tally->len);
    else
        out->failed = true;
    buf_char(out, '}');
    answer_out(call->exchange, call->loop,
               &(struct answer){ .status = 200,
                                 .caching = CACHE_PRIVATE,
                                 .language = tally ? tally->language : NULL,
                                 .varies = true });
    void_call_free(call);
}

static void hand_over(struct void_call *call)
{
    size_t left = call->n - call->done;

    call->voiding.n = left < SEQS_MAX ? left : SEQS_MAX;
    memcpy(call->voiding.seqs, call->seqs + call->done, call->voiding.n * sizeof *call->seqs);
    call->done += call->voiding.n;
    queue_list_add(&call->loop->submissions, &call->job.node);
}

static void voided(struct job *job)
{
    struct void_call *call = (struct void_call *)((char *)job - offsetof(struct void_call, job));

    if (job->result == JOB_REFUSED) {
        end(call, &call->refusal);
        return;
    }
    call->voided += call->voiding.voided;
    if (call->done == call->n) {
        answer_voided(call);
        return;
    }
    published_free(job->published);
    job->published = NULL;
    hand_over(call);
}

static void failed(struct rows *rows)
{
    end((struct void_call *)rows, &rows->refusal);
}

static void slice(struct rows *rows)
{
    struct void_call *call = (struct void_call *)rows;

    for (size_t i = 0; i < rows->scan.n; i++) {
        const struct scanned *row = &rows->scan.rows[i];

        if (!is_meant(&call->which, row) || !rows_stands(rows, row))
            continue;
        if (!remember(call, row->seq)) {
            refuse(&rows->refusal, PROBLEM_BUSY, "no memory for so many votes; nothing was done");
            failed(rows);
            return;
        }
    }
    if (!rows->scan.done)
        rows_ask(rows);
    else if (call->n == 0 || call->which.dry_run)
        answer_voided(call);
    else
        hand_over(call);
}

static bool group_read(const cJSON *item, struct which *which, struct refusal *reterr)
{
    struct str text = json_string(item);
    uint64_t group = 0;

    for (size_t i = 0; i < text.len && text.len == GROUP_DIGITS; i++) {
        char c = text.at[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

        if (digit < 0)
            return refuse_member(reterr, "/address_group", "is 16 hex digits, as audit shows it");
        group = group << 4 | (unsigned)digit;
    }
    if (text.len != GROUP_DIGITS)
        return refuse_member(reterr, "/address_group", "is 16 hex digits, as audit shows it");
    which->by_group = true;
    which->group = group;
    return true;
}

static bool time_read(const cJSON *item, const char *pointer, int64_t *ret_ms,
                      struct refusal *reterr)
{
    if (!item || !when_parse(json_string(item), ret_ms))
        return refuse_member(reterr, pointer, "must be a time as in RFC 3339");
    return true;
}

static bool which_read(const cJSON *body, struct which *which, struct refusal *reterr)
{
    const cJSON *group = json_member(body, "address_group");
    const cJSON *from = json_member(body, "from");
    const cJSON *to = json_member(body, "to");
    const cJSON *dry_run = json_member(body, "dry_run");

    if (!json_members_ok(body, "address_group from to dry_run", reterr))
        return false;
    if (dry_run && !cJSON_IsBool(dry_run))
        return refuse_member(reterr, "/dry_run", "must be true or false");
    which->dry_run = cJSON_IsTrue(dry_run);
    if ((group != NULL) == (from || to))
        return refuse_member(reterr, "", "name address_group, or from and to");
    if (group)
        return group_read(group, which, reterr);
    if (!time_read(from, "/from", &which->from_ms, reterr) ||
        !time_read(to, "/to", &which->to_ms, reterr))
        return false;
    return which->from_ms < which->to_ms || refuse_member(reterr, "/to", "must be after from");
}

static bool start(const struct call *call, struct refusal *reterr)
{
    AUTO(void_call) mine = calloc(1, sizeof *mine);
    AUTO(json) json = NULL;

    if (!mine)
        return refuse(reterr, PROBLEM_BUSY, "no memory for this request; send it again");
    mine->published = call_poll(call, reterr);
    if (!mine->published || !call_json(call, "application/json", BODY_NEEDED, &json, reterr) ||
        !which_read(json_root(json), &mine->which, reterr))
        return false;
    mine->loop = call->loop;
    mine->exchange = call->exchange;
    mine->who = caller_who(&call->caller);
    language_keep(mine->published, call_language(call, mine->published), mine->language);
    mine->voiding.poll = mine->published->poll->number;
    mine->job = (struct job){ .home = &call->loop->answers,
                              .back = voided,
                              .kind = JOB_VOID,
                              .voiding = &mine->voiding,
                              .refusal = &mine->refusal };
    mine->rows.needs_standing = true;
    mine->rows.slice = slice;
    mine->rows.failed = failed;
    rows_begin(&mine->rows, call->loop, mine->published->poll->number);
    rows_ask(&TAKE(mine)->rows);
    return true;
}

void void_post(struct call *call)
{
    if (!start(call, &call->loop->refusal))
        answer_refusal(call->exchange, call->loop, &call->loop->refusal, (struct str){ NULL, 0 });
}
