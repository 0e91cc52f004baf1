/*
 * api/backup.c - POST /v1/backup: a copy of the ledger while it works.
 *
 * Where it goes is checked here; the writer makes it, and answers when it is on disk.
 *
 * Threads: the loop of the call.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api/pending.h"
#include "api/routes.h"
#include "base/utf8.h"

#define PATH_BYTES_MAX 4096
#define POINTER "/path"

static void backup_done(struct pending *pending)
{
    const struct job *job = &pending->jobs[0].job;
    struct buf *out = &pending->loop->out;
    AUTO_BUF what = { 0 };
    AUTO_BUF key = { 0 };

    if (job->result != JOB_BACKED_UP) {
        answer_refusal(pending->exchange, pending->loop, &pending->refusal,
                       (struct str){ NULL, 0 });
        return;
    }
    buf_format(&what, "made the backup %s%c", job->backup->path, '\0');
    change_log(&pending->who, buf_ok(&what) ? what.bytes : "made a backup", NULL);
    buf_format(&key, job->backup->has_key ? "%s.key" : "external", job->backup->path);
    buf_clear(out);
    buf_text(out, "{\"path\":");
    buf_json_string(out, str_of(job->backup->path));
    buf_text(out, ",\"bytes\":");
    buf_uint(out, job->backup->bytes);
    buf_text(out, ",\"votes\":");
    buf_uint(out, job->backup->votes);
    buf_text(out, ",\"key\":");
    buf_json_string(out, buf_str(&key));
    buf_char(out, '}');
    buf_heed(out, &key);
    answer_out(pending->exchange, pending->loop,
               &(struct answer){ .status = 200, .caching = CACHE_NOT });
}

static bool path_read(const cJSON *body, struct str *ret_path, struct refusal *reterr)
{
    const cJSON *item;

    if (!json_members_ok(body, "path", reterr))
        return false;
    item = json_member(body, "path");
    if (!cJSON_IsString(item))
        return refuse_member(reterr, POINTER, "must be a string: a name, or an absolute path");
    *ret_path = json_string(item);
    if (ret_path->len == 0 || ret_path->len > PATH_BYTES_MAX || !utf8_is_text(*ret_path))
        return refuse_member(reterr, POINTER, "must be 1 to %d bytes without control characters",
                             PATH_BYTES_MAX);
    return true;
}

static struct backup_order *order_new(const char *folder, struct str name)
{
    size_t room = strlen(folder) + 1 + name.len + 1;
    struct backup_order *order = malloc(sizeof *order + room);

    if (!order)
        return NULL;
    *order = (struct backup_order){ .bytes = 0 };
    (void)snprintf(order->path, room, "%s%s%.*s", folder, folder[0] ? "/" : "", (int)name.len,
                   name.at);
    return order;
}

/* The folder for plain names is made when it is first needed. */
static bool folder_ready(const char *folder, struct refusal *reterr)
{
    if (mkdir(folder, 0700) == 0 || errno == EEXIST)
        return true;
    return refuse_member(reterr, POINTER,
                         "the folder for backups, backup_dir, cannot be made: %s; make it, or give "
                         "an absolute path",
                         strerror(errno));
}

static bool order_make(const struct call *call, struct str path, struct backup_order **ret_order,
                       struct refusal *reterr)
{
    bool absolute = str_starts(path, STR("/"));
    const char *folder = absolute ? "" : call->api->backup_dir;

    if (absolute && exchange_peer(call->exchange)->kind != PEER_UNIX)
        return refuse(reterr, PROBLEM_FORBIDDEN,
                      "an absolute path is taken on the Unix socket only; send a plain name, which "
                      "lies in backup_dir");
    if (!absolute &&
        (str_find(path, '/') < path.len || str_eq(path, STR(".")) || str_eq(path, STR(".."))))
        return refuse_member(reterr, POINTER,
                             "must be a plain name, which lies in backup_dir, or an absolute path");
    if (!absolute && !folder_ready(folder, reterr))
        return false;
    *ret_order = order_new(folder, path);
    return *ret_order || refuse(reterr, PROBLEM_BUSY, "no memory for this request; send it again");
}

static bool submit(struct call *call, struct str path, struct refusal *reterr)
{
    AUTO(pending) pending = pending_new(call, 1, backup_done);

    if (!pending)
        return refuse(reterr, PROBLEM_BUSY, "no memory for this request; send it again");
    if (!order_make(call, path, &pending->jobs[0].job.backup, reterr))
        return false;
    pending->jobs[0].job.kind = JOB_BACKUP;
    pending_submit(TAKE(pending));
    return true;
}

void backup_post(struct call *call)
{
    struct refusal *refusal = &call->loop->refusal;
    AUTO(json) body = NULL;
    struct str path = { NULL, 0 };

    if (!call_json(call, "application/json", BODY_NEEDED, &body, refusal) ||
        !path_read(json_root(body), &path, refusal) || !submit(call, path, refusal))
        answer_refusal(call->exchange, call->loop, refusal, (struct str){ NULL, 0 });
}
