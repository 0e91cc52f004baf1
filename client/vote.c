/*
 * vote.c - `tally vote`, `rate` and `retract`.
 *
 * The same vote may be sent again safely, so one that met no answer, 503 or 429 is, for a while.
 *
 * Threads: main.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "answers.h"
#include "base/clock.h"
#include "commands.h"
#include "json.h"
#include "paths.h"
#include "summary.h"

#define AGAIN_MS_MAX 30000
#define TRY_MS_MAX 10000
#define PAUSE_MS_MIN 100
#define PAUSE_MS_MAX 2000

/* One sending and what came of it. */
struct attempt {
    enum http_result result;
    struct http_answer *answer;
    struct why why;
};

static void pause_ms(int64_t ms)
{
    struct timespec left = { .tv_sec = (time_t)(ms / 1000),
                             .tv_nsec = (long)(ms % 1000) * 1000000 };

    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
        /* a job that was stopped and goes on sleeps what is left */
    }
}

static bool is_worth_again(const struct attempt *attempt)
{
    switch (attempt->result) {
    case HTTP_ANSWERED:
        return attempt->answer->status == 503 || attempt->answer->status == 429;
    case HTTP_UNREACHABLE:
    case HTTP_NO_ANSWER:
        return true;
    case HTTP_FAILED:
        return false;
    }
    return false;
}

/* May it have been carried out, though nobody said so? */
static bool is_open(const struct attempt *attempt)
{
    return attempt->result == HTTP_NO_ANSWER ||
           (attempt->result == HTTP_ANSWERED && attempt->answer->status == 503);
}

/* What Retry-After asks for, or the pause of our own when that is longer. */
static int64_t wait_of(const struct attempt *attempt, int64_t own_ms)
{
    int64_t asked_s = attempt->result == HTTP_ANSWERED ? attempt->answer->retry_after_s : 0;

    if (asked_s > AGAIN_MS_MAX / 1000)
        return INT64_MAX / 2; /* longer than we try */
    return asked_s * 1000 > own_ms ? asked_s * 1000 : own_ms;
}

static void tell_again(const struct attempt *attempt)
{
    if (attempt->result == HTTP_ANSWERED)
        complain(NULL, "the daemon answers %u for now; sending the same again for up to %d s",
                 attempt->answer->status, AGAIN_MS_MAX / 1000);
    else
        complain(NULL, "%s; sending the same again for up to %d s", attempt->why.text,
                 AGAIN_MS_MAX / 1000);
}

/*
 * Sends until there is an answer that stands, or the time is over.
 *
 *   ret_answer      any answer, told of by nobody yet
 *   ret_maybe_done  an earlier sending may have been carried out
 *   returns         done: there is an answer, whatever it says; else the silence has been told
 */
static enum outcome send_again(struct session *session, struct http_request *request,
                               struct http_answer *ret_answer, bool *ret_maybe_done)
{
    bool again = !options_has(session->options, OPTION_NO_RETRY);
    int64_t end_ms = clock_mono_ms(&clock_system) + AGAIN_MS_MAX;
    struct attempt attempt = { .answer = ret_answer };

    *ret_maybe_done = false;
    request->most_ms = again ? TRY_MS_MAX : 0;
    for (int64_t own_ms = PAUSE_MS_MIN;; own_ms = own_ms < PAUSE_MS_MAX ? own_ms * 2 : own_ms) {
        int64_t wait_ms;

        attempt.result = http_send(session->http, request, ret_answer, &attempt.why);
        wait_ms = wait_of(&attempt, own_ms);
        if (!again || !is_worth_again(&attempt) || clock_mono_ms(&clock_system) + wait_ms > end_ms)
            break;
        if (own_ms == PAUSE_MS_MIN)
            tell_again(&attempt);
        *ret_maybe_done |= is_open(&attempt);
        pause_ms(wait_ms);
    }
    if (attempt.result != HTTP_ANSWERED)
        return complain_of_silence(attempt.result, &attempt.why);
    return OUTCOME_DONE;
}

/* `counted: us-goals  34 (31%) 30 (28%) …` */
static enum outcome result_write(struct str result, const char *id, struct str tally)
{
    AUTO_BUF out = { 0 };

