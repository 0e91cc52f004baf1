/*
 * watch.c - `tally watch`: tallies as they change.
 *
 * By one stream of events for all polls (watch_stream.c), or by long polls, a connection each.
 *
 * Threads: main.
 */
#include <stdlib.h>
#include <unistd.h>

#include "answers.h"
#include "base/clock.h"
#include "json.h"
#include "live.h"
#include "paths.h"
#include "watch_own.h"

#define WAIT_S 60
#define ANSWER_MS_MAX ((WAIT_S + 30) * 1000)
#define AGAIN_MS_MAX 30000
#define PAUSE_MS 500
#define DRAWN_MS_MAX 1000
#define TURN_MS 200 /* libcurl waits on when a signal comes */

static void watch_autofree(struct watch *watch)
{
    for (size_t i = 0; watch->polls && i < watch->count; i++) {
        flow_free(watch->polls[i].flow);
        buf_free(&watch->polls[i].definition);
        buf_free(&watch->polls[i].tally);
        buf_free(&watch->polls[i].version);
    }
    free(watch->polls);
    flow_free(watch->stream);
    events_autofree(&watch->events);
}

static void answer_take(struct watch *watch, struct watched *poll, const struct http_answer *answer)
{
    struct str json;
    struct str tally;

    if (!answer_json(answer, &json)) {
        watch_fail(watch, poll, OUTCOME_FAILED);
        return;
    }
    tally = json_member(json, "tally");
    if (tally.len == 0) {
        watch_tally(watch, poll, json);
        return;
    }
    buf_str_add(&poll->definition, json);
    if (json_is_object(tally)) {
        watch_tally(watch, poll, tally);
        return;
    }
    watch_hidden(watch, poll);
}

static void refusal_take(struct watch *watch, struct watched *poll,
                         const struct http_answer *answer)
{
    if (answer->status == 404 && poll->version.len > 0)
        watch_deleted(watch, poll);
    else
        watch_fail(watch, poll, complain_of_refusal(poll->id, answer));
}

/* There is no answer, or none for now. On a terminal the picture tells, unless nobody sees both. */
static void lost(struct watch *watch, struct watched *poll, const char *why, enum outcome outcome)
{
    int64_t now_ms = clock_mono_ms(&clock_system);
    bool first = watch->stuck_ms == 0;

    poll->next_ms = now_ms + PAUSE_MS;
    if (first)
        watch->stuck_ms = now_ms;
    if (options_has(watch->session->options, OPTION_NO_RETRY) ||
        now_ms - watch->stuck_ms > AGAIN_MS_MAX) {
        complain("start it (systemctl start tallyd), then watch again", "%s", why);
        watch->outcome = outcome_first(watch->outcome, outcome);
        watch->left = 0;
        return;
    }
    (void)why_set(&watch->why, "%s", why);
    if (first && !(watch->session->screen.terminal && isatty(STDERR_FILENO) == 1))
        complain(NULL, "%s; trying again for up to %d s", why, AGAIN_MS_MAX / 1000);
    if (first && watch->session->screen.terminal)
        watch_draw(watch);
}

static void found(struct watch *watch)
{
    if (watch->stuck_ms == 0)
        return;
    watch->stuck_ms = 0;
    if (watch->session->screen.terminal)
        watch_draw(watch);
    if (!(watch->session->screen.terminal && isatty(STDERR_FILENO) == 1))
        complain(NULL, "the daemon answers again");
}

static void poll_ended(struct watch *watch, struct watched *poll)
{
    AUTO(flow) flow = TAKE(poll->flow);
    const struct http_answer *answer = flow_answer(flow);
    enum http_result result = flow_result(flow);
    bool ever = poll->version.len > 0 || watch->stuck_ms != 0;
    AUTO_BUF why = { 0 };

    if (result == HTTP_FAILED || (result == HTTP_UNREACHABLE && !ever)) {
        watch->outcome = outcome_first(watch->outcome, complain_of_silence(result, flow_why(flow)));
        watch->left = 0;
    } else if (result != HTTP_ANSWERED) {
        lost(watch, poll, flow_why(flow)->text, OUTCOME_UNREACHABLE);
    } else if (answer->status == 503 || answer->status == 429) {
        buf_format(&why, "the daemon answers %u for now", answer->status);
        buf_char(&why, '\0');
        lost(watch, poll, buf_ok(&why) ? why.bytes : "no memory", OUTCOME_FAILED);
    } else {
        found(watch);
        poll->stream_lost = false;
        if (outcome_of(answer->status) == OUTCOME_DONE)
            answer_take(watch, poll, answer);
        else
            refusal_take(watch, poll, answer);
    }
}

