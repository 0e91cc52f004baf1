/*
 * watch.c - `tally watch`: tallies as they change, by long polls, one connection a poll.
 *
 * Threads: main.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answers.h"
#include "base/clock.h"
#include "commands.h"
#include "flow.h"
#include "json.h"
#include "live.h"
#include "paths.h"
#include "rate.h"
#include "show.h"

#define WAIT_S 60
#define ANSWER_MS_MAX ((WAIT_S + 30) * 1000)
#define AGAIN_MS_MAX 30000
#define PAUSE_MS 500
#define SOON_MS 1000 /* a wait that ends earlier, with nothing new, was none */
#define DRAWN_MS_MAX 1000
#define TURN_MS 200 /* libcurl waits on when a signal comes */

struct watched {
    const char *id;
    struct flow *flow;     /* owned; NULL between two requests */
    struct buf definition; /* on a terminal: JSON */
    struct buf tally;      /* JSON, the one shown last */
    struct buf version;    /* its digits; empty: none was seen */
    uint64_t first_votes;  /* of the tally that was shown first … */
    int64_t first_ms;      /* … and when; 0: none was */
    int64_t asked_ms;
    int64_t next_ms; /* when the next request may be sent */
    bool asked_back; /* only whether the daemon is back: an answer comes at once */
    bool ended;
    bool deleted;
};

struct watch {
    struct session *session;
    struct watched *polls; /* owned */
    size_t count;
    uint64_t left;    /* tallies to show before the end */
    int64_t drawn_ms; /* the picture, last */
    int64_t stuck_ms; /* since when nothing is answered; 0: it is */
    struct why why;   /* and why not */
    enum outcome outcome;
};

static void watch_autofree(struct watch *watch)
{
    for (size_t i = 0; watch->polls && i < watch->count; i++) {
        flow_free(watch->polls[i].flow);
        buf_free(&watch->polls[i].definition);
        buf_free(&watch->polls[i].tally);
        buf_free(&watch->polls[i].version);
    }
    free(watch->polls);
}

static void fail(struct watch *watch, struct watched *poll, enum outcome outcome)
{
    watch->outcome = outcome_first(watch->outcome, outcome);
    poll->ended = true;
}

static bool votes_read(const struct watched *poll, uint64_t *ret_votes)
{
    return str_uint64(json_member(buf_str(&poll->tally), "votes"), INT64_MAX, ret_votes);
}

/* How fast votes have come since the first tally. */
static void rate_show(struct buf *out, const struct screen *screen, const struct watched *poll,
                      int64_t now_ms)
{
    uint64_t votes;

    if (poll->first_ms == 0 || !votes_read(poll, &votes))
        return;
    screen_style(out, screen, STYLE_NOTE);
    rate_add(out, (int64_t)votes - (int64_t)poll->first_votes, now_ms - poll->first_ms);
    screen_plain(out, screen);
    buf_char(out, '\n');
}

/* All pictures, one below the other. */
static void draw(struct watch *watch)
{
    struct screen *screen = &watch->session->screen;
    AUTO_BUF out = { 0 };

    watch->drawn_ms = clock_mono_ms(&clock_system);
    for (size_t i = 0; i < watch->count; i++) {
        struct watched *poll = &watch->polls[i];

        if (i > 0)
            buf_char(&out, '\n');
        if (poll->tally.len > 0) {
            show_add(&out, screen, buf_str(&poll->definition), buf_str(&poll->tally));
            rate_show(&out, screen, poll, watch->drawn_ms);
        }
        if (poll->deleted)
            buf_format(&out, "%s was deleted\n", poll->id);
    }
    if (watch->stuck_ms != 0) {
        buf_char(&out, '\n');
        screen_text(&out, str_of(watch->why.text));
        buf_text(&out, "; trying again\n");
    }
    live_draw(screen, &out);
}

