/*
 * faults/shim.c - stands between the real daemon and its files, and fails or holds what a test asks
 * for.
 *
 * Preloaded into tallyd by tests/faults/shim.py. Only calls on files of one folder are looked at
 * ($FAULTS_FOLDER); what is to fail, and a trace of every call, lie in a file both sides have
 * mapped ($FAULTS_CONTROL), so a test arms it whenever it likes. A sync that fails is not done
 * at all, and a write that fails writes nothing: what a dying disk and a full one look like. A call
 * that is held is not done before the test lets go, and its thread stands still meanwhile. Or the
 * process is killed in place of the call.
 *
 * Threads: any; the counters are atomic, the tables are per descriptor.
 */
#undef _FORTIFY_SOURCE /* its inline wrappers are the functions that are defined here */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

/* shim.py knows these numbers too. */
enum call {
    CALL_OPEN,
    CALL_READ,
    CALL_WRITE,
    CALL_SYNC,
    CALL_TRUNCATE,
    CALL_ALLOCATE,
    CALL_UNLINK,
    CALL_RENAME
};
enum kind {
    KIND_NONE, /* not in the folder */
    KIND_MAIN,
    KIND_WAL,
    KIND_JOURNAL,
    KIND_KEYS,
    KIND_BALLAST,
    KIND_LOCK,
    KIND_FOLDER,
    KIND_DRAFT, /* has no name of its own yet */
    KIND_OTHER  /* what a folder in the folder holds, and such folders */
};

#define FDS_MAX 65536
#define TRACE_MAX 65536

struct trace {
    uint32_t call;
    uint32_t kind;
    uint32_t failed;
    uint32_t detail; /* bytes; of an open its flags */
};

struct control {
    atomic_uint calls;     /* bits: which calls count */
    atomic_uint kinds;     /* bits: on which files */
    atomic_uint countdown; /* the one that fails; 0: none */
    atomic_uint for_ever;  /* and all behind it */
    atomic_uint hold;      /* it does not fail, but waits for the test to clear this */
    atomic_uint held;      /* one waits */
    atomic_uint error;     /* errno; 0: a write or a read is cut short */
    atomic_uint failed;    /* how many have failed */
    atomic_uint traced;
    atomic_uint dies; /* in place of failing */
    struct trace trace[TRACE_MAX];
};

static struct control *control;
static const char *folder;
static atomic_uchar kinds[FDS_MAX];

static struct {
    int (*open)(const char *path, int flags, ...);
    int (*openat)(int at, const char *path, int flags, ...);
    int (*close)(int fd);
    ssize_t (*read)(int fd, void *to, size_t n);
    ssize_t (*pread)(int fd, void *to, size_t n, off_t at);
    ssize_t (*write)(int fd, const void *from, size_t n);
    ssize_t (*pwrite)(int fd, const void *from, size_t n, off_t at);
    int (*fsync)(int fd);
    int (*fdatasync)(int fd);
    int (*ftruncate)(int fd, off_t len);
    int (*posix_fallocate)(int fd, off_t at, off_t len);
    int (*unlink)(const char *path);
    int (*renameat2)(int from_at, const char *from, int to_at, const char *to, unsigned flags);
} real;

/* POSIX has dlsym() give functions as void *; ISO C has no cast for it. */
static void find(const char *name, void *ret_function)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (!found)
        abort();
    memcpy(ret_function, &found, sizeof found);
}

static void map_control(void)
{
    const char *path = getenv("FAULTS_CONTROL");
    int fd;

    folder = getenv("FAULTS_FOLDER");
    if (!path || !folder)
        return;
    fd = real.open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        abort();
    control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (control == MAP_FAILED)
        abort();
    (void)real.close(fd);
}

__attribute__((constructor)) static void begin(void)
{
    find("open", &real.open);
    find("openat", &real.openat);
    find("close", &real.close);
    find("read", &real.read);
    find("pread", &real.pread);
    find("write", &real.write);
    find("pwrite", &real.pwrite);
    find("fsync", &real.fsync);
    find("fdatasync", &real.fdatasync);
    find("ftruncate", &real.ftruncate);
    find("posix_fallocate", &real.posix_fallocate);
    find("unlink", &real.unlink);
    find("renameat2", &real.renameat2);
    map_control();
}

