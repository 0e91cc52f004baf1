/*
 * status.c - `tally status`: how the daemon is, once or again and again.
 *
 * Threads: main.
 */
#include <stdio.h>
#include <string.h>

#include "answers.h"
#include "base/clock.h"
#include "commands.h"
#include "figures.h"
#include "json.h"
#include "live.h"
#include "pulse.h"

#define DRAW_MS 1000
#define AGAIN_MS_MAX 30000
#define NAME_CELLS 14
#define PATH_MEMBERS_MAX 3

enum show { SHOW_TEXT, SHOW_SIZE, SHOW_DURATION, SHOW_MS, SHOW_PER_SECOND };

/* What is shown, in this order, where it is there. */
static const struct {
    const char *name;
    const char *path[PATH_MEMBERS_MAX]; /* of members */
    enum show show;
} rows[] = {
    { "version", { "version" }, SHOW_TEXT },
    { "up for", { "uptime_s" }, SHOW_DURATION },
    { "since", { "started_at" }, SHOW_TEXT },
    { "store", { "store", "url" }, SHOW_TEXT },
    { "store size", { "store", "bytes" }, SHOW_SIZE },
    { "log size", { "store", "wal_bytes" }, SHOW_SIZE },
    { "polls", { "polls" }, SHOW_TEXT },
    { "votes", { "votes" }, SHOW_TEXT },
    { "votes/s", { "votes_last_minute" }, SHOW_PER_SECOND },
    { "takes votes", { "takes_votes" }, SHOW_TEXT },
    { "waiting", { "queue", "waiting" }, SHOW_TEXT },
    { "commits", { "commits", "count" }, SHOW_TEXT },
    { "commit p50", { "commits", "p50_ms" }, SHOW_MS },
    { "commit p99", { "commits", "p99_ms" }, SHOW_MS },
    { "connections", { "connections" }, SHOW_TEXT },
    { "last backup", { "last_backup_at" }, SHOW_TEXT },
};

static void value_add(struct buf *out, struct str value, enum show show)
{
    AUTO_BUF text = { 0 };
    double number = json_double(value);

    if (json_is(value, "null")) {
        buf_text(out, "none");
    } else if (show == SHOW_SIZE && json_is_number(value)) {
        figure_size(out, number);
    } else if (show == SHOW_DURATION && json_is_number(value)) {
        figure_duration(out, number > 0 ? (uint64_t)number : 0);
    } else if (show == SHOW_PER_SECOND && json_is_number(value)) {
        buf_format(out, "%.1f (over a minute)", number / 60);
    } else if (json_is_string(value)) {
        json_text(&text, value);
        screen_text(out, buf_str(&text));
    } else {
        screen_text(out, value);
        if (show == SHOW_MS)
            buf_text(out, " ms");
    }
}

static void status_add(struct buf *out, const struct screen *screen, struct str status)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str value = status;

        for (size_t k = 0; k < PATH_MEMBERS_MAX && rows[i].path[k]; k++)
            value = json_member(value, rows[i].path[k]);
        if (value.len == 0)
            continue;
        screen_style(out, screen, STYLE_NOTE);
        screen_padded(out, str_of(rows[i].name), NAME_CELLS);
        screen_plain(out, screen);
        value_add(out, value, rows[i].show);
        buf_char(out, '\n');
    }
}

/* pulse  NULL: it is shown once */
static enum outcome status_show(struct session *session, struct str status, struct pulse *pulse)
{
    AUTO_BUF out = { 0 };
    enum outcome outcome;

    if (session->screen.terminal) {
        status_add(&out, &session->screen, status);
        if (pulse)
            pulse_add(&out, &session->screen, pulse);
    } else {
        json_compact(&out, status);
        buf_char(&out, '\n');
    }
    if (pulse && session->screen.terminal) {
        live_draw(&session->screen, &out);
        return OUTCOME_DONE;
    }
    outcome = written(&out);
    return outcome == OUTCOME_DONE ? stdout_sent() : outcome;
}

/* Nobody answers: is it worth asking again? Told once. */
static bool is_worth_again(const struct session *session, enum http_result result,
                           const struct why *why, int64_t *stuck_ms)
{
    int64_t now_ms = clock_mono_ms(&clock_system);

    if (result == HTTP_FAILED || options_has(session->options, OPTION_NO_RETRY))
        return false;
    if (*stuck_ms == 0) {
        *stuck_ms = now_ms;
        complain(NULL, "%s; trying again for up to %d s", why->text, AGAIN_MS_MAX / 1000);
    }
    return now_ms - *stuck_ms < AGAIN_MS_MAX;
}

static enum outcome status_watch(struct session *session)
{
    const struct http_request request = { .method = "GET", .path = STR("/v1/status") };
    AUTO(pulse) pulse = pulse_new();
    int64_t stuck_ms = 0;
    bool ever = false;

    if (!pulse)
        return failed_here("no memory");
    for (; !live_interrupted(); live_pause(DRAW_MS)) {
        AUTO_ANSWER answer = { 0 };
        struct why why = { "" };
        enum http_result result = http_send(session->http, &request, &answer, &why);
        struct str status;

        if (live_interrupted())
            break;
        if (result != HTTP_ANSWERED) {
            if (!ever || !is_worth_again(session, result, &why, &stuck_ms))
                return complain_of_silence(result, &why);
            continue;
        }
        if (outcome_of(answer.status) != OUTCOME_DONE)
            return session_refused(session, NULL, &answer);
        if (!answer_json(&answer, &status))
            return OUTCOME_FAILED;
        ever = true;
        stuck_ms = 0;
        pulse_note(pulse, status, clock_mono_ms(&clock_system));
        if (status_show(session, status, pulse) != OUTCOME_DONE)
            return OUTCOME_FAILED;
    }
    return OUTCOME_DONE;
}

enum outcome status_run(struct session *session)
{
    const struct http_request request = { .method = "GET", .path = STR("/v1/status") };
    AUTO_ANSWER answer = { 0 };
    struct str status;
    enum outcome outcome;

    if (options_has(session->options, OPTION_WATCH)) {
        live_catch();
        outcome = status_watch(session);
        live_end();
        return outcome;
    }
    outcome = session_ask(session, &request, NULL, &answer);
    if (outcome != OUTCOME_DONE)
        return outcome;
    return answer_json(&answer, &status) ? status_show(session, status, NULL) : OUTCOME_FAILED;
}
