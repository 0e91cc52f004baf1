/*
 * ledger/keys_file.c - reads and replaces a file of secrets.
 *
 * Threads: any one at a time for each path.
 */
#include "ledger/keys_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "ledger/files.h"

void secret_buf_free(struct buf *buf)
{
    if (buf->bytes)
        sodium_memzero(buf->bytes, buf->room);
    buf_free(buf);
}

/* Fills `ret` from the file. false: errno says why. */
static bool read_all(int fd, struct buf *ret)
{
    char *at = buf_reserve(ret, KEYS_FILE_BYTES_MAX + 1);

    if (!at) {
        errno = ENOMEM;
        return false;
    }
    for (;;) {
        ssize_t len = read(fd, at + ret->len, KEYS_FILE_BYTES_MAX + 1 - ret->len);

        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0)
            return false;
        if (len == 0)
            return true;
        ret->len += (size_t)len;
        if (ret->len > KEYS_FILE_BYTES_MAX) {
            errno = EFBIG;
            return false;
        }
    }
}

bool keys_file_read(const char *path, mode_t refused, struct buf *ret, struct why *reterr_why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat file;
    bool ok = fd >= 0 && fstat(fd, &file) == 0;

    if (ok && (!S_ISREG(file.st_mode) || (file.st_mode & refused) != 0)) {
        (void)why_set(reterr_why, "the keys file %s may be read by others; chmod 600 it", path);
        (void)close(fd);
        return false;
    }
    ok = ok && read_all(fd, ret);
    if (!ok)
        (void)why_set(reterr_why, "cannot read the keys file %s: %s", path, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

static bool write_draft(const char *path, struct str bytes)
{
    int fd;
    bool ok;

    if (unlink(path) < 0 && errno != ENOENT) /* an older draft may have another mode or owner */
        return false;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    ok = fd >= 0 && fd_write_all(fd, bytes) && fsync(fd) == 0;
    return (fd < 0 || close(fd) == 0) && ok;
}

bool keys_file_replace(const char *path, struct str bytes, struct why *reterr_why)
{
    AUTO_BYTES char *draft = path_beside(path, ".new");

    assert(bytes.len <= KEYS_FILE_BYTES_MAX);
    if (!draft) {
        (void)why_set(reterr_why, "no memory");
        return false;
    }
    if (write_draft(draft, bytes) && rename(draft, path) == 0 && folder_sync(path))
        return true;
    (void)why_set(reterr_why, "cannot write the keys file %s: %s", path, strerror(errno));
    return false;
}
