/*
 * base/clock.h - the two clocks, handed in from outside so that no test has to sleep.
 *
 * Deadlines use mono_ms, which never jumps; everything a voter sees (opens_at, closes_at, the
 * time of a vote) uses wall_ms, also when it is set back.
 */
#ifndef TALLYD_BASE_CLOCK_H
#define TALLYD_BASE_CLOCK_H

#include <stdint.h>

struct clock {
    void *context;
    int64_t (*wall_ms)(void *context); /* milliseconds since 1970-01-01T00:00:00Z */
    int64_t (*mono_ms)(void *context); /* milliseconds since some moment in the past */
};

/* The system's clocks. Any thread. */
extern const struct clock clock_system;

static inline int64_t clock_wall_ms(const struct clock *clock)
{
    return clock->wall_ms(clock->context);
}

static inline int64_t clock_mono_ms(const struct clock *clock)
{
    return clock->mono_ms(clock->context);
}

/* Of two moments, or spans, in any unit. */
static inline int64_t clock_sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

#endif
