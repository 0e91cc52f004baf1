/*
 * upkeep.c - `tally verify` and `tally backup`.
 *
 * Threads: main.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "answers.h"
#include "base/utf8.h"
#include "commands.h"
#include "figures.h"
#include "json.h"

#define UPKEEP_MS_MAX (INT64_C(6) * 3600 * 1000) /* both read the whole ledger */

static struct str number_or_dash(struct str value)
{
    return json_is_number(value) ? value : STR("?");
}

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
        buf_str_add(&out, number_or_dash(json_member(json, "polls")));
        buf_text(&out, " polls, ");
        buf_str_add(&out, number_or_dash(json_member(json, "votes")));
        buf_text(&out, " votes, no mismatch\n");
        return written(&out);
    }
    outcome = written(&out);
    complain("keep the ledger and its newest backup as they are, and look at the daemon's log",
             "the tallies are not what the ledger says: %zu mismatches", mismatches);
    return outcome_first(outcome, OUTCOME_FAILED);
}

enum outcome verify_run(struct session *session)
{
    AUTO_BUF body = { 0 };
    AUTO_ANSWER answer = { 0 };
    struct http_request request = { .method = "POST",
                                    .path = STR("/v1/verify"),
                                    .type = "application/json",
                                    .most_ms = UPKEEP_MS_MAX };
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

/* A name is the daemon's to place; a path is from here. False: this folder has no name. */
static bool target_add(struct buf *out, const char *file)
{
    AUTO_BYTES char *folder = NULL;

    if (strchr(file, '/') && file[0] != '/') {
        folder = getcwd(NULL, 0);
        if (!folder || !utf8_valid(str_of(folder)))
            return false;
        buf_text(out, folder);
        buf_char(out, '/');
        while (strncmp(file, "./", 2) == 0)
            file += 2;
    }
    buf_text(out, file);
    return true;
}

/* `backed up: /var/…/monday.db (41.2 MiB, 1000000 votes); its key is /var/…/monday.db.key: keep
 * both together` */
static enum outcome backed_up(struct str json)
{
    AUTO_BUF text = { 0 };
    AUTO_BUF out = { 0 };
    struct str key = json_member(json, "key");

    buf_text(&text, "backed up: ");
    json_text(&text, json_member(json, "path"));
    buf_text(&text, " (");
    figure_size(&text, json_double(json_member(json, "bytes")));
    buf_text(&text, ", ");
    buf_str_add(&text, number_or_dash(json_member(json, "votes")));
    buf_text(&text, " votes); ");
    if (json_is(key, "\"external\"")) {
        buf_text(&text, "its key lies elsewhere: the one is of no use without the other");
    } else {
        buf_text(&text, "its key is ");
        json_text(&text, key);
        buf_text(&text, ": keep both together");
    }
    screen_text(&out, buf_str(&text));
    buf_char(&out, '\n');
    return written(&out);
}

enum outcome backup_run(struct session *session)
{
    const char *file = session->operands[0];
    AUTO_BUF path = { 0 };
    AUTO_BUF body = { 0 };
    AUTO_ANSWER answer = { 0 };
    struct http_request request = { .method = "POST",
                                    .path = STR("/v1/backup"),
                                    .type = "application/json",
                                    .most_ms = UPKEEP_MS_MAX };
    struct str json = { NULL, 0 };
    struct why why = { "" };
    enum http_result result;

    if (!target_add(&path, file))
        return failed_here("this folder has no name that could be sent");
    buf_text(&body, "{\"path\":");
    buf_json_string(&body, buf_str(&path));
    buf_char(&body, '}');
    if (!buf_ok(&body))
        return failed_here("no memory");
    request.body = buf_str(&body);
    result = http_send(session->http, &request, &answer, &why);
    if (result != HTTP_ANSWERED)
        return complain_of_silence(result, &why);
    if (str_eq(problem_slug(&answer), STR("exists"))) {
        complain("choose another name: a backup overwrites nothing", "%s is there already", file);
        return OUTCOME_REFUSED;
    }
    if (outcome_of(answer.status) != OUTCOME_DONE)
        return complain_of_refusal(file, &answer);
    return answer_json(&answer, &json) ? backed_up(json) : OUTCOME_FAILED;
}
