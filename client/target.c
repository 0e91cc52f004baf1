/*
 * target.c - where a download goes: stdout, a device, or a file that gets its name when it is
 * whole.
 *
 * Threads: main.
 */
#include "target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answers.h"
#include "flow.h"
#include "live.h"

#define TURN_MS 200 /* libcurl waits on when a signal comes */

void target_autofree(struct target *target)
{
    if (target->file && target->file != stdout)
        (void)fclose(target->file);
    if (target->draft)
        (void)unlink(target->draft);
    free(target->path);
    free(target->draft);
}

static mode_t mode_of_new_file(void)
{
    mode_t mask = umask(0);

    (void)umask(mask);
    return 0666 & ~mask;
}

/* Who could read the file that is replaced can read the new one, and nobody else: where it cannot
 * have the same group, the group may do what everybody may. */
static void draft_settle(int fd, const struct stat *replaced)
{
    mode_t mode = replaced ? replaced->st_mode & 0777 : mode_of_new_file();

    if (replaced && fchown(fd, replaced->st_uid, replaced->st_gid) < 0 &&
        fchown(fd, (uid_t)-1, replaced->st_gid) < 0)
        mode = (mode & 0707) | ((mode & 07) << 3);
    (void)fchmod(fd, mode);
}

/* A draft beside the file.
 *
 *   replaced  the file that is there, or NULL */
static bool draft_open(struct target *target, const struct stat *replaced)
{
    AUTO_BUF name = { 0 };
    int fd;

    buf_format(&name, "%s.XXXXXX", target->path);
    target->draft = buf_ok(&name) ? str_copy(buf_str(&name)) : NULL;
    if (!target->draft)
        return false;
    fd = mkstemp(target->draft);
    if (fd < 0) {
        free(TAKE(target->draft));
        return false;
    }
    draft_settle(fd, replaced);
    target->file = fdopen(fd, "w");
    if (!target->file)
        (void)close(fd);
    return target->file != NULL;
}

/* Devices and pipes are written to; files are replaced, behind links too. */
static bool target_open(struct target *target, const char *path)
{
    struct stat file;
    bool there;

    if (!path || strcmp(path, "-") == 0) {
        target->file = stdout;
        return true;
    }
    there = stat(path, &file) == 0;
    if (there && !S_ISREG(file.st_mode)) {
        target->file = fopen(path, "we");
        return target->file != NULL;
    }
    target->path = realpath(path, NULL);
    if (!target->path)
        target->path = str_copy(str_of(path));
    return target->path && draft_open(target, there ? &file : NULL);
}

static bool bytes_take(void *context, struct str bytes)
{
    struct target *target = context;

    if (fwrite(bytes.at, 1, bytes.len, target->file) == bytes.len)
        return true;
    target->failed = true;
    target->error = errno;
    return false;
}

/* The export is whole: it gets its name. */
static bool target_finish(struct target *target)
{
    FILE *file = target->file;

    if (fflush(file) != 0 || ferror(file))
        return false;
    if (file == stdout)
        return true;
    if (target->draft && fsync(fileno(file)) != 0)
        return false;
    target->file = NULL;
    if (fclose(file) != 0)
        return false;
    if (!target->draft)
        return true;
    if (rename(target->draft, target->path) != 0)
        return false;
    free(TAKE(target->draft));
    return true;
}

static enum outcome cannot_write(const struct target *target, const char *path)
{
    return target->file == stdout || errno == EPIPE ? stdout_failed(errno)
                                                    : failed_here("cannot write %s: %m", path);
}

static enum outcome cut(const struct download *download, const char *about, const struct flow *flow)
{
    enum http_result result = flow_result(flow);

    if (flow_answer(flow)->status == 0 || result == HTTP_UNREACHABLE)
        return complain_of_silence(result, flow_why(flow));
    complain(download->again, "%s: %s was cut: %s", about, download->name, flow_why(flow)->text);
    return result == HTTP_FAILED ? OUTCOME_FAILED : OUTCOME_UNREACHABLE;
}

static enum outcome ended(struct session *session, const struct download *download,
                          const char *about, const char *output, struct target *target,
                          const struct flow *flow)
{
    if (target->failed) {
        errno = target->error;
        return cannot_write(target, output);
    }
    if (!flow_ended(flow)) {
        complain(download->again, "%s: %s was stopped", about, download->name);
        return OUTCOME_FAILED;
    }
    if (flow_result(flow) != HTTP_ANSWERED)
        return cut(download, about, flow);
    if (outcome_of(flow_answer(flow)->status) != OUTCOME_DONE)
        return session_refused(session, about, flow_answer(flow));
    return target_finish(target) ? OUTCOME_DONE : cannot_write(target, output);
}

enum outcome target_download(struct session *session, const struct download *download,
                             const char *about, const char *output)
{
    AUTO_TARGET target = { 0 };
    const struct flow_ends ends = { .take = bytes_take, .context = &target };
    struct http_request request = { .method = "GET", .path = download->path };
    AUTO(flow) flow = NULL;
    struct why why = { "" };

    live_catch(); /* a draft is not left behind */
    if (!target_open(&target, output))
        return cannot_write(&target, output);
    flow = flow_start(session->http, &request, &ends, &why);
    if (!flow)
        return failed_here("%s", why.text);
    while (!flow_ended(flow) && !live_interrupted())
        flows_turn(session->http, -1, TURN_MS);
    return ended(session, download, about, output, &target, flow);
}
