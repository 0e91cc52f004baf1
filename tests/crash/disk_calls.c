/*
 * crash/disk_calls.c - stands in front of libc's file calls, and tells the pretended disk of them.
 *
 * Linked into a program, or preloaded into one. Calls on files elsewhere go through as they are;
 * those on the folder are made on the real files, but for syncs: what those would do is the
 * pretended disk's to say. Once its power is off every one of them is EIO.
 *
 * Threads: any.
 */
#undef _FORTIFY_SOURCE /* its inline wrappers are the functions that are defined here */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "crash/disk.h"

static struct {
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
    int (*link)(const char *from, const char *to);
} real;

/* POSIX has dlsym() give functions as void *; ISO C has no cast for it. */
static void find(const char *name, void *ret_function)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (!found)
        abort();
    memcpy(ret_function, &found, sizeof found);
}

/* Before every other constructor: some of them open files. */
__attribute__((constructor(101))) static void find_all(void)
{
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
    find("link", &real.link);
}

static void unlock_disk(const int *locked)
{
    int kept = errno;

    (void)locked;
    disk_unlock();
    errno = kept;
}

/* Until the end of the function. */
#define LOCKED __attribute__((cleanup(unlock_disk), unused)) int locked = (disk_lock(), 1)

/* A library's constructor may come before ours. */
static void look(void)
{
    if (!real.openat)
        find_all();
}

static int open_ours(const char *path, const char *name, int flags, mode_t mode)
{
    LOCKED;
    struct disk_file *file = name[0] ? disk_find(name) : disk_find_folder();
    int fd;

    if (!disk_is_on() || (!file && (flags & O_CREAT) && !disk_change()))
        return -1;
    fd = real.openat(AT_FDCWD, path, flags, mode);
    if (fd < 0)
        return fd;
    if (!file)
        file = disk_made(name);
    if (flags & O_TRUNC)
        disk_truncated(file, 0);
    disk_remember(fd, file);
    if ((flags & O_NOFOLLOW) && strstr(name, "-wal"))
        disk_rewrites(fd); /* SQLite itself opens its log otherwise */
    return fd;
}

static int open_any(const char *path, int flags, mode_t mode)
{
    const char *name;
    int fd;

    look();
    name = disk_name(path);
    if (name)
        return open_ours(path, name, flags, mode);
    fd = real.openat(AT_FDCWD, path, flags, mode);
    disk_remember(fd, NULL);
    return fd;
}

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
        return open_any(path, flags, mode);                                                        \
    }
OPEN(open)
OPEN(open64)

#define OPEN_2(name)                                                                               \
    EXPORT int name(const char *path, int flags);                                                  \
    EXPORT int name(const char *path, int flags)                                                   \
    {                                                                                              \
        return open_any(path, flags, 0);                                                           \
    }
OPEN_2(__open_2)
OPEN_2(__open64_2)

EXPORT int close(int fd)
{
    look();
    disk_remember(fd, NULL);
    return real.close(fd);
}

EXPORT ssize_t read(int fd, void *to, size_t n)
{
    look();
    return disk_file_of(fd) && !disk_is_on() ? -1 : real.read(fd, to, n);
}

#define PREAD(name)                                                                                \
    EXPORT ssize_t name(int fd, void *to, size_t n, off_t at);                                     \
    EXPORT ssize_t name(int fd, void *to, size_t n, off_t at)                                      \
    {                                                                                              \
        look();                                                                                    \
        return disk_file_of(fd) && !disk_is_on() ? -1 : real.pread(fd, to, n, at);                 \
    }
PREAD(pread)
PREAD(pread64)

static ssize_t write_ours(int fd, const void *from, size_t n, off_t at)
{
    LOCKED;
    ssize_t put;

    if (!disk_change())
        return -1;
    put = real.pwrite(fd, from, n, at);
    if (put > 0 && !disk_is_rewriting(fd))
        disk_wrote(disk_file_of(fd), at, from, (size_t)put);
    return put;
}