/* The first request asks for what is there, the next ones for what is new. */
static void poll_ask(struct watch *watch, struct watched *poll)
{
    const struct flow_ends ends = { 0 };
    struct http_request request = { .method = "GET", .most_ms = ANSWER_MS_MAX };
    struct why why = { "" };
    AUTO_BUF path = { 0 };

    poll->asked_back = poll->version.len > 0 && (watch->stuck_ms != 0 || poll->stream_lost);
    if (poll->asked_back) {
        (void)path_of_poll(&path, poll->id, "/tally");
    } else if (poll->version.len > 0) {
        (void)path_of_poll(&path, poll->id, "/tally");
        buf_format(&path, "?wait=%d&version=", WAIT_S);
        buf_str_add(&path, buf_str(&poll->version));
    } else {
        (void)path_of_poll(&path, poll->id, watch->session->screen.terminal ? "" : "/tally");
    }
    request.path = buf_str(&path);
    poll->asked_ms = clock_mono_ms(&clock_system);
    poll->flow = buf_ok(&path) ? flow_start(watch->session->http, &request, &ends, &why) : NULL;
    if (!poll->flow)
        watch_fail(watch, poll, failed_here("no memory for a request"));
}

/* Takes what has ended, asks what may be asked. Returns how long nothing else is to do; -1: all
 * polls have ended. */
static int64_t step(struct watch *watch)
{
    int64_t now_ms = clock_mono_ms(&clock_system);
    int64_t wait_ms = -1;

    for (size_t i = 0; i < watch->count && watch->left > 0; i++) {
        struct watched *poll = &watch->polls[i];
        int64_t rest_ms = TURN_MS;

        if (poll->flow && flow_ended(poll->flow))
            poll_ended(watch, poll);
        if (!poll->ended && !poll->flow && !watch_streams(watch, poll) && poll->next_ms <= now_ms &&
            watch->left > 0)
            poll_ask(watch, poll);
        if (poll->ended)
            continue;
        if (!poll->flow && !watch_streams(watch, poll))
            rest_ms = poll->next_ms > now_ms ? poll->next_ms - now_ms : 0;
        wait_ms = wait_ms < 0 || rest_ms < wait_ms ? rest_ms : wait_ms;
    }
    watch_stream_turn(watch);
    return wait_ms;
}

/* The rate falls while nothing comes. */
static bool is_stale(const struct watch *watch)
{
    return watch->drawn_ms != 0 && clock_mono_ms(&clock_system) - watch->drawn_ms >= DRAWN_MS_MAX;
}

static void run(struct watch *watch)
{
    size_t cells = watch->session->screen.cells;

    while (watch->left > 0 && !live_interrupted()) {
        int64_t wait_ms = step(watch);

        if (wait_ms < 0)
            return;
        if (watch->left == 0)
            return;
        flows_turn(watch->session->http, -1, wait_ms < TURN_MS ? wait_ms : TURN_MS);
        stdout_still_read();
        screen_measure(&watch->session->screen);
        if (watch->session->screen.terminal &&
            (watch->session->screen.cells != cells || is_stale(watch))) {
            cells = watch->session->screen.cells;
            watch_draw(watch);
        }
    }
}

enum outcome watch_run(struct session *session)
{
    const char *count = options_value(session->options, OPTION_COUNT);
    __attribute__((cleanup(watch_autofree))) struct watch watch = {
        .session = session,
        .count = session->operand_count,
        .left = UINT64_MAX,
    };

    if (count && (!str_uint64(str_of(count), INT64_MAX, &watch.left) || watch.left == 0))
        return misused("--count is how many tallies to wait for");
    watch.polls = calloc(watch.count, sizeof *watch.polls);
    if (!watch.polls)
        return failed_here("no memory");
    for (size_t i = 0; i < watch.count; i++)
        watch.polls[i].id = session->operands[i];
    live_catch();
    run(&watch);
    live_end();
    return watch.outcome;
}