static bool ends(const char *name, const char *with)
{
    size_t n = strlen(name);
    size_t m = strlen(with);

    return n >= m && strcmp(name + n - m, with) == 0;
}

static enum kind kind_of_path(const char *path)
{
    size_t len = folder ? strlen(folder) : 0;
    const char *name = path + len;

    if (!control || strncmp(path, folder, len) != 0)
        return KIND_NONE;
    if (name[0] == '\0' || strcmp(name, "/") == 0)
        return KIND_FOLDER;
    if (name[0] != '/')
        return KIND_NONE;
    if (strstr(name, ".part-"))
        return KIND_DRAFT;
    if (ends(name, "-wal"))
        return KIND_WAL;
    if (ends(name, "-journal"))
        return KIND_JOURNAL;
    if (ends(name, "/keys") || ends(name, "/keys.new"))
        return KIND_KEYS;
    if (ends(name, ".ballast"))
        return KIND_BALLAST;
    if (ends(name, ".lock"))
        return KIND_LOCK;
    if (ends(name, ".db.new"))
        return KIND_DRAFT;
    return ends(name, ".db") ? KIND_MAIN : KIND_OTHER;
}

static enum kind kind_of_fd(int fd)
{
    return fd >= 0 && fd < FDS_MAX ? (enum kind)kinds[fd] : KIND_NONE;
}

/* The last of a countdown fails, or is held. */
static bool is_chosen(enum call call, enum kind kind)
{
    unsigned left = atomic_load(&control->countdown);

    if (!(control->calls & 1U << call) || !(control->kinds & 1U << kind))
        return false;
    while (left > 1) {
        if (atomic_compare_exchange_weak(&control->countdown, &left, left - 1))
            return false;
    }
    if (left == 0)
        return false;
    return control->for_ever || atomic_compare_exchange_strong(&control->countdown, &left, 0);
}

/* The test has no other way to wake this process than the memory they share, hence the sleep. */
static void wait_for_the_test(void)
{
    static const struct timespec moment = { .tv_nsec = 1000000 };

    control->held = 1;
    while (control->hold)
        (void)nanosleep(&moment, NULL);
    control->held = 0;
}

/* Notes the call, and holds it if it is to be. Returns whether it is to fail; errno says how. */
static bool fails(enum call call, enum kind kind, size_t detail)
{
    bool hold;
    bool chosen;
    bool failed;
    unsigned at;

    if (kind == KIND_NONE)
        return false;
    hold = control->hold; /* before: who lets go has none fail */
    chosen = is_chosen(call, kind);
    failed = chosen && !hold;
    if (failed)
        atomic_fetch_add(&control->failed, 1);
    at = atomic_fetch_add(&control->traced, 1);
    if (at < TRACE_MAX)
        control->trace[at] =
            (struct trace){ (uint32_t)call, (uint32_t)kind, failed, (uint32_t)detail };
    if (failed && control->dies)
        (void)kill(getpid(), SIGKILL);
    if (failed)
        errno = (int)control->error;
    else if (chosen)
        wait_for_the_test();
    return failed;
}

static int remember(int fd, enum kind kind)
{
    if (fd >= 0 && fd < FDS_MAX)
        kinds[fd] = (unsigned char)kind;
    return fd;
}

static int open_any(int at, const char *path, int flags, mode_t mode)
{
    enum kind kind = kind_of_path(path);

    if (fails(CALL_OPEN, kind, (size_t)flags))
        return -1;
    return remember(real.openat(at, path, flags, mode), kind);
}

static ssize_t write_any(int fd, const void *from, size_t n, off_t at, bool positioned)
{
    if (fails(CALL_WRITE, kind_of_fd(fd), n)) {
        if (errno != 0 || n < 2)
            return -1;
        n /= 2;
    }
    return positioned ? real.pwrite(fd, from, n, at) : real.write(fd, from, n);
}

/* What libc's headers call otherwise where they are compiled with fortify. */
#define EXPORT __attribute__((visibility("default")))

static mode_t mode_of(int flags, va_list args)
{
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
}

#define OPEN(name)                                                                                 \
    EXPORT int name(const char *path, int flags, ...);                                             \
    EXPORT int name(const char *path, int flags, ...)                                              \
    {                                                                                              \
        va_list args;                                                                              \
        mode_t mode;                                                                               \
                                                                                                   \
        va_start(args, flags);                                                                     \
        mode = mode_of(flags, args);                                                               \
        va_end(args);                                                                              \
        return open_any(AT_FDCWD, path, flags, mode);                                              \
    }
