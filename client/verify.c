/*
 * verify.c - `tally verify`.
 *
 * Threads: main.
 */
#include "answers.h"
#include "commands.h"
#include "figures.h"
#include "json.h"

#define VERIFY_MS_MAX (INT64_C(6) * 3600 * 1000) /* it reads the whole ledger */

/* `us-goals: option 2 has 30 votes, the ledger says 31`, a line each; returns how many. */
static size_t mismatches_add(struct buf *out, struct str mismatches)
{
    struct str rest = json_inside(mismatches);
    struct str mismatch;
    size_t count = 0;

    for (; json_next(&rest, &mismatch); count++) {
        AUTO_BUF line = { 0 };

        json_text(&line, json_member(mismatch, "poll"));
        buf_text(&line, ": ");
        json_text(&line, json_member(mismatch, "detail"));
        screen_text(out, buf_str(&line));
        buf_char(out, '\n');
    }
    return count;
}

static enum outcome verified(struct str json)
{
    AUTO_BUF out = { 0 };
    size_t mismatches = mismatches_add(&out, json_member(json, "mismatches"));
    enum outcome outcome;

    if (mismatches == 0 && json_is(json_member(json, "ok"), "true")) {
        buf_text(&out, "verified: ");
        figure_counted(&out, json_member(json, "polls"), "poll");
        buf_text(&out, ", ");
        figure_counted(&out, json_member(json, "votes"), "vote");
        buf_text(&out, ", no mismatch\n");
        return written(&out);
    }
    outcome = written(&out);
    complain("keep the ledger and its newest backup as they are, and look at the daemon's log",
             "the tallies are not what the ledger says: %zu mismatch%s", mismatches,
             mismatches == 1 ? "" : "es");
    return outcome_first(outcome, OUTCOME_FAILED);
}

enum outcome verify_run(struct session *session)
{
    AUTO_BUF body = { 0 };
    AUTO_ANSWER answer = { 0 };
    struct http_request request = { .method = "POST",
                                    .path = STR("/v1/verify"),
                                    .type = "application/json",
                                    .most_ms = VERIFY_MS_MAX };
    struct str json = { NULL, 0 };
    enum outcome outcome;

    buf_char(&body, '{');
    for (size_t i = 0; i < session->operand_count; i++) {
        buf_text(&body, i == 0 ? "\"polls\":[" : ",");
        buf_json_string(&body, str_of(session->operands[i]));
    }
    buf_text(&body, session->operand_count > 0 ? "]}" : "}");
    if (!buf_ok(&body))
        return failed_here("no memory");
    request.body = buf_str(&body);
    outcome = session_ask(session, &request, NULL, &answer);
    if (outcome != OUTCOME_DONE)
        return outcome;
    return answer_json(&answer, &json) ? verified(json) : OUTCOME_FAILED;
}
