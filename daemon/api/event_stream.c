/*
 * api/event_stream.c - what a subscriber is sent, and when.
 *
 * At most ten events a second of a poll, and none while the last ones have not been taken: what
 * changes meanwhile is only noted as due, so a slow reader gets the newest, and nothing queues.
 *
 * Threads: the loop of the call.
 */
#include "api/event_stream.h"

#include <stdio.h>
#include <stdlib.h>

#include "net/groups.h"

#define EVENT_MS_MIN 100

void events_free(struct events *events)
{
    for (size_t i = 0; i < events->n; i++) {
        struct job *ask = events->polls[i].ask;

        if (ask)
            published_free(ask->published);
        free(ask);
    }
    free(events);
}

/* Follows nothing more; the exchange has been ended. */
void events_leave(struct events *events)
{
    for (size_t i = 0; i < events->n; i++)
        topics_leave(events->api, events->loop, &events->polls[i].follower);
    if (events->is_limited)
        groups_leave(events->api->long_calls, events->holder);
    streams_leave(&events->stream);
    events->ended = true;
    if (events->n_asked == 0)
        events_free(events);
}

int64_t events_now_ms(const struct events *events)
{
    return loop_mono_ms(exchange_loop(events->exchange));
}

/* false: no memory. */
static bool send_event(struct events *events, struct str name, uint64_t version, struct str data)
{
    struct buf *out = &events->loop->out;

    buf_clear(out);
    buf_text(out, "event: ");
    buf_str_add(out, name);
    if (version > 0) {
        buf_text(out, "\nid: ");
        buf_uint(out, version);
    }
    buf_text(out, "\ndata: ");
    buf_str_add(out, data); /* JSON without white space: one line */
    buf_text(out, "\n\n");
    if (!buf_ok(out))
        return false;
    exchange_add(events->exchange, buf_str(out));
    /* Of several polls more may follow in this turn, and one write is cheaper than many. */
    if (events->n == 1)
        exchange_flush(events->exchange);
    events->commented_ms = events_now_ms(events);
    return true;
}

static void send_tally(struct followed *followed, struct published *published)
{
    const struct rendered *tally =
        published_json(published, language_find(published, followed->language));

    /* Without memory it stays due: there may be no later change to bring it. */
    followed->due = !tally || !send_event(followed->events, STR("tally"), published->counts.version,
                                          (struct str){ tally->json, tally->len });
    if (followed->due)
        return;
    followed->shown = published->counts.version;
    followed->sent_ms = events_now_ms(followed->events);
}

/* In a stream of several polls it is said once of one whose results are hidden. */
static void send_hidden(struct followed *followed, const struct poll *poll)
{
    char data[POLL_ID_BYTES_MAX + 32];

    followed->due = false;
    if (followed->said_hidden)
        return;
    (void)snprintf(data, sizeof data, "{\"id\":\"%s\",\"hidden\":true}", poll->id);
    followed->said_hidden = send_event(followed->events, STR("tally"), 0, str_of(data));
    followed->due = !followed->said_hidden;
}

void followed_answered(struct followed *followed, bool visible)
{
    const struct job *ask = followed->ask;

    if (!followed->follower.topic)
        return;
    if (ask->result == JOB_REFUSED || !ask->published)
        followed->due = true; /* asked again at the next tick; a change tells of one that is gone */
    else if (visible)
        send_tally(followed, ask->published);
    else
        send_hidden(followed, ask->published->poll);
}

void followed_ask(struct followed *followed)
{
    followed->asked = true;
    followed->due = false;
    followed->sent_ms = events_now_ms(followed->events); /* the writer is asked no more often */
    followed->events->n_asked++;
    published_free(followed->ask->published);
    followed->ask->published = NULL;
    queue_list_add(&followed->events->loop->submissions, &followed->ask->node);
}

void followed_show(struct followed *followed, struct published *published)
{
    const struct poll *poll = published->poll;
    enum viewer viewer = followed->events->trusted ? VIEWER_TRUSTED : VIEWER_STRANGER;

    if (!poll_hides_results(poll, published->phase, viewer))
        send_tally(followed, published);
    else if (followed->ask && !poll_hides_results(poll, published->phase, VIEWER_VOTED))
        followed_ask(followed);
    else
        send_hidden(followed, poll);
}

static bool may_send(const struct followed *followed)
{
    const struct events *events = followed->events;

    return !followed->asked && exchange_unsent(events->exchange) <= EVENTS_UNSENT_BYTES_MAX &&
           (followed->sent_ms == 0 || events_now_ms(events) - followed->sent_ms >= EVENT_MS_MIN);
}

static bool follows_any(const struct events *events)
{
    for (size_t i = 0; i < events->n; i++) {
        if (events->polls[i].follower.topic)
            return true;
    }
    return false;
}

static void deleted(struct followed *followed, const char *id)
{
    struct events *events = followed->events;
    char data[POLL_ID_BYTES_MAX + 32];
    bool sent;

    (void)snprintf(data, sizeof data, "{\"id\":\"%s\"}", id);
    sent = send_event(events, STR("deleted"), 0, str_of(data));
    topics_leave(events->api, events->loop, &followed->follower);
    if (sent && follows_any(events))
        return;
    if (sent)
        exchange_end(events->exchange);
    else
        exchange_abort(events->exchange); /* who connects again hears 404 */
    events_leave(events);
}

void followed_changed(struct follower *follower, struct published *published)
{
    struct followed *followed = (struct followed *)follower;

    if (!published)
        deleted(followed, topics_id(follower));
    else if (published->counts.version == followed->shown)
        followed->due = false;
    else if (may_send(followed))
        followed_show(followed, published);
    else
        followed->due = true;
}

/* What could not be sent before, as it is now. */
void events_send_due(struct events *events)
{
    for (size_t i = 0; i < events->n; i++) {
        struct followed *followed = &events->polls[i];

        if (followed->due && followed->follower.topic && may_send(followed)) {
            AUTO(published) published = topics_look(events->api, &followed->follower);

            if (published)
                followed_show(followed, published); /* of one that is gone a change tells */
        }
    }
}
