/*
 * get.c - `tally get`: tallies as JSON, a line each in a pipe, indented on a terminal.
 *
 * Threads: main.
 */
#include "answers.h"
#include "commands.h"
#include "json.h"
#include "paths.h"

static enum outcome get(struct session *session, const char *id)
{
    AUTO_BUF path = { 0 };
    AUTO_BUF out = { 0 };
    AUTO_ANSWER answer = { 0 };
    struct http_request request = { .method = "GET", .path = path_of_poll(&path, id, "/tally") };
    enum outcome outcome = session_ask(session, &request, id, &answer);
    struct str tally;

    if (outcome != OUTCOME_DONE)
        return outcome;
    if (!answer_json(&answer, &tally))
        return OUTCOME_FAILED;
    if (session->screen.terminal)
        json_indent(&out, tally);
    else
        json_compact(&out, tally);
    buf_char(&out, '\n');
    return written(&out);
}

enum outcome get_run(struct session *session)
{
    return session_each(session, get);
}
