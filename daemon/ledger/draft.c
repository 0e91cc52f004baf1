/*
 * ledger/draft.c - files that get their name only once they are whole and on disk.
 *
 * Threads: any; nothing is shared.
 */
#include "ledger/draft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger/files.h"

#define PIECE_BYTES (256 * 1024)

bool draft_make(const char *draft)
{
    AUTO_FD fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    return fd >= 0;
}

static bool copy_bytes(int from, int to)
{
    AUTO_BYTES char *piece = malloc(PIECE_BYTES);
    ssize_t got = piece ? 1 : -1;

    while (got > 0) {
        got = read(from, piece, PIECE_BYTES);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0 && !fd_write_all(to, (struct str){ piece, (size_t)got }))
            return false;
    }
    return got == 0 && fsync(to) == 0;
}

bool draft_copy(const char *from, const char *draft)
{
    AUTO_FD source = open(from, O_RDONLY | O_CLOEXEC);
    AUTO_FD target =
        source >= 0 ? open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    int kept;

    if (target < 0)
        return false;
    if (copy_bytes(source, target))
        return true;
    kept = errno;
    (void)unlink(draft);
    errno = kept;
    return false;
}

bool draft_write(struct str bytes, const char *draft)
{
    AUTO_FD fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    return fd >= 0 && fd_write_all(fd, bytes) && fsync(fd) == 0;
}

bool draft_sync(const char *draft)
{
    AUTO_FD fd = open(draft, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    return fd >= 0 && fsync(fd) == 0;
}

bool draft_name(const char *draft, const char *path)
{
    if (renameat2(AT_FDCWD, draft, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    /* Not every file system can do that; a second name is as careful, in two steps. */
    if (link(draft, path) < 0)
        return false;
    (void)unlink(draft);
    return true;
}
