/*
 * faults/memory_shim.c - stands in front of the real daemon's allocator, and lets the chosen
 * allocation find no memory.
 *
 * Preloaded into tallyd by tests/faults/memory.py. Whoever asks, ours, libevent, cJSON, SQLite or
 * libc itself, comes by here. What is to fail and what was counted lie in a file that both sides
 * have mapped ($MEMORY_CONTROL), so a test arms it whenever it likes; where the failed one was
 * asked for is written beside it (….where), for a finding to be found.
 *
 * Threads: any; the counters are atomic.
 */
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <dlfcn.h>

#define FRAMES_MAX 24
#define EXPORT __attribute__((visibility("default")))

/* memory.py knows these too. */
struct control {
    atomic_uint countdown; /* the allocation that fails; 0: none */
    atomic_uint for_ever;  /* and all behind it */
    atomic_uint bytes_min; /* smaller ones do not count */
    atomic_uint failed;    /* how many have failed */
    atomic_uint counted;   /* how many were asked for since the test began to count */
};

/* glibc's own names for what is defined anew here: dlsym() would allocate to find them. */
extern void *__libc_malloc(size_t len);
extern void *__libc_calloc(size_t n, size_t len);
extern void *__libc_realloc(void *old, size_t len);
extern void *__libc_memalign(size_t alignment, size_t len);

typedef int (*main_function)(int argc, char **argv, char **environment);

static struct control *control; /* NULL: main() has not begun, nothing counts yet */
static struct control *mapped;
static main_function real_main;
static int where_fd = -1;
static _Thread_local bool is_telling; /* what tells of a failure may ask for memory itself */

static void tell_where(void)
{
    void *frames[FRAMES_MAX];
    static const char end[] = "--\n";
    int n;

    is_telling = true;
    n = backtrace(frames, FRAMES_MAX);
    backtrace_symbols_fd(frames + 2, n - 2, where_fd);
    if (write(where_fd, end, sizeof end - 1) < 0)
        abort();
    is_telling = false;
}

static bool is_to_fail(size_t len)
{
    unsigned left;

    if (!control || is_telling || len < control->bytes_min)
        return false;
    atomic_fetch_add(&control->counted, 1);
    left = atomic_load(&control->countdown);
    while (left > 1) {
        if (atomic_compare_exchange_weak(&control->countdown, &left, left - 1))
            return false;
    }
    if (left == 0)
        return false;
    if (!control->for_ever && !atomic_compare_exchange_strong(&control->countdown, &left, 0))
        return false;
    return true;
}

static bool fails(size_t len)
{
    if (!is_to_fail(len))
        return false;
    if (atomic_fetch_add(&control->failed, 1) == 0)
        tell_where();
    errno = ENOMEM;
    return true;
}

EXPORT void *malloc(size_t len)
{
    return fails(len) ? NULL : __libc_malloc(len);
}

EXPORT void *calloc(size_t n, size_t len)
{
    return fails(n * len) ? NULL : __libc_calloc(n, len);
}

EXPORT void *realloc(void *old, size_t len)
{
    return fails(len) ? NULL : __libc_realloc(old, len);
}

EXPORT void *reallocarray(void *old, size_t n, size_t len)
{
    size_t all;

    if (__builtin_mul_overflow(n, len, &all)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(old, all);
}

EXPORT void *memalign(size_t alignment, size_t len);
EXPORT void *memalign(size_t alignment, size_t len)
{
    return fails(len) ? NULL : __libc_memalign(alignment, len);
}

EXPORT void *aligned_alloc(size_t alignment, size_t len)
{
    return memalign(alignment, len);
}

EXPORT int posix_memalign(void **ret, size_t alignment, size_t len)
{
    void *memory = memalign(alignment, len);

    if (!memory)
        return ENOMEM;
    *ret = memory;
    return 0;
}

static void map_control(const char *path)
{
    char where[512];
    int fd = open(path, O_RDWR | O_CLOEXEC);

    (void)snprintf(where, sizeof where, "%s.where", path);
    where_fd = open(where, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || where_fd < 0)
        abort();
    mapped = mmap(NULL, sizeof *mapped, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED)
        abort();
    (void)close(fd);
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("MEMORY_CONTROL");
    void *frame;

    (void)backtrace(&frame, 1); /* the first call loads a library */
    if (path)
        map_control(path);
}

static int counted_main(int argc, char **argv, char **environment)
{
    control = mapped;
    return real_main(argc, argv, environment);
}

/* What the dynamic linker and the libraries' constructors ask for is not the daemon's. */
typedef int (*start_function)(main_function program, int argc, char **argv, void (*init)(void),
                              void (*fini)(void), void (*rtld_fini)(void), void *stack_end);

EXPORT int __libc_start_main(main_function program, int argc, char **argv, void (*init)(void),
                             void (*fini)(void), void (*rtld_fini)(void), void *stack_end);
EXPORT int __libc_start_main(main_function program, int argc, char **argv, void (*init)(void),
                             void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
    void *found = dlsym(RTLD_NEXT, "__libc_start_main");
    start_function real;

    if (!found)
        abort();
    memcpy(&real, &found, sizeof real); /* ISO C has no cast from void * to a function */
    real_main = program;
    return real(counted_main, argc, argv, init, fini, rtld_fini, stack_end);
}
