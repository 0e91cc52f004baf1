/*
 * base/clock.c - the system's clocks.
 *
 * Threads: any.
 */
#include "base/clock.h"

#include <stddef.h>
#include <time.h>

static int64_t now_ms(clockid_t which)
{
    struct timespec now;

    (void)clock_gettime(which, &now); /* cannot fail for these two clocks (clock_gettime(2)) */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t system_wall_ms(void *context)
{
    (void)context;
    return now_ms(CLOCK_REALTIME);
}

static int64_t system_mono_ms(void *context)
{
    (void)context;
    return now_ms(CLOCK_MONOTONIC);
}

const struct clock clock_system = { NULL, system_wall_ms, system_mono_ms };
