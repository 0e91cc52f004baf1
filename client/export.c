/*
 * export.c - `tally export`: a poll's votes, streamed to stdout or into a file.
 *
 * The file gets its name when the export is whole: one that was cut never looks like one.
 *
 * Threads: main.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answers.h"
#include "commands.h"
#include "flow.h"
#include "live.h"
#include "paths.h"

#define TURN_MS 200 /* libcurl waits on when a signal comes */

struct target {
    FILE *file;
    char *path;  /* owned; what the file is to be called; NULL: it is written to as it is */
    char *draft; /* owned; what it is called until then */
    bool failed; /* a write; errno is in error */
    int error;
};

static void target_autofree(struct target *target)
{
    if (target->file && target->file != stdout)
        (void)fclose(target->file);
    if (target->draft)
        (void)unlink(target->draft);
    free(target->path);
    free(target->draft);
}

/* A draft beside the file, with the mode that a new file gets. */
static bool draft_open(struct target *target)
{
    AUTO_BUF name = { 0 };
    mode_t mask = umask(0);
    int fd;

    (void)umask(mask);
    buf_format(&name, "%s.XXXXXX", target->path);
    target->draft = buf_ok(&name) ? str_copy(buf_str(&name)) : NULL;
    if (!target->draft)
        return false;
    fd = mkstemp(target->draft);
    if (fd < 0) {
        free(TAKE(target->draft));
        return false;
    }
    (void)fchmod(fd, 0666 & ~mask);
    target->file = fdopen(fd, "w");
    if (!target->file)
        (void)close(fd);
    return target->file != NULL;
}

/* Devices and pipes are written to; files are replaced, behind links too. */
static bool target_open(struct target *target, const char *path)
{
    struct stat there;

    if (!path || strcmp(path, "-") == 0) {
        target->file = stdout;
        return true;
    }
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode)) {
        target->file = fopen(path, "we");
        return target->file != NULL;
    }
    target->path = realpath(path, NULL);
    if (!target->path)
        target->path = str_copy(str_of(path));
    return target->path && draft_open(target);
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

static enum outcome cannot_write(const char *path)
{
    return failed_here("cannot write %s: %m", path ? path : "to stdout");
}

static enum outcome cut(const char *id, const struct flow *flow)
{
    enum http_result result = flow_result(flow);

    if (flow_answer(flow)->status == 0 || result == HTTP_UNREACHABLE)
        return complain_of_silence(result, flow_why(flow));
    complain("export again; what came so far is only a part", "%s: the export was cut: %s", id,
             flow_why(flow)->text);
    return result == HTTP_FAILED ? OUTCOME_FAILED : OUTCOME_UNREACHABLE;
}

static enum outcome ended(const struct session *session, struct target *target,
                          const struct flow *flow)
{
    const char *id = session->operands[0];
    const char *path = options_value(session->options, OPTION_OUTPUT);

    if (target->failed) {
        errno = target->error;
        return cannot_write(path);
    }
    if (!flow_ended(flow)) {
        complain("export again; what came so far is only a part", "%s: the export was stopped", id);
        return OUTCOME_FAILED;
    }
    if (flow_result(flow) != HTTP_ANSWERED)
        return cut(id, flow);
    if (outcome_of(flow_answer(flow)->status) != OUTCOME_DONE)
        return complain_of_refusal(id, flow_answer(flow));
    return target_finish(target) ? OUTCOME_DONE : cannot_write(path);
}

static bool path_add(struct buf *out, const struct session *session)
{
    const char *format = options_value(session->options, OPTION_FORMAT);

    (void)path_of_poll(out, session->operands[0], "/votes?format=");
    buf_text(out, format ? format : "ndjson");
    if (options_has(session->options, OPTION_ALL))
        buf_text(out, "&all=1");
    return buf_ok(out);
}

enum outcome export_run(struct session *session)
{
    const char *format = options_value(session->options, OPTION_FORMAT);
    const char *path = options_value(session->options, OPTION_OUTPUT);
    __attribute__((cleanup(target_autofree))) struct target target = { 0 };
    const struct flow_ends ends = { .take = bytes_take, .context = &target };
    struct http_request request = { .method = "GET" };
    AUTO_BUF query = { 0 };
    AUTO(flow) flow = NULL;
    struct why why = { "" };

    if (format && strcmp(format, "csv") != 0 && strcmp(format, "ndjson") != 0)
        return misused("--format is ndjson or csv");
    if (!path_add(&query, session))
        return failed_here("no memory");
    live_catch(); /* a draft is not left behind */
    if (!target_open(&target, path))
        return cannot_write(path);
    request.path = buf_str(&query);
    flow = flow_start(session->http, &request, &ends, &why);
    if (!flow)
        return failed_here("%s", why.text);
    while (!flow_ended(flow) && !live_interrupted())
        flows_turn(session->http, -1, TURN_MS);
    return ended(session, &target, flow);
}
