/*
 * watch_stream.c - `tally watch`: all polls by one stream of events, where there is one.
 *
 * A poll is streamed once its first tally was shown. Where the daemon has no streams, or too few
 * for so many polls, or something on the way holds them back, long polls do it.
 *
 * Threads: main.
 */

#include "base/clock.h"
#include "json.h"
#include "watch_own.h"

#define STREAM_POLLS_MAX 20
#define STREAM_MS_MAX 86400000 /* a day; then another one */
#define FIRST_MS_MAX 5000      /* it begins with the tallies, at once */
#define SILENT_MS_MAX 60000    /* a comment comes every 15 s */

bool watch_streams(const struct watch *watch, const struct watched *poll)
{
    return !watch->no_stream && !poll->ended && poll->version.len > 0 && !poll->stream_lost;
}

static void event_of(struct watch *watch, struct watched *poll, struct str name, struct str json)
{
    if (str_eq(name, STR("deleted")))
        watch_deleted(watch, poll);
    else if (json_is(json_member(json, "hidden"), "true"))
        watch_hidden(watch, poll);
    else
        watch_tally(watch, poll, json);
}

static void event_take(void *context, struct str name, struct str data)
{
    struct watch *watch = context;
    AUTO_BUF id = { 0 };
    struct str json;

    if (!str_eq(name, STR("tally")) && !str_eq(name, STR("deleted")))
        return; /* what a later daemon may tell */
    watch->stream_is_one = true;
    if (!json_read(data, &json))
        return;
    json_text(&id, json_member(json, "id"));
    for (size_t i = 0; i < watch->count && watch->left > 0; i++) {
        struct watched *poll = &watch->polls[i];

        if (!poll->ended && str_eq(str_of(poll->id), buf_str(&id)))
            event_of(watch, poll, name, json);
    }
}

static bool bytes_take(void *context, struct str bytes)
{
    struct watch *watch = context;

    watch->stream_told_ms = clock_mono_ms(&clock_system);
    return events_read(&watch->events, bytes, event_take, watch);
}

/* All polls have their first tally, and none is under way. */
static bool may_open(const struct watch *watch)
{
    size_t n = 0;

    for (size_t i = 0; i < watch->count; i++) {
        const struct watched *poll = &watch->polls[i];

        if (poll->ended)
            continue;
        if (poll->flow || !watch_streams(watch, poll))
            return false;
        n++;
    }
    return n > 0 && watch->left > 0;
}

static bool path_add(const struct watch *watch, struct buf *out)
{
    size_t n = 0;

    buf_text(out, "/v1/events?ids=");
    for (size_t i = 0; i < watch->count; i++) {
        if (watch->polls[i].ended)
            continue;
        buf_text(out, n++ > 0 ? "," : "");
        http_encode(out, watch->polls[i].id);
    }
    return n <= STREAM_POLLS_MAX && buf_ok(out);
}

static void stream_open(struct watch *watch)
{
    const struct flow_ends ends = { .take = bytes_take, .context = watch };
    struct http_request request = { .method = "GET", .most_ms = STREAM_MS_MAX };
    struct why why = { "" };
    AUTO_BUF path = { 0 };

    events_clear(&watch->events);
    watch->stream_ms = clock_mono_ms(&clock_system);
    watch->stream_told_ms = watch->stream_ms;
    watch->stream_is_one = false;
    if (path_add(watch, &path)) {
        request.path = buf_str(&path);
        watch->stream = flow_start(watch->session->http, &request, &ends, &why);
    }
    watch->no_stream = !watch->stream;
}

/* What changed meanwhile is asked for poll by poll: that also finds out how the daemon is. */
static void stream_lose(struct watch *watch, int64_t now_ms)
{
    int64_t pause_ms = now_ms - watch->stream_ms < WATCH_SOON_MS ? WATCH_SOON_MS : 0;

    for (size_t i = 0; i < watch->count; i++) {
        watch->polls[i].stream_lost = true;
        watch->polls[i].next_ms = now_ms + pause_ms;
    }
}

/* Was it one that ended, or is there none? */
static bool was_stream(const struct watch *watch)
{
    unsigned status = flow_answer(watch->stream)->status;
    switch (flow_result(watch->stream)) {
    case HTTP_ANSWERED:
        return watch->stream_is_one && status >= 200 && status < 300;
    case HTTP_UNREACHABLE:
    case HTTP_NO_ANSWER:
        return true;
    case HTTP_FAILED:
        break;
    }
    return false;
}

static void stream_close(struct watch *watch)
{
    flow_free(watch->stream);
    watch->stream = NULL;
}

void watch_stream_turn(struct watch *watch)
{
    int64_t now_ms = clock_mono_ms(&clock_system);

    if (!watch->stream) {
        if (may_open(watch))
            stream_open(watch);
        return;
    }
    if (flow_ended(watch->stream)) {
        if (was_stream(watch))
            stream_lose(watch, now_ms);
        else
            watch->no_stream = true;
        stream_close(watch);
    } else if (!watch->stream_is_one) {
        watch->no_stream = now_ms - watch->stream_ms > FIRST_MS_MAX;
        if (watch->no_stream)
            stream_close(watch);
    } else if (now_ms - watch->stream_told_ms > SILENT_MS_MAX) {
        stream_lose(watch, now_ms);
        stream_close(watch);
    }
}
