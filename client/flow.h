/*
 * flow.h - requests whose bodies or answers stream, and several requests at once.
 */
#ifndef TALLY_FLOW_H
#define TALLY_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/str.h"
#include "base/why.h"
#include "http.h"

struct flow; /* opaque: flow.c; one request under way */

#define FLOW_LATER SIZE_MAX

/* Where the bytes come from and go to; each may be NULL. */
struct flow_ends {
    /* Writes the next bytes of the request's body and returns how many; 0 is its end. FLOW_LATER:
     * there are none for now, and flow_go_on() will ask again. NULL: request->body is all. */
    size_t (*give)(void *context, char *bytes, size_t room);
    /* Takes the next bytes of a 2xx answer; false ends the flow, as HTTP_FAILED. NULL: they are
     * kept, as those of other answers are. */
    bool (*take)(void *context, struct str bytes);
    void *context;
};

/*
 * Starts a request; flows_turn() moves it. Give and take together: both go on at once, over one
 * connection, and an error status ends the sending.
 *
 *   request  read, not kept; most_ms of 0 is no limit in all, but a minute in which no byte moves
 *   returns  NULL: no memory, or a libcurl that cannot do it
 */
MUST_USE struct flow *flow_start(struct http *http, const struct http_request *request,
                                 const struct flow_ends *ends, struct why *reterr_why);
void flow_free(struct flow *flow);
AUTO_FREE(flow);

void flow_go_on(struct flow *flow);

/* Has it ended? Then the result, the answer and the why can be asked for. */
bool flow_ended(const struct flow *flow);
enum http_result flow_result(const struct flow *flow);
const struct http_answer *flow_answer(const struct flow *flow);
const struct why *flow_why(const struct flow *flow);

/*
 * Has the other side hung up while give had nothing? libcurl 7.88 does not look at a connection
 * whose answer is complete while its request is paused, and would wait until the stall is noticed.
 * To be asked once a turn: what arrived just before is taken first.
 */
bool flow_hung_up(struct flow *flow);

/*
 * Moves all flows on, then waits until there is more to do; at once when one has ended. At least
 * one was started before.
 *
 *   fd       ends the waiting too, when it can be read; or -1
 *   most_ms  the longest wait; a signal ends it too
 */
void flows_turn(struct http *http, int fd, int64_t most_ms);

#endif
