/*
 * backup.c - `tally backup`, and which backups are kept.
 *
 * The daemon makes a backup and says where it lies; older ones are deleted from here, by a user who
 * may, and only those that have a name of ours.
 *
 * Threads: main.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "answers.h"
#include "base/utf8.h"
#include "commands.h"
#include "figures.h"
#include "json.h"

#define BACKUP_MS_MAX (INT64_C(6) * 3600 * 1000) /* it copies the whole ledger */
#define KEEP_MAX 100000
#define NAME_FORM "tally-########T######Z.db" /* # is a digit: the moment, in UTC */
#define NAME_BYTES sizeof NAME_FORM

/* A name is the daemon's to place; a path is from here. False: this folder has no name. */
static bool target_add(struct buf *out, const char *file)
{
    AUTO_BYTES char *folder = NULL;

    if (strchr(file, '/') && file[0] != '/') {
        folder = getcwd(NULL, 0);
        if (!folder || !utf8_valid(str_of(folder)))
            return false;
        buf_text(out, folder);
        buf_char(out, '/');
        while (strncmp(file, "./", 2) == 0)
            file += 2;
    }
    buf_text(out, file);
    return true;
}

/* `backed up: /var/…/monday.db (41.2 MiB, 1000000 votes); its key is /var/…/monday.db.key: keep
 * both together` */
static enum outcome backed_up(struct str json)
{
    AUTO_BUF text = { 0 };
    AUTO_BUF out = { 0 };
    struct str key = json_member(json, "key");

    buf_text(&text, "backed up: ");
    json_text(&text, json_member(json, "path"));
    buf_text(&text, " (");
    figure_size(&text, json_double(json_member(json, "bytes")));
    buf_text(&text, ", ");
    figure_counted(&text, json_member(json, "votes"), "vote");
    buf_text(&text, "); ");
    if (json_is(key, "\"external\"")) {
        buf_text(&text, "its key lies elsewhere: the one is of no use without the other");
    } else {
        buf_text(&text, "its key is ");
        json_text(&text, key);
        buf_text(&text, ": keep both together");
    }
    screen_text(&out, buf_str(&text));
    buf_char(&out, '\n');
    return written(&out);
}

static bool is_ours(const char *name)
{
    const char *form = NAME_FORM;

    for (size_t i = 0; i < NAME_BYTES; i++) {
        bool digit = name[i] >= '0' && name[i] <= '9';

        if (form[i] == '#' ? !digit : name[i] != form[i])
            return false; /* also at its end */
    }
    return true;
}

static int is_ours_entry(const struct dirent *entry)
{
    return is_ours(entry->d_name);
}

/* Without its key nobody can use a backup, so the key goes last. */
static bool delete_pair(const char *folder, const char *name)
{
    AUTO_BUF path = { 0 };

    buf_format(&path, "%s/%s", folder, name);
    buf_char(&path, '\0');
    if (!buf_ok(&path) || unlink(path.bytes) != 0)
        return false;
    (void)printf("deleted: %s\n", path.bytes);
    path.len--;
    buf_text(&path, ".key");
    buf_char(&path, '\0');
    return buf_ok(&path) && (unlink(path.bytes) == 0 || access(path.bytes, F_OK) != 0);
}

static bool has_name(struct dirent **found, int n, const char *name)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(found[i]->d_name, name) == 0)
            return true;
    }
    return false;
}

/* Names sort as their moments do. The one that was just made is among them, or this is a folder of
 * the same name on another machine, with other backups in it; and it stays, also where a clock that
 * was set back gave it an old name. */
static enum outcome keep_newest(const char *folder, const char *made, uint64_t keep)
{
    struct dirent **found = NULL;
    int n = scandir(folder, &found, is_ours_entry, alphasort);
    bool ok = n > 0 && has_name(found, n, made);

    if (n >= 0 && !ok)
        errno = ENOENT; /* the daemon's folder is elsewhere */

    for (int i = 0; i < n; i++) {
        if (ok && (uint64_t)(n - i) > keep && strcmp(found[i]->d_name, made) != 0)
            ok = delete_pair(folder, found[i]->d_name);
    }
    if (!ok)
        complain("--keep deletes files of the daemon's: be its user or root, on its machine",
                 "older backups in %s are not deleted: %m", folder);
    for (int i = 0; i < n; i++)
        free(found[i]);
    free(found);
    return ok ? OUTCOME_DONE : OUTCOME_FAILED;
}

/* The folder in which the daemon put it, and then what is older there. */
static enum outcome rotate(struct str json, const char *made, uint64_t keep)
{
    AUTO_BUF folder = { 0 };
    char *slash;

    json_text(&folder, json_member(json, "path"));
    buf_char(&folder, '\0');
    slash = buf_ok(&folder) ? strrchr(folder.bytes, '/') : NULL;
    if (!slash)
        return failed_here("the daemon did not say where the backup lies");
    *slash = '\0';
    return keep_newest(folder.bytes, made, keep);
}

static enum outcome ask(struct session *session, const char *file, struct http_answer *ret_answer)
{
    AUTO_BUF path = { 0 };
    AUTO_BUF body = { 0 };
    struct http_request request = { .method = "POST",
                                    .path = STR("/v1/backup"),
                                    .type = "application/json",
                                    .most_ms = BACKUP_MS_MAX };
    struct why why = { "" };
    enum http_result result;

    if (!target_add(&path, file))
        return failed_here("this folder has no name that could be sent");
    buf_text(&body, "{\"path\":");
    buf_json_string(&body, buf_str(&path));
    buf_char(&body, '}');
    if (!buf_ok(&body))
        return failed_here("no memory");
    request.body = buf_str(&body);
    result = http_send(session->http, &request, ret_answer, &why);
    if (result != HTTP_ANSWERED)
        return complain_of_silence(result, &why);
    if (str_eq(problem_slug(ret_answer), STR("exists"))) {
        complain("choose another name: a backup overwrites nothing", "%s is there already", file);
        return OUTCOME_REFUSED;
    }
    if (outcome_of(ret_answer->status) != OUTCOME_DONE)
        return session_refused(session, file, ret_answer);
    return OUTCOME_DONE;
}

enum outcome backup_run(struct session *session)
{
    const char *keep_text = options_value(session->options, OPTION_KEEP);
    const char *file = session->operand_count > 0 ? session->operands[0] : NULL;
    char name[NAME_BYTES];
    time_t now = time(NULL);
    struct tm utc;
    AUTO_ANSWER answer = { 0 };
    uint64_t keep = 0;
    struct str json;
    enum outcome outcome;

    if (keep_text && (!str_uint64(str_of(keep_text), KEEP_MAX, &keep) || keep == 0))
        return misused("--keep wants a number from 1 to %d, not %s", KEEP_MAX, keep_text);
    if (keep_text && file)
        return misused("--keep counts backups that are named by their time: leave %s out", file);
    if (!gmtime_r(&now, &utc) ||
        strftime(name, sizeof name, "tally-%Y%m%dT%H%M%SZ.db", &utc) != sizeof name - 1)
        return failed_here("the clock shows no time that could be a name");
    outcome = ask(session, file ? file : name, &answer);
    if (outcome != OUTCOME_DONE)
        return outcome;
    if (!answer_json(&answer, &json))
        return OUTCOME_FAILED;
    outcome = backed_up(json);
    return outcome == OUTCOME_DONE && keep > 0 ? rotate(json, name, keep) : outcome;
}
