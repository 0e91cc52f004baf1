/*
 * api/history.c - GET …/history: how a tally became what it is.
 *
 * The ledger keeps what each option stood at after its last change in an hour. Hours before the
 * step at hand no longer change, so slices of them are one moment's, and the last point is the
 * tally itself.
 *
 * Threads: the loop of the call.
 */
#include <stdlib.h>
#include <string.h>

#include "api/pending.h"
#include "api/routes.h"
#include "api/viewing.h"

#define HOUR_S 3600
#define STEP_S_MAX 604800

struct history {
    struct published *published; /* a reference: what the last point shows */
    bool must_ask;               /* first comes whether this caller sees it */
    struct ballot ballot;
    int64_t now_ms;
    int64_t step_hours;
    int64_t step;                /* number of the step that `votes` belongs to; -1: none yet */
    uint64_t votes[OPTIONS_MAX]; /* as the rows have brought them so far */
    uint64_t shown[OPTIONS_MAX]; /* of the last point */
    bool any;                    /* there is a last point */
    enum caching caching;
    struct hours hours;
    struct buf out;
};

static void history_free(struct history *history)
{
    if (!history)
        return;
    published_free(history->published);
    buf_free(&history->out);
    free(history);
}
AUTO_FREE(history);

static void history_drop(void *detail)
{
    history_free(detail);
}

static void point_add(struct history *history, int64_t at_ms, const uint64_t *votes)
{
    struct buf *out = &history->out;

    buf_text(out, history->any ? ",{\"at\":\"" : "{\"at\":\"");
    buf_time(out, at_ms);
    buf_text(out, "\",\"votes\":[");
    for (size_t i = 0; i < history->published->poll->n_options; i++) {
        if (i > 0)
            buf_char(out, ',');
        buf_uint(out, votes[i]);
    }
    buf_text(out, "]}");
    history->any = true;
    memcpy(history->shown, votes, sizeof history->shown);
}

/* The step is over: a point at its end, unless it brought nothing new. */
static void step_ends(struct history *history)
{
    int64_t end_hour = (history->step + 1) * history->step_hours;

    if (history->step < 0 ||
        (history->any && memcmp(history->votes, history->shown, sizeof history->votes) == 0))
        return;
    point_add(history, end_hour * HOUR_S * 1000, history->votes);
}

static void rows_take(struct history *history)
{
    const struct hours *hours = &history->hours;

    for (size_t i = 0; i < hours->n; i++) {
        const struct hour_row *row = &hours->rows[i];
        int64_t step = row->hour / history->step_hours;

        if (step != history->step)
            step_ends(history);
        history->step = step;
        if (row->option >= 1 && row->option <= OPTIONS_MAX)
            history->votes[ballot_index(row->option)] = row->votes;
    }
}

static void answer_history(struct pending *pending, struct history *history)
{
    struct tally tally;
    uint64_t votes[OPTIONS_MAX] = { 0 };

    step_ends(history);
    tally_work_out(history->published->poll, &history->published->counts, &tally);
    for (size_t i = 0; i < tally.n_options; i++)
        votes[i] = tally.options[i].votes;
    point_add(history, history->now_ms, votes);
    buf_text(&history->out, "]}");
    if (!buf_ok(&history->out)) {
        refuse(&pending->refusal, PROBLEM_BUSY, "no memory for the answer; send it again");
        answer_refusal(pending->exchange, pending->loop, &pending->refusal,
                       (struct str){ NULL, 0 });
        return;
    }
    answer(pending->exchange, pending->loop,
           &(struct answer){
               .status = 200, .caching = history->caching, .body = { buf_str(&history->out) } });
}

static void ask_for_hours(struct pending *pending, struct history *history)
{
    pending->jobs[0].job.kind = JOB_HOURS;
    pending->jobs[0].job.ballot.poll = 0;
    pending->jobs[0].job.hours = &history->hours;
}

/* Whether this caller sees the figures: told by the first job. */
static bool is_allowed(struct pending *pending, struct history *history)
{
    const struct job *job = &pending->jobs[0].job;

    if (!viewing_allowed(job))
        return viewing_refuse(&pending->refusal);
    published_free(history->published);
    history->published = published_ref(job->published);
    history->must_ask = false;
    ask_for_hours(pending, history);
    return true;
}

static void history_back(struct pending *pending)
{
    struct history *history = pending->detail;
    const struct hours *hours = &history->hours;

    if (pending->jobs[0].job.result == JOB_REFUSED ||
        (history->must_ask && !is_allowed(pending, history))) {
        answer_refusal(pending->exchange, pending->loop, &pending->refusal,
                       (struct str){ NULL, 0 });
        return;
    }
    rows_take(history);
    if (pending->jobs[0].job.result == JOB_READ && hours->done) {
        answer_history(pending, history);
        return;
    }
    if (hours->n > 0) {
        history->hours.from = hours->rows[hours->n - 1].hour;
        history->hours.from_option = hours->rows[hours->n - 1].option + 1;
    }
    pending_again(pending);
}

static bool step_read(const struct call *call, struct history *history, struct refusal *reterr)
{
    uint64_t step;

    if (!url_number(&call->loop->url, "step", HOUR_S, STEP_S_MAX, HOUR_S, &step, reterr))
        return false;
    if (step % HOUR_S != 0)
        return refuse_parameter(reterr, "step", "must be whole hours, in seconds: 3600, 86400 …");
    history->step_hours = (int64_t)(step / HOUR_S);
    return true;
}

static bool view(const struct call *call, struct history *history, struct refusal *reterr)
{
    switch (viewing_of(call, history->published, &history->ballot)) {
    case VIEW_PUBLIC:
        history->caching = CACHE_TALLY;
        return true;
    case VIEW_PRIVATE:
        history->caching = CACHE_PRIVATE;
        return true;
    case VIEW_ASK:
        history->caching = CACHE_PRIVATE;
        history->must_ask = true;
        return true;
    case VIEW_HIDDEN:
        break;
    }
    return viewing_refuse(reterr);
}

static void begin(struct history *history)
{
    int64_t now_hour = history->now_ms / 1000 / HOUR_S;

    history->step = -1;
    history->hours.poll = history->published->poll->number;
    history->hours.until = now_hour - now_hour % history->step_hours;
    buf_text(&history->out, "{\"id\":\"");
    buf_text(&history->out, history->published->poll->id);
    buf_text(&history->out, "\",\"step\":");
    buf_int(&history->out, history->step_hours * HOUR_S);
    buf_text(&history->out, ",\"points\":[");
}

static bool start(const struct call *call, struct refusal *reterr)
{
    AUTO(history) history = calloc(1, sizeof *history);
    AUTO(pending) pending = pending_new(call, 1, history_back);

    if (!history || !pending)
        return refuse(reterr, PROBLEM_BUSY, "no memory for this request; send it again");
    history->published = call_poll(call, reterr);
    if (!history->published || !step_read(call, history, reterr) || !view(call, history, reterr))
        return false;
    history->now_ms = loop_wall_ms(exchange_loop(call->exchange));
    begin(history);
    if (history->must_ask)
        viewing_ask(&pending->jobs[0].job, &history->ballot);
    else
        ask_for_hours(pending, history);
    pending->detail = TAKE(history);
    pending->drop = history_drop;
    pending_submit(TAKE(pending));
    return true;
}

void history_get(struct call *call)
{
    if (!start(call, &call->loop->refusal))
        answer_refusal(call->exchange, call->loop, &call->loop->refusal, (struct str){ NULL, 0 });
}
