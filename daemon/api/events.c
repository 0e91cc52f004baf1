/*
 * api/events.c - GET /v1/events: live tallies as a stream of server-sent events (WHATWG HTML §9.2).
 *
 * A subscriber gets the newest tally of each poll, then a tally whenever one is another, at most
 * ten a second of a poll, and none while it has not taken the last: changes are merged, nothing
 * queues. The bytes of a tally are the board's own, shared by all. Where results are shown after
 * the vote, the writer is asked about the caller's vote each time.
 *
 * Threads: the loop of the call; an ask while it is asked the writer's.
 */
#include <stdlib.h>

#include "api/event_stream.h"
#include "api/ids.h"
#include "api/routes.h"
#include "api/viewing.h"
#include "net/groups.h"

#define POLLS_MAX 20
#define COMMENT_MS 15000
#define PREAMBLE STR("retry: 2000\n\n")

/* What an ask has to be told from others by. */
struct ask {
    struct job job; /* first: a job is its ask */
    struct followed *followed;
    struct ballot ballot;
    struct refusal refusal;
};

static void room(void *context)
{
    events_send_due(context);
}

static void gone(void *context)
{
    struct events *events = context;

    exchange_abort(events->exchange);
    events_leave(events);
}

/* What has not begun is answered by its ask, and ends there. */
static void drain(struct stream *stream)
{
    struct events *events = (struct events *)stream;

    if (!events->begun)
        return;
    exchange_end(events->exchange);
    events_leave(events);
}

static void tick(struct stream *stream, int64_t mono_ms)
{
    struct events *events = (struct events *)stream;

    if (!events->begun)
        return;
    events_send_due(events);
    if (mono_ms - events->commented_ms < COMMENT_MS || exchange_unsent(events->exchange) > 0)
        return;
    exchange_add(events->exchange,
                 STR(":\n\n")); /* so that proxies keep it, and the dead are found */
    exchange_flush(events->exchange);
    events->commented_ms = mono_ms;
}

/* false: the exchange has been answered. */
static bool begin(struct events *events)
{
    bool depends = events->trusted;

    for (size_t i = 0; i < events->n; i++)
        depends |= events->polls[i].ask != NULL;
    if (!answer_begin(events->exchange, events->loop,
                      &(struct answer){ .status = 200,
                                        .content_type = "text/event-stream",
                                        .caching = depends ? CACHE_PRIVATE : CACHE_NOT,
                                        .varies = true,
                                        .unbuffered = true }))
        return false;
    exchange_on_room(events->exchange, EVENTS_UNSENT_BYTES_MAX / 2, room, events);
    exchange_add(events->exchange, PREAMBLE);
    events->commented_ms = events_now_ms(events);
    events->begun = true;
    return true;
}

/* Every stream starts with the newest tallies. false: no memory, and the stream is cut. */
static bool follow_all(struct events *events, struct published *const *published)
{
    for (size_t i = 0; i < events->n; i++) {
        struct followed *followed = &events->polls[i];

        if (!topics_follow(events->api, events->loop, published[i], &followed->follower))
            return false;
        followed_show(followed, published[i]);
    }
    return true;
}

/* The head is sent, then what there is to see. The events end with it where it cannot be. */
static void run(struct events *events, struct published *const *published)
{
    if (!begin(events)) {
        events_leave(events);
    } else if (events->is_head || events->loop->draining) {
        exchange_end(events->exchange);
        events_leave(events);
    } else if (follow_all(events, published)) {
        exchange_on_gone(events->exchange, gone, events);
    } else {
        exchange_abort(events->exchange);
        events_leave(events);
    }
}

/* Of one poll alone it is known first whether this caller sees it: else it is no stream but 403. */
static void first_ask_back(struct events *events, struct job *job)
{
    if (job->result == JOB_REFUSED || !job->published) {
        if (job->result != JOB_REFUSED)
            refuse(job->refusal, PROBLEM_NO_SUCH_POLL, "the poll was deleted");
    } else if (viewing_allowed(job)) {
        struct published *published = published_ref(job->published);

        run(events, &published);
        published_free(published);
        return;
    } else {
        viewing_refuse(job->refusal);
    }
    answer_refusal(events->exchange, events->loop, job->refusal, (struct str){ NULL, 0 });
    events_leave(events);
}

