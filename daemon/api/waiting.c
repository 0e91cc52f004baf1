/*
 * api/waiting.c - long polls.
 *
 * Threads: the loop of the exchange.
 */
#include "api/waiting.h"

#include <stdlib.h>
#include <string.h>

#include "api/pending.h"
#include "api/tally.h"
#include "api/topics.h"
#include "api/viewing.h"
#include "net/groups.h"

struct waiter {
    struct follower follower; /* first: a follower is its waiter */
    struct waiter *prev;      /* of this loop */
    struct waiter *next;
    struct api *api;
    struct api_loop *loop;
    struct exchange *exchange;
    int64_t until_ms; /* mono */
    struct wait wait;
};

static bool enter(struct api *api, const struct wait *wait)
{
    return !wait->is_limited || groups_enter(api->long_calls, wait->holder);
}

/* The waiter's struct goes; its exchange is the caller's. */
static struct exchange *take_out(struct waiter *waiter)
{
    struct exchange *exchange = waiter->exchange;

    topics_leave(waiter->api, waiter->loop, &waiter->follower);
    if (waiter->wait.is_limited)
        groups_leave(waiter->api->long_calls, waiter->wait.holder);
    if (waiter->prev)
        waiter->prev->next = waiter->next;
    else
        waiter->loop->waiters = waiter->next;
    if (waiter->next)
        waiter->next->prev = waiter->prev;
    tell_add(&waiter->loop->n_waiters, -1);
    free(waiter);
    return exchange;
}

static void peer_gone(void *context)
{
    exchange_reply(take_out(context), &(struct reply){ .status = 503, .close = true });
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
    pending_remember_etag(pending, wait->had);
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
        bool secret = poll_hides_results(published->poll, published->phase, VIEWER_STRANGER);

        tally_answer(exchange, loop, published, language_find(published, wait.language),
                     secret ? CACHE_PRIVATE : CACHE_NOT, wait.had);
    } else if (wait.must_ask) {
        ask(api, loop, exchange, &wait);
    } else {
        viewing_refuse(&loop->refusal);
        answer_refusal(exchange, loop, &loop->refusal, (struct str){ NULL, 0 });
    }
}

static void changed(struct follower *follower, struct published *published)
{
    struct waiter *waiter = (struct waiter *)follower;

    if (!published || published->counts.version != waiter->wait.version)
        serve(waiter, published);
}

bool waiting_add(struct api *api, struct api_loop *loop, struct exchange *exchange,
                 const struct published *published, const struct wait *wait, struct refusal *reterr)
{
    struct waiter *waiter = calloc(1, sizeof *waiter);

    if (!waiter || !enter(api, wait)) {
        bool no_memory = !waiter;

        free(waiter);
        if (!no_memory)
            complain_of_streams(&api->complaints, loop_mono_ms(exchange_loop(exchange)));
        return refuse(reterr, no_memory ? PROBLEM_BUSY : PROBLEM_RATE_LIMITED, "%s",
                      no_memory ? "no memory to wait; send it again"
                                : "too many long polls at once from one address or user; "
                                  "wait for one to end");
    }
    *waiter = (struct waiter){ .follower = { .changed = changed },
                               .next = loop->waiters,
                               .api = api,
                               .loop = loop,
                               .exchange = exchange,
                               .until_ms = loop_mono_ms(exchange_loop(exchange)) + wait->most_ms,
                               .wait = *wait };
    if (waiter->next)
        waiter->next->prev = waiter;
    loop->waiters = waiter;
    tell_add(&loop->n_waiters, 1);
    if (!topics_follow(api, loop, published, &waiter->follower)) {
        (void)take_out(waiter);
        return refuse(reterr, PROBLEM_BUSY, "no memory to wait; send it again");
    }
    exchange_on_gone(exchange, peer_gone, waiter);
    return true;
}

void waiting_sweep(struct api *api, struct api_loop *loop, int64_t mono_ms, bool all)
{
    struct waiter *next;

    for (struct waiter *waiter = loop->waiters; waiter; waiter = next) {
        next = waiter->next;
        if (all || mono_ms >= waiter->until_ms) {
            AUTO(published) published = topics_look(api, &waiter->follower);

            serve(waiter, published);
        }
    }
}
