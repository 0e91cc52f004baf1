/*
 * answers.c - what an answer of the daemon means for whoever asked: exit status and two lines.
 *
 * Threads: main.
 */
#include "answers.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "screen.h"

#define LINE_BYTES_MAX 4096
#define DETAILS_MAX 8

/* How to go on, by the slug of the problem. */
static const struct {
    struct str slug;
    const char *how;
} remedies[] = {
    { STR("unauthorized"), "give a token with --token-file, or ask on the daemon's own socket" },
    { STR("forbidden"), "ask as somebody who may: root, the daemon's user or its admin_group" },
    { STR("results-hidden"), "ask again after voting, or after the close" },
    { STR("no-such-poll"), "`tally list` shows the polls there are" },
    { STR("no-such-vote"), "nothing was changed; no vote of this voter stands" },
    { STR("no-such-route"), "is this the address of a tallyd, and not older than this tally?" },
    { STR("already-voted"), "nothing was changed; this poll lets no vote be changed" },
    { STR("vote-voided"), "nothing was changed; a vote that was voided is not given again" },
    { STR("poll-closed"),
      "nothing was changed; `tally open` opens a poll, `tally set --closes` moves its end" },
    { STR("poll-open"), "`tally close` closes it" },
    { STR("poll-forgotten"),
      "nothing was changed; make a new poll: a forgotten one takes no vote and never opens again" },
    { STR("not-yet-open"), "nothing was changed; vote when the poll has opened" },
    { STR("options-in-use"), "texts and new answers at the end may change; else make a new poll" },
    { STR("revote-not-allowed"), "nothing was changed; this poll lets no vote be taken back" },
    { STR("address-limit"), "nothing was changed; this address has given all its votes" },
    { STR("exists"), "`tally set` changes a poll, `tally apply` replaces it" },
    { STR("invalid"), "nothing was changed; mend it and try again" },
    { STR("rate-limited"), "wait a little and try again" },
    { STR("busy"), "nothing is lost; try again" },
    { STR("store-unavailable"), "try again; the daemon's log says what is wrong" },
    { STR("outcome-unknown"), "try again: the same vote never counts twice" },
    { STR("not-implemented"), "this tallyd cannot, as it is built and configured" },
};

/* The same for a refusal that has several reasons: how its sentence begins. */
static const struct {
    struct str begins;
    const char *how;
} remedies_of_reasons[] = {
    { STR("name the voter"), "name whose vote it is: --voter V" },
    { STR("names that begin with uid:"), "give another name; local users vote on the socket, as "
                                         "themselves" },
    { STR("local users need no token"), "vote on this socket without one; apps and admins make "
                                        "tokens for others" },
    { STR("this is no voter token"), "give the whole token, as `tally token` prints it" },
    { STR("this token"), "ask who gave it for another; an app or admin makes one: `tally token`" },
    { STR("votes in this poll need a name"), "give a token that names somebody, or ask on the "
                                             "daemon's own socket" },
    { STR("role tokens are taken on"), "ask on the daemon's machine, or on its own socket" },
};

/* What stderr gets is clean: a detail may quote anything. */
static void line_write(const char *text)
{
    AUTO_BUF line = { 0 };

    buf_text(&line, "tally: ");
    screen_text(&line, str_of(text));
    buf_char(&line, '\n');
    (void)fflush(stdout);
    if (buf_ok(&line))
        (void)fwrite(line.bytes, 1, line.len, stderr);
}

__attribute__((format(printf, 2, 0))) static void complain_with(const char *how, const char *format,
                                                                va_list args)
{
    char what[LINE_BYTES_MAX];

    (void)vsnprintf(what, sizeof what, format, args);
    line_write(what);
    if (how)
        line_write(how);
}

void complain(const char *how, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    complain_with(how, format, args);
    va_end(args);
}

enum outcome misused(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    complain_with("`tally help` shows how it is used", format, args);
    va_end(args);
    return OUTCOME_MISUSED;
}

enum outcome failed_here(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    complain_with("mend that and try again", format, args);
    va_end(args);
    return OUTCOME_FAILED;
}

/* Of the run: that its stdout takes no more is told once. */
static bool stdout_told;

enum outcome stdout_failed(int error)
{
    sigset_t pipe_signal;

    if (error == EPIPE) {
        sigemptyset(&pipe_signal);
        sigaddset(&pipe_signal, SIGPIPE);
        (void)signal(SIGPIPE, SIG_DFL);
        (void)sigprocmask(SIG_UNBLOCK, &pipe_signal, NULL);
        (void)raise(SIGPIPE);
    }
    if (!stdout_told)
        (void)failed_here("cannot write to stdout: %s", strerror(error));
    stdout_told = true;
    return OUTCOME_FAILED;
}

enum outcome stdout_sent(void)
{
    if (fflush(stdout) != 0)
        return stdout_failed(errno);
    return ferror(stdout) ? stdout_failed(EIO) : OUTCOME_DONE;
}

void stdout_still_read(void)
{
    struct pollfd pipe = { .fd = STDOUT_FILENO, .events = 0 };

    if (poll(&pipe, 1, 0) > 0 && (pipe.revents & POLLERR))
        (void)stdout_failed(EPIPE);
}

enum outcome written(const struct buf *out)
{
    if (!buf_ok(out))
        return failed_here("no memory");
    if (out->len == 0)
        return OUTCOME_DONE; /* there may be no bytes to point to */
    return fwrite(out->bytes, 1, out->len, stdout) == out->len ? OUTCOME_DONE
                                                               : stdout_failed(errno);
}

