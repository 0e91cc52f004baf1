/*
 * ledger/sqlite_files.c - what is done to the store's files around SQLite: the lock, a look at the
 * header, the rewriting of the log, the ballast.
 *
 * Nothing here opens the database file while SQLite has it: closing it would drop SQLite's own
 * POSIX locks.
 *
 * Threads: main before the store is open; the ballast the writer.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"
#include "ledger/files.h"
#include "ledger/sqlite.h"

#define HEADER_BYTES 100
#define HEADER_USER_VERSION 60 /* offsets of the file format, big-endian */
#define HEADER_APPLICATION_ID 68
#define WAL_PIECE_BYTES ((size_t)1 << 20)

int sqlite_lock(const char *path, struct why *reterr_why)
{
    AUTO_BYTES char *name = path_beside(path, ".lock");
    int fd = name ? open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;

    if (fd < 0) {
        why_set(reterr_why,
                "cannot make the lock file %s.lock: %s; the folder must exist and be "
                "writable",
                path, strerror(errno));
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    why_set(reterr_why, "another tallyd has the store %s open; stop it, or choose another --store",
            path);
    (void)close(fd);
    return -1;
}

static uint32_t big_endian(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool header_ok(const unsigned char *header, const char *path, int newest, struct why *why)
{
    uint32_t version = big_endian(header + HEADER_USER_VERSION);

    if (memcmp(header, "SQLite format 3", 16) != 0 ||
        big_endian(header + HEADER_APPLICATION_ID) != SQLITE_APPLICATION_ID) {
        why_set(why,
                "%s is no store of tallyd and no backup of one; choose another, or move it away",
                path);
        return false;
    }
    if (version > (uint32_t)newest) {
        why_set(why,
                "%s was written by a newer tallyd (store version %u, this one knows %d); "
                "start that one",
                path, version, newest);
        return false;
    }
    return true;
}

bool sqlite_file_ok(const char *path, int newest, struct why *reterr_why)
{
    unsigned char header[HEADER_BYTES];
    struct stat file;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got;

    if (fd < 0 && errno == ENOENT)
        return true;
    if (fd < 0 || fstat(fd, &file) < 0) {
        why_set(reterr_why, "cannot open the store %s: %s", path, strerror(errno));
        if (fd >= 0)
            (void)close(fd);
        return false;
    }
    got = S_ISREG(file.st_mode) ? fd_read_all(fd, header, sizeof header, 0) : -1;
    if (got < 0 && S_ISREG(file.st_mode)) {
        why_set(reterr_why, "cannot read the store %s: %s", path, strerror(errno));
        (void)close(fd);
        return false;
    }
    (void)close(fd);
    if (got == 0) { /* none is made so: sqlite_create.c */
        why_set(reterr_why,
                "the store %s is empty, it was cut short; restore a backup (tallyd --restore), or "
                "move it away to begin a new one",
                path);
        return false;
    }
    if (got != (ssize_t)sizeof header) {
        why_set(reterr_why,
                "%s is no store of tallyd and no backup of one; choose another, or move it away",
                path);
        return false;
    }
    return header_ok(header, path, newest, reterr_why);
}

bool sqlite_look_beside(const char *path, const char *suffix, int64_t *ret_bytes,
                        struct why *reterr_why)
{
    AUTO_BYTES char *name = path_beside(path, suffix);
    struct stat file;

    if (!name) {
        why_set(reterr_why, "no memory");
        return false;
    }
    if (stat(name, &file) == 0)
        *ret_bytes = file.st_size;
    else if (errno == ENOENT)
        *ret_bytes = -1;
    else {
        why_set(reterr_why, "cannot look at %s: %s", name, strerror(errno));
        return false;
    }
    return true;
}

bool sqlite_sync_folder(const char *path, struct why *reterr_why)
{
    if (folder_sync(path))
        return true;
    why_set(reterr_why, "cannot sync the folder of %s: %s", path, strerror(errno));
    return false;
}

/* Reads a piece and writes the same bytes back. Returns how many; 0: the end, -1: errno says why.
 */
static ssize_t rewrite_piece(int fd, char *piece, off_t at)
{
    ssize_t got;
    ssize_t done = 0;

    do
        got = pread(fd, piece, WAL_PIECE_BYTES, at);
    while (got < 0 && errno == EINTR);
    while (done < got) {
        ssize_t put = pwrite(fd, piece + done, (size_t)(got - done), at + done);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return -1;
        done += put;
    }
    return got;
}

static bool rewrite(int fd)
{
    AUTO_BYTES char *piece = malloc(WAL_PIECE_BYTES);
    off_t at = 0;
    ssize_t n = 1;

    if (!piece)
        return false;
    while (n > 0) {
        n = rewrite_piece(fd, piece, at);
        at += n;
    }
    return n == 0 && fdatasync(fd) == 0;
}

bool sqlite_log_refused(const char *name, const char *what, int error, struct why *reterr_why)
{
    bool stranger = error == EACCES || error == EPERM;

    why_set(reterr_why, "cannot %s the log %s: %s; %s", what, name, strerror(error),
            stranger ? "make it belong to the store's owner, as which tallyd runs (chown)"
                     : "the disk may be failing");
    return false;
}

/* After a failed fsync the page cache still shows frames that never reached the disk. Recovery
 * would take them for committed, and the next power cut would take them, and all behind them. So
 * what the cache shows is written again, and synced, before anybody believes it. In pieces: the log
 * of a migration that was cut off is as large as the store. */
bool sqlite_rewrite_wal(const char *path, struct why *reterr_why)
{
    AUTO_BYTES char *name = path_beside(path, "-wal");
    bool ok;
    int fd;

    if (!name) {
        why_set(reterr_why, "no memory");
        return false;
    }
    fd = open(name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return true;
    ok = fd >= 0 && rewrite(fd);
    if (!ok)
        (void)sqlite_log_refused(name, "rewrite", errno, reterr_why);
    if (fd >= 0)
        (void)close(fd);
    return ok && sqlite_sync_folder(path, reterr_why);
}

/* Whether the ballast has its room already, or there is twice as much: one that took the last room
 * would make the disk full that it is kept for, and be freed and made again for ever. */
static bool ballast_fits(int fd, uint64_t bytes)
{
    struct stat file;
    struct statvfs disk;

    if (fstat(fd, &file) < 0 || fstatvfs(fd, &disk) < 0)
        return false;
    return (uint64_t)file.st_blocks * 512 >= bytes ||
           (uint64_t)disk.f_bavail * disk.f_frsize / 2 >= bytes;
}

bool ballast_make(const char *path, uint64_t bytes)
{
    AUTO_BYTES char *name = path_beside(path, ".ballast");
    int fd = name ? open(name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    bool ok = fd >= 0 && ballast_fits(fd, bytes) && posix_fallocate(fd, 0, (off_t)bytes) == 0;

    if (fd >= 0)
        (void)close(fd);
    if (!ok && name)
        (void)unlink(name);
    return ok;
}

void ballast_free(const char *path)
{
    AUTO_BYTES char *name = path_beside(path, ".ballast");

    if (name)
        (void)unlink(name);
}