static void tally_write(struct watch *watch, const struct watched *poll)
{
    AUTO_BUF out = { 0 };
    enum outcome outcome;

    if (watch->session->screen.terminal) {
        draw(watch);
        return;
    }
    json_compact(&out, buf_str(&poll->tally));
    buf_char(&out, '\n');
    outcome = written(&out);
    if (outcome == OUTCOME_DONE && fflush(stdout) != 0)
        outcome = OUTCOME_FAILED; /* main tells */
    if (outcome != OUTCOME_DONE)
        watch->left = 0;
    watch->outcome = outcome_first(watch->outcome, outcome);
}

/* Is it another one than was shown? Then it is shown. */
static void tally_take(struct watch *watch, struct watched *poll, struct str tally)
{
    struct str version = json_member(tally, "version");
    int64_t now_ms = clock_mono_ms(&clock_system);

    if (poll->version.len > 0 && str_eq(version, buf_str(&poll->version))) {
        if (!poll->asked_back && now_ms - poll->asked_ms < SOON_MS)
            poll->next_ms = now_ms + SOON_MS;
        return;
    }
    buf_clear(&poll->version);
    buf_clear(&poll->tally);
    if (json_is_number(version))
        buf_str_add(&poll->version, version);
    buf_str_add(&poll->tally, tally);
    if (!buf_ok(&poll->tally) || !buf_ok(&poll->version) || poll->version.len == 0) {
        fail(watch, poll, failed_here("%s: no memory, or a tally without its version", poll->id));
        return;
    }
    if (poll->first_ms == 0 && votes_read(poll, &poll->first_votes))
        poll->first_ms = now_ms;
    watch->left--;
    tally_write(watch, poll);
}

static void answer_take(struct watch *watch, struct watched *poll, const struct http_answer *answer)
{
    struct str json;
    struct str tally;

    if (!answer_json(answer, &json)) {
        fail(watch, poll, OUTCOME_FAILED);
        return;
    }
    tally = json_member(json, "tally");
    if (tally.len == 0) {
        tally_take(watch, poll, json);
        return;
    }
    buf_str_add(&poll->definition, json);
    if (json_is_object(tally)) {
        tally_take(watch, poll, tally);
        return;
    }
    complain("ask again after voting, or after the close", "%s: results are hidden for now",
             poll->id);
    fail(watch, poll, OUTCOME_NOT_ALLOWED);
}

static void refusal_take(struct watch *watch, struct watched *poll,
                         const struct http_answer *answer)
{
    poll->deleted = answer->status == 404 && poll->version.len > 0;
    if (poll->deleted && watch->session->screen.terminal)
        draw(watch);
    if (poll->deleted) {
        complain("it takes no more votes", "%s was deleted", poll->id);
        fail(watch, poll, OUTCOME_NOT_FOUND);
    } else {
        fail(watch, poll, complain_of_refusal(poll->id, answer));
    }
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
        draw(watch);
}

static void found(struct watch *watch)
{
    if (watch->stuck_ms == 0)
        return;
    watch->stuck_ms = 0;
    if (watch->session->screen.terminal)
        draw(watch);
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

    poll->asked_back = poll->version.len > 0 && watch->stuck_ms != 0;
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
        fail(watch, poll, failed_here("no memory for a request"));
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
        if (!poll->ended && !poll->flow && poll->next_ms <= now_ms && watch->left > 0)
            poll_ask(watch, poll);
        if (poll->ended)
            continue;
        if (!poll->flow)
            rest_ms = poll->next_ms > now_ms ? poll->next_ms - now_ms : 0;
        wait_ms = wait_ms < 0 || rest_ms < wait_ms ? rest_ms : wait_ms;
    }
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
        screen_measure(&watch->session->screen);
        if (watch->session->screen.terminal &&
            (watch->session->screen.cells != cells || is_stale(watch))) {
            cells = watch->session->screen.cells;
            draw(watch);
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
