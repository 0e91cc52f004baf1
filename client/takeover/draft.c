/*
 * draft.c - a file that gets its name when it is whole.
 *
 * Threads: main.
 */
#include "draft.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

static const char mend[] = "mend that and try again";

static bool failed(const char *path, struct fault *reterr_fault)
{
    return fault_failed(reterr_fault, mend, "cannot write %s: %s", path, strerror(errno));
}

static bool stream_write(FILE *file, struct str bytes)
{
    return fwrite(bytes.at, 1, bytes.len, file) == bytes.len && fflush(file) == 0;
}

static bool opened_write(const char *path, struct str bytes, struct fault *reterr_fault)
{
    FILE *file = path ? fopen(path, "we") : stdout;
    bool ok = file && stream_write(file, bytes);

    if (file && file != stdout)
        ok = (fclose(file) == 0) && ok;
    return ok ? true : failed(path ? path : "to stdout", reterr_fault);
}

static bool whole_write(int fd, struct str bytes)
{
    FILE *file = fdopen(fd, "w");
    bool ok;

    if (!file) {
        (void)close(fd);
        return false;
    }
    ok = stream_write(file, bytes) && fsync(fd) == 0;
    return (fclose(file) == 0) && ok;
}

bool draft_write(const char *path, struct str bytes, struct fault *reterr_fault)
{
    AUTO_BUF draft = { 0 };
    AUTO_BYTES char *behind = NULL; /* what a link leads to is replaced, and not the link */
    struct stat there;
    mode_t mask = umask(0);
    int fd;

    (void)umask(mask);
    if (!path || (stat(path, &there) == 0 && !S_ISREG(there.st_mode)))
        return opened_write(path, bytes, reterr_fault);
    behind = realpath(path, NULL);
    if (behind)
        path = behind;
    buf_format(&draft, "%s.XXXXXX", path);
    buf_char(&draft, '\0');
    if (!buf_ok(&draft))
        return fault_memory(reterr_fault);
    fd = mkstemp(draft.bytes);
    if (fd < 0)
        return failed(path, reterr_fault);
    (void)fchmod(fd, 0666 & ~mask);
    if (whole_write(fd, bytes) && rename(draft.bytes, path) == 0)
        return true;
    (void)failed(path, reterr_fault);
    (void)unlink(draft.bytes);
    return false;
}