    screen_text(&out, result);
    buf_format(&out, ": %s  ", id);
    summary_add(&out, tally);
    buf_char(&out, '\n');
    return written(&out);
}

static enum outcome vote_answered(const struct http_answer *answer, const char *id)
{
    AUTO_BUF result = { 0 };
    struct str json;

    if (outcome_of(answer->status) != OUTCOME_DONE)
        return complain_of_refusal(id, answer);
    if (!answer_json(answer, &json))
        return OUTCOME_FAILED;
    json_text(&result, json_member(json, "result"));
    return result_write(buf_str(&result), id, json_member(json, "tally"));
}

static void voter_add(struct buf *body, const struct options *options)
{
    const char *voter = options_value(options, OPTION_VOTER);

    if (!voter)
        return;
    if (body->bytes && body->len > 1)
        buf_char(body, ',');
    buf_text(body, "\"voter\":");
    buf_json_string(body, str_of(voter));
}

static enum outcome vote_send(struct session *session, struct buf *body)
{
    const char *id = session->operands[0];
    AUTO_BUF path = { 0 };
    AUTO_ANSWER answer = { 0 };
    struct http_request request = { .method = "POST",
                                    .path = path_of_poll(&path, id, "/votes"),
                                    .type = "application/json" };
    bool maybe_done;
    enum outcome outcome;

    voter_add(body, session->options);
    buf_char(body, '}');
    if (!buf_ok(body) || !buf_ok(&path))
        return failed_here("no memory");
    request.body = buf_str(body);
    outcome = send_again(session, &request, &answer, &maybe_done);
    return outcome != OUTCOME_DONE ? outcome : vote_answered(&answer, id);
}

enum outcome vote_run(struct session *session)
{
    AUTO_BUF body = { 0 };
    size_t count = session->operand_count - 1;

    buf_text(&body, count == 1 ? "{\"option\":" : "{\"options\":[");
    for (size_t i = 1; i <= count; i++) {
        uint64_t option;

        if (!str_uint64(str_of(session->operands[i]), INT64_MAX, &option))
            return misused("%s is no number of an answer", session->operands[i]);
        if (i > 1)
            buf_char(&body, ',');
        buf_uint(&body, option);
    }
    if (count > 1)
        buf_char(&body, ']');
    return vote_send(session, &body);
}

enum outcome rate_run(struct session *session)
{
    AUTO_BUF body = { 0 };
    uint64_t stars;

    if (!str_uint64(str_of(session->operands[1]), INT64_MAX, &stars))
        return misused("%s is no number of stars", session->operands[1]);
    buf_text(&body, "{\"rating\":");
    buf_uint(&body, stars);
    return vote_send(session, &body);
}

/* When the answer to an earlier sending was lost, that no vote stands is what was wanted. */
static enum outcome retract_answered(const struct http_answer *answer, const char *id,
                                     bool maybe_done)
{
    struct str json;
    struct str tally;

    if (maybe_done && str_eq(problem_slug(answer), STR("no-such-vote"))) {
        (void)printf("retracted: %s  (no vote of this voter stands)\n", id);
        return OUTCOME_DONE;
    }
    if (outcome_of(answer->status) != OUTCOME_DONE)
        return complain_of_refusal(id, answer);
    if (!answer_json(answer, &json))
        return OUTCOME_FAILED;
    tally = json_member(json, "tally");
    return result_write(STR("retracted"), id, tally.len > 0 ? tally : json);
}

enum outcome retract_run(struct session *session)
{
    const char *id = session->operands[0];
    AUTO_BUF path = { 0 };
    AUTO_BUF body = { 0 };
    AUTO_ANSWER answer = { 0 };
    struct http_request request = { .method = "DELETE",
                                    .path = path_of_poll(&path, id, "/votes"),
                                    .type = "application/json" };
    bool maybe_done;
    enum outcome outcome;

    buf_char(&body, '{');
    voter_add(&body, session->options);
    buf_char(&body, '}');
    if (!buf_ok(&body) || !buf_ok(&path))
        return failed_here("no memory");
    if (options_has(session->options, OPTION_VOTER))
        request.body = buf_str(&body);
    outcome = send_again(session, &request, &answer, &maybe_done);
    return outcome != OUTCOME_DONE ? outcome : retract_answered(&answer, id, maybe_done);
}
