/*
 * api/waiting.c - long polls.
 *
 * Threads: the loop of the exchange.
 */
#include "api/waiting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/pending.h"
#include "api/tally.h"
#include "api/viewing.h"
#include "net/groups.h"

#define CHAINS 256 /* a power of two */

/* A poll that somebody on this loop waits for. */
struct topic {
    struct watch watch; /* first: a watch that was told is its topic */
    struct topic *next;
    uint64_t number; /* the poll's: one that takes its id later is another poll */
    char id[POLL_ID_BYTES_MAX + 1];
    struct waiter *waiters;
    bool over; /* out of its chain: freed when it comes out of `told` */
};

struct waiter {
    struct waiter *prev;
    struct waiter *next;
    struct topic *topic;
    struct api *api;
    struct api_loop *loop;
    struct exchange *exchange;
    int64_t until_ms; /* mono */
    struct wait wait;
};

struct waiting {
    struct topic *chains[CHAINS];
};

static struct topic **chain_of(struct waiting *waiting, uint64_t number)
{
    return &waiting->chains[number & (CHAINS - 1)];
}

static struct topic *topic_find(struct waiting *waiting, uint64_t number)
{
    struct topic *topic = *chain_of(waiting, number);

    while (topic && topic->number != number)
        topic = topic->next;
    return topic;
}

static struct topic *topic_make(struct api *api, struct api_loop *loop,
                                const struct published *published)
{
    struct topic **chain = chain_of(loop->waiting, published->poll->number);
    struct topic *topic = calloc(1, sizeof *topic);

    if (!topic)
        return NULL;
    topic->watch.told = &loop->told;
    topic->number = published->poll->number;
    memcpy(topic->id, published->poll->id, sizeof topic->id);
    topic->next = *chain;
    *chain = topic;
    /* A poll that was taken down this moment is found out by the look that follows. */
    if (!board_watch(api->board, str_of(topic->id), &topic->watch))
        topic->watch.place = NULL;
    return topic;
}

static void topic_end(struct api *api, struct api_loop *loop, struct topic *topic)
{
    struct topic **place = chain_of(loop->waiting, topic->number);

    while (*place != topic)
        place = &(*place)->next;
    *place = topic->next;
    topic->over = true;
    if (board_unwatch(api->board, &topic->watch))
        free(topic);
}

static bool enter(struct api *api, const struct wait *wait)
{
    return !wait->is_limited || groups_enter(api->long_calls, wait->holder);
}

static void leave(struct api *api, const struct wait *wait)
{
    if (wait->is_limited)
        groups_leave(api->long_calls, wait->holder);
}

/* The waiter's struct goes; its exchange is the caller's. */
static struct exchange *take_out(struct waiter *waiter)
{
    struct exchange *exchange = waiter->exchange;

    leave(waiter->api, &waiter->wait);
    if (waiter->prev)
        waiter->prev->next = waiter->next;
    else
        waiter->topic->waiters = waiter->next;
    if (waiter->next)
        waiter->next->prev = waiter->prev;
    free(waiter);
    return exchange;
}

static void peer_gone(void *context)
{
    struct waiter *waiter = context;
    struct api *api = waiter->api;
    struct api_loop *loop = waiter->loop;
    struct topic *topic = waiter->topic;

    exchange_reply(take_out(waiter), &(struct reply){ .status = 503, .close = true });
    if (!topic->waiters)
        topic_end(api, loop, topic);
}

static void answer_no(struct exchange *exchange, struct api_loop *loop, enum problem problem,
                      const char *detail)
{
    refuse(&loop->refusal, problem, "%s", detail);
    answer_refusal(exchange, loop, &loop->refusal, (struct str){ NULL, 0 });
}

/* The vote that lets the caller see the results may have been taken back meanwhile. */
static void ask(struct api *api, struct api_loop *loop, struct exchange *exchange,
                const struct wait *wait)
{
    struct pending *pending = pending_new_later(api, loop, exchange, wait->role, 1, tally_asked);

    if (!pending) {
        answer_no(exchange, loop, PROBLEM_BUSY, "no memory for the answer; send it again");
        return;
    }
    viewing_ask(&pending->jobs[0].job, &wait->ballot);
    memcpy(pending->language, wait->language, sizeof pending->language);
    pending_submit(pending);
}

