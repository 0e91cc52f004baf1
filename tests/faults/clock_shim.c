/*
 * faults/clock_shim.c - lets the real daemon's wall clock be set while it runs.
 *
 * Preloaded into tallyd by tests/faults/clock.py. How far the wall clock is set forward or back
 * lies in a file that both sides have mapped ($CLOCK_CONTROL). The monotonic clock is the kernel's:
 * setting a machine's time does not move it either.
 *
 * Threads: any; the offset is atomic.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define MSEC_PER_S 1000
#define NSEC_PER_MS 1000000
#define NSEC_PER_S 1000000000

/* clock.py knows these too. */
struct control {
    atomic_llong offset_ms;
    atomic_ullong asked; /* how often the wall clock was read */
};

static struct control *control;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("CLOCK_CONTROL");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

    if (!path)
        return;
    if (fd < 0)
        abort();
    control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (control == MAP_FAILED)
        abort();
    (void)close(fd);
}

static void set(struct timespec *now)
{
    long long offset_ms = control ? atomic_load(&control->offset_ms) : 0;
    long long ns = now->tv_nsec + (offset_ms % MSEC_PER_S) * NSEC_PER_MS;

    if (control)
        atomic_fetch_add(&control->asked, 1);
    now->tv_sec += offset_ms / MSEC_PER_S;
    if (ns < 0) {
        ns += NSEC_PER_S;
        now->tv_sec--;
    } else if (ns >= NSEC_PER_S) {
        ns -= NSEC_PER_S;
        now->tv_sec++;
    }
    now->tv_nsec = (long)ns;
}

/* Not by libc: its clock_gettime() is the one that is defined here. */
EXPORT int clock_gettime(clockid_t which, struct timespec *ret_now)
{
    long failed = syscall(SYS_clock_gettime, which, ret_now);

    if (failed == 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE))
        set(ret_now);
    return (int)failed;
}

EXPORT time_t time(time_t *ret_now)
{
    struct timespec now = { 0 };

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (ret_now)
        *ret_now = now.tv_sec;
    return now.tv_sec;
}

EXPORT int gettimeofday(struct timeval *restrict ret_now, void *restrict zone)
{
    struct timespec now = { 0 };

    (void)zone;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    ret_now->tv_sec = now.tv_sec;
    ret_now->tv_usec = now.tv_nsec / 1000;
    return 0;
}