OPEN(open)
OPEN(open64)

#define OPEN_2(name)                                                                               \
    EXPORT int name(const char *path, int flags);                                                  \
    EXPORT int name(const char *path, int flags)                                                   \
    {                                                                                              \
        return open_any(AT_FDCWD, path, flags, 0);                                                 \
    }
OPEN_2(__open_2)
OPEN_2(__open64_2)

EXPORT int close(int fd)
{
    (void)remember(fd, KIND_NONE);
    return real.close(fd);
}

/* Whether it fails; one that is cut short reads the half. */
static bool read_fails(int fd, size_t *n)
{
    if (!fails(CALL_READ, kind_of_fd(fd), *n))
        return false;
    if (errno != 0)
        return true;
    *n -= *n / 2;
    return false;
}

EXPORT ssize_t read(int fd, void *to, size_t n)
{
    return read_fails(fd, &n) ? -1 : real.read(fd, to, n);
}

EXPORT ssize_t __read_chk(int fd, void *to, size_t n, size_t room);
EXPORT ssize_t __read_chk(int fd, void *to, size_t n, size_t room)
{
    return n > room ? -1 : read(fd, to, n);
}

#define PREAD(name)                                                                                \
    EXPORT ssize_t name(int fd, void *to, size_t n, off_t at);                                     \
    EXPORT ssize_t name(int fd, void *to, size_t n, off_t at)                                      \
    {                                                                                              \
        return read_fails(fd, &n) ? -1 : real.pread(fd, to, n, at);                                \
    }
PREAD(pread)
PREAD(pread64)

#define PREAD_CHK(name)                                                                            \
    EXPORT ssize_t name(int fd, void *to, size_t n, off_t at, size_t room);                        \
    EXPORT ssize_t name(int fd, void *to, size_t n, off_t at, size_t room)                         \
    {                                                                                              \
        return n > room ? -1 : pread(fd, to, n, at);                                               \
    }
PREAD_CHK(__pread_chk)
PREAD_CHK(__pread64_chk)

EXPORT ssize_t write(int fd, const void *from, size_t n)
{
    return write_any(fd, from, n, 0, false);
}

#define PWRITE(name)                                                                               \
    EXPORT ssize_t name(int fd, const void *from, size_t n, off_t at);                             \
    EXPORT ssize_t name(int fd, const void *from, size_t n, off_t at)                              \
    {                                                                                              \
        return write_any(fd, from, n, at, true);                                                   \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

EXPORT int fsync(int fd)
{
    return fails(CALL_SYNC, kind_of_fd(fd), 0) ? -1 : real.fsync(fd);
}

EXPORT int fdatasync(int fd)
{
    return fails(CALL_SYNC, kind_of_fd(fd), 0) ? -1 : real.fdatasync(fd);
}

#define FTRUNCATE(name)                                                                            \
    EXPORT int name(int fd, off_t len);                                                            \
    EXPORT int name(int fd, off_t len)                                                             \
    {                                                                                              \
        return fails(CALL_TRUNCATE, kind_of_fd(fd), (size_t)len) ? -1 : real.ftruncate(fd, len);   \
    }
FTRUNCATE(ftruncate)
FTRUNCATE(ftruncate64)

#define FALLOCATE(name)                                                                            \
    EXPORT int name(int fd, off_t at, off_t len);                                                  \
    EXPORT int name(int fd, off_t at, off_t len)                                                   \
    {                                                                                              \
        if (fails(CALL_ALLOCATE, kind_of_fd(fd), (size_t)len))                                     \
            return errno;                                                                          \
        return real.posix_fallocate(fd, at, len);                                                  \
    }
FALLOCATE(posix_fallocate)
FALLOCATE(posix_fallocate64)

EXPORT int unlink(const char *path)
{
    return fails(CALL_UNLINK, kind_of_path(path), 0) ? -1 : real.unlink(path);
}

EXPORT int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
    return fails(CALL_RENAME, kind_of_path(from), 0)
               ? -1
               : real.renameat2(from_at, from, to_at, to, flags);
}
