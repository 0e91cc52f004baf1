/*
 * tokens.c - `tally token` and `tally keys`: voter tokens, and the keys that sign them.
 *
 * Threads: main.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "answers.h"
#include "commands.h"
#include "figures.h"
#include "json.h"

static void polls_add(struct buf *body, const struct options *options)
{
    size_t count = 0;

    for (size_t i = 0; i < options->given_count; i++) {
        if (options->given[i].id != OPTION_POLL)
            continue;
        buf_text(body, count++ == 0 ? ",\"polls\":[" : ",");
        buf_json_string(body, str_of(options->given[i].value));
    }
    if (count > 0)
        buf_char(body, ']');
}

/* What the token is asked for; false: --expires is no time. */
static bool wish_add(struct buf *body, const struct options *options)
{
    const char *voter = options_value(options, OPTION_VOTER);
    const char *expires = options_value(options, OPTION_EXPIRES);
    AUTO_BUF members = { 0 };
    uint64_t seconds;

    if (expires && !figure_read_duration(str_of(expires), &seconds))
        return false;
    if (voter) {
        buf_text(&members, ",\"voter\":");
        buf_json_string(&members, str_of(voter));
    }
    polls_add(&members, options);
    if (expires)
        buf_format(&members, ",\"expires_in\":%" PRIu64, seconds);
    buf_char(body, '{');
    if (members.len > 0)
        buf_str_add(body, str_from(buf_str(&members), 1));
    buf_char(body, '}');
    body->failed |= !buf_ok(&members);
    return true;
}

/* The token alone, so that TOKEN=$(tally token …) has it; until when it is good is told to whoever
 * looks on. */
static enum outcome token_write(struct str json)
{
    AUTO_BUF text = { 0 };
    AUTO_BUF out = { 0 };
    AUTO_BUF until = { 0 };
    enum outcome outcome;

    json_text(&text, json_member(json, "token"));
    screen_text(&out, buf_str(&text));
    if (out.len == 0) {
        complain("is this the address of a tallyd?", "the answer has no token");
        return OUTCOME_FAILED;
    }
    buf_char(&out, '\n');
    outcome = written(&out);
    json_text(&until, json_member(json, "expires_at"));
    buf_char(&until, '\0');
    if (outcome == OUTCOME_DONE && isatty(STDERR_FILENO) && buf_ok(&until) && until.len > 1)
        complain(NULL, "good until %s", until.bytes);
    return outcome;
}

enum outcome token_run(struct session *session)
{
    AUTO_BUF body = { 0 };
    AUTO_ANSWER answer = { 0 };
    struct http_request request = { .method = "POST",
                                    .path = STR("/v1/voters"),
                                    .type = "application/json" };
    struct str json = { NULL, 0 };
    enum outcome outcome;

    if (!wish_add(&body, session->options))
        return misused("--expires %s is no time, as 3600, 12h or 30d",
                       options_value(session->options, OPTION_EXPIRES));
    if (!buf_ok(&body))
        return failed_here("no memory");
    request.body = buf_str(&body);
    outcome = session_ask(session, &request, NULL, &answer);
    if (outcome != OUTCOME_DONE)
        return outcome;
    return answer_json(&answer, &json) ? token_write(json) : OUTCOME_FAILED;
}

enum outcome keys_run(struct session *session)
{
    AUTO_ANSWER answer = { 0 };
    const struct http_request request = { .method = "POST", .path = STR("/v1/keys/rotate") };
    enum outcome outcome;

    if (strcmp(session->operands[0], "rotate") != 0)
        return misused("it is: tally keys rotate");
    outcome = session_ask(session, &request, NULL, &answer);
    if (outcome != OUTCOME_DONE)
        return outcome;
    (void)printf("rotated: a new key signs voter tokens; those of the old one stay good until they "
                 "run out\n");
    return OUTCOME_DONE;
}
