/*
 * api/complaints.c - lines of the log that peers can cause.
 *
 * Threads: any.
 */
#include "api/complaints.h"

#include <inttypes.h>

/* Each of `complaints`, one after the other: they are all there is in it. */
static void for_each(struct complaints *complaints, void (*call)(struct repeat *, int64_t),
                     int64_t mono_ms)
{
    for (size_t i = 0; i < PROBLEM_KINDS; i++)
        call(&complaints->refused[i], mono_ms);
    for (size_t i = 0; i < LIMIT_KINDS; i++)
        call(&complaints->limited[i], mono_ms);
    call(&complaints->streams, mono_ms);
    call(&complaints->slow, mono_ms);
}

static void init_one(struct repeat *repeat, int64_t mono_ms)
{
    (void)mono_ms;
    repeat_init(repeat);
}

static void end_one(struct repeat *repeat, int64_t mono_ms)
{
    (void)mono_ms;
    repeat_end(repeat);
}

void complaints_init(struct complaints *complaints)
{
    for_each(complaints, init_one, 0);
}

void complaints_tell(struct complaints *complaints, int64_t mono_ms)
{
    for_each(complaints, repeat_tell, mono_ms);
}

void complaints_end(struct complaints *complaints)
{
    for_each(complaints, end_one, 0);
}

void complain_of_peer(struct complaints *complaints, enum problem problem, const char *detail,
                      int64_t mono_ms)
{
    if (problem == PROBLEM_BUSY)
        repeat_say(&complaints->refused[problem], mono_ms, LOG_WARNING,
                   "a connection is refused: %s (max_connections of [server] and connections of "
                   "[limits] say how many there may be)",
                   detail);
    else
        repeat_say(&complaints->refused[problem], mono_ms, LOG_INFO,
                   "a request is refused as %s: %s", problem_slug(problem), detail);
}

void complain_of_limit(struct complaints *complaints, enum limiter_kind kind, int64_t mono_ms)
{
    static const struct {
        enum log_level level;
        const char *what;
    } rows[LIMIT_KINDS] = {
        [LIMIT_VOTES] = { LOG_INFO, "somebody has reached votes_per_minute of [limits]" },
        [LIMIT_TOKENS] = { LOG_INFO, "somebody has reached tokens_per_hour of [limits]" },
        [LIMIT_READS] = { LOG_INFO, "somebody has reached reads_per_second of [limits]" },
        [LIMIT_GUESSES] = { LOG_WARNING, "somebody sends one wrong role token after the other" },
    };

    repeat_say(&complaints->limited[kind], mono_ms, rows[kind].level, "%s, and hears 429",
               rows[kind].what);
}

void complain_of_streams(struct complaints *complaints, int64_t mono_ms)
{
    repeat_say(&complaints->streams, mono_ms, LOG_INFO,
               "somebody has reached streams of [limits], and hears 429");
}

void complain_of_slowness(struct complaints *complaints, const char *poll, const char *what,
                          int64_t took_ms, int64_t mono_ms)
{
    if (took_ms > SLOW_REQUEST_MS)
        repeat_say(&complaints->slow, mono_ms, LOG_WARNING,
                   "%s%s%s%s was answered after %" PRId64 " ms; others wait as long, none is lost",
                   poll ? "poll " : "", poll ? poll : "", poll ? ": " : "", what, took_ms);
}