static void ask_back(struct job *job)
{
    struct followed *followed = ((struct ask *)job)->followed;
    struct events *events = followed->events;

    followed->asked = false;
    events->n_asked--;
    if (events->ended) {
        published_free(job->published);
        job->published = NULL;
        if (events->n_asked == 0)
            events_free(events);
    } else if (!events->begun) {
        first_ask_back(events, job);
    } else {
        followed_answered(followed, viewing_allowed(job));
    }
}

static struct job *ask_new(struct followed *followed, struct api_loop *loop,
                           const struct ballot *ballot)
{
    struct ask *ask = calloc(1, sizeof *ask);

    if (!ask)
        return NULL;
    ask->followed = followed;
    ask->job = (struct job){ .home = &loop->answers, .back = ask_back, .refusal = &ask->refusal };
    viewing_ask(&ask->job, ballot);
    return &ask->job;
}

/* Which polls, and whether anything of them may be seen. false: *reterr. */
static bool read_polls(const struct call *call, const struct ids *ids, struct published **published,
                       struct events *events, struct refusal *reterr)
{
    for (size_t i = 0; i < ids->n; i++) {
        struct followed *followed = &events->polls[i];
        struct ballot ballot;

        published[i] = board_get(call->api->board, ids->at[i]);
        if (!published[i])
            return refuse(reterr, PROBLEM_NO_SUCH_POLL, "there is no poll %.*s",
                          (int)ids->at[i].len, ids->at[i].at);
        followed->events = events;
        followed->follower.changed = followed_changed;
        language_keep(published[i], call_language(call, published[i]), followed->language);
        switch (viewing_of(call, published[i], &ballot)) {
        case VIEW_PUBLIC:
        case VIEW_PRIVATE:
            break;
        case VIEW_ASK:
            followed->ask = ask_new(followed, call->loop, &ballot);
            if (!followed->ask)
                return refuse(reterr, PROBLEM_BUSY, "no memory for this stream; try again");
            break;
        case VIEW_HIDDEN:
            if (ids->n == 1)
                return viewing_refuse(reterr);
            break;
        }
    }
    return true;
}

static bool enter(struct events *events, const struct caller *caller, struct refusal *reterr)
{
    events->is_limited = caller_holder(caller, &events->holder);
    if (!events->is_limited || groups_enter(events->api->long_calls, events->holder))
        return true;
    events->is_limited = false;
    complain_of_streams(&events->api->complaints, loop_mono_ms(exchange_loop(events->exchange)));
    return refuse(reterr, PROBLEM_RATE_LIMITED,
                  "too many streams at once from one address or user; close some");
}

static struct events *events_new(const struct call *call, size_t n)
{
    struct events *events = calloc(1, sizeof *events + n * sizeof events->polls[0]);

    if (!events)
        return NULL;
    events->stream.drain = drain;
    events->stream.tick = tick;
    events->api = call->api;
    events->loop = call->loop;
    events->exchange = call->exchange;
    events->is_head = call->request->method == METHOD_HEAD;
    events->trusted = role_is_trusted(call->caller.role);
    events->n = n;
    streams_enter(call->loop, &events->stream);
    return events;
}

static void published_free_all(struct published **published, size_t n)
{
    for (size_t i = 0; i < n; i++)
        published_free(published[i]);
}

static bool start(const struct call *call, struct refusal *reterr)
{
    struct published *published[POLLS_MAX] = { NULL };
    struct events *events;
    struct ids ids;

    if (!ids_read(&call->loop->url, POLLS_MAX, &ids, reterr))
        return false;
    events = events_new(call, ids.n);
    if (!events)
        return refuse(reterr, PROBLEM_BUSY, "no memory for this stream; try again");
    if (!enter(events, &call->caller, reterr) ||
        !read_polls(call, &ids, published, events, reterr)) {
        published_free_all(published, ids.n);
        events_leave(events);
        return false;
    }
    if (events->n == 1 && events->polls[0].ask)
        followed_ask(&events->polls[0]);
    else
        run(events, published);
    published_free_all(published, ids.n);
    return true;
}

void events_get(struct call *call)
{
    if (!start(call, &call->loop->refusal))
        answer_refusal(call->exchange, call->loop, &call->loop->refusal, (struct str){ NULL, 0 });
}
