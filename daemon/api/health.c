/*
 * api/health.c - GET /livez and /readyz: for supervisors and proxies.
 *
 * Threads: the loop of the call.
 */
#include <inttypes.h>
#include <stdio.h>

#include "api/routes.h"

static void say(struct call *call, const char *word)
{
    answer(call->exchange, call->loop,
           &(struct answer){ .status = 200,
                             .content_type = "text/plain; charset=utf-8",
                             .caching = CACHE_NOT,
                             .body = { str_of(word) } });
}

void livez(struct call *call)
{
    say(call, "live\n");
}

/* Ready means: votes are taken. A loop runs only once the store is open, so what can be missing
 * is a writer that has given up. */
void readyz(struct call *call)
{
    struct refusal *refusal = &call->loop->refusal;

    int64_t age_s = writer_age_ms(call->api->writer) / 1000;

    if (writer_takes_votes(call->api->writer)) {
        char word[128] = "ready\n";

        /* Still ready: reads go on, and a proxy that took this node out would end them. */
        if (age_s > 0)
            (void)snprintf(word, sizeof word,
                           "ready, as of %" PRId64 " s ago: the store is not to be reached, votes "
                           "are answered 503\n",
                           age_s);
        say(call, word);
        return;
    }
    refuse(refusal, PROBLEM_STORE_UNAVAILABLE, "the store takes no votes now; reads go on");
    answer_refusal(call->exchange, call->loop, refusal, (struct str){ NULL, 0 });
}
