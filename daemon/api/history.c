/*
 * api/history.c - GET …/history: how a tally became what it is.
 *
 * Threads: the loop of the call.
 */
#include <stdlib.h>

#include "api/hours_reading.h"
#include "api/pending.h"
#include "api/routes.h"
#include "api/viewing.h"

#define STEP_S_MAX 604800

struct history {
    struct published *published; /* a reference: what the last point shows */
    bool must_ask;               /* first comes whether this caller sees it */
    struct ballot ballot;
    int64_t now_ms;
    int64_t step_hours;
    enum caching caching;
    struct hours_reading reading;
    bool any; /* there is a point in `out` */
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

static void point_add(void *context, int64_t at_ms, const uint64_t *votes)
{
    struct history *history = context;
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
}

static void answer_history(struct pending *pending, struct history *history)
{
    hours_reading_end(&history->reading, history->published, history->now_ms);
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

/* Whether this caller sees the figures: told by the first job. */
static bool is_allowed(struct pending *pending, struct history *history)
{
    const struct job *job = &pending->jobs[0].job;

    if (!viewing_allowed(job))
        return viewing_refuse(&pending->refusal);
    published_free(history->published);
    history->published = published_ref(job->published);
    history->must_ask = false;
    hours_reading_ask(&history->reading, &pending->jobs[0].job);
    pending_again(pending);
    return true;
}

static void history_back(struct pending *pending)
{
    struct history *history = pending->detail;
    bool refused = pending->jobs[0].job.result == JOB_REFUSED;

    if (history->must_ask && !refused && is_allowed(pending, history))
        return;
    if (history->must_ask || refused) {
        answer_refusal(pending->exchange, pending->loop, &pending->refusal,
                       (struct str){ NULL, 0 });
        return;
    }
    if (hours_reading_take(&history->reading, &pending->jobs[0].job))
        pending_again(pending);
    else
        answer_history(pending, history);
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
    history->reading.point = point_add;
    history->reading.context = history;
    hours_reading_begin(&history->reading, history->published->poll->number, history->step_hours,
                        history->now_ms);
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
        hours_reading_ask(&history->reading, &pending->jobs[0].job);
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
