/*
 * ledger/files.c - names beside a path, writing all of it, and making a name durable.
 *
 * Threads: any; nothing is shared.
 */
#include "ledger/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void fd_autoclose(const int *fd)
{
    int kept = errno;

    if (*fd >= 0)
        (void)close(*fd);
    errno = kept;
}

char *path_beside(const char *path, const char *suffix)
{
    char *name;

    return asprintf(&name, "%s%s", path, suffix) < 0 ? NULL : name;
}

bool fd_write_all(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t written = write(fd, bytes.at, bytes.len);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes = str_from(bytes, (size_t)written);
    }
    return true;
}

ssize_t fd_read_all(int fd, void *to, size_t len, off_t at)
{
    size_t done = 0;

    while (done < len) {
        ssize_t got = pread(fd, (char *)to + done, len - done, at + (off_t)done);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

bool folder_sync(const char *path)
{
    const char *slash = strrchr(path, '/');
    AUTO_BYTES char *folder =
        slash ? str_copy((struct str){ path, slash == path ? 1 : (size_t)(slash - path) })
              : str_copy(STR("."));
    AUTO_FD fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    return fd >= 0 && fsync(fd) == 0;
}
