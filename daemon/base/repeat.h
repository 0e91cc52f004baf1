/*
 * base/repeat.h - a line of the log that others can cause as often as they like.
 *
 * It is said once, then counted for a minute, and said again with the count: `… (said 1,204 times
 * more in the last minute)`. One struct repeat is one such line, wherever it is said; where its
 * text varies, the text that was said first stands for all of that minute.
 *
 * Any thread. What is only counted costs an atomic addition and no formatting.
 */
#ifndef TALLYD_BASE_REPEAT_H
#define TALLYD_BASE_REPEAT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/log.h"

#define REPEAT_MS (60 * 1000)
#define REPEAT_TEXT_BYTES_MAX 256

struct repeat { /* repeat_init(); its fields are repeat.c's */
    pthread_mutex_t lock;
    atomic_int_least64_t until_ms; /* mono: counted until then; 0: nothing was said */
    atomic_uint_least64_t more;    /* counted since */
    enum log_level level;          /* lock: of what was said */
    char text[REPEAT_TEXT_BYTES_MAX];
};

void repeat_init(struct repeat *repeat); /* before any thread sees it */

/* Says the line, or counts it where it was said within REPEAT_MS. now_ms > 0 is monotonic. */
void repeat_say(struct repeat *repeat, int64_t now_ms, enum log_level level, const char *format,
                ...) __attribute__((format(printf, 4, 5)));

/* Tells what was counted, once its minute is over: to be called now and then. Cheap where there is
 * nothing to tell. */
void repeat_tell(struct repeat *repeat, int64_t now_ms);

/* The same at once, and nothing more will be said. */
void repeat_end(struct repeat *repeat);

#endif
