/*
 * base/repeat.c - a line of the log that others can cause as often as they like.
 *
 * Threads: any. The lock is held while a line is made, never where one is only counted.
 */
#include "base/repeat.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define GROUPED_BYTES 32 /* of 18,446,744,073,709,551,615 */

void repeat_init(struct repeat *repeat)
{
    memset(repeat, 0, sizeof *repeat);
    (void)pthread_mutex_init(&repeat->lock, NULL);
}

static void group_digits(uint64_t n, char ret_text[GROUPED_BYTES])
{
    char digits[GROUPED_BYTES];
    size_t len = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, n);
    size_t to = 0;

    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            ret_text[to++] = ',';
        ret_text[to++] = digits[i];
    }
    ret_text[to] = '\0';
}

/* Its lock is held. */
static void tell(struct repeat *repeat)
{
    uint64_t more = atomic_exchange(&repeat->more, 0);
    char times[GROUPED_BYTES];

    if (more == 0)
        return;
    group_digits(more, times);
    log_line(repeat->level, "%s (said %s %s more in the last minute)", repeat->text, times,
             more == 1 ? "time" : "times");
}

static bool is_quiet(struct repeat *repeat, int64_t now_ms)
{
    return now_ms < atomic_load_explicit(&repeat->until_ms, memory_order_relaxed);
}

void repeat_say(struct repeat *repeat, int64_t now_ms, enum log_level level, const char *format,
                ...)
{
    va_list args;

    if (is_quiet(repeat, now_ms)) {
        atomic_fetch_add_explicit(&repeat->more, 1, memory_order_relaxed);
        return;
    }
    (void)pthread_mutex_lock(&repeat->lock);
    if (is_quiet(repeat, now_ms)) { /* another thread has just said it */
        atomic_fetch_add_explicit(&repeat->more, 1, memory_order_relaxed);
    } else {
        tell(repeat);
        va_start(args, format);
        (void)vsnprintf(repeat->text, sizeof repeat->text, format, args);
        va_end(args);
        repeat->level = level;
        atomic_store(&repeat->until_ms, now_ms + REPEAT_MS);
        log_line(level, "%s", repeat->text);
    }
    (void)pthread_mutex_unlock(&repeat->lock);
}

void repeat_tell(struct repeat *repeat, int64_t now_ms)
{
    if (atomic_load_explicit(&repeat->more, memory_order_relaxed) == 0 || is_quiet(repeat, now_ms))
        return;
    (void)pthread_mutex_lock(&repeat->lock);
    if (!is_quiet(repeat, now_ms) && atomic_load(&repeat->more) > 0) {
        tell(repeat);
        atomic_store(&repeat->until_ms, now_ms + REPEAT_MS); /* it goes on: a line a minute */
    }
    (void)pthread_mutex_unlock(&repeat->lock);
}

void repeat_end(struct repeat *repeat)
{
    (void)pthread_mutex_lock(&repeat->lock);
    tell(repeat);
    (void)pthread_mutex_unlock(&repeat->lock);
    (void)pthread_mutex_destroy(&repeat->lock);
}
