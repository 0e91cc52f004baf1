/*
 * void.c - `tally void` and `tally forget`: votes are taken back, voters are forgotten.
 *
 * Threads: main.
 */
#include "answers.h"
#include "commands.h"
#include "figures.h"
#include "json.h"
#include "paths.h"
#include "summary.h"

#define LONG_MS_MAX (INT64_C(6) * 3600 * 1000) /* both may read all of a poll's rows */

static void string_add(struct buf *body, const char *name, const char *value)
{
    if (!value)
        return;
    buf_format(body, "%s\"%s\":", body->len > 1 ? "," : "", name);
    buf_json_string(body, str_of(value));
}

/* `POST /v1/polls/ID…` of a body; what comes back is *ret_json. */
static enum outcome ask(struct session *session, const char *tail, const struct buf *body,
                        struct http_answer *answer, struct str *ret_json)
{
    const char *id = session->operands[0];
    AUTO_BUF path = { 0 };
    struct http_request request = { .method = "POST",
                                    .path = path_of_poll(&path, id, tail),
                                    .body = buf_str(body),
                                    .type = "application/json",
                                    .most_ms = LONG_MS_MAX };
    enum outcome outcome;

    if (!buf_ok(&path) || !buf_ok(body))
        return failed_here("no memory");
    outcome = session_ask(session, &request, id, answer);
    if (outcome == OUTCOME_DONE && !answer_json(answer, ret_json))
        outcome = OUTCOME_FAILED;
    return outcome;
}

/* `voided: us-goals  12 votes; 33 (31%) 30 (28%) …`: what stands then */
static enum outcome voided_write(const struct session *session, struct str json)
{
    bool dry_run = json_is(json_member(json, "dry_run"), "true");
    AUTO_BUF out = { 0 };

    buf_text(&out, dry_run ? "would void: " : "voided: ");
    buf_text(&out, session->operands[0]);
    buf_text(&out, "  ");
    figure_counted(&out, json_member(json, "voided"), "vote");
    buf_text(&out, "; ");
    summary_add(&out, json_member(json, "tally"));
    buf_char(&out, '\n');
    return written(&out);
}

enum outcome void_run(struct session *session)
{
    const char *group = options_value(session->options, OPTION_ADDRESS_GROUP);
    const char *from = options_value(session->options, OPTION_FROM);
    const char *to = options_value(session->options, OPTION_TO);
    AUTO_BUF body = { 0 };
    AUTO_ANSWER answer = { 0 };
    struct str json = { NULL, 0 };
    enum outcome outcome;

    if (group ? from || to : !from || !to)
        return misused("which votes? --address-group HEX, or --from TIME --to TIME");
    buf_char(&body, '{');
    string_add(&body, "address_group", group);
    string_add(&body, "from", from);
    string_add(&body, "to", to);
    if (options_has(session->options, OPTION_DRY_RUN))
        buf_text(&body, ",\"dry_run\":true");
    buf_char(&body, '}');
    outcome = ask(session, "/void", &body, &answer, &json);
    return outcome == OUTCOME_DONE ? voided_write(session, json) : outcome;
}

/* `forgotten: us-goals  all voters; 33 (31%) 30 (28%) …` */
enum outcome forget_run(struct session *session)
{
    const char *voter = options_value(session->options, OPTION_VOTER);
    AUTO_BUF body = { 0 };
    AUTO_BUF out = { 0 };
    AUTO_ANSWER answer = { 0 };
    struct str json = { NULL, 0 };
    enum outcome outcome;

    buf_char(&body, '{');
    string_add(&body, "voter", voter);
    buf_char(&body, '}');
    outcome = ask(session, "/forget", &body, &answer, &json);
    if (outcome != OUTCOME_DONE)
        return outcome;
    buf_text(&out, "forgotten: ");
    buf_text(&out, session->operands[0]);
    buf_text(&out, voter ? "  one voter; " : "  all voters; ");
    summary_add(&out, json_member(json, "tally"));
    buf_char(&out, '\n');
    return written(&out);
}