/* Answers for good. `published` NULL: the poll is gone. */
static void serve(struct waiter *waiter, struct published *published)
{
    struct api *api = waiter->api;
    struct api_loop *loop = waiter->loop;
    struct wait wait = waiter->wait;
    struct exchange *exchange = take_out(waiter);
    enum viewer viewer = role_is_trusted(wait.role) ? VIEWER_TRUSTED : VIEWER_STRANGER;

    exchange_on_gone(exchange, NULL, NULL);
    if (!published) {
        answer_no(exchange, loop, PROBLEM_NO_SUCH_POLL, "the poll was deleted");
    } else if (!poll_hides_results(published->poll, published->phase, viewer)) {
        bool same = published->counts.version == wait.version;
        bool secret = poll_hides_results(published->poll, published->phase, VIEWER_STRANGER);

        tally_answer(exchange, loop, published, language_find(published, wait.language),
                     secret ? CACHE_PRIVATE : CACHE_NOT, same && wait.unchanged_is_304);
    } else if (wait.must_ask) {
        ask(api, loop, exchange, &wait);
    } else {
        viewing_refuse(&loop->refusal);
        answer_refusal(exchange, loop, &loop->refusal, (struct str){ NULL, 0 });
    }
}

/* Looks at the board for all who wait in a topic. A topic that nobody waits in goes. */
static void topic_look(struct api *api, struct api_loop *loop, struct topic *topic, int64_t mono_ms,
                       bool all)
{
    AUTO(published) published = board_get(api->board, str_of(topic->id));
    bool gone = !published || published->poll->number != topic->number;
    struct waiter *next;

    for (struct waiter *waiter = topic->waiters; waiter; waiter = next) {
        next = waiter->next;
        if (all || gone || mono_ms >= waiter->until_ms ||
            published->counts.version != waiter->wait.version)
            serve(waiter, gone ? NULL : published);
    }
    if (!topic->waiters)
        topic_end(api, loop, topic);
}

bool waiting_add(struct api *api, struct api_loop *loop, struct exchange *exchange,
                 const struct published *published, const struct wait *wait, struct refusal *reterr)
{
    struct waiter *waiter = calloc(1, sizeof *waiter);
    struct topic *topic = NULL;

    if (!loop->waiting)
        loop->waiting = calloc(1, sizeof *loop->waiting);
    if (waiter && loop->waiting)
        topic = topic_find(loop->waiting, published->poll->number);
    if (waiter && loop->waiting && !topic)
        topic = topic_make(api, loop, published);
    if (!topic) {
        free(waiter);
        return refuse(reterr, PROBLEM_BUSY, "no memory to wait; send it again");
    }
    if (!enter(api, wait)) {
        free(waiter);
        if (!topic->waiters)
            topic_end(api, loop, topic);
        return refuse(reterr, PROBLEM_RATE_LIMITED,
                      "too many long polls at once from one address or user; wait for one to end");
    }
    *waiter = (struct waiter){ .next = topic->waiters,
                               .topic = topic,
                               .api = api,
                               .loop = loop,
                               .exchange = exchange,
                               .until_ms = loop_mono_ms(exchange_loop(exchange)) + wait->most_ms,
                               .wait = *wait };
    if (waiter->next)
        waiter->next->prev = waiter;
    topic->waiters = waiter;
    exchange_on_gone(exchange, peer_gone, waiter);
    /* What changed between the look that came before and the watch would be missed otherwise. */
    topic_look(api, loop, topic, loop_mono_ms(exchange_loop(exchange)), false);
    return true;
}

void waiting_told(struct api *api, struct api_loop *loop, struct watch *watch)
{
    struct topic *topic = (struct topic *)watch;

    if (topic->over) {
        free(topic);
        return;
    }
    (void)board_watch_again(api->board, watch); /* of one taken down the look tells */
    topic_look(api, loop, topic, INT64_MIN, false);
}

void waiting_sweep(struct api *api, struct api_loop *loop, int64_t mono_ms, bool all)
{
    for (size_t i = 0; loop->waiting && i < CHAINS; i++) {
        struct topic *next;

        for (struct topic *topic = loop->waiting->chains[i]; topic; topic = next) {
            next = topic->next;
            topic_look(api, loop, topic, mono_ms, all);
        }
    }
}

void waiting_free(struct api *api, struct api_loop *loop)
{
    struct queue_list told;
    struct queue_node *node;

    waiting_sweep(api, loop, INT64_MAX, true);
    told = queue_take(&loop->told);
    while ((node = queue_list_take(&told)) != NULL)
        waiting_told(api, loop, (struct watch *)node);
    free(loop->waiting);
}