enum outcome outcome_of(unsigned status)
{
    if (status >= 200 && status < 300)
        return OUTCOME_DONE;
    switch (status) {
    case 401:
    case 403:
        return OUTCOME_NOT_ALLOWED;
    case 404:
        return OUTCOME_NOT_FOUND;
    case 409:
    case 412:
    case 422:
        return OUTCOME_REFUSED;
    default: /* a number from outside, no enum of ours */
        return OUTCOME_FAILED;
    }
}

enum outcome complain_of_silence(enum http_result result, const struct why *why)
{
    switch (result) {
    case HTTP_UNREACHABLE:
        if (strstr(why->text, strerror(EACCES))) {
            complain("ask as a user who may open that socket: socket_mode of tallyd.conf says who, "
                     "and its folder's permissions",
                     "%s", why->text);
            return OUTCOME_UNREACHABLE;
        }
        complain("start it (systemctl start tallyd), or name its place with --socket or --url",
                 "%s", why->text);
        return OUTCOME_UNREACHABLE;
    case HTTP_NO_ANSWER:
        complain("try again; `tally get` shows whether it was done", "%s", why->text);
        return OUTCOME_UNREACHABLE;
    case HTTP_FAILED:
    case HTTP_ANSWERED:
        break;
    }
    complain("look at --url and at the daemon's log", "%s", why->text);
    return OUTCOME_FAILED;
}

static struct str problem_of(const struct http_answer *answer)
{
    struct str problem;

    if (!json_read(buf_str(&answer->body), &problem) || !json_is_object(problem))
        return (struct str){ NULL, 0 };
    return problem;
}

struct str problem_slug(const struct http_answer *answer)
{
    struct str type = json_member(problem_of(answer), "type");
    struct str slug = { NULL, 0 };
    struct str rest;

    if (!json_is_string(type))
        return slug;
    rest = (struct str){ type.at + 1, type.len - 2 };
    while (str_next(&rest, '/', &slug)) {
        /* the last segment of /problems/SLUG */
    }
    return slug;
}

static bool has_reasons(struct str slug)
{
    return str_eq(slug, STR("forbidden")) || str_eq(slug, STR("unauthorized"));
}

static const char *remedy_of(struct str slug, struct str detail, unsigned status)
{
    AUTO_BUF reason = { 0 };

    json_text(&reason, has_reasons(slug) ? detail : STR("\"\""));
    for (size_t i = 0; i < sizeof remedies_of_reasons / sizeof remedies_of_reasons[0]; i++) {
        if (str_starts(buf_str(&reason), remedies_of_reasons[i].begins))
            return remedies_of_reasons[i].how;
    }
    for (size_t i = 0; i < sizeof remedies / sizeof remedies[0]; i++) {
        if (str_eq(remedies[i].slug, slug))
            return remedies[i].how;
    }
    return status >= 500 ? "try again; the daemon's log says more"
                         : "`tally help` shows what can be asked";
}

/* What is wrong, and the members that a 422 names: `Something is wrong; /options/3: no label`. An
 * error that says the same is not told twice: `step: must be whole hours`. */
static void detail_add(struct buf *out, struct str detail, struct str errors)
{
    struct str rest = json_inside(errors);
    struct str error;

    for (int i = 0; i < DETAILS_MAX && json_next(&rest, &error); i++) {
        struct str where = json_member(error, "pointer");
        struct str what = json_member(error, "detail");

        if (where.len == 0)
            where = json_member(error, "parameter");
        if (i == 0 && !str_eq(what, detail)) {
            json_text(out, detail);
            buf_text(out, "; ");
        } else if (i > 0) {
            buf_text(out, "; ");
        }
        if (!str_eq(where, STR("\"\""))) {
            json_text(out, where);
            buf_text(out, ": ");
        }
        json_text(out, what);
    }
    if (json_inside(errors).len == 0)
        json_text(out, detail);
}

/* What stands already, where the daemon tells: `; option 2 stands` */
static void standing_add(struct buf *out, struct str standing)
{
    struct str options = json_member(standing, "options");
    struct str rest = json_inside(options);
    struct str option;
    size_t count = 0;

    while (json_next(&rest, &option)) {
        buf_text(out, count++ == 0 ? "; what stands is " : ", ");
        buf_str_add(out, option);
    }
}

enum outcome complain_of_refusal_with(const char *how, const char *about,
                                      const struct http_answer *answer)
{
    struct str problem = problem_of(answer);
    struct str detail = json_member(problem, "detail");
    AUTO_BUF line = { 0 };

    if (about)
        buf_format(&line, "%s: ", about);
    if (!json_is_string(detail))
        detail = json_member(problem, "title");
    if (json_is_string(detail))
        detail_add(&line, detail, json_member(problem, "errors"));
    else
        buf_format(&line, "the answer was status %u, without a reason", answer->status);
    standing_add(&line, json_member(problem, "standing"));
    buf_char(&line, '\0');
    complain(how ? how : remedy_of(problem_slug(answer), detail, answer->status), "%s",
             buf_ok(&line) ? line.bytes : "no memory");
    return outcome_of(answer->status) == OUTCOME_DONE ? OUTCOME_FAILED : outcome_of(answer->status);
}

enum outcome complain_of_refusal(const char *about, const struct http_answer *answer)
{
    return complain_of_refusal_with(NULL, about, answer);
}

bool answer_json(const struct http_answer *answer, struct str *ret_json)
{
    if (json_read(buf_str(&answer->body), ret_json) && json_is_object(*ret_json))
        return true;
    complain("is this the address of a tallyd?", "the answer is no JSON object");
    return false;
}
