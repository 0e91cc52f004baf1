/*
 * watch_show.c - `tally watch`: what is told, as a picture or as lines.
 *
 * Threads: main.
 */
#include <stdio.h>

#include "answers.h"
#include "base/clock.h"
#include "json.h"
#include "live.h"
#include "rate.h"
#include "show.h"
#include "watch_own.h"

void watch_fail(struct watch *watch, struct watched *poll, enum outcome outcome)
{
    watch->outcome = outcome_first(watch->outcome, outcome);
    poll->ended = true;
}

void watch_deleted(struct watch *watch, struct watched *poll)
{
    poll->deleted = true;
    if (watch->session->screen.terminal)
        watch_draw(watch);
    complain("it takes no more votes", "%s was deleted", poll->id);
    watch_fail(watch, poll, OUTCOME_NOT_FOUND);
}

void watch_hidden(struct watch *watch, struct watched *poll)
{
    complain("ask again after voting, or after the close", "%s: results are hidden for now",
             poll->id);
    watch_fail(watch, poll, OUTCOME_NOT_ALLOWED);
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

void watch_draw(struct watch *watch)
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
        watch_draw(watch);
        return;
    }
    json_compact(&out, buf_str(&poll->tally));
    buf_char(&out, '\n');
    outcome = written(&out);
    if (outcome == OUTCOME_DONE)
        outcome = stdout_sent();
    if (outcome != OUTCOME_DONE)
        watch->left = 0;
    watch->outcome = outcome_first(watch->outcome, outcome);
}

void watch_tally(struct watch *watch, struct watched *poll, struct str tally)
{
    struct str version = json_member(tally, "version");
    int64_t now_ms = clock_mono_ms(&clock_system);

    if (poll->version.len > 0 && str_eq(version, buf_str(&poll->version))) {
        if (!poll->asked_back && now_ms - poll->asked_ms < WATCH_SOON_MS)
            poll->next_ms = now_ms + WATCH_SOON_MS;
        return;
    }
    buf_clear(&poll->version);
    buf_clear(&poll->tally);
    if (json_is_number(version))
        buf_str_add(&poll->version, version);
    buf_str_add(&poll->tally, tally);
    if (!buf_ok(&poll->tally) || !buf_ok(&poll->version) || poll->version.len == 0) {
        watch_fail(watch, poll,
                   failed_here("%s: no memory, or a tally without its version", poll->id));
        return;
    }
    if (poll->first_ms == 0 && votes_read(poll, &poll->first_votes))
        poll->first_ms = now_ms;
    watch->left--;
    tally_write(watch, poll);
}
