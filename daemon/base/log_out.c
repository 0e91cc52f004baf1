/*
 * base/log_out.c - the way of a line to stderr.
 *
 * What stands behind stderr may not read: a terminal that was stopped, a pipe whose reader hangs.
 * O_NONBLOCK would be its other owners' too (it belongs to the open file, open(2)), so room is
 * asked for before each write. Of a regular file poll(2) always says yes: there the disk decides.
 *
 * Threads: any; the lock is held for a poll(2) and a write(2).
 */
#include "base/log_out.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "base/log.h"

static struct {
    pthread_mutex_t lock;
    uint64_t lost; /* lock */
    bool stuck;    /* lock: the last line was lost */
} out = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Also where stderr is closed or its reader gone: the write then fails at once. */
static bool is_room(int wait_ms)
{
    struct pollfd to = { .fd = STDERR_FILENO, .events = POLLOUT };

    return poll(&to, 1, wait_ms) != 0;
}

bool log_out(struct str line, bool may_wait)
{
    bool room;

    (void)pthread_mutex_lock(&out.lock);
    room = is_room(may_wait && !out.stuck ? LOG_WAIT_MS : 0);
    out.stuck = !room;
    out.lost += !room;
    if (room && write(STDERR_FILENO, line.at, line.len) < 0) {
        /* stderr is gone: there is nobody left to tell */
    }
    (void)pthread_mutex_unlock(&out.lock);
    return room;
}

uint64_t log_out_lost(void)
{
    uint64_t lost = 0;

    (void)pthread_mutex_lock(&out.lock);
    if (out.lost > 0 && is_room(0)) {
        lost = out.lost;
        out.lost = 0;
    }
    (void)pthread_mutex_unlock(&out.lock);
    return lost;
}

void log_out_lose(uint64_t lines)
{
    (void)pthread_mutex_lock(&out.lock);
    out.lost += lines;
    (void)pthread_mutex_unlock(&out.lock);
}