EXPORT ssize_t write(int fd, const void *from, size_t n)
{
    ssize_t put;
    off_t at;

    look();
    if (!disk_file_of(fd))
        return real.write(fd, from, n);
    at = lseek(fd, 0, SEEK_CUR);
    put = write_ours(fd, from, n, at);
    if (put > 0)
        (void)lseek(fd, at + put, SEEK_SET);
    return put;
}

#define PWRITE(name)                                                                               \
    EXPORT ssize_t name(int fd, const void *from, size_t n, off_t at);                             \
    EXPORT ssize_t name(int fd, const void *from, size_t n, off_t at)                              \
    {                                                                                              \
        look();                                                                                    \
        return disk_file_of(fd) ? write_ours(fd, from, n, at) : real.pwrite(fd, from, n, at);      \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

static int sync_ours(int fd)
{
    LOCKED;
    return disk_change() && disk_synced(disk_file_of(fd)) ? 0 : -1;
}

EXPORT int fsync(int fd)
{
    look();
    return disk_file_of(fd) ? sync_ours(fd) : real.fsync(fd);
}

EXPORT int fdatasync(int fd)
{
    look();
    return disk_file_of(fd) ? sync_ours(fd) : real.fdatasync(fd);
}

static int truncate_ours(int fd, off_t len)
{
    LOCKED;
    int result;

    if (!disk_change())
        return -1;
    result = real.ftruncate(fd, len);
    if (result == 0)
        disk_truncated(disk_file_of(fd), len);
    return result;
}

#define FTRUNCATE(name)                                                                            \
    EXPORT int name(int fd, off_t len);                                                            \
    EXPORT int name(int fd, off_t len)                                                             \
    {                                                                                              \
        look();                                                                                    \
        return disk_file_of(fd) ? truncate_ours(fd, len) : real.ftruncate(fd, len);                \
    }
FTRUNCATE(ftruncate)
FTRUNCATE(ftruncate64)

/* Only the ballast is made so, and nobody reads it: how long it is after a cut does not matter. */
#define FALLOCATE(name)                                                                            \
    EXPORT int name(int fd, off_t at, off_t len);                                                  \
    EXPORT int name(int fd, off_t at, off_t len)                                                   \
    {                                                                                              \
        look();                                                                                    \
        return disk_file_of(fd) ? 0 : real.posix_fallocate(fd, at, len);                           \
    }
FALLOCATE(posix_fallocate)
FALLOCATE(posix_fallocate64)

static int unlink_ours(const char *path, const char *name)
{
    LOCKED;
    int result;

    if (!disk_change())
        return -1;
    result = real.unlink(path);
    if (result == 0)
        disk_removed(name);
    return result;
}

EXPORT int unlink(const char *path)
{
    const char *name;

    look();
    name = disk_name(path);
    return name ? unlink_ours(path, name) : real.unlink(path);
}

static int rename_any(const char *from, const char *to, unsigned flags)
{
    LOCKED;
    const char *old = disk_name(from);
    const char *new = disk_name(to);
    int result;

    if ((old || new) && !disk_change())
        return -1;
    result = real.renameat2(AT_FDCWD, from, AT_FDCWD, to, flags);
    if (result == 0 && old && new)
        disk_renamed(old, new);
    return result;
}

EXPORT int rename(const char *from, const char *to)
{
    look();
    return rename_any(from, to, 0);
}

EXPORT int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
    look();
    if (from_at != AT_FDCWD || to_at != AT_FDCWD)
        return real.renameat2(from_at, from, to_at, to, flags);
    return rename_any(from, to, flags);
}

EXPORT int link(const char *from, const char *to)
{
    LOCKED;
    const char *old;
    int result;

    look();
    old = disk_name(from);
    if (old && !disk_change())
        return -1;
    result = real.link(from, to);
    if (result == 0 && old && disk_name(to))
        disk_linked(old, disk_name(to));
    return result;
}
